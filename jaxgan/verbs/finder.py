"""A run's detector of abnormal pictures, with the threshold that its own held-out normal pictures give it."""

import dataclasses
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import jaxgan
from jaxgan.anomaly.base import BATCH as BATCH_NORM
from jaxgan.anomaly.base import RUNNING
from jaxgan.anomaly.conformal import check_rate, p_values, threshold
from jaxgan.anomaly.detector import make_detector
from jaxgan.batches import batches
from jaxgan.config.resolve import Config
from jaxgan.console import bar
from jaxgan.data import listing
from jaxgan.data.decode import decoded
from jaxgan.data.resize import MODES, Fit
from jaxgan.data.source import Images
from jaxgan.errors import UserError, as_path
from jaxgan.generate import Trained
from jaxgan.images import to_uint8
from jaxgan.plan import Plan
from jaxgan.scores.anomaly import check_apart, check_networks, held_out
from jaxgan.verbs.given_pictures import listed
from jaxgan.workdir.calibration import Calibration, Calibrations
from jaxgan.workdir.data import open_data
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import weights_digest

BATCH = 64  # pictures that are scored, and written, together
RARE = 0.95  # the share of normal pictures in whose maps nothing is fully red


class Detection(NamedTuple):
    """What a detector says of N pictures.

    score: float [N], larger is more abnormal. p_value: [N], the share of the run's held-out normal pictures, this one with
    them, whose score is at least as high. abnormal: bool [N], p_value <= rate. map: float [N, H, W], larger is more
    abnormal, or None. reconstruction: uint8 [N, H, W, C], what the run makes of each, or None. parts: {name: [N]}, further
    scores.
    """

    score: np.ndarray
    p_value: np.ndarray
    abnormal: np.ndarray
    map: np.ndarray | None
    reconstruction: np.ndarray | None
    parts: dict[str, np.ndarray]


class Finder:
    """Scores pictures of the run's size.

    Args: folder, plan, step: of the run. nets: its networks on this host, `ema` where of moving averages. rate: that will be
    asked for, see `at`.
    calibration: of the normal pictures that the run holds out, whose name is `split`. title: of the detector, a line.
    Raises UserError, before anything is computed, for a run that finds no anomalies, for a split without normal pictures,
    and for a rate that so few of them cannot tell.
    """

    def __init__(self, folder: Path, plan: Plan, step: int, nets: Trained, ema: bool, rate: float | None = None):
        check_finds(folder, plan, nets.players)
        normal = held_out(plan.config, plan.detector.calibrate)
        self.plan, self.step, self.ema = plan, step, ema
        self.split, self._count = normal.name, len(normal)
        self.at(rate)
        training = open_data(plan.config)
        check_apart(training, plan.detector, calibrate=(normal, np.arange(len(normal))))
        self._detect = make_detector(plan, nets, training)
        self.title = self._detect.title
        self.calibration = _calibrated(folder, plan, step, ema, self._detect, normal)

    def at(self, rate: float | None) -> float:
        """The share of normal pictures that may be called abnormal, by default the config's. Raises UserError for one that
        so few held-out pictures cannot tell."""
        rate = float(self.plan.detector.rate if rate is None else rate)
        check_rate(self._count, rate, self.split)
        return rate

    def threshold(self, rate: float) -> float:
        """The score above which a picture is abnormal."""
        return threshold(self.calibration.scores, rate)

    def read(self, paths: Any) -> np.ndarray:
        """Pictures brought to the run's size, uint8 [N, H, W, C]. paths: of pictures; or one, of a picture, a folder or an
        archive. Raises UserError naming one that cannot be read."""
        some = [paths] if isinstance(paths, str | Path) else paths
        items = [item for path in some for item in listed(as_path(path), alone=True)]
        if not items:
            raise UserError("give at least one picture")
        entries, out = listing.entries(items, [""] * len(items)), []
        for entry, pixels in decoded(entries, fit_of(self.plan.config, self.plan.image_shape), []):
            if isinstance(pixels, str):
                raise UserError(f"'{entry.name}' cannot be read: {pixels}")
            out.append(pixels)
        return np.stack(out)

    def __call__(self, images: np.ndarray, rate: float) -> Detection:
        """Of uint8 [N, H, W, C]. What it says of a picture follows from its pixels, and not from its place among others.
        Raises UserError where a score is not finite."""
        found = _found(self._detect, images)
        p = p_values(self.calibration.scores, found.score)
        made = None if found.reconstruction is None else to_uint8(found.reconstruction)
        return Detection(found.score, p, p <= rate, found.map, made, found.parts)


def check_finds(folder: Path, plan: Plan, players: Collection[str]) -> None:
    """Refuses a run that finds no anomalies. players: those that are there. Raises UserError."""
    if len(plan.image_shape) != 3 or plan.image_shape[2] not in MODES:
        shape = "x".join(map(str, plan.image_shape))
        raise UserError(f"anomalies are found in pictures, and {folder} was trained on {shape}")
    if getattr(plan.detector, "batch_norm", RUNNING) == BATCH_NORM:
        raise UserError(f"eval.detector.batch_norm={BATCH_NORM}: a score would depend on the pictures beside; leave it out")
    plan.detector.check(plan)
    check_networks(plan, players)


def fit_of(config: Config, shape: tuple[int, ...]) -> Fit:
    """How a run's own pictures were brought to their shape [H, W, C]."""
    own = {field.name: config.data[field.name] for field in dataclasses.fields(Fit) if field.name in config.data}
    return Fit(**{**own, "size": tuple(shape[:2]), "channels": shape[2], "jitter": 0})


def _calibrated(folder: Path, plan: Plan, step: int, ema: bool, detect: Any, normal: Images) -> Calibration:
    """What the detector says of the pictures that the run holds out, from the run's folder where it is known."""
    kept = Calibrations(Workdir(folder).outputs)
    settings = {key: x for key, x in plan.config.eval.detector.to_dict().items() if key not in ("rate", "test")}
    about = {"step": step, "checkpoint": weights_digest(folder, step), "detector": settings, "ema": ema}
    about |= {"data": normal.name, "digest": normal.digest, "pictures": len(normal), "version": jaxgan.__version__}
    about = json.loads(json.dumps(about))  # as a file has it
    found = kept.find(about) if about["checkpoint"] else None
    if found is None:
        found = _calibration(detect, normal)
        if about["checkpoint"]:
            kept.add(about, found)
    return found


def _calibration(detect: Any, normal: Images) -> Calibration:
    scores, low, high, last = [], [], [], None
    with bar(None, "calibrated", len(normal), "pictures") as shown:
        for rows, count in batches(len(normal), BATCH):
            last = _found(detect, normal.gather(rows[:count])["image"])
            scores.append(last.score)
            if last.map is not None:
                low.append(np.median(last.map, (1, 2)))
                high.append(np.max(last.map, (1, 2)))
            shown.update(count)
    assert last is not None
    every = np.concatenate(scores).astype(float)
    has_map = last.map is not None
    usual, rare = (
        (float(np.median(np.concatenate(low))), float(np.quantile(np.concatenate(high), RARE))) if has_map else (0, 1)
    )
    return Calibration(every, tuple(last.parts), has_map, last.reconstruction is not None, usual, rare)


def _found(detect: Any, images: np.ndarray) -> Any:
    """The detector's `Anomaly`; with a reconstruction and no map, the map is the mean absolute residual over channels."""
    found = detect(images)
    if found.map is None and found.reconstruction is not None:
        residual = np.abs(images.astype(np.float32) / 127.5 - 1 - found.reconstruction).mean(-1)
        found = found._replace(map=residual)
    return found
