"""R3GAN's networks (Huang et al. 2024, "The GAN is dead; long live the GAN! A Modern Baseline GAN"): residual blocks of
three convolutions without any norm, grouped and widened in the middle, under the initialisation that makes up for norms
(Zhang et al. 2019, "Fixup Initialization").

Each part is a field, so that the paper's ladder from a plain network to this one is configs. A convolution before a leaky
ReLU has He's variance, gain sqrt(2 / (1 + .2^2)); those within blocks are L^(-1/4) of that for L blocks, the last of each
block is 0, and those without an activation have variance 1 / fan-in.
"""

import math
from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets import labels, layers, resample
from jaxgan.nets.conv import conv
from jaxgan.nets.dcgan import halvings

GAIN = math.sqrt(2 / (1 + 0.2**2))  # He et al. 2015, equation 14, for slope .2
leaky = layers.ACTIVATIONS["leaky_relu"]


class Conv(nn.Module):
    """A kernel of N(0, gain^2 / fan-in), groups of it side by side, on [N, H, W, C]; with `bias` one number a channel."""

    features: int
    dtype: Any
    size: int = 1
    gain: float = 1.0
    groups: int = 1
    bias: bool = False

    @nn.compact
    def __call__(self, x):
        exact, fan_in = layers.wide(self.dtype), self.size**2 * x.shape[-1] // self.groups
        shape = (self.size, self.size, x.shape[-1] // self.groups, self.features)
        kernel = self.param("kernel", nn.initializers.normal(self.gain / math.sqrt(fan_in)), shape, exact)
        y = conv(x.astype(self.dtype), kernel.astype(self.dtype), groups=self.groups)
        if self.bias:
            y += self.param("bias", nn.initializers.zeros, (self.features,), exact).astype(y.dtype)
        return y


class Block(nn.Module):
    """x [N, H, W, C] -> the same shape. "residual": x plus 1x1, 3x3 and 1x1 convolutions, `expansion` C channels between
    them, in groups of `group_width` or, where that does not divide them, of the next width that does (0: one group).
    "plain": two 3x3 convolutions and nothing beside them."""

    kind: str
    expansion: float
    group_width: int
    blocks: int
    dtype: Any

    @nn.compact
    def __call__(self, x):
        channels, x = x.shape[-1], x.astype(self.dtype)
        if self.kind == "plain":
            for _ in range(2):
                x = leaky(Conv(channels, self.dtype, 3, GAIN, bias=True)(x))
            return x
        hidden, gain = round(channels * self.expansion), GAIN * self.blocks**-0.25
        groups = hidden // self.group_width if self.group_width else 1
        groups = next(n for n in range(max(groups, 1), 0, -1) if hidden % n == 0)
        y = leaky(Conv(hidden, self.dtype, 1, gain, bias=True)(x))
        y = leaky(Conv(hidden, self.dtype, 3, gain, groups, bias=True)(y))
        return x + Conv(channels, self.dtype, 1, 0.0)(y)


def _widths(width: int, max_width: int, n: int) -> list[int]:
    """Channels by resolution, the image's own first."""
    return [min(max_width, width << i) for i in range(n + 1)]


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C], not squashed.

    width: channels at the image's own resolution, doubled inwards. max_width: the most that they become.
    blocks: at each resolution. block: "residual" or "plain", two 3x3 convolutions. expansion: of a residual block, how many
    times as many channels it has inside. group_width: channels of a group of its 3x3 convolution; 0: one group.
    filter: of what doubles the image. skip: colours of every resolution are added up (StyleGAN2's output), in place of the
    last alone. wide_blocks: with dtype=bfloat16, how many of the smallest resolutions compute in float32 all the same.

    cond: how it is told labels, where there are some (`labels.beside`).
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int
    width: int = bounded(64, least=1)
    max_width: int = bounded(256, least=1)
    blocks: int = bounded(2, least=1)
    block: str = among(("residual", "plain"), "residual")
    expansion: float = bounded(2.0, least=0.125)
    group_width: int = bounded(16, least=0)
    filter: str = among(resample.FILTERS, "fir")
    skip: bool = False
    wide_blocks: int = bounded(1, least=0)
    cond: str = among(("embed", "concat"), "embed")
    tiny: ClassVar = {"width": 4, "max_width": 8, "group_width": 4, "blocks": 1}

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        n, exact, taps = halvings(self.image_shape), layers.wide(self.dtype), resample.FILTERS[self.filter]
        height, width, colours = self.image_shape
        widths = _widths(self.width, self.max_width, n)[::-1]
        z = labels.beside(self, z, cond, self.cond, self.num_classes, max(self.num_classes, 1) ** -0.5)
        start = self.param("start", nn.initializers.normal(1), (height >> n, width >> n, widths[0]), exact)
        scale = layers.Dense(widths[0], use_bias=False, dtype=exact, kernel_init=_linear(z.shape[-1]))(z)
        x, image = start * scale[:, None, None], None
        for i, features in enumerate(widths):
            dtype = exact if i < self.wide_blocks else self.dtype
            if i:
                x = x if x.shape[-1] == features else Conv(features, dtype)(x)
                x = resample.up(x, taps)
            for _ in range(self.blocks):
                x = Block(self.block, self.expansion, self.group_width, self.blocks * (n + 1), dtype)(x)
            if self.skip or i == n:
                colour = Conv(colours, dtype)(x).astype(exact)
                image = colour if image is None else resample.up(image, taps) + colour
        return image


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N]; the generator's blocks in the opposite order.

    width, max_width, blocks, block, expansion, group_width, filter, wide_blocks: as the generator's.

    head: how labels enter, where there are some (`labels.head`, `labels.planes`). "projection" is the authors' own: the
    scalar product of the last features, once more transformed, with the label's embedding is the logit.
    """

    dtype: Any
    num_classes: int
    width: int = bounded(64, least=1)
    max_width: int = bounded(256, least=1)
    blocks: int = bounded(2, least=1)
    block: str = among(("residual", "plain"), "residual")
    expansion: float = bounded(2.0, least=0.125)
    group_width: int = bounded(16, least=0)
    filter: str = among(resample.FILTERS, "fir")
    wide_blocks: int = bounded(1, least=0)
    head: str = among(labels.HEADS, "projection")
    tiny: ClassVar = {"width": 4, "max_width": 8, "group_width": 4, "blocks": 1}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        n, exact, taps = halvings(image.shape[1:]), layers.wide(self.dtype), resample.FILTERS[self.filter]
        widths = _widths(self.width, self.max_width, n)
        x = labels.planes(image, cond, self.head, self.num_classes)
        for i, features in enumerate(widths):
            dtype = exact if i > n - self.wide_blocks else self.dtype
            if i:
                x = resample.down(x, taps)
            if i == 0 or x.shape[-1] != features:
                x = Conv(features, dtype)(x)
            for _ in range(self.blocks):
                x = Block(self.block, self.expansion, self.group_width, self.blocks * (n + 1), dtype)(x)
        area = math.prod(x.shape[1:3])
        basis = self.param("basis", nn.initializers.normal(area**-0.5), x.shape[1:], exact)
        features = jnp.sum(x.astype(exact) * basis, (1, 2))
        if not self.num_classes or self.head != "projection":
            linear = partial(layers.Dense, **{"use_bias": False, "dtype": exact, "kernel_init": _linear(widths[-1])})
            return labels.head(self.head, features, cond, self.num_classes, linear)
        features = layers.Dense(widths[-1], use_bias=False, dtype=exact, kernel_init=_linear(widths[-1]))(features)
        shape = (self.num_classes, widths[-1])
        table = self.param("embed", _linear(math.prod(shape)), shape, exact)
        embedded = labels.weights(cond, self.num_classes, exact) @ table
        return layers.Out(jnp.sum(features * embedded, -1), features)


def _linear(fan_in: int) -> Any:
    return nn.initializers.normal(fan_in**-0.5)
