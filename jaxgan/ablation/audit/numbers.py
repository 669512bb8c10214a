"""A table's numbers and tests once more, by SciPy's own functions.

Nothing here uses the modules that made the table, so that a mistake in their formulas is found. The rules are in
docs/claims.md.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import special, stats

from jaxgan.ablation.audit.reading import Place, Values


class Tested(NamedTuple):
    """What a test says. value: what was measured; effect: how far that is from what would be no difference; deviation: of
    one run, or pair; p: two-sided; ends: of the interval, by level; samples: what permutations are of."""

    kind: str
    value: float
    effect: float
    deviation: float
    p: float
    ends: Callable[[float], tuple[float, float]]
    n: tuple[int, ...]
    samples: tuple[Values, ...] = ()


def widened(values: Values, least: float) -> np.ndarray:
    """Values of the same mean and number, whose variance is `least` at least: what SciPy's tests are given."""
    x = np.asarray(values, float)
    if float(np.var(x, ddof=1)) >= least:
        return x
    apart = x - x.mean() if np.ptp(x) else np.linspace(-1, 1, len(x))
    return x.mean() + apart * math.sqrt(least / float(np.var(apart, ddof=1)))


def _quiet(test: Callable[..., Any], *of: Any, **how: Any) -> tuple[float, Callable[[float], tuple[float, float]]]:
    """The p-value of one of SciPy's t-tests, and its interval by level."""
    with warnings.catch_warnings():  # of samples that do not vary at all
        warnings.simplefilter("ignore", RuntimeWarning)
        found = test(*of, **how)

    def ends(level: float) -> tuple[float, float]:
        low, high = found.confidence_interval(1 - level)
        return float(low), float(high)

    return 1.0 if math.isnan(found.pvalue) else float(found.pvalue), ends


def welch(a: Place, b: Place) -> Tested:
    """Of two rows."""
    x, y = widened(a.values, a.least), widened(b.values, b.least)
    p, ends = _quiet(stats.ttest_ind, x, y, equal_var=False)
    difference = a.mean - b.mean
    deviation = math.sqrt((np.var(x, ddof=1) + np.var(y, ddof=1)) / 2)
    return Tested("welch", difference, difference, deviation, p, ends, (len(x), len(y)), (a.values, b.values))


def pairs(kind: str, places: Sequence[Place], seeds: Sequence[int]) -> Tested:
    """Of two rows seed by seed, or of the gains of two rows over two others."""
    table = np.array([[dict(zip(place.seeds, place.values))[seed] for seed in seeds] for place in places])
    differences = tuple(map(float, np.array((1, -1, -1, 1)[: len(places)]) @ table))
    x = widened(differences, sum(place.least for place in places))
    p, ends = _quiet(stats.ttest_1samp, x, 0.0)
    mean = float(np.mean(differences))
    return Tested(kind, mean, mean, float(np.std(x, ddof=1)), p, ends, (len(seeds),), (differences,))


def student(place: Place, number: float) -> Tested:
    """Of one row and a number: the larger p of the tests that belong to the two intervals."""
    x, curve = widened(place.values, place.least), curve_of(place)
    p, _ = _quiet(stats.ttest_1samp, x, number)
    at = curve.to(number) if curve else math.nan
    if curve and math.isfinite(at):
        p = max(p, 2 * float(stats.t.sf(abs(curve.centre - at) / curve.error, len(x) - 1)))
    deviation = float(np.std(x, ddof=1))
    return Tested(
        "student", place.mean, place.mean - number, deviation, p, lambda level: mean_interval(place, level), (len(x),)
    )


def mean_interval(place: Place, level: float) -> tuple[float, float]:
    """Of a row's mean, as far as both of its intervals reach, and no further than its range."""
    x, curve, (low, high) = widened(place.values, place.least), curve_of(place), place.within
    found = [_quiet(stats.ttest_1samp, x, 0.0)[1](level)]
    if curve:
        a, b = stats.t.interval(1 - level, len(x) - 1, curve.centre, curve.error)
        found.append((curve.back(float(a)), curve.back(float(b))))
    return max(low, min(a for a, _ in found)), min(high, max(b for _, b in found))


