"""Every metric by its name in `eval.metrics`; `scores.metric` says what one is."""

import math
from collections.abc import Iterable

import numpy as np

from jaxgan.errors import UserError, nearest
from jaxgan.extractors.base import Network
from jaxgan.metrics import classes, kid, labels, modes, moments, neighbours
from jaxgan.scores import (
    anomaly,
    cas,
    classification,
    detection,
    looks,
    path_length,
    reading,
    retrieval,
    scenes,
    stability,
    translation,
    upscaling,
)
from jaxgan.scores.collect import Statistics
from jaxgan.scores.metric import POSITIVE, SHARE, Metric

K, QUANTILE, SPLITS, SUBSETS, SUBSET = 5, 0.01, 10, 100, 1000  # of the metrics below, and of their protocols


def _kid(real: Statistics, fake: Statistics, _: bool) -> dict[str, float]:
    value, error = kid.kid(real.features, fake.features, SUBSETS, SUBSET)  # pyright: ignore[reportArgumentType]
    return {"kid": value} | ({} if np.isnan(error) else {"kid_error": error})  # JSON knows no NaN


def _better(lower: tuple[str, ...], higher: tuple[str, ...]) -> dict[str, str]:
    return {name: way for way, names in (("lower", lower), ("higher", higher)) for name in names}


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
    "ppl": Metric(
        ("state", "HasLatent", "extractor"),
        lambda plan, _, state: {
            score_name("ppl", plan.extractor, plan.run.eval.num_samples): path_length.path_length(plan, state)
        },
        {"ppl": "lower"},
        "derivative of the features' direction, where paths begin",
        within={"ppl": POSITIVE},
    ),
    "pairs": Metric(
        ("state", "Generates", "extractor"),
        lambda plan, images, state: translation.pair_scores(plan, images, state),
        _better(lower=("l1", "feature_distance"), higher=("psnr", "ssim", "pixel_accuracy", "class_accuracy", "iou")),
        "of 8-bit pixels, all channels together; classes by the nearest colour of the data's or between a class' two",
        translation.check_pairs,
        within=dict.fromkeys(("l1", "feature_distance"), POSITIVE)
        | dict.fromkeys(("pixel_accuracy", "class_accuracy", "iou"), SHARE)
        | {"ssim": (-1.0, 1.0)},
    ),
    "cycles": Metric(
        ("state", "Translates", "extractor"),
        lambda plan, images, state: translation.cycle_scores(plan, images, state),
        _better(
            lower=("cycle_a", "cycle_b", "fd_ab", "fd_ba", "l1_ab", "l1_ba"),
            higher=("psnr_ab", "psnr_ba", "ssim_ab", "ssim_ba"),
        ),
        "of 8-bit pixels, all channels together",
        translation.check_cycles,
        least=(2, 2),
        within={name: POSITIVE for name in ("cycle_a", "cycle_b", "fd_ab", "fd_ba", "l1_ab", "l1_ba")}
        | {name: (-1.0, 1.0) for name in ("ssim_ab", "ssim_ba")},
    ),
    "reading": Metric(
        ("state", "Translates", "extractor"),
        lambda plan, images, state: reading.reading_scores(plan, images, state),
        _better(lower=(), higher=("read_b", "read_ba", "read_ab", "read_real_b")),
        "by the package's classifier of plain digits, and one trained on the run's styled ones",
        reading.check,
        within=dict.fromkeys(("read_b", "read_ba", "read_ab", "read_real_b"), SHARE),
    ),
    "accuracy": Metric(
        ("state", "Predicts"),
        lambda plan, images, state: {"accuracy": classification.accuracy(plan, images, state)},
        {"accuracy": "higher"},
        "share of real images whose likeliest class is their label",
        classification.check,
        within={"accuracy": SHARE},
    ),
    "map50": Metric(
        ("state", "Detects"),
        lambda plan, images, state: {"map50": detection.map50(plan, images, state)},
        {"map50": "higher"},
        f"mean over classes of the area under precision over recall, found at an IoU of {detection.SHARED}; of boxes that "
        f"share more than {detection.OVERLAP} the surest, with scores of at least {detection.FLOOR}",
        detection.check,
        within={"map50": SHARE},
    ),
    "retrieval": Metric(
        ("state", "Matches"),
        lambda plan, images, state: {"retrieval": retrieval.retrieval(plan, images, state)},
        {"retrieval": "higher"},
        retrieval.OF_REAL,
        retrieval.check_real,
        within={"retrieval": SHARE},
    ),
    "r_precision": Metric(
        ("state", "Generates"),
        retrieval.scores,
        dict.fromkeys(("r_precision", "r_precision_train"), "higher"),
        retrieval.OF_DRAWN,
        retrieval.check_drawn,
        within=dict.fromkeys(("r_precision", "r_precision_train"), SHARE),
        opens=retrieval.open_judges,
    ),
    "scene": Metric(
        ("state", "Generates"),
        scenes.scores,
        scenes.SCORES,
        scenes.HOW,
        scenes.check,
        within=dict.fromkeys(scenes.SCORES, SHARE),
        opens=scenes.open_scenes,
    ),
    "looks": Metric(
        ("state", "Attends"),
        looks.scores,
        dict.fromkeys(looks.SCORES, "higher"),
        looks.HOW,
        looks.check,
        within={"looks": SHARE, "looks_gain": POSITIVE},
    ),
    "cas": Metric(
        ("state", "Generates"),
        lambda plan, images, state: cas.cas(plan, images, state),
        dict.fromkeys(("cas", "cas_real"), "higher"),
        f"a classifier of {cas.STEPS} steps of {cas.BATCH}, trained on as many samples as there are training images, and "
        "one on those; share of all images of eval.split whose likeliest class is their label",
        cas.check,
        within=dict.fromkeys(("cas", "cas_real"), SHARE),
    ),
    "anomaly": Metric(
        ("state",),
        anomaly.scores,
        anomaly.BETTER,
        anomaly.DETAIL,
        anomaly.check,
        within=dict.fromkeys(anomaly.BETTER, SHARE),
        opens=anomaly.open_pictures,
    ),
    "upscaling": Metric(
        ("state", "Upscales", "extractor"),
        upscaling.scores,
        upscaling.BETTER,
        upscaling.DETAIL,
        upscaling.check,
        within={"ssim_y": (-1.0, 1.0), "ssim_rgb": (-1.0, 1.0), "perceptual": (0.0, 4.0)},
        opens=upscaling.open_pictures,
    ),
    "stability": Metric(
        ("state", "extractor"),
        stability.stability,
        dict.fromkeys(("spectral_radius", "eigenvalue_real", "eigenvalue_imaginary", "distance"), "lower"),
        "of the step at params 0",
        within=dict.fromkeys(("spectral_radius", "distance"), POSITIVE),
    ),
}

OF_REAL = {
    "Predicts",
    "Detects",
    "Matches",
}  # protocols of metrics of what a network reads in real images: no samples are made


def find_scores(names: Iterable[str]) -> dict[str, Metric]:
    """The metrics of these names. Raises UserError with the nearest name that there is."""
    out = {}
    for name in names:
        if name not in METRICS:
            raise UserError(f"unknown metric '{name}' in eval.metrics; {nearest(name, METRICS)}")
        out[name] = METRICS[name]
    if not out:
        raise UserError(f"eval.metrics is empty; there are {', '.join(METRICS)}")
    return out


def score_name(part: str, network: Network, count: int) -> str:
    """The name that a score goes by: `fd_digits5k`. The 2015 Inception's Fréchet distance alone is called FID, `fid50k`."""
    size = f"{count // 1000}k" if count % 1000 == 0 else str(count)
    if network.is_fid:
        return {"fd": "fid"}.get(part, part) + size
    between = "_" if network.name[-1:].isdigit() else ""
    return f"{part}_{network.name}{between}{size}"
