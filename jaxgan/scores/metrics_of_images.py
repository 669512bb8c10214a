"""Metrics of images, by their names in `eval.metrics`: they see statistics of real and generated ones, whoever made them."""

import math

import numpy as np

from jaxgan.metrics import classes, kid, labels, modes, moments, neighbours
from jaxgan.scores.collect import Statistics
from jaxgan.scores.metric import POSITIVE, SHARE, Metric

K, QUANTILE, SPLITS, SUBSETS, SUBSET = 5, 0.01, 10, 100, 1000  # of the metrics below, and of their protocols


def _kid(real: Statistics, fake: Statistics, _: bool) -> dict[str, float]:
    value, error = kid.kid(real.features, fake.features, SUBSETS, SUBSET)  # pyright: ignore[reportArgumentType]
    return {"kid": value} | ({} if np.isnan(error) else {"kid_error": error})  # JSON knows no NaN


MODES = {"modes": POSITIVE, "high_quality": SHARE, "reverse_kl": POSITIVE}
METRICS = {
    "fd": Metric(
        (),
        lambda real, fake, few: {"fd": moments.frechet_distance(real.moments, fake.moments, few)},
        {"fd": "lower"},
        least=(2, 2),  # a covariance; below the number of dimensions it is singular, which `eval.allow_few` is about
        within={"fd": POSITIVE},
    ),
    "kid": Metric(
        ("features",),
        _kid,
        {"kid": "lower", "kid_error": "lower"},
        f"{SUBSETS} subsets of at most {SUBSET}",
        least=(2, 2),  # a pair on each side
        within={"kid_error": POSITIVE},  # without bias, KID itself is below 0 at times
    ),
    "prdc": Metric(
        ("features",),
        lambda real, fake, _: neighbours.prdc(real.features, fake.features, K),
        dict.fromkeys(("precision", "recall", "density", "coverage"), "higher"),
        f"k={K}",
        least=(K + 1, K + 1),  # its neighbours, and itself
        within=dict.fromkeys(("precision", "recall", "coverage"), SHARE) | {"density": POSITIVE},
    ),
    "repetition": Metric(
        ("features",),
        lambda real, fake, _: neighbours.repetition(real.features, fake.features, QUANTILE),
        dict.fromkeys(("copied", "repeated"), "lower"),
        f"{100 * QUANTILE:g} % quantile",
        least=(2, 2),
        within=dict.fromkeys(("copied", "repeated"), SHARE),
    ),
    "is": Metric(
        ("classes",),
        lambda _, fake, __: {"is": classes.inception_score(fake.classes, SPLITS)},
        {"is": "higher"},
        f"{SPLITS} splits",
        least=(2 * SPLITS, 1),  # of a split of one image it is exactly 1, whatever the image
        within={"is": (1.0, math.inf)},
    ),
    "classes": Metric(
        ("classes",),
        lambda real, fake, _: {"class_distance": classes.class_distance(real.classes, fake.classes)},
        {"class_distance": "lower"},
        within={"class_distance": POSITIVE},
    ),
    "modes": Metric(
        ("features", "modes"),
        lambda real, fake, _: modes.modes(fake.features, real.modes),
        {"modes": "higher", "high_quality": "higher", "reverse_kl": "lower"},
        f"within {modes.NEAR} standard deviations",
        within=MODES,
    ),
    "class_modes": Metric(
        ("classes",),
        lambda real, fake, _: classes.modes(
            classes.shares(real.classes) if real.shares is None else real.shares, fake.classes
        ),
        {"modes": "higher", "high_quality": "higher", "reverse_kl": "lower"},
        f"the likeliest class, against the data's own shares where known; high quality above {classes.SURE}",
        within=MODES,
    ),
    "label_accuracy": Metric(
        ("classes", "labels"),
        lambda _, fake, __: labels.label_accuracy(fake.classes, fake.labels, fake.num_classes),
        dict.fromkeys(("label_accuracy", "label_accuracy_worst"), "higher"),
        "the likeliest class",
        least=(1, 0),
        within=dict.fromkeys(("label_accuracy", "label_accuracy_worst"), SHARE),
    ),
    "intra_fd": Metric(
        ("features", "labels"),
        lambda real, fake, few: labels.intra_fd(
            real.features, real.labels, fake.features, fake.labels, real.num_classes, few
        ),
        {"intra_fd": "lower"},
        "mean over classes",
        least=(2, 2),
        within={"intra_fd": POSITIVE},
    ),
    "class_recall": Metric(
        ("features", "labels"),
        lambda real, fake, _: labels.class_recall(
            real.features, real.labels, fake.features, fake.labels, real.num_classes, K
        ),
        dict.fromkeys(("class_recall", "class_recall_worst"), "higher"),
        f"k={K} within a class",
        least=(K + 1, K + 1),
        within=dict.fromkeys(("class_recall", "class_recall_worst"), SHARE),
    ),
}
