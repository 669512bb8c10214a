"""The data-parallel axes, from within the step: which rows a device holds, and means that see the whole batch.

One function, the training step, runs on every device with the axis "data" bound: `placement` wraps it. Outside, on one
device with no axis bound, `mean` is the identity: networks and losses need no second form.

A second axis, "shard", splits the batch just as well. Of what only an optimizer or a moving average reads, each device
along it keeps a part (ZeRO-1, Rajbhandari et al. 2020, section 5.1): it updates that part alone, and gathers the params.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxgan.errors import UserError

AXIS, SHARD = "data", "shard"
_parts_of_a_batch: ContextVar[int] = ContextVar("parts_of_a_batch", default=1)


def _is_bound(name: str) -> bool:
    try:
        lax.axis_index(name)
    except NameError:
        return False
    return True


def is_bound() -> bool:
    """Whether this trace runs on a replica, inside `shard_map` or `pmap`."""
    return _is_bound(AXIS)


def axis_name() -> Any:
    """The axes' name or names where they are bound, for layers that take such (BatchNorm)."""
    return ((AXIS, SHARD) if _is_bound(SHARD) else AXIS) if is_bound() else None


def mean(tree: Any) -> Any:
    """The mean over replicas of a tree of floats; of anything else the result would be meaningless."""
    return lax.pmean(tree, axis_name()) if is_bound() else tree


@contextmanager
def in_parts(many: int) -> Iterator[None]:
    """Within it a batch is computed in so many parts, one after the other, of which gradients are the mean."""
    token = _parts_of_a_batch.set(many)
    try:
        yield
    finally:
        _parts_of_a_batch.reset(token)


def _check_whole() -> None:
    """Refuses what looks across a batch of which a part alone is there. Raises UserError."""
    many = _parts_of_a_batch.get()
    if many > 1:
        raise UserError(f"accumulate={many} computes a batch in parts, and a loss of this run looks across the whole of it")


def batch_mean(tree: Any) -> Any:
    """`mean`, of what is to be a mean over the whole batch and not over a part. Raises UserError within `in_parts`."""
    _check_whole()
    return mean(tree)


def gather(x: jax.Array) -> jax.Array:
    """The rows of all replicas [global batch, ...] in their global order, from this one's. Raises UserError within
    `in_parts`."""
    _check_whole()
    return lax.all_gather(x, axis_name(), tiled=True) if is_bound() else x


def roll(x: jax.Array) -> jax.Array:
    """This replica's rows [n, ...] of the global batch moved down by one: each example meets the one before it, and the
    first one meets the last."""
    _check_whole()
    return gather(x)[(rows(len(x)) - 1) % (len(x) * size())] if is_bound() else jnp.roll(x, 1, 0)


def size() -> int:
    """How many replicas share the batch."""
    return lax.axis_size(axis_name()) if is_bound() else 1


def rows(n: int) -> jax.Array:
    """Global indices, int32 [n], of the n examples that this replica holds."""
    first = lax.axis_index(axis_name()) * n if is_bound() else 0
    return first + jnp.arange(n, dtype=jnp.int32)


def split_axis(shape: tuple[int, ...], parts: int) -> int | None:
    """The first axis that can be cut into so many equal parts; None where there is none, and everybody keeps the whole."""
    return next((i for i, n in enumerate(shape) if n and n % parts == 0), None)


def part(tree: Any) -> Any:
    """Of whole arrays what this device keeps; without the axis "shard" all of it."""
    if not _is_bound(SHARD):
        return tree
    parts, at = lax.axis_size(SHARD), lax.axis_index(SHARD)

    def cut(x: jax.Array) -> jax.Array:
        axis = split_axis(x.shape, parts)
        if axis is None:
            return x
        size = x.shape[axis] // parts
        return lax.dynamic_slice_in_dim(x, at * size, size, axis)

    return jax.tree.map(cut, tree)


def whole(tree: Any, like: Any) -> Any:
    """The inverse of `part`, of arrays that are as large as those of the tree `like`."""
    if not _is_bound(SHARD):
        return tree
    parts = lax.axis_size(SHARD)

    def joined(x: jax.Array, whole: jax.Array) -> jax.Array:
        axis = split_axis(whole.shape, parts)
        return x if axis is None else lax.all_gather(x, SHARD, axis=axis, tiled=True)

    return jax.tree.map(joined, tree, like)
