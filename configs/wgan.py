"""WGAN with gradient penalty (Gulrajani et al. 2017), or with the weight clipping of Arjovsky et al. 2017.

    python launch.py --config=configs/wgan.py            # five to eight minutes on two CPU cores
    python launch.py --config=configs/wgan.py:clip

Both take five rounds of the critic to one of the generator. gp: Adam (0, .9), penalty weight 10. clip: RMSProp 5e-5,
weights clipped to [-.01, .01], BatchNorm in both networks.

The defaults are made for digits in minutes: small networks, batch 32 and a step size ten times the paper's that decays
to 0. The step size, betas, batch, width, z and length of the paper's own MNIST code, whose kernels are 5x5 and whose
generator begins at 4x4 and ends in a sigmoid (not run here: it needs the full MNIST, prepared by TFDS, and a GPU's
patience):

    python launch.py --config=configs/wgan.py --workdir=runs/wgan_paper --config.data.name=mnist --config.batch_size=50 \
        --config.steps=200000 --config.optim.gen.lr=1e-4 --config.optim.disc.lr=1e-4 \
        --config.optim.gen.b1=.5 --config.optim.disc.b1=.5 --config.nets.gen.norm=none --config.task.z_dim=128 \
        --config.nets.gen.width=64 --config.nets.disc.width=64
"""

from configs import default

VARIANTS = ("gp", "clip")


def get_config(variant: str):
    config = default.get_config()
    config.objective.loss = "wasserstein"
    config.rounds.disc = 5
    return clip(config) if variant == "clip" else penalty(config)


def penalty(config):
    config.steps = 4500  # 720 kimg
    config.batch_size = 32
    config.objective.terms = {"wgan_gp": {"weight": 10.0}}
    config.nets.gen.update(width=48, norm="layer")
    config.nets.disc.update(width=24, norm="none")  # a norm over the batch would mix the slopes of its examples
    for player in ("disc", "gen"):
        config.optim[player].update(lr="linear(1e-3, 0, 50%, 100%)", b1=0.0, b2=0.9)
    return config


def clip(config):
    config.steps = 3000
    config.nets.gen.width = config.nets.disc.width = 32
    config.optim = {"gen": {"name": "rmsprop", "lr": 5e-5}, "disc": {"name": "rmsprop", "lr": 5e-5, "clip_weights": 0.01}}
    return config
