"""GANs of points in the plane, under the two protocols that papers use.

    python launch.py --config=configs/toy.py:ring
    python launch.py --config=configs/toy.py:swiss_roll --workdir=runs/roll
    python launch.py --config=configs/toy.py:gaussians25 --config.eval.every=1000

Each picture shows samples over real points and, beside them, what the discriminator thinks of every place and where the
generator's loss pushes a sample from there; in the end all of them are `samples/training.gif`. Scores: modes found and the
share of samples near one, where the modes are known, else precision and its kin.

ring, grid: VEEGAN's data as PacGAN (Lin et al. 2018) trained on them, in its public code: 8 Gaussians on a circle of
radius 1 with standard deviation .01, and 25 at {-4, -2, 0, 2, 4}^2 with .05; 100,000 points, batch 100, 400 epochs,
which are 400,000 steps. Generator: z normal in 2 dimensions, four layers of 400, ReLU and BatchNorm; discriminator:
three layers of 200 maxout units of 5 pieces; Adam 1e-4 with b1 .8. PacGAN's own rows pack samples; here is its
baseline, the GAN, with alternating updates (the whole table: `configs/ablations/ring.py`).

gaussians8, gaussians25, swiss_roll: WGAN-GP's figure 3 (Gulrajani et al. 2017), in its public code: 8 Gaussians of radius
2 / 1.414 and deviation .02 / 1.414; 25 at spacing 2 / 2.828 with .05 / 2.828; the swiss roll with noise .25, divided by 7.5.
Both networks three layers of 512 with ReLU, z normal in 2 dimensions, penalty weight .1, five rounds, batch 256, Adam 1e-4
(.5, .9), 100,000 steps. Its sampler never repeats a point of 8 Gaussians or the swiss roll; here 100,000 points
are drawn once, as it has them of the 25.

moons: scikit-learn's two half circles with noise .05, under WGAN-GP's protocol.

The papers' lengths take an hour and more on two CPU cores; the defaults stop earlier (20,000 and 5,000 steps), and
--config.steps=400000 or 100000 runs all of it. Not theirs: samples come from averaged weights, and params start as in
`jaxgan.nets.mlp`.
"""

from configs import default

VARIANTS = ("ring", "grid", "gaussians8", "gaussians25", "swiss_roll", "moons")
DATA = {
    "ring": {"name": "ring", "modes": 8, "radius": 1.0, "std": 0.01},
    "grid": {"name": "grid", "side": 5, "spacing": 2.0, "std": 0.05},
    "gaussians8": {"name": "ring", "modes": 8, "radius": 2 / 1.414, "std": 0.02 / 1.414},
    "gaussians25": {"name": "grid", "side": 5, "spacing": 2 / 2.828, "std": 0.05 / 2.828},
    "swiss_roll": {"name": "swiss_roll", "noise": 0.25, "scale": 7.5},
    "moons": {"name": "moons", "noise": 0.05},
}

MIXTURES = ("ring", "grid", "gaussians8", "gaussians25")  # of known modes


def get_config(variant: str):
    config = default.get_config()
    config.data = DATA[variant]
    config.task.z_dim = 2
    config.sample = {"every": 1000, "num": 2500}
    metrics = ("modes",) if variant in MIXTURES else ("prdc",)
    config.eval = {"metrics": metrics, "features": {"name": "points"}, "repeats": 1}
    config.eval.update(num_samples=2500, num_real=2500, batch_size=2500)
    config.log.every = 100
    config.checkpoint.every = 1000
    return pacgan(config) if variant in ("ring", "grid") else wgan_gp(config)


def pacgan(config):
    config.steps = 20_000
    config.batch_size = 100
    config.nets.gen = {"name": "mlp", "widths": (400,) * 4, "activation": "relu", "norm": "batch", "output": "linear"}
    config.nets.disc = {"name": "mlp", "widths": (200,) * 3, "activation": "none", "maxout": 5}
    for player in ("disc", "gen"):
        config.optim[player].update(lr=1e-4, b1=0.8)
    return config


def wgan_gp(config):
    config.steps = 5_000
    config.batch_size = 256
    config.objective.loss = "wasserstein"
    config.objective.terms = {"wgan_gp": {"weight": 0.1}}
    config.rounds.disc = 5
    config.nets.gen = {"name": "mlp", "widths": (512,) * 3, "activation": "relu", "output": "linear"}
    config.nets.disc = {"name": "mlp", "widths": (512,) * 3, "activation": "relu"}
    for player in ("disc", "gen"):
        config.optim[player].update(lr=1e-4, b1=0.5, b2=0.9)
    return config
