"""SRGAN's discriminator (Ledig et al. 2017, section 2.1 and figure 4): pairs of 3x3 convolutions, the second of which halves
the picture, two dense layers behind them.

The dense layers are of the size that they were trained at. A side that is odd is rounded up when it is halved, so that any
size will do.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets import layers
from jaxgan.nets.enlarging import HE

HALVINGS = 4


class Discriminator(nn.Module):
    """Images [N, H, W, C] of one size -> `Out` with logits [N].

    cond: an image [N, H, W, C'] beside it, or None. width: channels at full size, doubled at each halving; 64 in the paper.
    dense: outputs of the first dense layer. norm: after each convolution but the first; "batch" is the paper's. epsilon: of
    norms.

    Activations are leaky ReLUs of slope .2. The loss applies the paper's sigmoid.
    """

    dtype: Any
    width: int = bounded(64, least=1)
    dense: int = bounded(1024, least=1)
    norm: str = among(("none", "batch", "spectral"), "batch")
    epsilon: float = bounded(1e-5, below=1)

    tiny: ClassVar = {"width": 4, "dense": 8}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        active, fields = layers.ACTIVATIONS["leaky_relu"], {"spectral": self.norm == "spectral", "kernel_init": HE}
        x = image if cond is None else jnp.concatenate([image, cond.astype(image.dtype)], -1)
        for i in range(2 * HALVINGS):
            conv = layers.Conv(self.width << i // 2, stride=1 + i % 2, pad=1, dtype=self.dtype, **fields)
            x = conv(x)
            x = active(layers.Norm(self.norm, self.dtype, self.epsilon)(x, train) if i else x)
        exact = layers.wide(self.dtype)
        features = active(layers.Dense(self.dense, dtype=exact, **fields)(x.reshape(len(x), -1).astype(exact)))
        return layers.Out(layers.Dense(1, dtype=exact, **fields)(features)[:, 0], features)
