"""What a run's detectors say of the normal pictures that it holds out: `calibration.json`. It is made anew where anything
that it follows from has changed, and where it is damaged."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxgan import records
from jaxgan.files import nulls, write_json
from jaxgan.records import DamagedFile

NUMBERS = [float, ...]
ENTRY = {
    "about": {"detector": {"name": str}},
    "scores": NUMBERS,
    "parts": [str],
    "has_map": bool,
    "has_reconstruction": bool,
    "low": float,
    "high": float,
}
SHAPE = {"calibrations": [ENTRY]}


class Calibration(NamedTuple):
    """scores: float [M], of the pictures held out. parts: names of further scores. has_map, has_reconstruction: what the
    detector gives besides. low, high: of maps, what is common in normal pictures, and what is rare."""

    scores: np.ndarray
    parts: tuple[str, ...]
    has_map: bool
    has_reconstruction: bool
    low: float
    high: float


class Calibrations:
    """The file of a run's folder, or of what is made of an exported model."""

    def __init__(self, folder: Path):
        self.record = folder / "calibration.json"

    def find(self, about: dict[str, Any]) -> Calibration | None:
        """What follows from `about`; None where it is not there."""
        found = next((entry for entry in self._entries() if entry["about"] == about), None)
        if found is None:
            return None
        scores, parts = np.array(found["scores"], float), tuple(found["parts"])
        return Calibration(scores, parts, found["has_map"], found["has_reconstruction"], found["low"], found["high"])

    def add(self, about: dict[str, Any], made: Calibration) -> None:
        """Keeps it in place of one of the same detector, beside those of the same checkpoint. A folder that cannot be
        written costs time alone."""
        others = [old for old in self._entries() if old["about"].get("checkpoint") == about["checkpoint"]]
        others = [old for old in others if old["about"]["detector"]["name"] != about["detector"]["name"]]
        entry = {"about": about, **made._asdict(), "scores": made.scores.tolist(), "parts": list(made.parts)}
        try:
            write_json(self.record, nulls({"calibrations": [*others, entry]}))
        except OSError:
            pass

    def _entries(self) -> list[dict[str, Any]]:
        try:
            found = records.read_json(self.record, SHAPE, "remove it")
        except DamagedFile:
            return []
        return found["calibrations"] if found else []
