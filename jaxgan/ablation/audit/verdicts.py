"""A table's verdicts and bold cells once more, by the rules of docs/claims.md and without the modules that made them."""

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxgan.ablation.audit.numbers import Tested, binomial, fisher, holm, pairs, stands_apart, student, welch, widened
from jaxgan.ablation.audit.reading import Place, Saved, order_of, trains_nothing
from jaxgan.ablation.table import REAL, Claim, Column

EXACT = ("binomial", "failures", "fisher")  # tests of shares of runs


class Judged(NamedTuple):
    """answer: the verdict. test: None where nothing could be tested; corrected: its p over all claims; level: at which it
    was tested."""

    answer: str
    test: Tested | None
    corrected: float
    level: float


def judged(saved: Saved) -> list[Judged]:
    """The verdict of each claim of a table."""
    tests = [test_of(claim, saved) for claim in saved.claims]
    level = 0.05 / max(1, len(saved.looks))
    corrected, levels = holm([test.p if test else 1.0 for test in tests], level)
    return [
        Judged(_answer(claim, saved, test, p < level, own), test, p, own)
        for claim, test, p, own in zip(saved.claims, tests, corrected, levels)
    ]


def _answer(claim: Claim, saved: Saved, test: Tested | None, is_found: bool, level: float) -> str:
    column, places = saved.columns[claim.column], _places(claim, saved)
    if saved.untested or is_unmeasured(claim, column, saved):
        return "not tested"
    if not test or (saved.looks and len(saved.seeds) not in saved.looks):
        return "undecided"
    is_exact, (low, high) = test.kind in EXACT, test.ends(2 * level)  # two one-sided tests
    is_paired = test.kind in ("pairs", "gains")  # what is compared then are differences
    least = [place.least for place in places]
    each = [(test.samples[0], sum(least))] if is_paired else [(place.values, one) for place, one in zip(places, least)]
    is_apart = not is_exact and any(stands_apart(*one) for one in each)
    if claim.margin is not None and -claim.margin < low and high < claim.margin and not is_apart:
        if min(test.n) >= takes(places):
            return "equivalent"
    if not is_found or is_apart or not (is_exact or is_enough(test, places)):
        return "undecided"
    is_right = _is_right(claim, column, test)
    if claim.beyond and is_right and not _gains(claim, saved):
        return "undecided"
    if claim.than and (is_right or not claim.beyond) and test.kind != "fisher":
        better, worse = (claim.row, claim.than) if is_right else (claim.than, claim.row)
        if fails_more(saved, better, worse):
            return "undecided"
    return "holds" if is_right else "contradicted"


def _is_right(claim: Claim, column: Column, test: Tested) -> bool:
    """Whether what was measured is on the claim's side."""
    if test.kind == "fisher":
        return test.effect < 0
    if test.kind == "failures":
        return False
    if claim.words or claim.above is not None:
        return test.effect > 0
    if claim.below is not None:
        return test.effect < 0
    return test.effect > 0 if column.better == "higher" else test.effect < 0


def _gains(claim: Claim, saved: Saved) -> bool:
    """Whether a claim's row is better than `than` by itself."""
    first = dataclasses.replace(claim, beyond=(), paired=True)
    test = test_of(first, saved)
    return bool(test) and test.p < 0.05 and _is_right(first, saved.columns[claim.column], test)


def _places(claim: Claim, saved: Saved) -> list[Place]:
    return [saved.places.get(row, {}).get(name, Place()) for row, name in claim.places]


def test_of(claim: Claim, saved: Saved) -> Tested | None:
    """The test that a claim asks for; None where there is nothing to test."""
    column, places = saved.columns[claim.column], _places(claim, saved)
    if any(
        run["state"] not in ("done", "diverged") for row in claim.rows for run in saved.rows.get(row, [{"state": "open"}])
    ):
        return None
    if claim.words:
        lost = sum(run["state"] == "diverged" for run in saved.rows[claim.row])
        k, n = sum(word in claim.words for word in places[0].words), len(places[0].words) + lost
        return binomial(k, n) if n >= 5 else None
    lost = [failures(saved, row) for row in claim.rows]
    gone = [row for row, (k, n) in zip(claim.rows, lost) if k == n]
    if gone:
        return _of_failures(claim, column, gone, lost)
    if min(len(place.values) for place in places) < 2:
        return None
    rows = [saved.rows[row] for row in claim.rows]
    if claim.than and all(trains_nothing(runs) and len({*map(order_of, runs)}) < 2 for runs in rows):
        return None
    if not claim.than:
        number = claim.above if claim.above is not None else claim.below
        (k, n), *_ = lost
        return None if number is None or 2 * k >= n else student(places[0], number)
    if not claim.beyond and not (share_draws(saved, claim.row, claim.than) if claim.paired is None else claim.paired):
        return welch(*places)
    seeds = sorted(set.intersection(*(set(place.seeds) for place in places)))
    return pairs("gains" if claim.beyond else "pairs", places, seeds) if len(seeds) > 1 else None


