"""Conformal p-values: by hand, at their ends, and the promise that they make."""

import numpy as np
import pytest

from jaxgan.anomaly.conformal import check_rate, p_values, threshold
from jaxgan.errors import UserError


def test_by_hand():
    assert p_values(np.array([3.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.5, 3.0, 4.0])).tolist() == [1, 1, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1, 0.29, 0.3, 0.57, 0.99, 1.0])
@pytest.mark.parametrize("digits", [9, 1, 0], ids=["no ties", "ties", "many ties"])
def test_the_threshold_and_the_p_values_say_the_same(rate, digits):
    rng = np.random.default_rng(0)
    calibration, scores = (np.round(rng.normal(size=n), digits) for n in (99, 500))
    scores = np.concatenate([scores, calibration])
    assert ((p_values(calibration, scores) <= rate) == (scores > threshold(calibration, rate))).all()


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.1])
def test_the_measured_rate_keeps_to_the_asked_one(rate):
    """Over many calibration sets: with M = 199 the promise is exact, floor(rate (M + 1)) / (M + 1) = rate."""
    rng, sets, each = np.random.default_rng(1), 400, 200
    measured = [np.mean(p_values(rng.gamma(2, size=199), rng.gamma(2, size=each)) <= rate) for _ in range(sets)]
    error = np.std(measured) / np.sqrt(sets)
    assert abs(np.mean(measured) - rate) < 4 * error and error < 0.1 * rate


def test_ties_make_it_cautious_and_never_bold():
    rng = np.random.default_rng(2)
    draws = [np.mean(p_values(rng.integers(0, 4, 99), rng.integers(0, 4, 100)) <= 0.3) for _ in range(200)]
    assert 0.2 < np.mean(draws) < 0.3


def test_too_few_normal_pictures_are_refused_with_how_many_would_do():
    for rate, need in ((0.05, 19), (0.01, 99), (0.1, 9), (0.07, 14), (1 / 3, 2)):
        check_rate(need, rate)
        assert p_values(np.zeros(need), np.ones(1))[0] <= rate < p_values(np.zeros(need - 1), np.ones(1))[0]
        with pytest.raises(UserError, match=f"needs {need} held-out normal pictures, and there are {need - 1} of here;"):
            check_rate(need - 1, rate, "here")
        with pytest.raises(UserError, match="held-out"):
            threshold(np.zeros(need - 1), rate)
    for rate in (0, -1, 1.5):
        with pytest.raises(UserError, match="above 0 and at most at 1"):
            check_rate(100, rate)
