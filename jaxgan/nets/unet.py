"""pix2pix's generator (Isola et al. 2017, appendix 6.1.1): a U-Net (Ronneberger et al. 2015) of strided 4x4 convolutions.

The encoder halves the image until a side is odd or one pixel; the decoder doubles it again and beside what it made sees what
the encoder had at that size. Its dropout is the only noise, in training and after it.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.nets import layers

DROPPED = 3  # innermost steps of the decoder with dropout


def depth(sides: tuple[int, ...], most: int = 8) -> int:
    """How often an image of (H, W) can be halved, `most` times at the most. Raises UserError for odd sides."""
    n = 0
    while n < most and all(side % 2 == 0 for side in sides):
        sides, n = tuple(side // 2 for side in sides), n + 1
    if not n:
        raise UserError(f"a U-Net halves images, whose sides must be even, not {sides[0]}x{sides[1]}")
    return n


class Generator(nn.Module):
    """Images [N, H, W, C'] -> images [N, H, W, C] in [-1, 1].

    width: channels at half the size, doubled inwards. max_width: the most that they become.
    skip: what makes it a U-Net; without it the paper's "encoder-decoder". norm: not of the first layer, nor of one with a
    single pixel. epsilon: of norms. dropout: in the innermost three steps of the decoder.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    width: int = bounded(64, least=1)
    max_width: int = bounded(512, least=1)
    skip: bool = True
    norm: str = among(("batch", "instance", "none"), "batch")
    epsilon: float = bounded(1e-5, below=1)
    dropout: float = bounded(0.5, below=1)
    tiny: ClassVar = {"width": 4}

    @property
    def multiple(self) -> int:
        """What the sides of an image must be a multiple of."""
        return 2 ** depth(self.image_shape[:2])

    @property
    def one_size(self) -> bool:
        """Whether its innermost layers have seen a single pixel in training, so that most of their kernels never learned,
        and larger images would meet those."""
        n = depth(self.image_shape[:2])
        return min(side >> n for side in self.image_shape[:2]) == 1

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        n = depth(self.image_shape[:2])
        widths = [min(self.max_width, self.width << i) for i in range(n)]
        leaky, relu = layers.ACTIVATIONS["leaky_relu"], nn.relu

        height, width, colours = self.image_shape
        one_pixel = height >> n == width >> n == 1  # of an image of the run's own size; it has no statistics of its own

        def normed(x):
            return layers.Norm(self.norm, self.dtype, self.epsilon)(x, train)

        x, passed = image.astype(self.dtype), []
        for i, features in enumerate(widths):
            x = layers.Conv(features, size=4, stride=2, dtype=self.dtype)(leaky(x) if i else x)
            x = normed(x) if i and not (one_pixel and i == n - 1) else x
            passed.append(x)
        for i in reversed(range(n - 1)):
            x = normed(layers.ConvTranspose(widths[i], dtype=self.dtype)(relu(x)))
            if n - 2 - i < DROPPED:
                x = layers.Dropout(self.dropout, f"dropout/{i}")(x, keys)
            x = jnp.concatenate([x, passed[i]], -1) if self.skip else x
        x = layers.ConvTranspose(colours, dtype=self.dtype)(relu(x))
        return nn.tanh(x.astype(layers.wide(self.dtype)))
