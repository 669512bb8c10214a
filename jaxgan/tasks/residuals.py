"""What tasks that find anomalies make of an image and of the nearest normal one."""

import jax
import jax.numpy as jnp

from jaxgan.tasks.protocols import Anomaly


def per_example(gap: jax.Array) -> jax.Array:
    """The mean of each example's values, [N, ...] -> [N]."""
    return jnp.mean(gap.reshape(len(gap), -1), 1)


def residual_map(image: jax.Array, nearest: jax.Array) -> jax.Array:
    """|image - nearest| of [N, H, W, C], a mean over channels: [N, H, W]."""
    return jnp.mean(jnp.abs(image - nearest), -1)


def columns(image: jax.Array, anomaly: Anomaly) -> dict[str, jax.Array]:
    """The columns of a sample picture: images [N, H, W, C] in [-1, 1], their reconstructions, and their maps, black where
    these are 0 and white from 2 on, the gap between black and white."""
    assert anomaly.map is not None and anomaly.reconstruction is not None
    found = jnp.clip(anomaly.map[..., None] - 1, -1, 1)
    return {"image": image, "reconstruction": anomaly.reconstruction, "map": jnp.broadcast_to(found, image.shape)}