class Curve(NamedTuple):
    """A mean on the scale of its second interval: of logits between two ends, of logarithms above one."""

    low: float
    high: float
    centre: float
    error: float

    def to(self, x: float) -> float:
        """A number on the scale; NaN where it is not inside."""
        if not self.low < x < self.high:
            return math.nan
        share = (x - self.low) / (self.high - self.low)
        return float(special.logit(share)) if math.isfinite(self.high) else math.log(x - self.low)

    def back(self, z: float) -> float:
        if math.isfinite(self.high):
            return self.low + (self.high - self.low) * float(special.expit(z))
        with np.errstate(over="ignore"):
            return self.low + float(np.exp(z))


def curve_of(place: Place) -> Curve | None:
    """The scale of a row's second interval, where its range has one. Between two ends the error is by the delta method, and
    a mean at an end counts as one error away from it; above one end it is Cox's of log-normal values."""
    (low, high), n = place.within, len(place.values)
    if not math.isfinite(low) or (not math.isfinite(high) and min(place.values) <= low):
        return None
    if math.isfinite(high):
        error = float(stats.sem(widened(place.values, place.least)))
        inside = min(max(place.mean, low + error), high - error) if error else place.mean
        share = min(max((inside - low) / (high - low), 1e-12), 1 - 1e-12)
        centre, error = float(special.logit(share)), error / (high - low) / (share * (1 - share))
    else:
        logs = np.log(np.asarray(place.values) - low)
        v = max(float(np.var(logs, ddof=1)), place.least / (place.mean - low) ** 2)
        centre, error = float(np.mean(logs)) + v / 2, math.sqrt(v / n + v**2 / (2 * (n - 1)))
    return Curve(low, high, centre, error) if error else None


def binomial(k: int, n: int) -> Tested:
    """Of k of n runs, whether they are another share than a half."""
    p = float(stats.binomtest(k, n).pvalue)
    return Tested("binomial", k / n, k / n - 0.5, math.nan, p, lambda level: share_interval(k, n, level), (n,))


def share_interval(k: int, n: int, level: float = 0.05) -> tuple[float, float]:
    """The exact interval of a share, k of n."""
    ends: Any = stats.binomtest(k, n).proportion_ci(1 - level, "exact")
    return float(ends.low), float(ends.high)


def fisher(k: int, n: int, other: int, of: int) -> float:
    """The p of Fisher's exact test that k of n and other of `of` have one share."""
    found: Any = stats.fisher_exact([[k, n - k], [other, of - other]])
    return float(found.pvalue)


def permuted(samples: Sequence[Values]) -> tuple[float, float]:
    """The p of a permutation test of two samples' means, or of the signs of one, and how far another one's may be from it:
    both draw 9,999 permutations where there are more."""
    two, sizes = len(samples) == 2, [len(x) for x in samples]
    how: dict[str, Any] = {"permutation_type": "independent" if two else "samples", "rng": np.random.default_rng(1)}
    found = stats.permutation_test(
        [np.asarray(x) for x in samples],
        (lambda x, y, axis: np.mean(x, axis) - np.mean(y, axis)) if two else (lambda x, axis: np.mean(x, axis)),
        n_resamples=9999,
        vectorized=True,
        **how,
    )
    p, ways = float(found.pvalue), math.comb(sum(sizes), sizes[0]) if two else 2 ** sizes[0]
    return p, 12 * math.sqrt(p / 2 * (1 - p / 2) / 9999) + 1e-3 if ways > 9999 else 1e-9  # p is twice a share


def stands_apart(values: Values, least: float) -> bool:
    """Whether some values, fewer than five, lie more than ten deviations from the others, by the median absolute one, or by
    the least variance that is believed."""
    if len(values) < 3:
        return False
    scale = float(stats.median_abs_deviation(values, scale=1 / 1.4826))  # pyright: ignore
    far = np.abs(np.asarray(values) - np.median(values))
    return 0 < int((far > 10 * max(scale, math.sqrt(least))).sum()) < 5


def holm(p: Sequence[float], level: float) -> tuple[list[float], list[float]]:
    """p-values corrected by Holm's steps, and the level of the step to which each came."""
    corrected, levels = [1.0] * len(p), [level] * len(p)
    largest, step, goes_on = 0.0, len(p), True
    for left, i in zip(range(len(p), 0, -1), sorted(range(len(p)), key=lambda i: p[i])):
        corrected[i] = largest = max(largest, min(1.0, left * p[i]))
        if goes_on:
            step, goes_on = left, left * p[i] < level
        levels[i] = level / step
    return corrected, levels
