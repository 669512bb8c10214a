"""What it is worth to choose a setting by the scores that are then reported."""

from dataclasses import dataclass

import numpy as np

from jaxgan.search.study import WORST

DRAWS = 1000  # of the bootstrap


@dataclass(frozen=True)
class Price:
    """Of the best of k trials, by k [K]: honest is its score on pictures that chose nothing, and peeked where those pictures
    chose it; means over draws of k trials. counts: k."""

    counts: np.ndarray
    honest: np.ndarray
    peeked: np.ndarray


def price(chosen_by: np.ndarray, reported: np.ndarray, better: str, draws: int = DRAWS, seed: int = 0) -> Price | None:
    """The price of peeking.

    chosen_by, reported: scores [n] of trials on two sets of pictures; what is not finite is the worst, and never reported.
    Both curves are of scores on the second set, so that neither set is the easier one. k trials are drawn with replacement,
    `draws` times; a k of which a draw has no finite score is left out. None with fewer than two finite trials.
    """
    worst = WORST[better]
    sound = np.isfinite(chosen_by) & np.isfinite(reported)
    if sound.sum() < 2:
        return None
    first, second = np.where(sound, chosen_by, worst), np.where(sound, reported, worst)
    drawn = np.random.default_rng(seed).integers(len(first), size=(draws, len(first)))
    sign = 1 if better == "lower" else -1
    best = _running_best(sign * first[drawn])
    honest = second[np.take_along_axis(drawn, best, 1)]
    peeked = sign * np.minimum.accumulate(sign * second[drawn], 1)
    kept = np.isfinite(honest).all(0) & np.isfinite(peeked).all(0)
    return Price(1 + np.flatnonzero(kept), honest[:, kept].mean(0), peeked[:, kept].mean(0)) if kept.any() else None


def _running_best(values: np.ndarray) -> np.ndarray:
    """Of each row, where the least of the first 1, 2, ... values is, the first of equal ones [draws, n]."""
    least = np.minimum.accumulate(values, 1)
    is_new = np.concatenate([np.ones((len(values), 1), bool), values[:, 1:] < least[:, :-1]], 1)
    return np.maximum.accumulate(np.where(is_new, np.arange(values.shape[1]), 0), 1)
