"""Modes of a ring of Gaussians: PacGAN's table 1 (Lin et al. 2018), with gradient penalties beside.

    python launch.py --mode=ablate --config=configs/ablations/ring.py --workdir=runs/ring --workers=2

PacGAN's protocol, from its public code: 8 Gaussians on a circle of radius 1 with standard deviation .01, 100,000 points;
generator z normal in 2 dimensions, four layers of 400, BatchNorm and ReLU; discriminator three layers of 200 maxout units
of 5 pieces; weights start normal with .02; Adam 1e-4 with b1 .8, both players' gradients at the same params; batches of 100
packs. Score on 2,500 samples of the raw weights: a sample within three standard deviations of its nearest mode is of high
quality, a mode with one such sample is found, reverse KL is that of the shares of high-quality samples among the modes. The
last rows are ours: WGAN-GP (weight .1, as its authors chose for such data, one round), R1, and the relativistic
loss with R1 and R2, all weights 1. There is one setting a row, and none was tuned.

short (the default): 10,000 steps, a fortieth of PacGAN's, at which its claims are not tested; 10 seeds, of which five have
been measured: twenty minutes a seed on two cores. full: PacGAN's 400 epochs, 400,000 steps, and 10 seeds; days on a CPU, not
measured yet.
"""

from configs import toy
from jaxgan.table import Claim, Column, Length, Row, Table

VARIANTS = ("short", "full")
STEPS = {"short": 10_000, "full": 400_000}
PUBLISHED = {
    "GAN": ("6.3 +- .5", "98.2", ".45"),
    "PacGAN2": ("7.9 +- .1", "95.6", ".07"),
    "PacGAN3": ("7.8 +- .1", "97.7", ".10"),
    "PacGAN4": ("7.8 +- .1", "95.9", ".07"),
}
COLUMNS = (
    Column("modes", "modes of 8", "higher", ".2f", within=(0, 8), count=1),
    Column("high_quality", "high quality, %", "higher", ".1f", scale=100),
    Column("reverse_kl", "reverse KL", "lower", ".3f"),
)


NOTES = (
    "Plain Gaussian noise of the data's spread has 4.6 of the 8 modes in as many samples, with a reverse KL of .67 (means "
    "of 200 draws)."
)


def get_config(variant: str, data: str = "ring"):
    config = toy.get_config(data)
    config.steps = STEPS[variant]
    config.simultaneous = True
    config.nets.gen.init_std = config.nets.disc.init_std = 0.02
    config.sample = {"every": 0, "num": 2500}
    config.log = {"every": config.steps // 100, "tensorboard": False}
    config.checkpoint = {"every": config.steps // 20, "keep": 2}
    config.eval.update(every=config.steps // 20, ema=False, repeats=2)
    return config


def rows() -> dict[str, Row]:
    """The methods; a pack of m has batches of 100 m points."""

    def penalties(**weights: float) -> dict[str, float]:
        return {f"objective.terms.{name}.weight": weight for name, weight in weights.items()}

    return {
        "GAN": Row(),
        "PacGAN2": Row({"critic.pack": 2, "batch_size": 200}),
        "PacGAN3": Row({"critic.pack": 3, "batch_size": 300}),
        "PacGAN4": Row({"critic.pack": 4, "batch_size": 400}),
        "WGAN-GP": Row({"objective.loss": "wasserstein"} | penalties(wgan_gp=0.1)),
        "R1": Row(penalties(r1=1)),
        "RpGAN + R1 + R2": Row({"objective.loss": "relativistic"} | penalties(r1=1, r2=1)),
    }


def table(variant: str, data: str = "ring", columns=COLUMNS, published=PUBLISHED, notes: str = NOTES) -> Table:
    from dataclasses import replace

    modes, quality, kl = (column.name for column in columns)
    with_values = {
        name: replace(row, published=dict(zip((modes, quality, kl), published.get(name, ()))))
        for name, row in rows().items()
    }
    return Table(
        title=f"Modes of a {data} of Gaussians",
        paper="Lin et al. 2018 (PacGAN: The power of two samples in generative adversarial networks), table 1",
        data=f"the {data} itself, drawn anew: 100,000 points",
        protocol="PacGAN's: simultaneous updates, batches of 100 packs ({batch_size} points), {steps} steps, "
        "{eval.num_samples} samples of the raw weights at the end",
        length=Length(400_000, "steps"),
        differs=(
            "running statistics of the generator's BatchNorm have momentum .9 and epsilon 1e-5 (there .95 and 1e-4)",
            "all seeds have the same points (there each its own)",
        ),
        published=f"{data}: modes of the {data} itself after 400,000 steps; +- is the standard error of ten trials",
        comparable=variant == "full",
        columns=columns,
        rows=with_values,
        seeds=range(10),
        claims=tuple(Claim(modes, pack, than="GAN") for pack in ("PacGAN2", "PacGAN3", "PacGAN4"))
        + tuple(Claim(kl, pack, than="GAN") for pack in ("PacGAN2", "PacGAN3", "PacGAN4")),
        curves=("modes", "high_quality", "disc/loss", "gen/loss"),
        notes=notes,
    )
