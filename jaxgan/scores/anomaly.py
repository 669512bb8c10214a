"""How well a run's detector tells abnormal pictures from normal ones: of a test split whose classes the run has not all
trained on, with a threshold that held-out normal pictures alone give."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jaxgan.anomaly.base import OfNetworks
from jaxgan.anomaly.conformal import check_rate, p_values
from jaxgan.anomaly.detector import Detector, make_detector
from jaxgan.console import say
from jaxgan.data.groups import groups_of
from jaxgan.data.kept import Kept, names_of
from jaxgan.data.source import Images
from jaxgan.data.subset import labels_of
from jaxgan.errors import UserError
from jaxgan.generate import trained
from jaxgan.metrics import anomaly as metrics
from jaxgan.sections import sections
from jaxgan.tasks.protocols import Anomaly
from jaxgan.workdir.data import open_data, open_split, trained_classes

BETTER = dict.fromkeys(("auroc", "auroc_low", "auroc_high", "average_precision"), "higher") | {"base_rate": ""}
BETTER |= {"f1": "higher", "tpr": "higher", "fpr": "lower", "pixel_auroc": "higher", "aupro": "higher"}
DETAIL = f"split-conformal p-values; regions with their corners, up to a false positive rate of {metrics.LIMIT}"
PERCENTS = (1, 5, 10)  # asked rates of which the measured ones are scores, whatever `rate` is
BETTER |= {f"fpr_{percent}": "" for percent in PERCENTS}
CHANCE = 0.5  # AUROC of scores that say nothing
HOLD_BACK = "--config.data.split=train[:80%] --config.eval.detector.calibrate=train[80%:] holds some back"
ABNORMAL = 127  # pixels of a mask above this are


@dataclass(frozen=True)
class Opened:
    """The pictures that anomaly scores are taken on.

    calibration: held-out normal pictures, its examples number `calibrating` alone. test: the whole split, of which examples
    number `rows` are scored. abnormal: which of those are, bool [N]. groups: which of those belong together, int [N], or
    None. protocol, measured: what is noted beside scores. The first is alike for all that may stand in one table. made: the
    detector, once there is one.
    """

    calibration: Images
    calibrating: np.ndarray
    test: Images
    rows: np.ndarray
    abnormal: np.ndarray
    groups: np.ndarray | None
    protocol: dict[str, Any]
    measured: dict[str, Any]
    made: dict[str, Detector] = field(default_factory=dict)


def scores(plan: Any, opened: Opened, state: Any) -> dict[str, float]:
    """Of a run's state, by its section `eval.detector`:

    "auroc", with the middle 95 % of its bootstrap as "auroc_low" and "auroc_high", over groups where there are groups;
    "average_precision", and "base_rate", which it has by chance: the share of abnormal pictures; "f1", "tpr" and "fpr" of
    the pictures whose conformal p-value is at most the asked rate; "fpr_1", "fpr_5" and "fpr_10" at asked rates of 1, 5 and
    10 %, where enough pictures are held out; where masks are, and the detector has maps,
    "pixel_auroc" and "aupro". Says an AUROC below chance, and what leaks.

    Raises UserError where scores are not finite, and for an exported model whose detector needs more networks.
    """
    wanted = plan.detector
    check_networks(plan, state.params)
    detector = _detector(plan, opened, trained(plan, state, plan.run.eval.ema))
    order = _order(opened.abnormal, getattr(wanted, "order", ""), bool(wanted.leaks))
    rows, abnormal = opened.rows[order], opened.abnormal[order]
    pixels = metrics.PixelScores() if "mask" in opened.test.features else None
    found = []
    for numbers, one in _found(detector, opened.test, rows):
        found.append(one.score)
        if pixels and one.map is not None:
            pixels.add(np.asarray(one.map), opened.test.gather(numbers)["mask"][..., 0] > ABNORMAL)
    score = np.concatenate(found)
    calibration = np.concatenate([one.score for _, one in _found(detector, opened.calibration, opened.calibrating)])
    out = {"auroc": metrics.auroc(score, abnormal)}
    interval = metrics.auroc_interval(score, abnormal, None if opened.groups is None else opened.groups[order])
    out |= dict(zip(("auroc_low", "auroc_high"), interval)) if interval else {}
    out |= {"average_precision": metrics.average_precision(score, abnormal), "base_rate": float(abnormal.mean())}
    p = p_values(calibration, score)
    out |= metrics.verdict_scores(p <= wanted.rate, abnormal)
    out |= {f"fpr_{percent}": metrics.verdict_scores(p <= rate, abnormal)["fpr"]
            for percent in PERCENTS if (rate := percent / 100) * (len(calibration) + 1) >= 1}  # fmt: skip
    out |= pixels.scores() if pixels else {}
    told = [f"a leak: {leak}" for leak in wanted.leaks]
    if out["auroc"] < CHANCE:
        told.append(f"AUROC {out['auroc']:.3g} is below chance, {CHANCE}: normal pictures score higher than abnormal ones")
    for line in told:
        say(f"{detector.title}: {line}")
    return out


def _detector(plan: Any, opened: Opened, nets: Any) -> Detector:
    """The run's detector with these networks; compiled, and fitted to the training images, once a run."""
    if "detector" not in opened.made:
        opened.made["detector"] = make_detector(plan, nets, open_data(plan.config))
    elif isinstance(plan.detector, OfNetworks):
        opened.made["detector"].move(nets)
    return opened.made["detector"]


