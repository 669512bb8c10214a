"""What the numbers of a table's runs come to: intervals, tests, and the claims' verdicts.

Means have Student's t-intervals of 95 %; two rows are compared by Welch's test; p-values of a table's claims are corrected
together by Holm's method, and so are those that decide what is printed bold. Fewer than five seeds say nothing of means.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from jaxgan.ablation.table import Claim, Column, Table

ENOUGH = 5  # seeds, for a claim
LEVEL = 0.05
ROUNDING = 1e-12  # numbers that differ by this share are equal: equal ones have a mean beside them


@dataclass(frozen=True)
class Entry:
    """A row's place in a column. values: of the runs that are done, in the column's units; words: theirs, of such a column.
    is_best: the interval says that no other row is as good."""

    values: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    is_best: bool = False

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))

    @property
    def std(self) -> float:
        """The sample standard deviation over runs; NaN of one."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Of the mean, 95 %; NaN of one."""
        n = len(self.values)
        half = float(stats.t.ppf(1 - LEVEL / 2, n - 1)) * self.std / math.sqrt(n) if n > 1 else math.nan
        return self.mean - half, self.mean + half


class Verdict(NamedTuple):
    """claim; text: in words. estimate: what was measured. answer: "holds", "contradicted" or "undecided". reason: for it."""

    claim: Claim
    text: str
    estimate: str
    answer: str
    reason: str


def compare(*samples: Sequence[float]) -> tuple[float, float, float, float]:
    """(difference of means, ends of its 95 % interval, two-sided p) of two samples, by Welch's test; of four, how much the
    difference of the first two exceeds that of the others."""
    signs, sizes = (1, -1, -1, 1)[: len(samples)], [len(x) for x in samples]
    shares = [float(np.var(x, ddof=1)) / len(x) for x in samples]
    difference = sum(sign * float(np.mean(x)) for sign, x in zip(signs, samples))
    error, scale = math.sqrt(sum(shares)), max(np.max(np.abs(x)) for x in samples)
    if error <= ROUNDING * scale:
        same = abs(difference) <= ROUNDING * scale
        return difference, difference, difference, float(same)
    freedom = sum(shares) ** 2 / sum(share**2 / (n - 1) for share, n in zip(shares, sizes))  # Welch and Satterthwaite
    half = float(stats.t.ppf(1 - LEVEL / 2, freedom)) * error
    return difference, difference - half, difference + half, float(2 * stats.t.sf(abs(difference) / error, freedom))


