"""Tests and intervals agree with SciPy's, and are right as often as they say."""

import math

import numpy as np
import pytest
from scipy import stats

from jaxgan.ablation.statistics import (
    MANY,
    against,
    fisher,
    half,
    holm,
    mean_interval,
    one_count,
    pairs,
    permuted,
    seeds_needed,
    share_interval,
    variance,
    welch,
)

RNG = np.random.default_rng(0)
A, B = RNG.normal(1, 1, 6), RNG.normal(0, 2, 8)
POSITIVE = (0.0, math.inf)


def test_welch_and_student_are_scipys():
    theirs, ours = stats.ttest_ind(A, B, equal_var=False), welch(A, B)
    got = (ours.estimate, *ours.interval(0.1), ours.p)
    np.testing.assert_allclose(got, (A.mean() - B.mean(), *theirs.confidence_interval(0.9), theirs.pvalue), rtol=1e-12)
    one, ours = stats.ttest_1samp(A, 0.3), against(A, 0.3)
    np.testing.assert_allclose(
        (ours.estimate, *ours.interval(0.05), ours.p), (A.mean(), *one.confidence_interval(), one.pvalue), rtol=1e-12
    )
    related, ours = stats.ttest_rel(A, B[:6]), pairs(A - B[:6])
    np.testing.assert_allclose((*ours.interval(0.05), ours.p), (*related.confidence_interval(), related.pvalue), rtol=1e-12)


def test_exact_tests_are_scipys():
    assert half(9, 10).p == pytest.approx(22 / 1024) and half(5, 5).p == pytest.approx(2 / 32)
    assert share_interval(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert fisher(5, 5, 0, 5) == pytest.approx(2 / math.comb(10, 5))


def test_permutations():
    assert permuted((1.0, 2.0, 3.0), (11.0, 12.0, 13.0)) == pytest.approx(2 / math.comb(6, 3))
    assert permuted((1.0, 2.0, 3.0, 4.0, 5.0)) == pytest.approx(2 / 2**5)
    many = RNG.normal(size=20), RNG.normal(size=20)
    assert permuted(*many) == permuted(*many) == pytest.approx(stats.ttest_ind(*many).pvalue, abs=0.02)


def test_no_spread_is_smaller_than_one_count():
    assert variance([8.0] * 5) == 0 and math.isnan(variance([8.0]))
    assert one_count(1, 5) == pytest.approx(np.var([8, 8, 8, 8, 7], ddof=1))
    least = one_count(1, 5)
    assert welch([8.0] * 5, [7.999] * 5, (least, least)).p > 0.99
    assert against([8.0] * 5, 7.999, (0, 8), least).p > 0.99
    assert against([8.0] * 5, 4, (0, 8), least).p < 0.05 and against([8.0] * 5, 4, least=least).p < 0.001


def test_intervals_stay_in_their_range():
    low, high = mean_interval([8, 8, 7, 8, 8], (0, 8), one_count(1, 5))
    assert 5 < low < 6 and 7.9 < high <= 8  # near an end a few runs say little
    assert 1.5 < mean_interval([5, 3, 4, 6, 2], (0, 8))[0] < 2.5
    low, high = mean_interval([8] * 5, (0, 8), one_count(1, 5))
    assert 5 < low < 7.5 and high == 8
    low, high = mean_interval([0.1, 3, 0.2], POSITIVE)
    assert 0 <= low < 0.2 and high > 4
    student = stats.ttest_1samp([10.0, 11, 12], 0).confidence_interval()
    low, high = mean_interval([10, 11, 12], POSITIVE)
    assert low == pytest.approx(student.low) and high > student.high
    assert all(map(math.isnan, mean_interval([1], POSITIVE)))


@pytest.mark.parametrize("within", [(-math.inf, math.inf), POSITIVE, (0, 8)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_p_is_below_a_level_where_the_interval_at_it_leaves_the_number_out(within, level):
    rng = np.random.default_rng(1)
    for _ in range(60):
        values, number = rng.uniform(3, 7, 5), float(rng.uniform(2, 7.5))
        found = against(values, number, within)
        low, high = found.interval(level)
        assert (found.p < level) == (number < low or number > high)


@pytest.mark.parametrize(
    "draw, mean, within",
    [
        (lambda rng: rng.normal(3, 1, 5), 3, (-math.inf, math.inf)),
        (lambda rng: rng.lognormal(0, 0.5, 5), math.exp(0.125), POSITIVE),
        (lambda rng: rng.binomial(8, 0.9, 5).astype(float), 7.2, (0, 8)),
    ],
)
def test_intervals_cover_as_often_as_they_say(draw, mean, within):
    rng = np.random.default_rng(2)
    ends = [mean_interval(draw(rng), within, one_count(1, 5) if within[1] == 8 else 0.0) for _ in range(3000)]
    assert np.mean([low <= mean <= high for low, high in ends]) > 0.945


def test_holm():
    """The example of Holm 1979's method in every textbook: the smallest times n, the next times n - 1, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005])[0] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8])[0] == [1.0, 1.0] and holm([]) == ([], [])


def test_levels_of_holm_decide_as_its_p_values():
    rng = np.random.default_rng(3)
    for _ in range(200):
        p = rng.uniform(0, 0.1, rng.integers(1, 7))
        corrected, levels = holm(p, 0.05)
        assert [x < 0.05 for x in corrected] == [x < level for x, level in zip(p, levels)]


def test_seeds_needed_are_those_of_the_power():
    """Two samples with a difference of one deviation: 17 each for a power of .8 in every textbook (Cohen 1988); 10 pairs."""
    found = welch(np.array([0, 1, 2, 3.0]), np.array([0, 1, 2, 3.0]) + np.std([0, 1, 2, 3], ddof=1))
    assert seeds_needed(found, 0.05, 2) == 17
    differences = np.array([-1, 0, 1]) + 1.0
    assert seeds_needed(pairs(differences), 0.05, 1) == 10
    assert seeds_needed(pairs(np.array([-1, 0, 1.001])), 0.05, 1) == MANY
