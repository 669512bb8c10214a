"""Kernel Inception Distance: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4 and appendix D."""

import numpy as np


def kid(real: np.ndarray, fake: np.ndarray, subsets: int = 100, size: int = 1000, seed: int = 0) -> tuple[float, float]:
    """The unbiased squared MMD under the kernel (x.y / D + 1)^3, as a mean over random subsets, and its standard error.

    Args:
      real, fake: features [N, D] and [M, D].
      subsets, size: how many, and of how many images each (at most min(N, M)), drawn without replacement.
      seed: of the draws.

    The standard error is the subsets' standard deviation over the root of their number: of the mean over subsets of
    these images, not of other images.
    """
    rng, size = np.random.default_rng(seed), min(size, len(real), len(fake))
    values = [
        polynomial_mmd(real[rng.choice(len(real), size, False)], fake[rng.choice(len(fake), size, False)])
        for _ in range(subsets)
    ]
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(subsets))


def polynomial_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD of two sets of as many features [n, D]: no pair of an example with itself."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    n, dims = len(x), x.shape[1]

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / dims + 1) ** 3

    within = sum(k.sum() - np.trace(k) for k in (kernel(x, x), kernel(y, y)))
    return float(within / (n * (n - 1)) - 2 * kernel(x, y).mean())