def check_networks(plan: Any, players: Collection[str]) -> None:
    """Refuses an exported model, which has these players alone, where the detector needs more. Raises UserError."""
    if isinstance(plan.detector, OfNetworks) and {*plan.players} - {*players}:
        raise UserError(
            f"eval.detector.name={plan.config.eval.detector.name} needs all networks of a run, and an exported model is a "
            "generator alone; name the run that it was made of, or --config.eval.detector.name=pca"
        )


def check(plan: Any, images: Images) -> None:
    """Refuses, before a run trains, what `scores` could not measure at its end. Raises UserError."""
    if len(plan.image_shape) != 3:
        raise UserError("the metric 'anomaly' is of pictures, and this run makes points")
    opened = open_pictures(plan, images)
    plan.detector.check(plan)
    check_rate(len(opened.calibrating), plan.detector.rate, opened.calibration.name)
    calibrate, test = (opened.calibration, opened.calibrating), (opened.test, opened.rows[~opened.abnormal])
    check_apart(open_data(plan.config), plan.detector, calibrate=calibrate, test=test)


def open_pictures(plan: Any, images: Images) -> Opened:
    """Opens the splits that the section `eval.detector` names. Raises UserError for splits that there are not, and where no
    picture, or every one, is abnormal."""
    wanted, config = plan.detector, plan.config
    try:
        test = open_split(config, wanted.test, whole=True)
    except UserError as error:
        raise UserError(f"eval.detector.test={wanted.test}, normal and abnormal pictures: {error}") from error
    label = test.features.get("label")
    if label is None or label.shape:
        raise UserError(f"the metric 'anomaly' is of data with classes, some of them abnormal, and {test.name} has none")
    kept, ignored = trained_classes(config, test), _ignored(wanted.ignore, test)
    if (kept & ignored).any():
        raise UserError(f"eval.detector.ignore={','.join(wanted.ignore)} names a class that the run is trained on")
    labels = labels_of(test)
    rows = np.flatnonzero((labels >= 0) & ~ignored[labels])
    abnormal = ~kept[labels[rows]]
    if not abnormal.any():
        how = (
            "data.classes and data.without leave none out" if kept.all() else "it has none of the classes that are left out"
        )
        raise UserError(
            f"the metric 'anomaly' needs abnormal pictures, and {test.name} has none: {how}; --config.data.without=CLASS"
        )
    if abnormal.all():
        raise UserError(f"the metric 'anomaly' needs normal pictures, and {test.name} has none of the classes that are kept")
    calibration, calibrating = _calibration(wanted, config, test, rows[~abnormal])
    groups = groups_of(test.examples)
    names = names_of(label)
    normal = [name for name, one in zip(names, kept) if one]
    return Opened(
        calibration,
        calibrating,
        test,
        rows,
        abnormal,
        None if groups is None else groups[rows],
        {
            "test": {"data": test.name, "digest": test.digest, "images": len(rows), "of": len(test)},
            "rate": wanted.rate,
            "interval": f"{metrics.DRAWS} draws of {'pictures' if groups is None else 'groups'}",
        },
        {
            "detector": {"name": config.eval.detector.name, "leaks": list(wanted.leaks)},
            "normal": normal
            if len(normal) <= len(names) / 2
            else f"all but {','.join(name for name in names if name not in normal)}",
            "abnormal": int(abnormal.sum()),
            "calibration": {"data": calibration.name, "digest": calibration.digest, "images": len(calibrating)},
        },
    )


