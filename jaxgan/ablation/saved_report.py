"""A table's runs in one file, `report.json`: what a report needs of them when their folders are gone, or when a table with
more rows is to have them too (`--join`)."""

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ml_collections

from jaxgan import records
from jaxgan.ablation.results import STATES, Result, Summary
from jaxgan.ablation.table import Table
from jaxgan.ablation.table_json import claim_as_json, column_as_json, plain
from jaxgan.config import trust
from jaxgan.config.renamed import nested, renamed_config, renamed_metrics
from jaxgan.config.resolve import difference, flat, is_among, resolve_config
from jaxgan.config.run import DONORS, OPERATIONAL
from jaxgan.errors import UserError, nearest
from jaxgan.files import nulls
from jaxgan.records import STEP
from jaxgan.sections import sections
from jaxgan.workdir.shapes import MEASURED, NUMBER, PROTOCOL, START

FILE = "report.json"
_CELL = re.compile(r"[^\s=]*/cells/([^/\s]+)")  # a path
ADVICE = "write it anew with --mode=ablate --report_only in the folder that it is from, or leave --join out"
RUN = {
    "seed": STEP,
    "state": {"done", *STATES},
    "numbers": {str: NUMBER},
    "words": {str: str},
    **dict.fromkeys(("message", "verdict"), str),
    "evaluation": ({"step": STEP, "protocol": PROTOCOL, "measured?": MEASURED}, None),
    "starts": [START],
    "sets?": {str: [NUMBER]},
    "failed?": str,
}
SHAPE = {"configs": {str: (dict, None)}, "rows": {str: [RUN]}, "about?": {str: str}}
OUTPUTS = ("report.md", "report.html", FILE, "table.tex", "table.csv", "curves.png", "samples.png")  # of a table's folder
_OF_EVALUATION = ("step", "protocol", "measured")  # its scores are among the run's numbers
_IGNORED = {"seed", *OPERATIONAL} - {"steps", *DONORS}  # fields that may differ between the runs of one row


@dataclass(frozen=True)
class Elsewhere:
    """A cell that was trained for another report, in so far as a report asks; its folder need not be there any more. config:
    what defines its row, flat, where that report knew it."""

    row: str
    seed: int
    folder: Path
    config: dict[str, Any] | None

    @property
    def name(self) -> str:
        return f"{self.row}, seed {self.seed}"


def is_elsewhere(result: Result) -> bool:
    """Whether it is another report's."""
    return isinstance(result.cell, Elsewhere)


def is_report(folder: Path) -> bool:
    """Whether a folder has a `report.json` of a table."""
    with suppress(UserError):
        return records.read_json(folder / FILE, {"configs": dict, "rows": dict}, ADVICE) is not None
    return False


