"""The "standard CNN" of SNGAN (Miyato et al. 2018, table 3), also a common baseline for DCGAN and WGAN-GP on CIFAR-10.

Generator: a dense layer to 4x4, transposed 4x4 convolutions that double the image, a 3x3 convolution. Discriminator: 3x3
convolutions between 4x4 ones of stride 2, down to four pixels, then one more 3x3; slope .1 below 0. Channels as in the
authors' code, where the strided convolutions are the ones that double them (the table in the paper has them a layer later).
"""

from functools import partial
from typing import Any, ClassVar

import flax.linen as nn

from jaxgan.config.schema import among, bounded
from jaxgan.nets import labels, layers
from jaxgan.nets.dcgan import halvings


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C] in [-1, 1].

    width: channels of the last hidden layer, doubled inwards. epsilon: of norms. cond: how it is told labels, where there
    are some (`labels.beside`): "norm" is conditional BatchNorm.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int
    width: int = bounded(64, least=1)
    norm: str = among(("none", "batch", "layer"), "batch")
    epsilon: float = bounded(1e-5, below=1)
    cond: str = among(("norm", "concat", "embed"), "norm")
    tiny: ClassVar = {"width": 4}

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        n = halvings(self.image_shape)
        height, width, channels = self.image_shape
        told = labels.of_norms(cond, self.cond, self.num_classes, self.norm, self.dtype)
        z = labels.beside(self, z, cond, self.cond, self.num_classes)
        top, use_bias = self.width << n, self.norm == "none"

        def hidden(x):
            return nn.relu(layers.Norm(self.norm, self.dtype, self.epsilon)(x, train, told))

        x = layers.Dense((height >> n) * (width >> n) * top, dtype=self.dtype, use_bias=use_bias)(z)
        x = hidden(x.reshape(-1, height >> n, width >> n, top))
        for i in range(1, n + 1):
            x = hidden(layers.ConvTranspose(top >> i, dtype=self.dtype, use_bias=use_bias)(x))
        x = layers.Conv(channels, dtype=self.dtype)(x)
        return nn.tanh(x.astype(layers.wide(self.dtype)))


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N]. width: channels of the first layer. epsilon: of norms.

    head: how labels enter, where there are some (`labels.head`, `labels.planes`).
    """

    dtype: Any
    num_classes: int
    width: int = bounded(64, least=1)
    norm: str = among(layers.NORMS, "spectral")
    epsilon: float = bounded(1e-5, below=1)
    head: str = among(labels.HEADS, "projection")
    tiny: ClassVar = {"width": 4}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        conv = {"dtype": self.dtype, "spectral": self.norm == "spectral"}
        n = halvings(image.shape[1:])

        def hidden(x, **kwargs):
            x = layers.Conv(**kwargs, **conv)(x)
            return nn.leaky_relu(layers.Norm(self.norm, self.dtype, self.epsilon)(x, train), 0.1)

        x = labels.planes(image, cond, self.head, self.num_classes)
        for i in range(n):
            x = hidden(x, features=self.width << i, size=3)
            x = hidden(x, features=self.width << (i + 1), size=4, stride=2)
        x = hidden(x, features=self.width << n, size=3)
        features = x.reshape(len(x), -1)
        linear = partial(layers.Dense, **{**conv, "dtype": layers.wide(self.dtype)})
        return labels.head(self.head, features, cond, self.num_classes, linear)
