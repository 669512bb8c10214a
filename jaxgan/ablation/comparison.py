"""The test that a claim asks for, of the values of a table's rows."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxgan.ablation import statistics
from jaxgan.ablation.entries import Entry
from jaxgan.ablation.statistics import LEVEL, Found, fisher, half, pairs, permuted, welch
from jaxgan.ablation.table import Claim, Column
from jaxgan.config.resolve import flat, is_among
from jaxgan.config.run import OPERATIONAL

FEW, SEEDS, MANY_SEEDS = 5, 10, 20  # seeds: the fewest, what a claim takes, and what it takes where the spread is large
LARGE_SPREAD = 0.2  # of the mean
APART = 10.0  # deviations, by the median absolute one: a run so far off is none of the others' kind
LARGE = 2.0  # deviations: so large a difference is decided by `FEW` seeds
Entries = Mapping[str, Mapping[str, Entry]]
Results = Mapping[str, Sequence[Any]]


class Case(NamedTuple):
    """A claim's test. kind: "welch", "pairs", "gains", "student", "binomial", "fisher", "failures" (of the share of a row's
    runs that failed), or "" where there is none; is_right: whether what was measured is on the claim's side. n: values of
    each row, or pairs, or runs. spread: the largest deviation of a row's values over their mean. early: why nothing can be
    tested. check: p of permutations. apart: which run, or pair, is so far from the others that no mean says anything of
    them."""

    kind: str
    found: Found | None = None
    is_right: bool = False
    n: tuple[int, ...] = ()
    spread: float = 0.0
    early: str = ""
    check: float = math.nan
    apart: str = ""


def case_of(claim: Claim, column: Column, entries: Entries, results: Results, is_checked: bool) -> Case:
    """A claim's test."""
    for row in claim.rows:
        left = sum(result.state not in ("done", "diverged") for result in results[row])
        if left:
            return Case("", early=f"{left} runs of {row} are not done")
    if claim.words:
        found = [*entries[claim.row][column.name].words]
        found += ["diverged"] * sum(result.state == "diverged" for result in results[claim.row])
        if len(found) < FEW:
            return Case("", early=f"{len(found)} runs, and a claim takes {FEW}")
        k = sum(word in claim.words for word in found)
        return Case("binomial", half(k, len(found)), 2 * k > len(found), (len(found),))
    some = [entries[row][name] for row, name in claim.places]
    counts = {row: failures(results[row]) for row in claim.rows}
    lost = [row for row, (k, n) in counts.items() if k == n > 0]
    if lost:
        return _of_failures(claim, column, lost, results)
    least = min(len(entry.values) for entry in some)
    if least < 2:
        lacks = next(name for entry, (_, name) in zip(some, claim.places) if len(entry.values) == least)
        return Case("", early="one run says nothing of spread" if least else f"no run has '{lacks}'")
    higher = 1 if column.better == "higher" else -1
    if claim.than and all(_is_one_number(results[row]) for row in claim.rows):
        return Case("", early="neither row trains anything, so that all seeds have one number")
    deviations = [math.sqrt(statistics.variance(x.values, x.least)) for x in some]
    spread = max(deviation / abs(x.mean) if x.mean else math.inf for deviation, x in zip(deviations, some))
    if not claim.than:
        (entry,) = some
        k, n = failures(results[claim.row])
        if 2 * k >= n:
            return Case("", early=f"{k} of {n} runs of {claim.row} failed")
        number = claim.above if claim.above is not None else claim.below
        assert number is not None
        found = statistics.against(entry.values, number, entry.within, entry.least)
        is_right = found.estimate > number if claim.above is not None else found.estimate < number
        return Case("student", found, is_right, (len(entry.values),), spread, apart=_run_apart(claim, some))
    if not claim.beyond and not (share_draws(results, claim) if claim.paired is None else claim.paired):
        a, b = some
        found = welch(a.values, b.values, (a.least, b.least))
        check = permuted(a.values, b.values) if is_checked else math.nan
        n, apart = (len(a.values), len(b.values)), _run_apart(claim, some)
        return Case("welch", found, found.estimate * higher > 0, n, spread, "", check, apart)
    seeds = sorted(set.intersection(*(set(entry.seeds) for entry in some)))
    if len(seeds) < 2:
        return Case("", early=f"{len(seeds)} seeds have all of {', '.join(claim.rows)}")
    signs, by = (1, -1, -1, 1), [entry.by_seed() for entry in some]
    differences = [sum(sign * one[seed] for sign, one in zip(signs, by)) for seed in seeds]
    least = sum(entry.least for entry in some)
    found = pairs(differences, least)
    apart = _standing_apart(differences, seeds, least, "the difference of seed {}")
    check = permuted(differences) if is_checked else math.nan
    kind = "gains" if claim.beyond else "pairs"
    return Case(kind, found, found.estimate * higher > 0, (len(seeds),), spread, "", check, apart)


