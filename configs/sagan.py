"""SAGAN (Zhang et al. 2019, "Self-Attention Generative Adversarial Networks"): attention and spectral norm in both networks.

    python launch.py --config=configs/sagan.py                   # digits, small
    python launch.py --config=configs/sagan.py:cifar10           # TFDS's `cifar10`, StudioGAN's schedule
    python launch.py --config=configs/sagan.py:imagenet128       # TFDS's `imagenet2012`, the paper's settings

Common: hinge loss, Adam (0, .9), step sizes 1e-4 and, of the discriminator, 4e-4, one update each; conditional BatchNorm
with gains and shifts of its own for each class; a projection in the discriminator. The paper: width 64, batch 256, a million
steps, attention at 32 px; FID 18.28 there, which StudioGAN could not reproduce (51.8).

digits: width 8, batch 64, 3,000 steps, attention at 14 px, and step sizes five times the paper's. With the paper's own one
run obeyed 32 % of its labels after 3,000 steps; with these another one obeyed 99 % after 1,000. cifar10: width 64, attention
at 16 px, batch 64, five updates of the discriminator, Adam 2e-4 (.5, .999), 100,000 steps; StudioGAN's best checkpoint has
IS 8.64 and FID 10.35. The larger two were not run here: they need the data and days of a GPU.

The blocks' widths are BigGAN's (see `jaxgan/nets/biggan.py`), which are the paper's at 128 px.
"""

from configs import default

VARIANTS = ("digits", "cifar10", "imagenet128")


def get_config(variant: str):
    config = default.get_config()
    config.objective.loss = "hinge"
    large, small = variant == "imagenet128", variant == "digits"
    config.steps, config.batch_size = (1_000_000, 256) if large else (3000, 64)
    config.task.update(num_classes=1000 if large else 10, z_dim=128, fake_labels="uniform")
    both: dict = {"name": "biggan", "width": 8 if small else 64, "attention": {"digits": 14, "cifar10": 16}.get(variant, 32)}
    both["kernel_init"] = "glorot"
    config.nets.gen = {**both, "hierarchical": False, "shared": 0}
    config.nets.disc = both
    for player, lr in (("gen", 1e-4), ("disc", 4e-4)):
        config.optim[player].update(lr=5 * lr if small else lr, b1=0.0, b2=0.9)
    if variant == "cifar10":
        config.data.update(name="cifar10", flip=True)
        config.steps, config.rounds.disc = 100_000, 5
        for player in ("disc", "gen"):
            config.optim[player].update(lr=2e-4, b1=0.5, b2=0.999)
    if large:
        config.data.update(name="imagenet2012", size=(128,), flip=True)
    if not small:
        config.eval.update(features={"name": "inception"}, metrics=("fd", "is"), num_samples=50_000)
        config.log.every, config.sample.every, config.checkpoint.every = 100, 1000, 1000
    return config