def _ignored(names: tuple[str, ...], test: Images) -> np.ndarray:
    """Which classes are neither normal nor abnormal, bool [K]. Raises UserError."""
    if not names:
        return np.zeros(test.num_classes, bool)
    try:
        return Kept(classes=names).mask(test)
    except UserError as error:
        raise UserError(str(error).replace("data.classes", "eval.detector.ignore", 1)) from error


def _calibration(wanted: Any, config: Any, test: Images, normal: np.ndarray) -> tuple[Images, np.ndarray]:
    """(A split, the numbers of its normal pictures.) normal: those of the test split. Raises UserError."""
    if wanted.calibrate == wanted.test:
        return test, normal
    found = held_out(config, wanted.calibrate)
    return found, np.arange(len(found))


def held_out(config: Any, split: str) -> Images:
    """The normal pictures of a split that calibrates. Raises UserError where there are none, and where the run trains on
    them."""
    told, advice = f"eval.detector.calibrate={split}, held-out normal pictures", _hold_back(config)
    if split in ("", config.data.get("split")):
        raise UserError(f"{told}: the run trains on these; {advice}")
    try:
        found = open_split(config, split)
    except UserError as error:
        raise UserError(f"{told}: {error}; {advice}") from error
    if not len(found):
        raise UserError(f"{told}: {found.name} has none; {advice}")
    return found


def _hold_back(config: Any) -> str:
    """How such data hold normal pictures back: by a split of theirs, by slices of TFDS, or as another data set."""
    known = sections(config.to_dict())["data"].fields
    splits = known["split"].choices if "split" in known else ("",)
    if "validation" in splits:
        return "--config.eval.detector.calibrate=validation holds some back"
    return "--config.data.name=anomaly_folder holds some back, of folders" if splits else HOLD_BACK


def check_apart(real: Images, wanted: Any, **sets: tuple[Images, np.ndarray]) -> None:
    """Refuses pictures most of which are training images under another name. wanted: the section `eval.detector`. sets: by
    the field that names their split, (images, numbers of the normal ones). Raises UserError."""
    if not all(images.resident for images in (real, *(images for images, _ in sets.values()))):
        return
    seen = {hash(x.tobytes()) for x in real.load()["image"]}
    for split, (images, rows) in sets.items():
        inside = sum(hash(x.tobytes()) in seen for x in images.gather(rows)["image"])
        if 2 * inside > len(rows):
            raise UserError(
                f"eval.detector.{split}={getattr(wanted, split)}: {inside} of its {len(rows)} normal pictures are training "
                f"images; {HOLD_BACK}"
            )


def _order(abnormal: np.ndarray, order: str, leaks: bool) -> np.ndarray:
    """In which order pictures are scored, which matters where a score depends on the pictures beside it alone."""
    mixed = np.random.default_rng(0).permutation(len(abnormal)) if leaks else np.arange(len(abnormal))
    return mixed[np.argsort(abnormal[mixed], kind="stable")] if order == "pure" else mixed


def _found(detector: Detector, images: Images, rows: np.ndarray) -> Iterator[tuple[np.ndarray, Anomaly]]:
    """(Numbers of examples, what the detector says of them), a batch at a time."""
    for start in range(0, len(rows), detector.size):
        numbers = rows[start : start + detector.size]
        yield numbers, detector(images.gather(numbers)["image"])