def dump(summary: Summary, about: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """All that a report is made of, as JSON: {"configs": {row: what defines it}, "rows": {row: [run, ...]}} of the rows of
    which there is a run, and what the table says of them. about: where it comes from. A number that is infinite or none is
    null."""
    scores = {column.score for column in summary.table.columns if not column.word}
    table = summary.table
    words = {column.name: column.word for column in summary.table.columns if column.word}
    configs, rows = {}, {}
    for row, results in summary.results.items():
        own = [result for result in results if result.cell]
        if all(result.state == "open" for result in own):
            continue
        configs[row] = _definition(own[0].cell)
        rows[row] = [
            {
                "seed": result.cell.seed,
                "state": result.state,
                "numbers": {name: x for name, x in result.numbers.items() if name in scores}
                | {name: None for name in result.no_numbers if name in scores},
                "sets": {name: list(some) for name, some in result.sets.items() if name in scores and len(some) > 1},
                "failed": result.failed,
                "words": result.words or {name: word(result) for name, word in words.items() if result.state == "done"},
                "message": result.message,
                "verdict": result.verdict,
                "evaluation": result.evaluation
                and {k: _moved(x, result.cell) for k, x in result.evaluation.items() if k in _OF_EVALUATION},
                "starts": [_moved(start, result.cell) for start in result.starts],
            }
            for result in own
        ]
    return nulls(
        {
            "title": table.title,
            "configs": configs,
            "rows": rows,
            "columns": [{"name": column.name} | column_as_json(column) for column in table.columns],
            "seeds": list(table.seeds),
            "looks": list(table.looks),
            "sound": {name: plain(ends) for name, ends in table.sound.items()},
            "untested": summary.untested,
            "claims": [verdict._asdict() | {"claim": claim_as_json(verdict.claim)} for verdict in summary.verdicts],
            "controls": {
                name: {column: list(entry.values) for column, entry in entries.items()}
                for name, entries in summary.controls.items()
            },
            "control_seeds": {  # of those whose seeds have data of their own
                name: {column: list(entry.seeds) for column, entry in entries.items()}
                for name, entries in summary.controls.items()
                if any(entry.seeds for entry in entries.values())
            },
            "about": dict(about),
        }
    )


def _moved(x: Any, cell: Any) -> Any:
    """JSON whose paths of the table's other cells begin at the table's folder, wherever that lies or lay."""
    if isinstance(cell, Elsewhere):
        return x
    if isinstance(x, dict):
        return {key: _moved(value, cell) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_moved(value, cell) for value in x]
    is_ours = lambda name: (cell.folder.parent / name).is_dir()  # noqa: E731
    return _CELL.sub(lambda m: f"cells/{m[1]}" if is_ours(m[1]) else m[0], x) if isinstance(x, str) else x


def as_reported(table: Table, folder: Path, seeds: Sequence[int] = ()) -> Table:
    """A table as far as a folder's report has it: without rows that came later, and claims about them; where no seeds are
    asked for, with those of its runs. Raises UserError where the report has none of its rows."""
    runs = (records.read_json(folder / FILE, SHAPE, ADVICE) or {"rows": {}})["rows"]
    rows = {name: row for name, row in table.rows.items() if row.hidden or name in runs}
    if all(row.hidden for row in rows.values()):
        raise UserError(f"{folder / FILE} has none of this table's rows; {nearest(next(iter(runs), ''), table.rows)}")
    there = tuple(sorted({run["seed"] for row in rows for run in runs.get(row, ())}))
    claims = tuple(claim for claim in table.claims if {*claim.rows} <= rows.keys())
    return dataclasses.replace(table, rows=rows, claims=claims, seeds=tuple(seeds) or there)


def about(folder: Path) -> dict[str, str]:
    """What a folder's report says of where it comes from; {} where there is none."""
    saved = records.read_json(folder / FILE, SHAPE, ADVICE)
    return dict(saved.get("about", {})) if saved else {}


def _definition(cell: Any) -> dict[str, Any] | None:
    """What a row trains, without what may differ between its runs; None where it is not known. A stage is told by what it
    trains, not by where it is."""
    if isinstance(cell, Elsewhere):
        return cell.config
    whole = flat(json.loads(cell.config.to_json()))
    whole = {key: x for key, x in whole.items() if not is_among(key, _IGNORED)}
    for key, stage in cell.stages.items():
        whole[key] = {"row": stage.row, "same_seed": stage.seed == cell.seed, "config": _definition(stage)}
    return whole


def load(where: Path, cells: Iterable[Any], is_own: bool = False) -> dict[str, list[Result]]:
    """The runs of a `report.json`, or of a folder with one, by those rows that `cells` of a table have as well. Hidden rows
    are in no report.

    is_own: a table's whole report, which is written anew: its rows may be others than the table's of today (`differences`).
    Raises UserError where there are none, where one was trained in another way, or for other steps, than here, and where one
    names classes that this table does not.
    """
    path = where / FILE if where.is_dir() else where
    own = {cell.row: cell for cell in cells if not cell.hidden}
    saved = records.read_json(path, SHAPE, ADVICE)
    if saved is None:
        raise UserError(f"--join={where} holds no {FILE}, which --mode=ablate writes beside report.html")
    known = {row: runs for row, runs in saved["rows"].items() if row in own and runs}
    trust.check(trust.classes_in([saved["configs"].get(row) for row in known]), where, None)
    with records.reading(path, ADVICE):
        rows = {row: [_result(row, run, path, saved["configs"][row]) for run in runs] for row, runs in known.items()}
    if not rows:
        some = next(iter(saved["rows"]), "")
        raise UserError(f"--join={where} has none of this table's rows, but '{some}'; {nearest(some, own)}")
    for row, lines in differences(rows, own.values()).items():
        if not is_own:
            lines[3:] = [f"and {len(lines) - 3} more"] * (len(lines) > 3)
            raise UserError(f"row '{row}' of --join={path} is another than this table's; {'; '.join(lines)}")
    return rows


def differences(rows: Mapping[str, list[Result]], cells: Iterable[Any]) -> dict[str, list[str]]:
    """In what rows of a report were trained in another way than `cells` of today: {row: ["field: value -> today's"]}."""
    own, out = {cell.row: cell for cell in cells}, {}
    for row, results in rows.items():
        here, there = _definition(own[row]) or {}, results[0].cell.config
        steps = {result.evaluation["step"] for result in results if result.evaluation} - {own[row].config.steps}
        lines = difference(there, here, ()) if there else [f"steps: {n} -> {own[row].config.steps}" for n in steps]
        out |= {row: lines} if lines else {}
    return out


def _completed(row: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A row's definition with the names of today, and with defaults for fields that its revision did not know; so are those
    of the rows that it begins from."""
    stages = {field: x for field, x in fields.items() if isinstance(x, dict)}
    begins = {field: {**x, "config": x["config"] and _completed(row, x["config"])} for field, x in stages.items()}
    tree = renamed_config(nested({field: x for field, x in fields.items() if field not in stages}))
    try:
        resolved = resolve_config(ml_collections.ConfigDict(tree), [], sections)
    except UserError as error:
        raise UserError(f"row '{row}' of the report was trained by a revision that this one cannot read: {error}") from error
    whole = flat(json.loads(resolved.to_json()))
    return {field: x for field, x in whole.items() if not is_among(field, _IGNORED)} | begins


def _result(row: str, run: dict[str, Any], path: Path, config: dict[str, Any] | None) -> Result:
    config = config and _completed(row, config)
    return Result(
        Elsewhere(row, run["seed"], path.parent / "cells", config),
        run["state"],
        {name: float(x) for name, x in renamed_metrics(run["numbers"]).items() if x is not None},
        no_numbers=tuple(name for name, x in renamed_metrics(run["numbers"]).items() if x is None),
        sets={name: tuple(some) for name, some in run.get("sets", {}).items()},
        message=run["message"],
        evaluation=run["evaluation"],
        starts=tuple(run["starts"]),
        verdict=run["verdict"],
        words=dict(run["words"]),
    )
