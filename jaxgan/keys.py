"""Random numbers as a function of (seed, step, update, round, role, global example).

Nothing else may decide a draw: not the number of devices or hosts, nor a restart, nor what else was drawn before. The
root key never advances; every draw folds its coordinates into it.
"""

import copy
import zlib

import jax
import jax.numpy as jnp

from jaxgan import parallel


class Keys:
    """The keys of one round of one update; each role ("z", "alpha", ...) is a stream of its own.

    Args:
      rng: the root key.
      step, update, round: coordinates, int or int32 scalar.
      n: examples that this replica holds.
    """

    def __init__(self, rng: jax.Array, step, update, round, n: int):
        self._base = jax.random.fold_in(jax.random.fold_in(jax.random.fold_in(rng, step), update), round)
        self._n, self._beside, self._parts, self._at = n, 1, 1, 0

    def shared(self, role: str) -> jax.Array:
        """One key, the same on every replica."""
        return jax.random.fold_in(self._base, role_id(role))

    def grouped(self, size: int) -> "Keys":
        """The same streams for groups of `size` adjacent examples, one key a group."""
        out = copy.copy(self)
        out._n = self._n // size
        return out

    def part(self, many: int, at: jax.Array) -> "Keys":
        """The same streams for one of many equal parts of the examples, number `at`."""
        out = copy.copy(self)
        out._n, out._parts, out._at = self._n // many, many, at
        return out

    def of(self, examples: int) -> "Keys":
        """The same streams for a multiple of n examples: the n first, then as many that lie beside them, and so on."""
        out = copy.copy(self)
        out._beside = examples // self._n
        return out

    def __call__(self, role: str) -> jax.Array:
        """One key for each example of this replica, [n]."""
        rows, fold = parallel.rows(self._n * self._parts), jax.vmap(jax.random.fold_in, (None, 0))
        rows = rows if self._parts == 1 else jax.lax.dynamic_slice_in_dim(rows, self._at * self._n, self._n)
        first = fold(self.shared(role), rows)
        others = [fold(self.shared(f"{role}/beside/{i}"), rows) for i in range(1, self._beside)]
        return jnp.concatenate([first, *others]) if others else first


def stream(keys: jax.Array, role: str) -> jax.Array:
    """For each of the keys [N] another, of the role's own stream."""
    return jax.vmap(lambda key: jax.random.fold_in(key, role_id(role)))(keys)


def role_id(role: str) -> int:
    """A stable 32-bit number for a role's name."""
    return zlib.crc32(role.encode())
