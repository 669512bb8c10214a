"""What nearest neighbours in feature space tell: fidelity, variety, repetition and memorisation.

Improved precision and recall: Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing Generative
Models". Density and coverage: Naeem et al. 2020, "Reliable Fidelity and Diversity Metrics for Generative Models".
"""

import numpy as np

from jaxgan.errors import UserError

BLOCK = 1024  # rows of a distance matrix in memory at once


def prdc(real: np.ndarray, fake: np.ndarray, k: int = 5) -> dict[str, float]:
    """{"precision", "recall", "density", "coverage"} of features [N, D] and [M, D], with balls out to the k-th neighbour.

    precision: share of fakes inside the ball of some real. recall: share of reals inside the ball of some fake.
    density: balls of reals that a fake lies in, on average, over k: may pass 1. coverage: share of reals with a fake in
    their ball. The radius' neighbour is not the example itself.
    """
    real_radius, fake_radius = kth_distance(real, k), kth_distance(fake, k)
    in_real, in_fake = np.zeros(len(fake)), np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for rows, distance in squared_distances(fake, real):
        inside = distance < real_radius
        in_real[rows] = inside.sum(1)
        covered |= inside.any(0)
        in_fake |= (distance < fake_radius[rows, None]).any(0)
    return {
        "precision": float((in_real > 0).mean()),
        "recall": float(in_fake.mean()),
        "density": float(in_real.mean() / k),
        "coverage": float(covered.mean()),
    }


def repetition(real: np.ndarray, fake: np.ndarray, quantile: float = 0.01) -> dict[str, float]:
    """{"copied", "repeated"}: the shares of fakes that lie nearer to a real, and to another fake, than but the `quantile` of
    reals lie to their nearest other real.

    So fresh real images would score about `quantile` (more where there are more of them than reals), a generator that
    replays the reals 1, one that makes a single image 1 in the second.
    """
    rounding = 1e-10 * (np.asarray(real, np.float64) ** 2).sum(1).mean()  # of a copy's distance, which ought to be 0
    near = max(np.quantile(kth_distance(real, 1), quantile), rounding)
    nearest = np.concatenate([distance.min(1) for _, distance in squared_distances(fake, real)])
    return {"copied": float((nearest <= near).mean()), "repeated": float((kth_distance(fake, 1) <= near).mean())}


def kth_distance(x: np.ndarray, k: int) -> np.ndarray:
    """The squared distance [N] from each of [N, D] to its k-th nearest other."""
    if len(x) <= k:
        raise UserError(f"nearest neighbours number {k} need more than {k} images on each side, not {len(x)}")
    out = np.empty(len(x), np.float64)
    for rows, distance in squared_distances(x, x):
        distance[np.arange(len(distance)), np.arange(rows.start, rows.stop)] = -1  # itself, before all others
        out[rows] = np.partition(distance, k, 1)[:, k]
    return out


def squared_distances(a: np.ndarray, b: np.ndarray):
    """(rows, squared distances [rows, M], float64) of [N, D] to [M, D], block by block."""
    b = np.asarray(b, np.float64)
    norms = (b**2).sum(1)
    for start in range(0, len(a), BLOCK):
        x = np.asarray(a[start : start + BLOCK], np.float64)
        yield slice(start, start + len(x)), np.maximum((x**2).sum(1)[:, None] + norms - 2 * x @ b.T, 0)
