"""PatchGAN's discriminator (Isola et al. 2017, section 3.2 and appendix 6.1.2): a score for each patch of the image, all by
the same convolutions, and their mean for the whole.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets import layers

FIELDS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}  # side of a patch in pixels: strided layers that give it


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N, H / s, W / s], s = 2 for each strided layer.

    cond: an image [N, H, W, C'] beside it, or None. field: side of the patch that a score sees; 1 is the paper's PixelGAN,
    70 what it takes, 286 its ImageGAN; one that is larger than the image sees all of it. width: channels of the first layer,
    doubled by each of the following, up to eight times.

    Layers of stride 1 have SAME padding, one pixel before and two after, where the authors' have one on both sides: there
    are two scores more a side, and those at the right and the lower edge see less of the image.
    """

    dtype: Any
    field: int = among(FIELDS, 70)
    width: int = bounded(64, least=1)
    norm: str = among((*layers.NORMS, "instance"), "batch")
    tiny: ClassVar = {"width": 4}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        spectral, strided = self.norm == "spectral", FIELDS[self.field]
        x = image if cond is None else jnp.concatenate([image, cond.astype(image.dtype)], -1)
        size = 4 if strided else 1
        strides = [2] * strided + [1] if strided else [1, 1]
        for i, stride in enumerate(strides):
            features = self.width * min(2**i, 8)
            x = layers.Conv(features, size=size, stride=stride, dtype=self.dtype, spectral=spectral)(x)
            one_pixel = self.norm == "instance" and x.shape[1] == x.shape[2] == 1  # which has no statistics of its own
            x = layers.Norm(self.norm, self.dtype)(x, train) if i and not one_pixel else x
            x = layers.ACTIVATIONS["leaky_relu"](x)
        logits = layers.Conv(1, size=size, dtype=layers.wide(self.dtype), spectral=spectral)(x)[..., 0]
        return layers.Out(logits, jnp.mean(x.astype(layers.wide(self.dtype)), (1, 2)))
