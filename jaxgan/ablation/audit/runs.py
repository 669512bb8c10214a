"""Whether the runs in a `report.json` are those that its table was to have, and say where they come from."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxgan.ablation.audit.reading import Run, Saved, order_of, range_of, trains_nothing
from jaxgan.ablation.audit.texts import same
from jaxgan.ablation.table import Column
from jaxgan.errors import UserError
from jaxgan.scores.of_run import same_protocol


def check_runs(report: dict[str, Any], saved: Saved) -> Iterator[str]:
    """What is wrong with the runs themselves."""
    claimed = {row for claim in saved.claims for row in claim.rows}
    for row, runs in saved.rows.items():
        seeds, joined = [run["seed"] for run in runs], row in _joined(report)
        twice, others = sorted({x for x in seeds if seeds.count(x) > 1}), sorted(set(seeds) - set(saved.seeds))
        yield from (f"report.json: {row}: two runs of seed {seed}" for seed in twice)
        missing = [] if joined or row not in claimed else [seed for seed in saved.seeds if seed not in seeds]
        if others and not joined:
            yield f"report.json: {row}: {_seeds(others)}: not among the table's seeds"
        if missing:
            yield f"report.json: {row}: has no run of {_seeds(missing)}"
        silent = [run["seed"] for run in runs if run["state"] in ("done", "diverged") and not says(run, "git_revision")]
        if silent:
            yield f"report.json: {row}, {_seeds(silent)}: no git_revision says what trained it"
        for run, why in zip(runs, saved.failed[row]):
            where = f"report.json: {row}, seed {run['seed']}"
            if run["failed"] != why:
                yield f"{where}: {_failed(run['failed'])}, by the rules {_failed(why)}"
            for name, column in saved.columns.items():
                sets, number = run.get("sets", {}).get(column.score, []), run["numbers"].get(column.score)
                if sets and number is not None and not same(number, float(np.mean(sets))):
                    yield f"{where}, {name}: is {number:.12g}, and its sets of samples have the mean {np.mean(sets):.12g}"
                yield from _outside(where, column, [x for x in (number, *sets) if x is not None])
        steps = {run["evaluation"]["step"] for run in runs if run["state"] == "done" and run["evaluation"]}
        if len(steps) > 1:
            yield f"report.json: {row}: its runs are of unlike steps, {', '.join(map(str, sorted(steps)))}"
        yield from (f"report.json: {row}: seeds {a} and {b} have the same numbers" for a, b in _copies(saved, row))
    for control, places in saved.controls.items():
        for name, place in places.items():
            if place.seeds and len(place.seeds) != len(place.values):
                yield f"report.json: {control}, {name}: {len(place.values)} draws, and {len(place.seeds)} seeds"
            scale = saved.columns[name].scale
            yield from _outside(f"report.json: {control}", saved.columns[name], [x / scale for x in place.values])
    try:
        every = [run for runs in saved.rows.values() for run in runs]
        same_protocol(run["evaluation"] for run in every if run["state"] == "done" and run["evaluation"])
    except UserError as error:
        yield f"report.json: {error}"


def says(run: Run, key: str) -> bool:
    """Whether every start of a run says where it comes from."""
    return bool(run["starts"]) and all(start.get(key, "unknown") not in ("", "unknown") for start in run["starts"])


def _seeds(numbers: Sequence[int]) -> str:
    return f"seed{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _joined(report: dict[str, Any]) -> set[str]:
    """Rows of another report, which may have other seeds."""
    told = report["about"].get("joined", "").rpartition(" from ")[0]
    return {row for row in report["rows"] if f", {row}, " in f", {told}, "}


def _failed(why: str) -> str:
    return f"failed ({why})" if why else "has not failed"


def _outside(where: str, column: Column, numbers: list[float]) -> Iterator[str]:
    low, high = range_of(column)
    for x in numbers:
        if not column.word and not low - 1e-9 <= x <= high + 1e-9:
            yield f"{where}: {column.name} is {x:.6g}, outside its range {low:g} to {high:g}"


def _copies(saved: Saved, row: str) -> Iterator[tuple[int, int]]:
    """Seeds of two runs with the same numbers, one of them of so many digits that this is no chance, while others differ.
    Runs that train nothing, begin alike and have the same data have the same numbers by right."""
    scores = [column.score for column in saved.columns.values() if not column.word]
    seen: dict[tuple[Any, ...], Run] = {}
    idle = trains_nothing(saved.rows[row])
    keys = [tuple(run["numbers"].get(score) for score in scores) for run in saved.rows[row] if run["state"] == "done"]
    if len(set(keys)) < 2:
        return
    for run in saved.rows[row]:
        key = tuple(run["numbers"].get(score) for score in scores)
        first = seen.setdefault(key, run)
        if run["state"] == "done" and first is not run and any(map(_is_long, key)):
            if not (idle and order_of(first) == order_of(run)):
                yield first["seed"], run["seed"]


def _is_long(x: float | None) -> bool:
    """Whether a number has six digits or more, as what is no count and no share of a few; in single precision where it is of
    that."""
    if x is None:
        return False
    digits = str(np.float32(x)) if float(np.float32(x)) == x else repr(float(x))
    return len(re.sub(r"e.*|[-.]", "", digits).strip("0")) >= 6


def check_registered(report: dict[str, Any], text: str) -> Iterator[str]:
    """What is wrong with the registration of a table's claims."""
    block = report.get("registered")
    if not block:
        return
    rest = {key: x for key, x in block.items() if key != "digest"}
    digest = hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    if digest != block.get("digest"):
        yield "report.json: its registered claims were edited, as their digest does not fit them"
    then, now = (
        [_plain(claim) for claim in some] for some in (block.get("claims", ()), [x["claim"] for x in report["claims"]])
    )
    if then != now and "\n## Changed since the claims were registered\n" not in text:
        yield "report.json: its claims are others than were registered, and report.md does not say so"


def _plain(claim: dict[str, Any]) -> dict[str, Any]:
    """A claim's fields that say something."""
    return {key: x for key, x in claim.items() if x not in (None, "", [])}
