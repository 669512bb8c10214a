"""CycleGAN's generator (Zhu et al. 2017, appendix 7.2), which is Johnson et al.'s of 2016: two halvings, residual blocks at
a quarter of the size, two doublings; beyond its edges the image is mirrored.
"""

from typing import Any, ClassVar

import flax.linen as nn

from jaxgan.config.schema import among, bounded
from jaxgan.nets import layers
from jaxgan.nets.dcgan import check_sides


class Generator(nn.Module):
    """Images [N, H, W, C'] -> images [N, H, W, C] in [-1, 1]; H, W multiples of 4, 8 or more.

    width: channels at full size, twice and four times as many inside. blocks: the paper has six for 128 px, nine from 256
    px on. epsilon: of norms.
    padding: of the layers that halve and double. "one": a pixel at each edge, as in the authors' code. "same": TensorFlow's
      SAME, which moves the picture by a pixel inside; what runs of earlier revisions have.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    width: int = bounded(64, least=1)
    blocks: int = bounded(6, least=1)
    norm: str = among(("instance", "batch", "none"), "instance")
    epsilon: float = bounded(1e-5, below=1)
    padding: str = among(layers.PADDINGS, "one")

    multiple = 4
    tiny: ClassVar = {"width": 4, "blocks": 1}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        check_sides(image.shape[1:])
        halving = {"size": 3, "pad": layers.PADDINGS[self.padding], "dtype": self.dtype}

        def hidden(x):
            return nn.relu(layers.Norm(self.norm, self.dtype, self.epsilon)(x, train))

        def plain(x, features, size):
            return layers.Conv(features, size=size, dtype=self.dtype, mirror=True)(x)

        x = hidden(plain(image.astype(self.dtype), self.width, 7))
        for i in (1, 2):
            x = hidden(layers.Conv(self.width << i, stride=2, **halving)(x))
        for _ in range(self.blocks):
            y = hidden(plain(x, x.shape[-1], 3))
            x = x + layers.Norm(self.norm, self.dtype, self.epsilon)(plain(y, x.shape[-1], 3), train)
        for i in (1, 0):
            x = hidden(layers.ConvTranspose(self.width << i, **halving)(x))
        x = plain(x, self.image_shape[2], 7)
        return nn.tanh(x.astype(layers.wide(self.dtype)))
