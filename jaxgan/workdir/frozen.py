"""Copies of other runs' networks, in WORKDIR/frozen/NAME of the run that uses them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import jax
import ml_collections
import numpy as np

from jaxgan.config.renamed import renamed_record
from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import Feature, features_of, from_json
from jaxgan.errors import UserError
from jaxgan.files import replacing, write_json
from jaxgan.plan import Donor, Plan
from jaxgan.sections import sections
from jaxgan.workdir.checkpoint import digest, flatten, unflatten
from jaxgan.workdir.folder import Workdir

ARRAYS, RECORD = "variables.npz", "frozen.json"  # files of WORKDIR/frozen/NAME


def features_in(data: dict[str, Any]) -> dict[str, Feature]:
    """The features of a run's data, from its record; runs of older revisions have shapes alone."""
    if "features" in data:
        return {name: from_json(one) for name, one in data["features"].items()}
    sources = tuple(data.get("source_shape", ()))
    return features_of(tuple(data["image_shape"]), data.get("classes", 0), sources)


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
    """The copy in WORKDIR/frozen/NAME; None where there is none. Raises UserError where it is damaged, or names classes that
    are not to be trusted."""
    if not (folder / RECORD).exists():
        return None
    try:
        record = json.loads((folder / RECORD).read_text())
        if record.pop("sha256") != _sha256(record):
            raise ValueError(f"{RECORD} is not what was saved")
        saved = renamed_record(record["saved"])
        Workdir(folder.parents[1]).check_trust(saved["config"])
        config = resolve_config(ml_collections.ConfigDict(saved["config"]), [], sections)
        plan = Plan(config, features_in(saved["data"]), opened=False)
        shapes = plan.shapes()
        like = {player: shapes.variables(player) for player in record["players"]}
        with np.load(folder / ARRAYS, allow_pickle=False) as file:
            variables = unflatten(like, {name: file[name] for name in file.files})
        found = digest(flatten(variables))
    except UserError:
        raise
    except Exception as error:  # whatever a damaged file raises
        raise UserError(f"{folder} is damaged ({error}); restore it, or start the run anew in another --workdir") from error
    if found != record["arrays"]:
        raise UserError(f"{folder}/{ARRAYS} is damaged: its bytes are not those that were saved; restore it")
    return Donor(plan.task, variables, record)
