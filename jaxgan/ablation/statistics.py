"""The tests and intervals behind a table's numbers. Nothing here knows of tables.

Means of two rows are compared by Welch's test, seed by seed by Student's, and with a number by `against`. No test is of a
spread smaller than `least` says, one count of one run. Shares of runs have exact binomial tests and intervals.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.05  # of false verdicts, over all claims of a table
POWER = 0.8  # at which `seeds_needed` says that a claim will be decided
MANY = 1000  # seeds; more are not counted out
FLIPS = 9999  # permutations at most
Values = Sequence[float] | np.ndarray


class Found(NamedTuple):
    """What a test comes to: estimate; p, two-sided; deviation of one run (of one pair); interval: level -> its ends, of the
    confidence 1 - level. origin: what the estimate would be if nothing were there."""

    estimate: float
    p: float
    deviation: float
    interval: Callable[[float], tuple[float, float]]
    origin: float = 0.0

    @property
    def effect(self) -> float:
        """How many deviations the estimate is away from where nothing is."""
        distance = abs(self.estimate - self.origin)
        return distance / self.deviation if self.deviation else math.inf if distance else 0.0


def variance(values: Values, least: float = 0.0) -> float:
    """The sample variance, at least `least`; NaN of one value. Equal values have none, where their mean is rounded too."""
    if len(values) < 2:
        return math.nan
    return max(float(np.var(values, ddof=1)) if np.ptp(values) else 0.0, least)


def one_count(count: float, n: int) -> float:
    """The least variance of n values that change by `count`: as if one of them were one count away from the others."""
    return count**2 / n


def _t(estimate: float, error: float, freedom: float, deviation: float) -> Found:
    def interval(level: float) -> tuple[float, float]:
        half = float(stats.t.ppf(1 - level / 2, freedom)) * error
        return estimate - half, estimate + half

    p = float(2 * stats.t.sf(abs(estimate) / error, freedom)) if error else float(estimate == 0)
    return Found(estimate, p, deviation, interval)


def welch(a: Values, b: Values, least: tuple[float, float] = (0.0, 0.0)) -> Found:
    """Whether the means of two samples differ (Welch 1947). The deviation is the root of the mean variance."""
    variances = [variance(x, floor) for x, floor in zip((a, b), least)]
    shares = [v / len(x) for v, x in zip(variances, (a, b))]
    below = sum(share**2 / (len(x) - 1) for share, x in zip(shares, (a, b)))
    freedom = sum(shares) ** 2 / below if below else 1.0
    deviation = math.sqrt(sum(variances) / 2)
    return _t(float(np.mean(a)) - float(np.mean(b)), math.sqrt(sum(shares)), freedom, deviation)


def pairs(differences: Values, least: float = 0.0) -> Found:
    """Whether the mean of differences is other than 0 (Student 1908)."""
    v, n = variance(differences, least), len(differences)
    return _t(float(np.mean(differences)), math.sqrt(v / n), n - 1, math.sqrt(v))


def against(values: Values, number: float, within: tuple[float, float] = (-math.inf, math.inf), least: float = 0.0) -> Found:
    """Whether a mean is another than `number`. p is the largest of the tests of `mean_interval`."""
    found = pairs(np.subtract(values, number), least)
    tests = [found.p] + [2 * float(stats.t.sf(abs(z), len(values) - 1)) for z in _curved(values, number, within, least)]
    mean = float(np.mean(values))
    return Found(mean, max(tests), found.deviation, lambda level: mean_interval(values, within, least, level), number)


def mean_interval(
    values: Values, within: tuple[float, float], least: float = 0.0, level: float = LEVEL
) -> tuple[float, float]:
    """An interval of a mean that stays in the range of its values.

    It reaches as far as Student's and, for values with an end, one that is not symmetric: of values above an end that of
    log-normal ones (Cox; Zhou and Gao 1997, with Student's t), of values between two ends Student's of the logit of their
    mean. NaN of one value.
    """
    low, high = within
    n, mean, v = len(values), float(np.mean(values)), variance(values, least)
    if n < 2:
        return math.nan, math.nan
    t = float(stats.t.ppf(1 - level / 2, n - 1))
    half = t * math.sqrt(v / n)
    ends = [(mean - half, mean + half)]
    if math.isfinite(low) and math.isfinite(high):
        centre, error = _logit(mean, v, n, within)
        ends += [(low + (high - low) * _sigmoid(centre - t * error), low + (high - low) * _sigmoid(centre + t * error))]
    elif math.isfinite(low) and min(values) > low:
        centre, error = _log(values, least, low)
        ends += [(low + _exp(centre - t * error), low + _exp(centre + t * error))]
    return max(low, min(a for a, _ in ends)), min(high, max(b for _, b in ends))


def _curved(values: Values, number: float, within: tuple[float, float], least: float) -> list[float]:
    """How many errors a number lies from a mean on the scale of log-normal values, or of logits, where there is one."""
    low, high = within
    v = variance(values, least)
    if math.isfinite(low) and math.isfinite(high) and low < number < high:
        centre, error = _logit(float(np.mean(values)), v, len(values), within)
        return [(centre - math.log((number - low) / (high - number))) / error]
    if math.isfinite(low) and not math.isfinite(high) and number > low < min(values):
        centre, error = _log(values, least, low)
        return [(centre - math.log(number - low)) / error]
    return []


def _log(values: Values, least: float, low: float) -> tuple[float, float]:
    """The logarithm of log-normal values' mean above `low`, and its error."""
    logs, n = np.log(np.subtract(values, low)), len(values)
    v = variance(logs, least / (float(np.mean(values)) - low) ** 2)
    return float(np.mean(logs)) + v / 2, math.sqrt(v / n + v**2 / (2 * (n - 1)))


def _logit(mean: float, v: float, n: int, within: tuple[float, float]) -> tuple[float, float]:
    """The logit of a mean between two ends, and its error. A mean at an end counts as one error away from it."""
    low, high = within
    inside = min(max(mean, low + math.sqrt(v / n)), high - math.sqrt(v / n)) if v else mean
    share = (inside - low) / (high - low)
    share = min(max(share, 1e-12), 1 - 1e-12)
    return math.log(share / (1 - share)), math.sqrt(v / n) / (high - low) / (share * (1 - share))


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def share_interval(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """The exact interval of a share, k of n (Clopper and Pearson 1934)."""
    low, high = stats.binomtest(k, n).proportion_ci(1 - level, "exact")
    return float(low), float(high)


def half(k: int, n: int) -> Found:
    """Whether k of n is another share than a half, by the exact binomial test."""
    p = float(stats.binomtest(k, n, 0.5).pvalue)
    return Found(k / n, p, math.sqrt(k / n * (1 - k / n)), lambda level: share_interval(k, n, level), 0.5)


def fisher(k: int, n: int, other: int, of: int) -> float:
    """The two-sided p of Fisher's exact test that k of n and other of `of` have one share."""
    _, p = stats.fisher_exact([[k, n - k], [other, of - other]])
    return float(p)  # pyright: ignore[reportArgumentType]


def permuted(a: Values, b: Values = ()) -> float:
    """The two-sided p of a permutation test: of the means of two samples, or, of one sample of differences, by their signs.
    Exact where there are no more than 9,999 ways, else by as many drawn ones, always the same."""
    how = {"n_resamples": FLIPS, "rng": np.random.default_rng(0), "vectorized": True}
    if len(b):
        return float(stats.permutation_test((a, b), lambda x, y, axis: x.mean(axis) - y.mean(axis), **how).pvalue)
    return float(stats.permutation_test((a,), lambda x, axis: x.mean(axis), permutation_type="samples", **how).pvalue)


def holm(p: Sequence[float], level: float = LEVEL) -> tuple[list[float], list[float]]:
    """p-values corrected together (Holm 1979), and the level at which each was tested: an interval at that level leaves 0
    out exactly where the corrected p is below `level`."""
    order, out, largest = np.argsort(p, kind="stable"), [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        out[i] = largest
    rejected = sum(x < level for x in out)
    levels = [0.0] * len(p)
    for rank, i in enumerate(order):
        levels[i] = level / (len(p) - min(rank, rejected))
    return out, levels


def seeds_needed(found: Found, level: float, samples: int) -> int:
    """With how many seeds a test at this level would find what was measured, with the power .8; `MANY` where with more.
    samples: how many samples a seed adds one value to, 2 where two rows are compared and not in pairs."""
    low, high = 2, MANY
    while low < high:
        n = (low + high) // 2
        freedom = samples * (n - 1)
        edge = stats.t.ppf(1 - level / 2, freedom)
        if stats.nct.sf(edge, freedom, found.effect * math.sqrt(n / samples)) >= POWER:
            high = n
        else:
            low = n + 1
    return low
