"""PatchGAN's discriminator (Isola et al. 2017, section 3.2 and appendix 6.1.2): a score for each patch of the image, all by
the same convolutions, and their mean for the whole.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.nets import layers

FIELDS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}  # side of a patch in pixels: strided layers that give it


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N, H / s - 2, W / s - 2], s = 2 for each strided layer: 30x30 of 256x256
    with `field` 70. Without strided layers [N, H, W].

    cond: an image [N, H, W, C'] beside it, or None. field: side of the patch that a score sees; 1 is the paper's PixelGAN,
    70 what it takes, 286 its ImageGAN; of a patch that is larger than the image the rest is 0. width: channels of the first
    layer, doubled by each of the following, up to eight times. epsilon: of norms.

    padding: of each layer. "one": a pixel at each edge, as in the authors' code. "same": TensorFlow's SAME, one pixel before
      and two after in layers of stride 1, which gives two scores more a side; what runs of earlier revisions have.

    Raises UserError for images that are too small to leave a score.
    """

    dtype: Any
    field: int = among(FIELDS, 70)
    width: int = bounded(64, least=1)
    norm: str = among((*layers.NORMS, "instance"), "batch")
    epsilon: float = bounded(1e-5, below=1)
    padding: str = among(layers.PADDINGS, "one")
    tiny: ClassVar = {"width": 4, "field": 16}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        spectral, strided = self.norm == "spectral", FIELDS[self.field]
        x = image if cond is None else jnp.concatenate([image, cond.astype(image.dtype)], -1)
        conv = {"size": 4 if strided else 1, "pad": layers.PADDINGS[self.padding] if strided else 0, "spectral": spectral}
        _check_sides(x.shape[1:3], self.field, self.padding)
        strides = [2] * strided + [1] if strided else [1, 1]
        for i, stride in enumerate(strides):
            features = self.width * min(2**i, 8)
            x = layers.Conv(features, stride=stride, dtype=self.dtype, **conv)(x)
            one_pixel = self.norm == "instance" and x.shape[1] == x.shape[2] == 1  # which has no statistics of its own
            x = layers.Norm(self.norm, self.dtype, self.epsilon)(x, train) if i and not one_pixel else x
            x = layers.ACTIVATIONS["leaky_relu"](x)
        logits = layers.Conv(1, dtype=layers.wide(self.dtype), **conv)(x)[..., 0]
        return layers.Out(logits, jnp.mean(x.astype(layers.wide(self.dtype)), (1, 2)))


def _check_sides(sides: tuple[int, ...], field: int, padding: str) -> None:
    """Raises UserError for sides that leave no score: two layers of stride 1 take a pixel each."""
    strided = FIELDS[field]
    if padding == "one" and strided and min(sides) >> strided < 3:
        fitting = max(f for f, n in FIELDS.items() if not n or min(sides) >> n >= 3)
        raise UserError(
            f"patches of {field} px want images of {3 << strided} px or more, not {sides[0]}x{sides[1]}; "
            f"--config.nets.disc.field={fitting}"
        )
