"""`--mode=verify`: whether an exported model still makes the pictures that it made."""

from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.console import say
from jaxgan.errors import Failure
from jaxgan.generate import trained
from jaxgan.placement import Placement
from jaxgan.verbs.exporting import kept_samples
from jaxgan.workdir.archive import SAMPLES, Archive
from jaxgan.workdir.provenance import changed, provenance
from jaxgan.workdir.runs import load_run

LEVELS = 2  # of 255, by which rounding on another device may move a pixel
RELATIVE = 1e-3  # of the largest coordinate, of points


def verify(folder: Path) -> float:
    """Says whether an archive's files are those that were exported, and its eight samples those that were made then. Returns
    the largest difference, 0 for the same bits.

    Raises UserError where a file is another, and Failure where a sample differs by more than `LEVELS` of 255.
    """
    archive, placement = Archive(folder), Placement()
    manifest = archive.manifest
    archive.check()
    say(f"{len(manifest['files'])} files are those that were exported")
    plan, step, state = load_run(folder, placement)
    before = archive.read(SAMPLES)
    given = {name.removeprefix("given."): x for name, x in before.items() if name.startswith("given.")}
    numbers = np.array(manifest["numbers"], np.uint32)
    now = kept_samples(plan, placement.local(trained(plan, state, bool(state.ema))), numbers, given)["images"]
    was = before["images"]
    difference = float(np.max(np.abs(now.astype(np.float64) - was)))
    here = provenance()
    others = changed(manifest["made"], {**here, "git_revision": manifest["made"].get("git_revision", "")})
    where = f"; made with another {others}" if others else ""
    if now.tobytes() == was.tobytes():
        say(f"{len(numbers)} of {len(numbers)} samples are the same, bit for bit (step {step}{where})")
    elif difference <= (LEVELS if was.dtype == np.uint8 else RELATIVE * float(np.max(np.abs(was)))):
        say(f"{len(numbers)} samples are the same but for rounding: {_described(now, was, difference)} (step {step}{where})")
    else:
        raise Failure(f"{folder} makes other pictures than it made: {_described(now, was, difference)}{where}")
    return difference


def _described(now: Any, was: Any, difference: float) -> str:
    share = float(np.mean(now != was))
    unit = " of 255 levels" if was.dtype == np.uint8 else ""
    return f"{share:.2%} of the values differ, by {difference:.3g}{unit} at the most"
