"""CycleGAN's generator (Zhu et al. 2017, appendix 7.2), which is Johnson et al.'s of 2016: two halvings, residual blocks at
a quarter of the size, two doublings; beyond its edges the image is mirrored.
"""

from typing import Any, ClassVar

import flax.linen as nn

from jaxgan.config.schema import among, bounded
from jaxgan.nets import layers
from jaxgan.nets.dcgan import check_sides


class Generator(nn.Module):
    """Images [N, H, W, C'] -> images [N, H, W, C] in [-1, 1]; `width` channels at full size, twice and four times as many
    inside. blocks: the paper's six for 128 px, nine from 256 px on. H, W: multiples of 4, 8 or more."""

    image_shape: tuple[int, int, int]
    dtype: Any
    width: int = bounded(64, least=1)
    blocks: int = bounded(6, least=1)
    norm: str = among(("instance", "batch", "none"), "instance")

    multiple = 4
    tiny: ClassVar = {"width": 4, "blocks": 1}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        check_sides(image.shape[1:])

        def hidden(x):
            return nn.relu(layers.Norm(self.norm, self.dtype)(x, train))

        def plain(x, features, size):
            return layers.Conv(features, size=size, dtype=self.dtype, mirror=True)(x)

        x = hidden(plain(image.astype(self.dtype), self.width, 7))
        for i in (1, 2):
            x = hidden(layers.Conv(self.width << i, size=3, stride=2, dtype=self.dtype)(x))
        for _ in range(self.blocks):
            y = hidden(plain(x, x.shape[-1], 3))
            x = x + layers.Norm(self.norm, self.dtype)(plain(y, x.shape[-1], 3), train)
        for i in (1, 0):
            x = hidden(layers.ConvTranspose(self.width << i, size=3, dtype=self.dtype)(x))
        x = plain(x, self.image_shape[2], 7)
        return nn.tanh(x.astype(layers.wide(self.dtype)))
