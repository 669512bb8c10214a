"""Claims are registered: a table's first start writes down what is claimed, and by which columns, seeds and code it will be
judged, before any cell has its last score."""

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxgan import records
from jaxgan.ablation import progress, saved_report
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.table import Claim, Column, Length, Table
from jaxgan.ablation.table_json import (
    CLAIM,
    COLUMN,
    LENGTH,
    NUMBER,
    claim_as_json,
    claim_of,
    column_as_json,
    column_of,
    length_as_json,
    length_of,
    numbers,
    plain,
    word_as_json,
)
from jaxgan.errors import UserError
from jaxgan.records import STEP, DamagedFile
from jaxgan.scores.code import code_of
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.provenance import git_revision

SHAPE = {
    **dict.fromkeys(("date", "git_revision", "digest"), str),
    "claims": [CLAIM],
    "columns": [COLUMN],
    **dict.fromkeys(("seeds", "looks"), [STEP]),
    "length": (LENGTH, None),
    "sound": {str: [NUMBER]},
    "code": {str: str},
    "seen": [str],
}
ADVICE = "restore it, or remove its 'registered': the claims then count as not registered"
_OF_ITSELF = ("date", "git_revision", "digest")  # what says nothing of the table


@dataclass(frozen=True)
class Registered:
    """What was registered, when, and at which revision.

    claims, columns, seeds, looks, length, sound: see `Table`; columns of words are without their functions. words: those
    functions' names and hashes, by column. code: of each metric, see `scores.code.code_of`. seen: rows of other reports,
    whose scores were known at that time.
    """

    date: str
    git_revision: str
    claims: tuple[Claim, ...]
    columns: tuple[Column, ...]
    words: dict[str, dict[str, str]]
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    length: Length | None
    sound: dict[str, tuple[float, float]]
    code: dict[str, str]
    seen: tuple[str, ...] = ()


def register(folder: Path, table: Table, cells: Iterable[Cell], joined: Collection[str] = ()) -> dict[str, Any]:
    """What `table.json` is to say at a start: {"registered": see `SHAPE`, or None, "scored": whether a cell has its last
    score, or had it once}.

    As long as none has, that is what the table says now. From then on it is what was registered, if anything was. joined:
    rows of another report, whose scores are known. Raises UserError where a registration was edited.
    """
    before = registered_of(folder)
    if (progress.read_table(folder) or {}).get("scored") or _is_scored(folder):
        return {"registered": before, "scored": True}
    code: dict[str, str] = {}
    for config in (cell.config for cell in cells if not cell.hidden):
        code = code_of(config.eval.metrics, config.eval.features.name) | code  # of the first row that has the metric
    new = {
        "claims": [claim_as_json(claim) for claim in table.claims],
        "columns": [column_as_json(column) for column in table.columns],
        "seeds": list(table.seeds),
        "looks": list(table.looks),
        "length": length_as_json(table.length),
        "sound": {name: plain(ends) for name, ends in table.sound.items()},
        "code": code,
        "seen": sorted({*joined, *(before or {"seen": ()})["seen"]}),
    }
    if before is None or {key: x for key, x in before.items() if key not in _OF_ITSELF} != new:
        date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        before = new | {"date": date, "git_revision": git_revision()}
        before["digest"] = _digest(before)
    return {"registered": before, "scored": False}


def _is_scored(folder: Path) -> bool:
    """Whether any cell of a table's folder, also one of a row that the table has no more, has come to a result: the score of
    its last step, or divergence."""
    for path in (folder / "cells").iterdir() if (folder / "cells").is_dir() else ():
        try:
            workdir = Workdir(path)
            done = workdir.done_step
            if done is not None and any(one["step"] == done for one in workdir.evaluations()):
                return True
            if (workdir.failure or {}).get("kind") == "diverged":
                return True
        except UserError:  # damaged: something was there
            return True
    return False


def _digest(block: dict[str, Any]) -> str:
    rest = {key: x for key, x in block.items() if key != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def registered_of(folder: Path) -> dict[str, Any] | None:
    """The registration in a table's `table.json`, or else in its `report.json`, of the shape `SHAPE`; None where there is
    none. Raises UserError where it was edited."""
    shape = {"registered?": (SHAPE, None)}
    path = folder / progress.FILE
    block = (records.read_json(path, shape, ADVICE) or {}).get("registered")
    if block is None:
        path = folder / saved_report.FILE
        with suppress(DamagedFile):  # the next report takes its place
            block = (records.read_json(path, shape, ADVICE) or {}).get("registered")
    if block is not None and block["digest"] != _digest(block):
        raise UserError(f"{path}: its registered claims were edited, as their digest does not fit them; {ADVICE}")
    return block


def read_registered(folder: Path) -> Registered | None:
    """What was registered for the table in a folder; None where nothing was. Raises UserError where it was edited."""
    block = registered_of(folder)
    if block is None:
        return None
    columns = tuple(map(column_of, block["columns"]))
    return Registered(
        block["date"],
        block["git_revision"],
        tuple(map(claim_of, block["claims"])),
        columns,
        {column.name: found["word"] for column, found in zip(columns, block["columns"]) if found.get("word")},
        tuple(block["seeds"]),
        tuple(block["looks"]),
        length_of(block["length"]),
        {name: numbers(ends) for name, ends in block["sound"].items()},
        block["code"],
        tuple(block["seen"]),
    )


def as_registered(table: Table, registered: Registered) -> Table:
    """The table as it was registered, in columns, claims, seeds, looks, length and sound.

    A column of words needs its function: it is left out where the table's has another name or code. So are claims about it,
    and about rows that the table does not show any more; `changes` says so.
    """
    columns = []
    for column in registered.columns:
        if column.name in registered.words:
            word = next((own.word for own in table.columns if own.name == column.name), None)
            if word is None or word_as_json(word) != registered.words[column.name]:
                continue
            column = dataclasses.replace(column, word=word)
        columns.append(column)
    names = {column.name for column in columns}
    shown = {(row, name) for row, one in table.rows.items() if not one.hidden for name in names}
    return dataclasses.replace(
        table,
        columns=tuple(columns),
        claims=tuple(claim for claim in registered.claims if shown.issuperset(claim.places)),
        seeds=registered.seeds,
        looks=registered.looks,
        length=registered.length,
        sound={name: ends for name, ends in registered.sound.items() if name in names},
    )
