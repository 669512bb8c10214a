"""The best of k trials."""

import numpy as np

from jaxgan.search.report import best_of


def test_the_best_of_k_trials_is_what_drawing_k_of_them_gives():
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    low, middle, high = best_of(scores, "lower", np.array([1, 2, 4]), draws=20_000)
    assert middle[0] in (2.0, 3.0) and middle[1] == 2.0 and middle[2] == 1.0  # P(best of 2 is 1) = 7/16, of 4 = 175/256
    assert list(low) == [1.0] * 3 and list(high[:2]) == [4.0, 4.0] and high[2] == 3.0
    up = best_of(scores, "higher", np.array([4]), draws=20_000)
    assert up[1, 0] == 4.0


def test_what_diverged_is_the_worst():
    low, middle, high = best_of(np.array([np.nan, np.nan, 1.0]), "lower", np.array([1, 9]))
    assert np.isinf(middle[0]) and middle[1] == 1.0 and low[0] == 1.0 and np.isinf(high[0])
