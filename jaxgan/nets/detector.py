"""Networks that find objects: called `(image, num_classes, *, train, keys)`, they return a grid [N, G, G, classes + 4]."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets.layers import Conv, Norm, wide

RARE = -4.0  # logits at the start: nearly all cells of a grid hold no object


class GridNet(nn.Module):
    """Convolutions of 3x3 with ReLU, two a level; at each level half the pixels a side and twice the features. Of each cell
    of what is left the classes' logits, and four numbers of a box.

    width: features of the first level. levels: how many; a cell is 2 to this power of pixels a side. hidden: features of the
    last hidden layer, which sees a cell's neighbours. norm: of the convolutions.
    """

    dtype: Any
    width: int = bounded(16, least=1)
    levels: int = bounded(2, least=1)
    hidden: int = bounded(64, least=1)
    norm: str = among(("batch", "none"), "batch")

    tiny = {"width": 2, "hidden": 4}

    @nn.compact
    def __call__(self, x: jax.Array, num_classes: int, *, train: bool, keys: Any = None) -> jax.Array:
        def layer(x: jax.Array, features: int, stride: int = 1) -> jax.Array:
            x = Conv(features, stride=stride, use_bias=self.norm == "none", dtype=self.dtype,
                     kernel_init=nn.initializers.he_normal())(x)  # fmt: skip
            return nn.relu(Norm(self.norm, self.dtype)(x, train))

        for level in range(self.levels):
            for stride in (2, 1):
                x = layer(x, self.width << level, stride)
        x = layer(layer(x, self.hidden), self.hidden)
        x = Conv(num_classes + 4, size=1, dtype=self.dtype)(x).astype(wide(self.dtype))
        return x + jnp.where(jnp.arange(num_classes + 4) < num_classes, RARE, 0).astype(x.dtype)


DETECTORS = {"grid": GridNet}
