"""Metrics of a run, by their names in `eval.metrics`: they are given its networks."""

from jaxgan.scores import (
    anomaly,
    cas,
    classification,
    detection,
    drawn,
    looks,
    path_length,
    reading,
    retrieval,
    scenes,
    stability,
    translation,
    upscaling,
)
from jaxgan.scores.metric import POSITIVE, SHARE, Metric, score_name


def _better(lower: tuple[str, ...], higher: tuple[str, ...]) -> dict[str, str]:
    return {name: way for way, names in (("lower", lower), ("higher", higher)) for name in names}


METRICS = {
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
        opens=drawn.open_captions,
    ),
    "looks": Metric(
        ("state", "Attends"),
        looks.scores,
        dict.fromkeys(looks.SCORES, "higher"),
        looks.HOW,
        scenes.check,
        within={"looks": SHARE, "looks_gain": POSITIVE},
        opens=drawn.open_captions,
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
