"""Many examples through a function that is compiled for a batch of one size."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def batches(n: int, size: int) -> Iterator[tuple[np.ndarray, int]]:
    """(rows int64 [size], how many of them count) for each batch of `n` examples; the last row fills up the last batch."""
    for start in range(0, n, size):
        yield np.minimum(np.arange(start, start + size), n - 1), min(size, n - start)


def in_batches(fn: Callable[..., Any], size: int, *arrays: np.ndarray, **named: np.ndarray) -> np.ndarray:
    """`fn` of all examples, on the host [N, ...].

    Args:
      fn: (batches of `arrays`, batches of `named`) -> an array with the examples first. It sees one shape alone.
      size: of a batch; fewer where there are fewer examples.
      arrays, named: [N, ...] each.
    """
    return np.concatenate([*each_batch(fn, size, *arrays, **named)])


def each_batch(fn: Callable[..., Any], size: int, *arrays: np.ndarray, **named: np.ndarray) -> Iterator[np.ndarray]:
    """The parts of what `in_batches` returns, one at a time."""
    n = len(arrays[0])
    for rows, count in batches(n, min(size, n)):
        yield np.asarray(fn(*(x[rows] for x in arrays), **{key: x[rows] for key, x in named.items()}))[:count]
