"""ESRGAN's generator (Wang et al. 2018, "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", section 3.1):
residual-in-residual dense blocks, RRDB, without any norm.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets import enlarging, layers

BRANCHES = 3  # dense blocks of a block
LAYERS = 5  # convolutions of a dense block


class Generator(nn.Module):
    """Pictures [N, h, w, C'] of any size -> [N, scale h, scale w, C], about [-1, 1]; the last layer is linear.

    scale: 2, 3 or 4, which follows from the data. width: channels. growth: channels that each layer of a dense block adds.
    blocks: the authors have 23. residual: what a dense block's and a block's own part is multiplied by before it is added.
    upsampling: nearest enlargement, as the authors have it, or pixel shuffle, each with a convolution. enlarged: adds the
    input, enlarged bilinearly, to what the last layer returns; the authors have not.

    Activations are leaky ReLUs of slope .2. Kernels begin as He et al. 2015 have them, those of the dense blocks and of the
    last layer a tenth as large.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    scale: int
    width: int = bounded(64, least=1)
    growth: int = bounded(32, least=1)
    blocks: int = bounded(6, least=1)
    residual: float = bounded(0.2, most=1)
    upsampling: str = among(enlarging.UPSAMPLINGS, "nearest")
    enlarged: bool = False

    tiny: ClassVar = {"width": 4, "growth": 2, "blocks": 1}

    def check(self, facts: Any) -> None:
        """Refuses data whose images are not `scale` times as large as the sources. Raises UserError."""
        enlarging.check_scale(facts, self.scale, self.enlarged)

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        active = layers.ACTIVATIONS["leaky_relu"]

        def conv(x, features, init=enlarging.HE):
            return layers.Conv(features, dtype=self.dtype, kernel_init=init)(x)

        def dense(x):
            seen = x
            for _ in range(LAYERS - 1):
                seen = jnp.concatenate([seen, active(conv(seen, self.growth, enlarging.SMALL))], -1)
            return x + self.residual * conv(seen, self.width, enlarging.SMALL)

        first = conv(image.astype(self.dtype), self.width)
        x = first
        for _ in range(self.blocks):
            y = x
            for _ in range(BRANCHES):
                y = dense(y)
            x = x + self.residual * y
        x = first + conv(x, self.width)
        for factor in enlarging.STEPS[self.scale]:
            how = {"dtype": self.dtype, "kernel_init": enlarging.HE}
            x = active(enlarging.enlarge_step(x, self.width, factor, self.upsampling, **how))
        exact = layers.wide(self.dtype)
        made = conv(active(conv(x, self.width)), self.image_shape[2], enlarging.SMALL).astype(exact)
        return made + enlarging.bilinear(image.astype(exact), self.scale) if self.enlarged else made
