"""A tree of arrays as a flat dict, which is what files hold, and its digest."""

import hashlib
from typing import Any

import jax
import jax.numpy as jnp


def flatten(tree: Any) -> dict[str, Any]:
    """{"path.to.leaf": array}, random keys as their uint32 data."""

    def data(x):
        if not jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
            return x
        if isinstance(x, jax.ShapeDtypeStruct):
            return jax.eval_shape(jax.random.key_data, x).update(sharding=x.sharding)
        return jax.random.key_data(x)

    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): data(x) for path, x in leaves}


def unflatten(like: Any, flat: dict[str, Any]) -> Any:
    """The inverse of `flatten`, in the structure of `like`."""

    def leaf(path, x):
        value = flat[jax.tree_util.keystr(path, simple=True, separator=".")]
        return jax.random.wrap_key_data(value) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else value

    return jax.tree_util.tree_map_with_path(leaf, like)


def digest(flat: dict[str, Any]) -> str:
    """A hexadecimal digest of names, shapes, dtypes and every bit of a flat dict of arrays, computed where they are."""
    sums = jax.device_get(_checksums(flat))
    text = "".join(f"{name}:{x.dtype}{x.shape}={sums[name]};" for name, x in sorted(flat.items()))
    return hashlib.sha256(text.encode()).hexdigest()


@jax.jit
def _checksums(flat: dict[str, jax.Array]) -> dict[str, jax.Array]:
    """A weighted sum of each array's words modulo 2^32; odd weights, so that no change of one word goes unseen."""

    def checksum(x):
        if x.dtype == jnp.bool_:
            x = x.astype(jnp.uint8)
        width = min(x.dtype.itemsize, 4)
        words = jax.lax.bitcast_convert_type(x, {1: jnp.uint8, 2: jnp.uint16, 4: jnp.uint32}[width])
        words = words.astype(jnp.uint32).reshape(-1)
        weights = (jnp.arange(words.size, dtype=jnp.uint32) * jnp.uint32(0x9E3779B1)) | jnp.uint32(1)
        return jnp.sum(words * weights, dtype=jnp.uint32)

    return jax.tree.map(checksum, flat)
