"""CIFAR-10 in six rows: the small complete table of the collection w86763777/pytorch-gan-collections on GitHub.

    python launch.py --config=configs/cifar10.py:sngan_resnet

The data are TFDS's `cifar10`: the first use downloads them and prepares them with TensorFlow (pip install -e ".[tfds]").

| variant      | networks     | batch | n_critic | z   | published IS / FID |
|--------------|--------------|-------|----------|-----|--------------------|
| dcgan        | standard CNN | 128   | 1        | 100 | 6.01 / 42.72       |
| wgan         | standard CNN | 128   | 1        | 100 | 6.62 / 40.03       |
| wgan_gp      | standard CNN | 128   | 1        | 100 | 7.66 / 19.83       |
| wgan_gp_resnet | ResNet     | 64    | 5        | 128 | 7.95 / 16.95       |
| sngan        | standard CNN | 128   | 1        | 100 | 7.84 / 17.81       |
| sngan_resnet | ResNet       | 64    | 5        | 128 | 8.31 / 14.32       |

Common: 100,000 steps, step size 2e-4 that decays linearly to 0, Adam (0, .9), DCGAN's (.5, .9), images mirrored but for
SNGAN; WGAN's weights clipped to .1. All are the collection's, and so are the generators' batches, twice as large as
the discriminators'. What is not: SNGAN's images have noise of a 128th there (here none), and its FID is of samples that
were not rounded to 8 bits. Published scores: of 50,000 samples of the raw weights against the training set, the final
or the best step is not said; samples here come from the moving average unless --noema is given. They are not reproduced
here yet: this needs the data and hours of a GPU.
"""

from configs import default

VARIANTS = ("sngan_resnet", "sngan", "wgan_gp_resnet", "wgan_gp", "wgan", "dcgan")


def get_config(variant: str):
    config = default.get_config()
    method, resnet = variant.removesuffix("_resnet"), variant.endswith("_resnet")
    config.steps = 100_000
    config.data.update(name="cifar10", flip=method != "sngan")
    config.batch_size = 64 if resnet else 128
    config.rounds.disc = 5 if resnet else 1
    config.task.update(z_dim=128 if resnet else 100, gen_batch=2)
    norm = "spectral" if method == "sngan" else "none"
    if resnet:
        config.nets.gen = {"name": "resnet", "width": 256}
        config.nets.disc = {"name": "resnet", "width": 128, "norm": norm, "pool": "sum"}
    else:
        config.nets.gen = {"name": "sngan", "width": 64}
        config.nets.disc = {"name": "sngan", "width": 64, "norm": norm}
    config.objective.loss = {"sngan": "hinge", "dcgan": "nonsaturating"}.get(method, "wasserstein")
    if method == "wgan_gp":
        config.objective.terms = {"wgan_gp": {"weight": 10.0}}

    lr = "linear(2e-4, 0, 0%, 100%)"
    for player in ("disc", "gen"):
        config.optim[player].update(lr=lr, b1=0.5 if method == "dcgan" else 0.0, b2=0.9)
    if method == "wgan":
        config.optim.disc.clip_weights = 0.1
    config.eval.features = {"name": "inception"}
    config.eval.update(metrics=("fd", "is"), num_samples=50_000)  # FID against the training split
    config.log.every, config.sample.every, config.checkpoint.every = 100, 1000, 1000
    return config
