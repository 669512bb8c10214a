"""R-precision: whether a picture's own caption is nearest to it, among others (Xu et al. 2018, section 4)."""

import numpy as np

OTHERS = 99  # captions beside the own one


def r_precision(images: np.ndarray, sentences: np.ndarray, kinds: np.ndarray, seed: int = 0) -> float:
    """The share of pictures whose own caption has a larger cosine than `OTHERS` captions of other pictures, drawn at random
    among those that are other words.

    images, sentences: codes [N, D] of pictures and of their captions. kinds: int [N], equal where captions are. An equal
    cosine is no success. There must be more than `OTHERS` captions that differ from any one.
    """
    a, b = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in np.asarray([images, sentences], float))
    rng, right = np.random.default_rng(seed), 0
    for i, kind in enumerate(kinds):
        other = rng.choice(np.flatnonzero(kinds != kind), OTHERS, replace=False)
        near = b[[i, *other]] @ a[i]
        right += bool(near[0] > near[1:].max())
    return right / len(kinds)


def enough(kinds: np.ndarray) -> bool:
    """Whether every caption has `OTHERS` captions of other words beside it."""
    return len(kinds) - np.bincount(np.unique(kinds, return_inverse=True)[1]).max(initial=0) >= OTHERS