def _of_failures(claim: Claim, column: Column, lost: list[str], results: Results) -> Case:
    """The test where every run of some row has failed: whether rows fail unlike often, or, with a number, more often than
    not."""
    (k, n), better = (
        failures(results[claim.row]),
        claim.than or column.better == ("higher" if claim.above is not None else "lower"),
    )
    if claim.beyond or (claim.than and {*lost} == {*claim.rows}) or not better:
        return Case("", early=f"every run of {' and of '.join(lost)} failed")
    if not claim.than:
        return Case("failures", half(k, n), False, (n,))
    other, of = failures(results[claim.than])
    found = Found(k / n - other / of, fisher(k, n, other, of), 1.0, lambda level: (math.nan, math.nan))
    return Case("fisher", found, lost == [claim.than], (n, of))


def failures(results: Sequence[Any]) -> tuple[int, int]:
    """How many of a row's runs have failed, and of how many that came to their end."""
    over = [result for result in results if result.state in ("done", "diverged")]
    return sum(bool(result.failed) for result in over), len(over)


def fails_more(results: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether a row's runs fail significantly more often than another row's."""
    (k, n), (other, of) = failures(results), failures(others)
    return k * of > other * n and fisher(k, n, other, of) < LEVEL


def share_draws(results: Results, claim: Claim) -> bool:
    """Whether a seed gives both rows the same data and the same start: the sections `data` and `nets` of their configs are
    alike. Not where that is not known."""
    first, second = (_draws(results[row]) for row in claim.rows[:2])
    return bool(first) and first == second


def _is_one_number(results: Sequence[Any]) -> bool:
    """Whether a row's runs have trained nothing, begin from no other run, and all have the same data: the seed changes next
    to nothing."""
    configs = [_config(result) for result in results]
    begins = any(getattr(result.cell, "stages", {}) for result in results)
    begins |= any(isinstance(x, dict) and "row" in x for config in configs for x in config.values())  # of another's report
    if begins or any((result.evaluation or {"step": 1})["step"] for result in results):
        return False
    return len({json.dumps({key: x for key, x in one.items() if key.startswith("data.")}) for one in configs}) == 1


def _config(result: Any) -> dict[str, Any]:
    config = getattr(result.cell, "config", None)
    return {} if config is None else config if isinstance(config, dict) else flat(json.loads(config.to_json()))


def _draws(results: Sequence[Any]) -> dict[str, Any]:
    whole = _config(results[0]) if results else {}
    return {key: x for key, x in whole.items() if key.split(".")[0] in ("data", "nets") and not is_among(key, OPERATIONAL)}


def too_few(case: Case, large: float = LARGE) -> str:
    """Why there are too few values for a verdict; "" if there are enough. large: deviations that `FEW` of them decide."""
    assert case.found
    n, effect = min(case.n), case.found.effect
    if n >= MANY_SEEDS or (n >= SEEDS and case.spread <= LARGE_SPREAD) or (n >= FEW and effect > large):
        return ""
    if n < FEW:
        return f"{n} seeds, and a claim takes {FEW} at least"
    if n < SEEDS:
        return f"{n} seeds decide differences above {LARGE:g} deviations alone; a claim takes {SEEDS}"
    return f"{n} seeds, and where runs differ by more than a fifth of their mean a claim takes {MANY_SEEDS}"


def _run_apart(claim: Claim, some: Sequence[Entry]) -> str:
    """The first run of a claim's rows that stands apart, in words; "" if there is none."""
    named = [f"seed {{}} of {row}" for row, _ in claim.places]
    each = (_standing_apart(entry.values, entry.seeds, entry.least, which) for entry, which in zip(some, named))
    return next(filter(None, each), "")


def _standing_apart(values: Sequence[float], seeds: Sequence[int], least: float, which: str) -> str:
    """Which value is so far from the others that no mean says anything of them; "" if there is none. Nobody can tell from
    fewer than `FEW` such values how often they come; of more, tests and intervals take account. which: what it is called,
    its seed left open."""
    if len(values) < 3:
        return ""
    far = np.abs(np.subtract(values, np.median(values)))
    scale, worst = max(1.4826 * float(np.median(far)), math.sqrt(least)), int(np.argmax(far))
    if not 0 < np.sum(far > APART * scale) < FEW:
        return ""
    return f"{which.format(seeds[worst])} stands apart ({values[worst]:.4g}); `sound` can say which runs have failed"


def beats(entry: Entry, control: Entry, column: Column, level: float = LEVEL) -> bool:
    """Whether a row's mean is better than a control's: seed by seed where the control has seeds, by Welch's test of its
    draws, or than its one number."""
    a, b, zero = entry.by_seed(), control.by_seed(), 0.0
    shared = sorted(a.keys() & b.keys())
    if len(entry.values) < 2 or (control.seeds and len(shared) < 2):
        return False
    if control.seeds:
        found = pairs([a[seed] - b[seed] for seed in shared], entry.least + control.least)
    elif len(control.values) > 1:
        found = welch(entry.values, control.values, (entry.least, control.least))
    else:
        zero = control.mean
        found = statistics.against(entry.values, zero, entry.within, entry.least)
    return found.p < level and (found.estimate - zero) * (1 if column.better == "higher" else -1) > 0
