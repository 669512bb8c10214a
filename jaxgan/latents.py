"""Distributions of the latent z: how it is drawn and truncated, and the way from one z to another that stays among likely
ones."""

from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.truncation import KINDS

DISTRIBUTIONS = ("normal", "uniform")  # the latter in [-1, 1]


def draw(distribution: str, keys: jax.Array, dims: int, dtype: Any) -> jax.Array:
    """z [N, dims], one for each key of [N]."""
    if distribution == "uniform":
        return jax.vmap(lambda key: jax.random.uniform(key, (dims,), dtype, minval=-1, maxval=1))(keys)
    return jax.vmap(lambda key: jax.random.normal(key, (dims,), dtype))(keys)


def truncations(distribution: str) -> tuple[str, ...]:
    """Kinds of `truncation.KINDS` that z of this distribution has: what lies beyond +-t of a uniform z is no tail."""
    return ("scale",) if distribution == "uniform" else KINDS


def truncate(z: jax.Array, kind: str, t: Any, keys: jax.Array) -> jax.Array:
    """z [N, dims], truncated. t: a number or [N]. keys [N], not those of z: what is drawn anew comes of them;
    coordinates that are inside stay as they are, to the bit."""
    t = jnp.broadcast_to(jnp.asarray(t, z.dtype), (len(z),))
    if kind == "scale":
        return z * t[:, None]
    # Drawing anew until it is inside is drawing from the normal distribution between -t and t.
    anew = jax.vmap(lambda key, t: jax.random.truncated_normal(key, -t, t, z.shape[1:], z.dtype))(keys, t)
    return jnp.where(jnp.abs(z) > t[:, None], anew, z)


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
