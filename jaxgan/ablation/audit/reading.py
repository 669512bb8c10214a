"""What a `report.json` says of its table's runs, read once more without the modules that made the table."""

import dataclasses
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from jaxgan.ablation.table import BEST, Claim, Column
from jaxgan.monitor import COLLAPSE
from jaxgan.scores.names import score_range

Values = Sequence[float]
Run = Mapping[str, Any]  # of report.json
ENDS = (-math.inf, math.inf)  # what null stands for where there are two ends


class Place(NamedTuple):
    """What a row's runs come to in a column, in its units. The fields are those of `entries.Entry`."""

    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    failed: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    noise: float = math.nan
    within: tuple[float, float] = (-math.inf, math.inf)
    least: float = 0.0

    @property
    def mean(self) -> float:
        return float(np.mean(self.values)) if self.values else math.nan

    @property
    def std(self) -> float:
        """NaN of fewer than two values."""
        return statistics.stdev(self.values) if len(self.values) > 1 else math.nan


@dataclasses.dataclass(frozen=True)
class Saved:
    """What a `report.json` says of its table. rows, configs: as they stand there. failed: why each run counts as failed, by
    the rules; places: what the runs come to, by row and column's name; controls: of what is no method."""

    columns: dict[str, Column]
    claims: tuple[Claim, ...]
    rows: dict[str, list[Run]]
    configs: dict[str, Any]
    seeds: tuple[int, ...]
    looks: tuple[int, ...]
    sound: dict[str, tuple[float, float]]
    untested: str
    failed: dict[str, list[str]]
    places: dict[str, dict[str, Place]]
    controls: dict[str, dict[str, Place]]


def trains_nothing(runs: Sequence[Run]) -> bool:
    """Whether a row's runs were scored after 0 steps."""
    return all(run["evaluation"] and run["evaluation"]["step"] == 0 for run in runs)


def order_of(run: Run) -> tuple[str, ...]:
    """What a run was asked for beside its seed: unlike orders have unlike data, or begin from unlike runs."""
    last = run["starts"][-1] if run["starts"] else {}
    return tuple(x for x in last.get("overrides", ()) if not x.startswith("seed="))


def saved_of(report: dict[str, Any]) -> Saved:
    """What the JSON of a `report.json` says of its table."""
    rows, seeds = report["rows"], report.get("control_seeds", {})
    words = {name for runs in rows.values() for run in runs for name in run["words"]}
    columns = {one["name"]: _column(one, one["name"] in words or not one["score"]) for one in report["columns"]}
    sound = {name: _ends(ends) for name, ends in report["sound"].items()}
    failed = {row: [why_failed(run, columns, sound) for run in runs] for row, runs in rows.items()}
    return Saved(
        columns,
        tuple(_claim(one["claim"]) for one in report["claims"]),
        rows,
        report["configs"],
        tuple(report["seeds"]),
        tuple(report["looks"]),
        sound,
        report["untested"],
        failed,
        {row: {name: _place(one, runs, failed[row]) for name, one in columns.items()} for row, runs in rows.items()},
        {name: _control(columns, one, seeds.get(name, {})) for name, one in report["controls"].items()},
    )


def _control(
    columns: Mapping[str, Column], found: Mapping[str, Sequence[float]], seeds: Mapping[str, Sequence[int]]
) -> dict[str, Place]:
    draws = {name: found.get(name, ()) for name in columns}
    return {name: place_of(columns[name], some, seeds.get(name, ()), (), ()) for name, some in draws.items()}


def _column(found: Mapping[str, Any], is_word: bool) -> Column:
    names = {field.name for field in dataclasses.fields(Column)} - {"word", "within"}
    within = None if found.get("within") is None else _ends(found["within"])
    return Column(**{key: x for key, x in found.items() if key in names}, within=within, word=str if is_word else None)


def _claim(found: Mapping[str, Any]) -> Claim:
    names = {field.name for field in dataclasses.fields(Claim)}
    fields: dict[str, Any] = {key: tuple(x) if isinstance(x, list) else x for key, x in found.items() if key in names}
    return Claim(**fields)


def _ends(found: Sequence[Any]) -> tuple[float, float]:
    low, high = (end if x is None else float(x) for x, end in zip(found, ENDS))
    return low, high


def why_failed(run: Run, columns: Mapping[str, Column], sound: Mapping[str, tuple[float, float]]) -> str:
    """Why a run counts as failed, in the words of a table; "" if it does not."""
    if run["state"] != "done":
        return "diverged" if run["state"] == "diverged" else ""
    if run["verdict"].split(":")[0] == COLLAPSE:
        return COLLAPSE
    for name, column in columns.items():
        if column.word or column.score not in run["numbers"]:
            continue
        x, (low, high) = run["numbers"][column.score], sound.get(name, ENDS)
        if x is None or not low <= x * column.scale <= high:
            return f"{'no number' if x is None else 'not sound'} ({name})"
    return ""


def _place(column: Column, runs: Sequence[Run], failed: Sequence[str]) -> Place:
    """What runs come to in a column. failed: why each counts as failed."""
    done = [(run, why) for run, why in zip(runs, failed) if run["state"] == "done"]
    if column.word:
        return Place(words=tuple(run["words"].get(column.name, "") for run, _ in done))
    there = [(run, why) for run, why in done if run["numbers"].get(column.score) is not None]
    sound = [run for run, why in there if not why]
    values, lost = (
        [run["numbers"][column.score] * column.scale for run in some] for some in (sound, [x for x, why in there if why])
    )
    sets = [[x * column.scale for x in run.get("sets", {}).get(column.score, ())] for run in sound]
    return place_of(column, values, [run["seed"] for run in sound], lost, sets)


def range_of(column: Column) -> tuple[float, float]:
    """The least and the largest value that a run can have, before `scale`."""
    return column.within or score_range(column.score.removeprefix(BEST))


def place_of(column: Column, values: Values, seeds: Sequence[int], failed: Values, sets: Sequence[Values]) -> Place:
    """The place of these values, all in the column's units. sets: of each value, those of several sets of samples."""
    low, high = range_of(column)
    n, step = max(1, len(values)), column.count * column.scale or printed_step(column.format, values)
    least = float(np.var([step] + [0.0] * (n - 1), ddof=1)) if n > 1 else step**2
    noise = math.nan
    if sets and all(len(one) > 1 for one in sets):
        variance = float(np.mean([np.var(one, ddof=1) for one in sets]))
        noise, least = math.sqrt(variance), max(least, variance / min(map(len, sets)))
    return Place(tuple(values), tuple(seeds), tuple(failed), (), noise, (low * column.scale, high * column.scale), least)


def printed_step(form: str, values: Values) -> float:
    """The step of the last digit that a format prints of a mean; of a format that says no number of digits, of six."""
    digits, kind = 6, "g"
    if found := re.search(r"(?:\.(\d+))?([efg%]?)$", form, re.IGNORECASE):
        digits, kind = int(found[1] or 6), found[2].lower() or "g"
    if kind in "f%":
        return float(Decimal(10) ** -(digits + 2 * (kind == "%")))
    mean = float(np.mean(values)) if values else 0.0
    size = Decimal(repr(mean)).adjusted() if mean else 0
    return float(Decimal(10) ** (size - (digits if kind == "e" else max(digits, 1) - 1)))
