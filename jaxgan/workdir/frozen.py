"""Copies of other runs' networks, in WORKDIR/frozen/NAME of the run that uses them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan import npz, records
from jaxgan.config.renamed import renamed_record
from jaxgan.config.resolve import Config, difference
from jaxgan.config.run import OPERATIONAL
from jaxgan.errors import UserError
from jaxgan.files import replacing, write_json
from jaxgan.plan import Donor, Plan
from jaxgan.workdir.flat import digest, flatten, unflatten
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.saved import features_in, resolve_saved
from jaxgan.workdir.shapes import FROZEN

ARRAYS, RECORD = "variables.npz", "frozen.json"  # files of WORKDIR/frozen/NAME
ADVICE = "restore it, or start the run anew in another --workdir"


def save_frozen(plan: Plan, folder: Path) -> None:
    """Copies a new run's frozen networks into its folder; the first process alone writes."""
    for name, donor in plan.frozen.items():
        there = folder / "frozen" / name
        if "saved" not in donor.record or jax.process_index() != 0:
            continue
        if (there / RECORD).exists() and Workdir(folder).is_run:
            continue
        there.mkdir(parents=True, exist_ok=True)
        with replacing(there / ARRAYS) as file:
            np.savez(file, **flatten(donor.variables))  # pyright: ignore[reportArgumentType]
        write_json(there / RECORD, {"sha256": _sha256(donor.record), **donor.record})  # last: what has a record is whole


def _sha256(record: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def saved_donor(folder: Path) -> Donor | None:
    """The copy in a folder; None where there is none. Raises UserError where it is damaged, or names
    classes that are not to be trusted."""
    path, arrays = folder / RECORD, folder / ARRAYS
    record = records.read_json(path, FROZEN, ADVICE)
    if record is None:
        return None
    with records.reading(path, ADVICE):
        if record.pop("sha256") != _sha256(record):
            raise ValueError("it is not what was saved")
        saved = renamed_record(record["saved"])
        Workdir(folder.parents[1]).check_trust(saved["config"])
        plan = Plan(resolve_saved(saved["config"], path, ADVICE), features_in(saved["data"]), opened=False)
    with records.reading(arrays, ADVICE):
        records.check_file(arrays, ADVICE)
        shapes = plan.shapes()
        like = {player: shapes.variables(player) for player in record["players"]}
        variables = unflatten(like, npz.read(arrays))
        if digest(flatten(variables)) != record["arrays"]:
            raise ValueError("its bytes are not those that were saved")
    return Donor(plan.task, variables, record)


def check_stage(folder: Path, name: str, wanted: Config, step: int, donor: Donor) -> None:
    """Refuses to go on with a run whose network `name` came from another run than the one that it would train first now.

    wanted: the config of that run. step: of its checkpoint; 0: the last. donor: the copy, which has been read and trusted.
    Raises UserError.
    """
    saved = resolve_saved(donor.record["saved"]["config"], folder / "frozen" / name / RECORD, ADVICE)
    lines = difference(saved.to_dict(), wanted.to_dict(), OPERATIONAL)
    began, now = donor.record["taken"]["step"], step or wanted.steps
    lines += [f"steps: {began} -> {now}"] if began != now else []
    if lines:
        raise UserError(
            f"{folder} began from another frozen.{name}; choose another --workdir, or undo of its stage: {'; '.join(lines)}"
        )
