"""Kernel Inception Distance: Bińkowski et al. 2018, "Demystifying MMD GANs", section 4 and appendix D."""

import numpy as np

from jaxgan.errors import UserError


def kid(
    real: np.ndarray, fake: np.ndarray, subsets: int = 100, size: int = 1000, blocks: int = 0, seed: int = 0
) -> tuple[float, float]:
    """The unbiased squared MMD under the kernel (x.y / D + 1)^3, as a mean over random subsets, and its standard error.

    Args:
      real, fake: features [N, D] and [M, D].
      subsets, size: how many, and of how many images each (at most all), drawn without replacement.
      blocks: disjoint parts of both sides, whose own values tell the error; 0: as many subsets as fit, ten at least.
      seed: of the draws.

    The standard deviation over overlapping subsets, which other tools print, follows the subsets' size and not the number
    of images: 0 where a subset is everything, too large where it is a small part. Values of disjoint blocks are
    independent, and the standard error of their mean falls with the number of images. It is near the truth for tens of
    subsets, and too large, up to thrice, for few, of which the subsets' mean makes more. Of fewer than two images
    a block it is NaN.

    Raises UserError for fewer than two images on a side, which have no pair.
    """
    if min(len(real), len(fake)) < 2:
        raise UserError(f"a kernel distance needs at least 2 images on each side, not {min(len(real), len(fake))}")
    rng, size = np.random.default_rng(seed), min(size, len(real), len(fake))
    values = [
        polynomial_mmd(real[rng.choice(len(real), size, False)], fake[rng.choice(len(fake), size, False)])
        for _ in range(1 if size == len(real) == len(fake) else subsets)
    ]
    fewest = min(len(real), len(fake))
    blocks = blocks or max(10, fewest // size)
    each = min(fewest, blocks * size) // blocks
    if each < 2:
        return float(np.mean(values)), float("nan")
    x, y = (rng.permutation(side)[: blocks * each].reshape(blocks, each, -1) for side in (real, fake))
    errors = [polynomial_mmd(a, b) for a, b in zip(x, y)]
    return float(np.mean(values)), float(np.std(errors, ddof=1) / np.sqrt(blocks))


def polynomial_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared MMD of two sets of as many features [n, D]: no pair of an example with itself."""
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    n, dims = len(x), x.shape[1]

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / dims + 1) ** 3

    within = sum(k.sum() - np.trace(k) for k in (kernel(x, x), kernel(y, y)))
    return float(within / (n * (n - 1)) - 2 * kernel(x, y).mean())
