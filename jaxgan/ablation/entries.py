"""What stands in a table where a row and a column meet: the values of a row's runs, and what they come to."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxgan.ablation.statistics import mean_interval, one_count, variance
from jaxgan.ablation.table import BEST, Column, Table
from jaxgan.errors import UserError, described
from jaxgan.monitor import COLLAPSE
from jaxgan.scores.metric import ANY
from jaxgan.scores.names import score_range


@dataclass(frozen=True)
class Entry:
    """A row's place in a column, in the column's units.

    values, seeds: of the runs that are done and have not failed. Draws of a control have no seeds, unless each seed has its
    own data. failed: values of runs that have failed, as far as there
    are any. words: of such a column, of all runs that are done. noise: the deviation between sets of samples of one run;
    NaN where runs have one set. within: the least and the largest possible value. least: the variance that a test takes at
    least. is_best: tests say that no other row is as good.
    """

    values: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    failed: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    noise: float = math.nan
    within: tuple[float, float] = ANY
    least: float = 0.0
    is_best: bool = False

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def std(self) -> float:
        """The sample standard deviation over runs; NaN of one."""
        return math.sqrt(variance(self.values))

    @property
    def interval(self) -> tuple[float, float]:
        """Of the mean, 95 %; NaN of one."""
        return mean_interval(self.values, self.within, self.least)

    def by_seed(self) -> dict[int, float]:
        return dict(zip(self.seeds, self.values))


def entry_of(column: Column, results: Iterable[Any]) -> Entry:
    """What a row's results (`results.Result`) come to in a column. Raises UserError where the column's function fails."""
    done = [result for result in results if result.state == "done"]
    if column.word:
        try:
            return Entry(words=tuple(result.words.get(column.name) or column.word(result) for result in done))
        except Exception as error:
            raise UserError(f"column '{column.name}': {described(error)}") from error
    there = [result for result in done if column.score in result.numbers]
    sound, failed = ([x for x in there if bool(x.failed) == is_failed] for is_failed in (False, True))
    values, lost = (tuple(x.numbers[column.score] * column.scale for x in some) for some in (sound, failed))
    seeds = tuple(x.cell.seed for x in sound if x.cell)
    sets = [np.multiply(x.sets[column.score], column.scale) for x in sound if len(x.sets.get(column.score, ())) > 1]
    spreads = [float(np.var(one, ddof=1)) for one in sets]
    noise = math.sqrt(float(np.mean(spreads))) if spreads and len(sets) == len(sound) else math.nan
    low, high = (end * column.scale for end in column.within or score_range(column.score.removeprefix(BEST)))
    n = max(1, len(values))
    least = one_count(column.count * column.scale or printed_step(column.format, values), n)
    if spreads and len(sets) == len(sound):
        least = max(least, noise**2 / min(map(len, sets)))
    return Entry(values, seeds, lost, (), noise, (low, high), least)


def printed_step(form: str, values: tuple[float, ...]) -> float:
    """The smallest step between two numbers that are printed unlike each other, near the mean of values: .1 of ".1f"."""
    found = re.search(r"(?:\.(\d+))?([efg%]?)$", form.lower())
    digits, kind = (int(found[1] or 6), found[2] or "g") if found else (6, "g")
    if kind in "f%":
        return 10.0 ** -(digits + 2 * (kind == "%"))
    size = abs(float(np.mean(values))) if values else 0.0
    places = digits if kind == "e" else max(digits, 1) - 1
    return 10.0 ** ((math.floor(math.log10(size)) if size else 0) - places)


def failure_of(result: Any, table: Table) -> str:
    """Why a run counts as failed: it diverged, its samples have collapsed by the monitor's rule, a score of the table is no
    number, or a value is not `sound`. "" if it does not, or has not come to its end."""
    if result.state == "diverged":
        return "diverged"
    if result.state != "done":
        return ""
    if result.verdict.partition(":")[0] == COLLAPSE:
        return COLLAPSE
    for column in table.columns:
        if not column.word and column.score in result.no_numbers:
            return f"no number ({column.name})"
        low, high = table.sound.get(column.name, ANY)
        value = result.numbers.get(column.score, math.nan) * column.scale
        if not column.word and (value < low or value > high):
            return f"not sound ({column.name})"
    return ""
