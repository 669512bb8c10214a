"""One example's random draws for an augmentation, each by a name of its own."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.keys import role_id


class Draw:
    """One example's random numbers, a stream of its own for each name."""

    def __init__(self, key: jax.Array, dtype: Any):
        self.key, self.dtype = key, dtype

    def _of(self, name: str) -> jax.Array:
        return jax.random.fold_in(self.key, role_id(name))

    def uniform(self, name: str, low: float, high: float) -> jax.Array:
        return jax.random.uniform(self._of(name), (), self.dtype, low, high)

    def normal(self, name: str) -> jax.Array:
        return jax.random.normal(self._of(name), (), self.dtype)

    def integer(self, name: str, low: int, high: int) -> jax.Array:
        """In [low, high)."""
        return jax.random.randint(self._of(name), (), low, high)

    def perhaps(self, name: str, p: Any, matrix: jax.Array) -> jax.Array:
        """The matrix with probability p, else the identity."""
        return jnp.where(self.uniform(name, 0, 1) < p, matrix, jnp.eye(len(matrix))).astype(self.dtype)


def window(draw: Draw, name: str, n: int) -> jax.Array:
    """Which of n pixels are in the half of them round a random one, [n]."""
    half = (n + 1) // 2
    first = draw.integer(name, 0, n + 1 - half % 2) - half // 2
    return (jnp.arange(n) >= first) & (jnp.arange(n) < first + half)
