"""Bicubic interpolation as a network that learns nothing: what every network that enlarges is measured against."""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.data.bicubic import taps
from jaxgan.nets import enlarging, layers


class Generator(nn.Module):
    """Pictures [N, h, w, C] of any size -> [N, scale h, scale w, C], as `data.bicubic` enlarges them, not rounded.

    scale: 2, 3 or 4, which follows from the data.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    scale: int

    tiny: ClassVar = {}

    def check(self, facts: Any) -> None:
        """Refuses data whose images are not `scale` times as large as the sources. Raises UserError."""
        enlarging.check_scale(facts, self.scale, enlarged=True)

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        x = image.astype(layers.wide(self.dtype))
        return _enlarged(_enlarged(x, 1, self.scale), 2, self.scale)


def _enlarged(x: jax.Array, axis: int, scale: int) -> jax.Array:
    places, weights = taps(x.shape[axis], scale * x.shape[axis])
    shape = [1] * x.ndim
    shape[axis] = -1
    parts = [jnp.take(x, places[:, i], axis) * weights[:, i].astype(x.dtype).reshape(shape) for i in range(places.shape[1])]
    return sum(parts[1:], start=parts[0])
