"""Networks that say which class a picture is of: called `(image, *, train, keys)`, they return logits [N, num_classes]."""

from typing import Any

import flax.linen as nn
import jax

from jaxgan.config.schema import among, bounded
from jaxgan.nets.layers import Conv, Dense, Dropout, Norm, wide


class ConvNet(nn.Module):
    """Convolutions of 3x3 with ReLU, two a level; at each level half the pixels a side and twice the features; one hidden
    layer.

    width: features of the first level. levels: how many; pictures have at least 2 to this power of pixels a side.
    hidden: units of the last hidden layer. norm: of the convolutions. dropout: what share of the hidden units a training
    example is seen without.
    """

    num_classes: int
    dtype: Any
    width: int = bounded(16, least=1)
    levels: int = bounded(2, least=1)
    hidden: int = bounded(128, least=1)
    norm: str = among(("batch", "none"), "batch")
    dropout: float = bounded(0.4, below=1)

    tiny = {"width": 2, "hidden": 4}

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, keys: Any = None) -> jax.Array:
        for level in range(self.levels):
            for stride in (2, 1):
                x = Conv(self.width << level, stride=stride, use_bias=self.norm == "none", dtype=self.dtype,
                         kernel_init=nn.initializers.he_normal())(x)  # fmt: skip
                x = nn.relu(Norm(self.norm, self.dtype)(x, train))
        x = Dense(self.hidden, dtype=self.dtype, kernel_init=nn.initializers.he_normal())(x.reshape(len(x), -1))
        x = nn.relu(x)
        x = Dropout(self.dropout, "dropout")(x, keys if train else None)
        return Dense(self.num_classes, dtype=self.dtype)(x).astype(wide(self.dtype))


CLASSIFIERS = {"convnet": ConvNet}