def _of_failures(claim: Claim, column: Column, gone: list[str], lost: list[tuple[int, int]]) -> Tested | None:
    """Where all runs of a row failed: Fisher's test of two rows, the exact binomial one of a row that ought to be good."""
    (k, n), *rest = lost
    if claim.than and not claim.beyond and len(gone) == 1:
        ((other, of),) = rest
        share = k / n - other / of
        return Tested("fisher", share, share, 1.0, fisher(k, n, other, of), lambda level: (math.nan, math.nan), (n, of))
    if not claim.than and column.better == ("higher" if claim.above is not None else "lower"):
        return binomial(k, n)._replace(kind="failures")
    return None


def failures(saved: Saved, row: str) -> tuple[int, int]:
    """How many of a row's runs failed, of how many that came to their end."""
    over = [
        why for run, why in zip(saved.rows.get(row, ()), saved.failed.get(row, ())) if run["state"] in ("done", "diverged")
    ]
    return sum(map(bool, over)), len(over)


def fails_more(saved: Saved, row: str, other: str) -> bool:
    """Whether a row fails significantly more often than another."""
    (k, n), (j, m) = failures(saved, row), failures(saved, other)
    return k * m > j * n and fisher(k, n, j, m) < 0.05


def share_draws(saved: Saved, row: str, other: str) -> bool:
    """Whether a seed gives two rows the same data and the same start, as far as their configs are known."""
    first, second = (
        {
            key: x
            for key, x in (saved.configs.get(name) or {}).items()
            if key.split(".")[0] in ("data", "nets") and key not in ("data.dir", "data.cache", "data.resident")
        }
        for name in (row, other)
    )
    return bool(first) and first == second


def takes(places: Sequence[Place]) -> int:
    """How many seeds a claim takes: more where a row's deviation is above a fifth of its mean."""
    wide = (np.std(widened(place.values, place.least), ddof=1) > abs(place.mean) / 5 for place in places)
    return 20 if any(wide) else 10


def is_enough(test: Tested, places: Sequence[Place]) -> bool:
    """Whether there are enough seeds for a verdict."""
    n = min(test.n)
    return n >= takes(places) or (n >= 5 and abs(test.effect) > 2 * test.deviation)


def is_better(place: Place, other: Place, column: Column) -> bool:
    """Whether a row's mean is better than a control's, by a test: of pairs where the control has seeds; otherwise with its
    draws, or with the value of the only one."""
    if len(place.values) < 2:
        return False
    if other.seeds:
        shared = sorted({*place.seeds} & {*other.seeds})
        if len(shared) < 2:
            return False
        test = pairs("pairs", (place, other), shared)
    else:
        test = welch(place, other) if len(other.values) > 1 else student(place, other.mean)
    return test.p < 0.05 and (test.effect > 0 if column.better == "higher" else test.effect < 0)


def _beats_controls(place: Place, column: Column, saved: Saved) -> bool:
    rivals = [one[column.name] for name, one in saved.controls.items() if name != REAL and one[column.name].values]
    return all(is_better(place, rival, column) for rival in rivals)


def is_unmeasured(claim: Claim, column: Column, saved: Saved) -> bool:
    """Whether no row of a claim, or of a side of it, beats the controls. That a row is poor may be claimed of any."""
    if column.word or not column.better:
        return False
    if not claim.than and column.better != ("higher" if claim.above is not None else "lower"):
        return False
    places = [(name, place) for (_, name), place in zip(claim.places, _places(claim, saved))]
    for side in (places[:2], places[2:]) if claim.than else (places,):
        known = [place for name, place in side if name == column.name and len(place.values) > 1]
        if known and not any(_beats_controls(place, column, saved) for place in known):
            return True
    return False


def bold(saved: Saved) -> set[tuple[str, str]]:
    """(Row, column) of each cell that is to be bold."""
    whole = [row for row, runs in saved.rows.items() if all(run["state"] in ("done", "diverged") for run in runs)]
    found = []
    for column in saved.columns.values():
        able = {row: saved.places[row][column.name] for row in whole if len(saved.places[row][column.name].values) > 4}
        if not column.better or len(able) < 2:
            continue
        sign = 1 if column.better == "higher" else -1
        best = max(able, key=lambda row: sign * able[row].mean)
        worst = 0.0 if _beats_controls(able[best], column, saved) else 1.0
        for row in able.keys() - {best}:
            claim = Claim(column.name, best, than=row)
            test = test_of(claim, saved)
            wins = test and is_enough(test, (able[best], able[row])) and _is_right(claim, column, test)
            worst = max(worst, test.p if test and wins and not fails_more(saved, best, row) else 1.0)
        found.append((best, column.name, worst))
    return {(row, name) for (row, name, _), p in zip(found, holm([p for *_, p in found], 0.05)[0]) if p < 0.05}
