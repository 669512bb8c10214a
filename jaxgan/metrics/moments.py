"""Fréchet distance between Gaussians, from moments that are added up batch by batch in float64.

Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", eq. 6. On the
pool features of the 2015 Inception network it is called FID; on any other features it is not.
"""

from dataclasses import dataclass

import numpy as np

from jaxgan.errors import UserError


@dataclass
class Moments:
    """count, mean [D] and scatter [D, D], the sum of outer products about the mean: float64."""

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def empty(cls, dims: int) -> "Moments":
        return cls(0, np.zeros(dims), np.zeros((dims, dims)))

    def add(self, features: np.ndarray) -> None:
        """Takes in features [N, D], by the pairwise update of Chan et al. 1979, which loses no digits to a large mean."""
        if not len(features):
            return
        x = np.asarray(features, np.float64)
        if not np.isfinite(x).all():
            raise UserError(f"the features of {(~np.isfinite(x).all(1)).sum()} of {len(x)} images are not finite")
        mean, count = x.mean(0), self.count + len(x)
        x, shift = x - mean, mean - self.mean
        self.scatter += x.T @ x + np.outer(shift, shift) * (self.count * len(x) / count)
        self.mean = self.mean + shift * (len(x) / count)
        self.count = count

    @property
    def covariance(self) -> np.ndarray:
        """[D, D], unbiased, as numpy.cov."""
        return self.scatter / (self.count - 1)


def check_counts(dims: int, few: int, allow_few: bool) -> None:
    """Refuses a Fréchet distance of `few` images in `dims` dimensions. Raises UserError."""
    if few < 2:
        raise UserError(f"a Fréchet distance needs at least 2 images on each side, not {few}: of one there is no covariance")
    if few <= dims and not allow_few:
        raise UserError(
            f"a Fréchet distance in {dims} dimensions needs more than {dims} images on each side, not {few}; "
            "take more, or kid, which is unbiased, or accept it with --config.eval.allow_few=true"
        )


def frechet_distance(a: Moments, b: Moments, allow_few: bool = False) -> float:
    """|m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)), at least 0.

    The trace of the root is the sum of the singular values of S_a^(1/2) S_b^(1/2): symmetric roots of symmetric
    matrices, which singular covariances do not upset.

    Raises UserError for fewer samples than dimensions, whose covariance says little, unless `allow_few`.
    """
    check_counts(len(a.mean), min(a.count, b.count), allow_few)
    roots = [_root(x.covariance) for x in (a, b)]
    overlap = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    traces = np.trace(a.covariance) + np.trace(b.covariance)
    return max(0.0, float(np.sum((a.mean - b.mean) ** 2) + traces - 2 * overlap))


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a symmetric matrix without negative eigenvalues, up to rounding."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
