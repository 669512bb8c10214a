"""Images moved and coloured by matrices, differentiably: what augmentations are made of. All are of one image, [H, W, C]."""

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy.ndimage import map_coordinates


def warped(x: jax.Array, matrix: jax.Array) -> jax.Array:
    """An image [H, W, C] whose pixel at (column, row) is the one of x at `matrix` (3x3) times (column, row, 1), both counted
    from the image's middle; linear between pixels, mirrored beyond the edges."""
    height, width, _ = x.shape
    rows, columns = jnp.mgrid[:height, :width]
    middle = jnp.array([(width - 1) / 2, (height - 1) / 2, 0], x.dtype)
    points = jnp.stack([columns, rows, jnp.ones_like(rows)], -1).astype(x.dtype) - middle
    at = jnp.matmul(points, matrix.T, precision="highest") + middle
    return jax.vmap(lambda c: map_coordinates(c, [at[..., 1], at[..., 0]], 1, "mirror"), -1, -1)(x)


def recoloured(x: jax.Array, matrix: jax.Array) -> jax.Array:
    """An image [H, W, 3] whose colours are `matrix` (4x4) times (r, g, b, 1); one of a single channel as a grey one."""
    rgb = jnp.broadcast_to(x, (*x.shape[:2], 3)) if x.shape[-1] == 1 else x
    rgb = jnp.matmul(rgb, matrix[:3, :3].T, precision="highest") + matrix[:3, 3]
    return rgb.mean(-1, keepdims=True) if x.shape[-1] == 1 else rgb


def shift(dx: Any, dy: Any) -> jax.Array:
    return jnp.eye(3).at[0, 2].set(dx).at[1, 2].set(dy)


def scale(sx: Any, sy: Any) -> jax.Array:
    return jnp.diag(jnp.stack([jnp.asarray(sx, float), jnp.asarray(sy, float), jnp.ones(())]))


def rotation(angle: Any) -> jax.Array:
    c, s = jnp.cos(angle), jnp.sin(angle)
    return jnp.eye(3).at[:2, :2].set(jnp.array([[c, -s], [s, c]]))


def quarters(n: Any) -> jax.Array:
    """So many quarter turns, exactly."""
    c, s = jnp.array([1.0, 0, -1, 0])[n], jnp.array([0.0, 1, 0, -1])[n]
    return jnp.eye(3).at[:2, :2].set(jnp.array([[c, -s], [s, c]]))


def shifted(x: jax.Array, dy: jax.Array, dx: jax.Array) -> jax.Array:
    """By whole pixels; 0 from outside."""
    for axis, by in ((0, dy), (1, dx)):
        n = x.shape[axis]
        at = jnp.arange(n) - by
        inside = ((at >= 0) & (at < n)).reshape(-1, *[1] * (x.ndim - 1 - axis))
        x = jnp.where(inside, jnp.take(x, jnp.clip(at, 0, n - 1), axis), 0)
    return x
