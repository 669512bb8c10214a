"""DCGAN (Radford et al. 2016): strided and transposed 4x4 convolutions, no pooling and no hidden dense layers.

The number of halvings follows the image. The generator's go on as long as both sides are even and above four pixels: 28 px
has two (7, 14, 28), 32 and 64 px have three and four, up from 4x4; any multiple of four, square or not, works. The
discriminator's go on to four pixels or less, an odd side rounded up: 28, 14, 7, 4. Without that last one, all that it knows
of a 28 px image beyond windows of ten pixels would be a single linear layer. The encoder is a discriminator with z in the
place of the logit; on four pixels its linear layer is the last 4x4 convolution of GANomaly's.
"""

import math
from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax

from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.nets import groups, labels, layers


def check_sides(image_shape: tuple[int, ...]) -> None:
    """Refuses images [H, W, C] that cannot be halved twice, and points. Raises UserError."""
    if len(image_shape) != 3:
        raise UserError(
            f"convolutions want images, not points of {image_shape[0]} numbers; choose name=mlp for every network"
        )
    height, width = image_shape[:2]
    if height % 4 or width % 4 or min(height, width) < 8:
        raise UserError(
            f"the sides of images must be multiples of 4, 8 or more, not {height}x{width}; --config.data.size=SIDE resizes"
        )


def halvings(image_shape: tuple[int, ...]) -> int:
    """How often the generator's image [H, W, C] is halved. Raises UserError where a side is no multiple of four, or four."""
    check_sides(image_shape)
    return even_halvings(image_shape)


def even_halvings(image_shape: tuple[int, ...]) -> int:
    """How often an image [H, W, C] can be halved while both sides are even and above 4."""
    (height, width), n = image_shape[:2], 0
    while height % 2 == 0 and width % 2 == 0 and min(height, width) > 4:
        height, width, n = height // 2, width // 2, n + 1
    return n


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C] in [-1, 1].

    width: channels of the last hidden layer, doubled inwards. epsilon: of norms. cond: how it is told labels, where there
    are some (`labels.beside`): "norm" is conditional BatchNorm.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int
    width: int = bounded(64, least=1)
    activation: str = among(layers.ACTIVATIONS, "relu")
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
        top, use_bias = self.width * 2 ** (n - 1), self.norm == "none"

        def hidden(x):
            return layers.ACTIVATIONS[self.activation](layers.Norm(self.norm, self.dtype, self.epsilon)(x, train, told))

        x = layers.Dense((height >> n) * (width >> n) * top, dtype=self.dtype, use_bias=use_bias)(z)
        x = hidden(x.reshape(-1, height >> n, width >> n, top))
        for i in range(1, n):
            x = hidden(layers.ConvTranspose(top >> i, dtype=self.dtype, use_bias=use_bias)(x))
        x = layers.ConvTranspose(channels, dtype=self.dtype)(x)
        return nn.tanh(x.astype(layers.wide(self.dtype)))


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N].

    width: channels after the first layer, doubled at each halving. epsilon: of norms.
    minibatch: what an example may know of the others, each of its group: nothing ("none"), their
      standard deviation ("stddev": Karras et al. 2018) or distances ("discrimination": Salimans et al. 2016).
    group: how many adjacent examples are a group.
    head: how labels enter, where there are some (`labels.head`, `labels.planes`).
    """

    dtype: Any
    num_classes: int
    width: int = bounded(64, least=1)
    activation: str = among(layers.ACTIVATIONS, "leaky_relu")
    norm: str = among(layers.NORMS, "batch")
    epsilon: float = bounded(1e-5, below=1)
    minibatch: str = among(("none", "stddev", "discrimination"), "none")
    group: int = bounded(4, least=1)
    head: str = among(labels.HEADS, "projection")
    tiny: ClassVar = {"width": 4}

    @property
    def coupled(self) -> int:
        """How many adjacent examples are judged together."""
        return 1 if self.minibatch == "none" else self.group

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        spectral = self.norm == "spectral"
        x = _halved(self, labels.planes(image, cond, self.head, self.num_classes), train)
        if self.minibatch == "stddev":
            x = groups.minibatch_stddev(x, self.group)
        features = x.reshape(len(x), -1)
        if self.minibatch == "discrimination":
            features = groups.MinibatchDiscrimination(self.group, dtype=self.dtype, spectral=spectral)(features)
        linear = partial(layers.Dense, dtype=layers.wide(self.dtype), spectral=spectral)
        return labels.head(self.head, features, cond, self.num_classes, linear)


class Encoder(nn.Module):
    """Images [N, H, W, C] -> z [N, z_dim].

    width: channels after the first layer, doubled at each halving. epsilon: of norms. output: "tanh" for a z in [-1, 1], or
    "linear".
    """

    z_dim: int
    dtype: Any
    width: int = bounded(64, least=1)
    activation: str = among(layers.ACTIVATIONS, "leaky_relu")
    norm: str = among(("none", "batch", "layer"), "batch")
    epsilon: float = bounded(1e-5, below=1)
    output: str = among(("tanh", "linear"), "linear")
    tiny: ClassVar = {"width": 4}

    @nn.compact
    def __call__(self, image, *, train: bool):
        return layers.encoded(_halved(self, image, train), self.z_dim, self.output, self.dtype)


def _halved(net: Any, x: jax.Array, train: bool) -> jax.Array:
    """Images down to four pixels or less, by the layers of a discriminator or an encoder, in whose scope it is called."""
    halvings(x.shape[1:])  # refuses sizes that the generator cannot make
    spectral = net.norm == "spectral"
    for i in range(max(1, math.ceil(math.log2(min(x.shape[1:3]) / 4)))):
        use_bias = i == 0 or net.norm in ("none", "spectral")
        x = layers.Conv(net.width << i, size=4, stride=2, dtype=net.dtype, spectral=spectral, use_bias=use_bias)(x)
        if i:  # the paper leaves the first layer without BatchNorm
            x = layers.Norm(net.norm, net.dtype, net.epsilon)(x, train)
        x = layers.ACTIVATIONS[net.activation](x)
    return x