def against(a: Sequence[float], number: float) -> tuple[float, float, float, float]:
    """(mean, ends of its 95 % interval, two-sided p that it is `number`), by Student's test."""
    entry = Entry(tuple(a))
    error = entry.std / math.sqrt(len(a))
    scale, distance = max(np.max(np.abs(a)), abs(number)), abs(entry.mean - number)
    constant = error <= ROUNDING * scale
    p = distance <= ROUNDING * scale if constant else 2 * stats.t.sf(distance / error, len(a) - 1)
    low, high = entry.interval
    return entry.mean, low, high, float(p)


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected together (Holm 1979)."""
    order, out, largest = np.argsort(p), [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        out[i] = largest
    return out


def mark_best(table: Table, entries: dict, results: dict) -> dict[str, dict[str, Entry]]:
    """Marks, in each column, the row that beats every other one; none where a comparison stays open."""
    out = {row: dict(columns) for row, columns in entries.items()}
    family: list[tuple[str, str, float]] = []
    for column in table.columns:
        able = {row: e[column.name] for row, e in entries.items() if len(e[column.name].values) >= ENOUGH}
        whole = all(result.state == "done" for row in results.values() for result in row)
        if not column.better or len(able) < max(2, len(entries)) or not whole:
            continue
        sign = 1 if column.better == "higher" else -1
        best = max(able, key=lambda row: sign * able[row].mean)
        family += [(column.name, best, compare(able[best].values, able[row].values)[3]) for row in able if row != best]
    corrected = holm([p for *_, p in family])
    for name, best in {(name, best) for name, best, _ in family}:
        if all(p < LEVEL for (other, _, _), p in zip(family, corrected) if other == name):
            entry = out[best][name]
            out[best][name] = Entry(entry.values, entry.words, True)
    return out


def decide(table: Table, entries: dict, results: dict) -> list[Verdict]:
    columns = {column.name: column for column in table.columns}
    settled: list[Verdict | None] = []
    tests: list[tuple[int, Claim, tuple[float, float, float, float]]] = []
    for claim in table.claims:
        early = _without_numbers(claim, columns[claim.column].better, entries, results)
        settled.append(early)
        if not early:
            values = [entries[row][claim.column].values for row in claim.rows]
            number = claim.above if claim.above is not None else claim.below
            test = compare(*values) if claim.than else against(values[0], number or 0.0)
            tests.append((len(settled) - 1, claim, test))
    for (i, claim, (value, low, high, _)), p in zip(tests, holm([test[3] for *_, test in tests])):
        column = columns[claim.column]
        if claim.than:
            right = value > 0 if column.better == "higher" else value < 0
            kind = "difference of gains" if claim.beyond else "difference"
            estimate = f"{kind} {value:+{column.format}} [{low:+{column.format}}, {high:+{column.format}}]"
        else:
            right = value > claim.above if claim.above is not None else value < (claim.below or 0.0)
            estimate = f"{value:{column.format}} [{low:{column.format}}, {high:{column.format}}]"
        answer = ("holds" if right else "contradicted") if p < LEVEL else "undecided"
        others = [result for row in claim.rows[1:] for result in results[row]]
        if (answer == "contradicted" or claim.beyond) and any(result.state == "diverged" for result in others):
            answer = "undecided"  # those that diverged might have been worse than either
        few = min(len(entries[row][claim.column].values) for row in claim.rows)
        reason = f"p = {p:.2g}"
        if few < ENOUGH:
            answer, reason = "undecided", f"{few} seeds, and a claim takes {ENOUGH}"
        settled[i] = Verdict(claim, words(claim, column), estimate, answer, reason)
    return [verdict for verdict in settled if verdict]


def words(claim: Claim, column: Column) -> str:
    """A claim in words."""
    if claim.text:
        return claim.text
    if claim.words:
        return f"{claim.row}: {' or '.join(claim.words)}"
    if claim.beyond:
        return f"{claim.row} gains more in {column.name} over {claim.than} than {claim.beyond[0]} over {claim.beyond[1]}"
    if claim.than:
        return f"{claim.row}: {column.name} {column.better or 'other'} than {claim.than}"
    side, number = ("above", claim.above) if claim.above is not None else ("below", claim.below)
    return f"{claim.row}: {column.name} {side} {number:g}"


def _without_numbers(claim: Claim, better: str, entries: dict, results: dict) -> Verdict | None:
    """The verdict where runs failed or are missing; None where numbers decide."""

    def verdict(answer: str, reason: str) -> Verdict:
        return Verdict(claim, claim.text or words(claim, Column(claim.column, better="better")), "", answer, reason)

    def count(row: str, *states: str) -> int:
        return sum(result.state in states for result in results[row])

    for row in claim.rows:
        left = count(row, "open", "crashed", "blocked", "unscored")
        if left:
            return verdict("undecided", f"{left} runs of {row} are not done")
    diverged = count(claim.row, "diverged")
    if claim.words:
        found = [*entries[claim.row][claim.column].words, *["diverged"] * diverged]
        return verdict("holds" if set(found) <= set(claim.words) else "contradicted", " and ".join(dict.fromkeys(found)))
    if diverged:
        is_better = claim.than or better == ("higher" if claim.above is not None else "lower")
        return verdict(
            "contradicted" if is_better else "undecided", f"{diverged} of {len(results[claim.row])} runs diverged"
        )
    if claim.than and not claim.beyond and count(claim.than, "diverged") == len(results[claim.than]):
        return verdict("holds", f"every run of {claim.than} diverged")
    numbers = [len(entries[row][claim.column].values) for row in claim.rows]
    if min(numbers) < 2:
        return verdict("undecided", "one run says nothing of spread" if min(numbers) else f"no run has '{claim.column}'")
    return None
