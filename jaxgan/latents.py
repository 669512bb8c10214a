"""Distributions of the latent z: how it is drawn, and the way from one z to another that stays among likely ones."""

from typing import Any

import jax
import jax.numpy as jnp

DISTRIBUTIONS = ("normal", "uniform")  # the latter in [-1, 1]


def draw(distribution: str, keys: jax.Array, dims: int, dtype: Any) -> jax.Array:
    """z [N, dims], one for each key of [N]."""
    if distribution == "uniform":
        return jax.vmap(lambda key: jax.random.uniform(key, (dims,), dtype, minval=-1, maxval=1))(keys)
    return jax.vmap(lambda key: jax.random.normal(key, (dims,), dtype))(keys)


def blend(distribution: str, x: jax.Array, y: jax.Array, t: jax.Array) -> jax.Array:
    """The share t [N] of the way from x to y [N, dims]: along the great circle for normal z (White 2016), whose norms lie in
    a thin shell that a straight line would leave; straight for uniform z, and where the circle has no one way."""
    t = t[:, None]
    line = (1 - t) * x + t * y
    if distribution == "uniform":
        return line
    norms = jnp.linalg.norm(x, axis=1, keepdims=True) * jnp.linalg.norm(y, axis=1, keepdims=True)
    angle = jnp.arccos(jnp.clip(jnp.sum(x * y, 1, keepdims=True) / norms, -1, 1))
    sine = jnp.sin(angle)
    arc = (jnp.sin((1 - t) * angle) * x + jnp.sin(t * angle) * y) / jnp.where(sine > 1e-4, sine, 1)
    return jnp.where(sine > 1e-4, arc, line)
