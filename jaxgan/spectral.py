"""Power iteration for spectral normalisation (Miyato et al. 2018, Algorithm 1)."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.errors import UserError


def normalise(x: jax.Array) -> jax.Array:
    """x over its length."""
    return x / (jnp.linalg.norm(x) + 1e-12)


def advance(params: Any, spectral: Any) -> Any:
    """The collection "spectral" after one more power iteration on each kernel, a constant to every derivative.

    params, spectral: of one player. A "u" [F] of `spectral` stands where its layer's "kernel" [..., F] stands in `params`.
    """

    def one(path: Any, u: jax.Array) -> jax.Array:
        layer = params
        for key in path[:-1]:
            layer = layer.get(key.key, {})
        if "kernel" not in layer:
            where = jax.tree_util.keystr(path, simple=True, separator="/")
            raise UserError(f"the collection 'spectral' has '{where}', and no kernel stands beside it among the params")
        matrix = layer["kernel"].reshape(-1, layer["kernel"].shape[-1])
        return normalise(matrix.T @ normalise(matrix @ u))

    return jax.lax.stop_gradient(jax.tree_util.tree_map_with_path(one, spectral))
