"""A table's runs in one file, `report.json`: what a report needs of them when their folders are gone, or when a table with
more rows is to have them too (`--join`)."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxgan.errors import UserError, nearest
from jaxgan.results import Result, Summary
from jaxgan.table import Table

FILE = "report.json"


@dataclass(frozen=True)
class Elsewhere:
    """A cell that was trained for another report, in so far as a report asks: there is no such folder any more."""

    row: str
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        return f"{self.row}, seed {self.seed}"


def is_elsewhere(result: Result) -> bool:
    """Whether it is another report's."""
    return isinstance(result.cell, Elsewhere)


def dump(summary: Summary) -> dict[str, Any]:
    """{"rows": {row: [run, ...]}} of the runs that are over, as JSON."""
    scores = {column.score for column in summary.table.columns if not column.word}
    words = {column.name: column.word for column in summary.table.columns if column.word}
    rows = {}
    for row, results in summary.results.items():
        over = [result for result in results if result.cell and result.state in ("done", "diverged")]
        rows[row] = [
            {
                "seed": result.cell.seed,
                "state": result.state,
                "numbers": {name: x for name, x in result.numbers.items() if name in scores and math.isfinite(x)},
                "words": {name: result.words.get(name) or word(result) for name, word in words.items()},
                "message": result.message,
                "verdict": result.verdict,
                "evaluation": {key: result.evaluation[key] for key in ("step", "protocol")} if result.evaluation else None,
                "starts": list(result.starts),
            }
            for result in over
        ]
    return {"title": summary.table.title, "rows": {row: runs for row, runs in rows.items() if runs}}


def load(where: Path, table: Table) -> Mapping[str, list[Result]]:
    """The runs of a `report.json`, or of a folder with one, by those rows that the table has as well. Raises UserError."""
    path = where / FILE if where.is_dir() else where
    try:
        saved = json.loads(path.read_text())
        rows = {
            row: [_result(row, run, path) for run in runs]
            for row, runs in saved["rows"].items()
            if row in table.rows and runs
        }
    except FileNotFoundError as error:
        raise UserError(f"--join={where} holds no {FILE}, which --mode=ablate writes beside report.html") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"--join={where} is no table's {FILE}: {type(error).__name__}: {error}") from error
    if not rows:
        some = next(iter(saved["rows"]), "")
        raise UserError(f"--join={where} has none of this table's rows, but '{some}'; {nearest(some, table.rows)}")
    return rows


def _result(row: str, run: dict[str, Any], path: Path) -> Result:
    return Result(
        Elsewhere(row, run["seed"], path.parent / "cells"),
        run["state"],
        {name: float(x) for name, x in run["numbers"].items()},
        message=run["message"],
        evaluation=run["evaluation"],
        starts=tuple(run["starts"]),
        verdict=run["verdict"],
        words=dict(run["words"]),
    )
