"""DF-GAN's networks (Tao et al. 2022, "DF-GAN: A Simple and Effective Baseline for Text-to-Image Synthesis", section 3): a
generator of one stage whose blocks follow the sentence, and a discriminator that sees the sentence beside its last features.

Both are told a `TextCodes`, of which they read the sentence alone.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import bounded
from jaxgan.nets.dcgan import halvings
from jaxgan.nets.layers import ACTIVATIONS, Conv, Dense, Out, wide

MOST = 8  # times `width`, of the smallest feature maps
_leaky = ACTIVATIONS["leaky_relu"]


class Affine(nn.Module):
    """x [N, H, W, C] times a gain plus a shift for each channel. Both are of small networks of `told` [N, D], and begin at
    1 and 0."""

    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, told: jax.Array) -> jax.Array:
        features = x.shape[-1]

        def follows(name: str) -> jax.Array:
            exact = wide(self.dtype)
            hidden = nn.relu(
                Dense(features, dtype=exact, kernel_init=nn.initializers.he_normal(), name=f"{name}_hidden")(told)
            )
            return Dense(features, dtype=exact, kernel_init=nn.initializers.zeros, name=name)(hidden)[:, None, None]

        return (x * (1 + follows("gain")) + follows("shift")).astype(x.dtype)


class UpBlock(nn.Module):
    """Pixels repeated to twice the sides; then twice: two affine layers, each with LeakyReLU, and a convolution; beside a
    shortcut."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, told: jax.Array) -> jax.Array:
        x = x.repeat(2, 1).repeat(2, 2)
        kernels = {"dtype": self.dtype, "kernel_init": nn.initializers.he_normal()}
        shortcut = x if x.shape[-1] == self.features else Conv(self.features, size=1, **kernels)(x)
        for _ in range(2):
            for _ in range(2):
                x = _leaky(Affine(self.dtype)(x, told))
            x = Conv(self.features, **kernels)(x)
        return shortcut + x


class Generator(nn.Module):
    """z [N, Z] and a `TextCodes` -> images [N, H, W, C] in [-1, 1].

    width: channels at the image's own resolution; twice as many at each smaller one, up to eight times.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    width: int = bounded(32, least=1)

    tiny = {"width": 2}

    @nn.compact
    def __call__(self, z: jax.Array, cond: Any, *, train: bool, keys: Any = None) -> jax.Array:
        n = halvings(self.image_shape)
        height, width, channels = self.image_shape
        widths = [self.width * min(2 ** (n - i), MOST) for i in range(n + 1)]
        told = jnp.concatenate([z, cond.sentence.astype(z.dtype)], -1)
        kernels = {"dtype": self.dtype, "kernel_init": nn.initializers.he_normal()}
        x = Dense((height >> n) * (width >> n) * widths[0], **kernels)(z).reshape(-1, height >> n, width >> n, widths[0])
        for features in widths[1:]:
            x = UpBlock(features, self.dtype)(x, told)
        x = Conv(channels, dtype=self.dtype)(_leaky(x))
        return nn.tanh(x.astype(wide(self.dtype)))


class DownBlock(nn.Module):
    """A convolution of 4x4 that halves the sides and one of 3x3, each with LeakyReLU, times a learned number that begins at
    0; beside a shortcut of means over 2x2."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernels = {"dtype": self.dtype, "kernel_init": nn.initializers.he_normal()}
        shortcut = x if x.shape[-1] == self.features else Conv(self.features, size=1, **kernels)(x)
        y = _leaky(Conv(self.features, size=4, stride=2, pad=1, **kernels)(x))
        y = _leaky(Conv(self.features, **kernels)(y))
        gamma = self.param("gamma", nn.initializers.zeros, (), wide(self.dtype))
        return nn.avg_pool(shortcut, (2, 2), (2, 2)) + (gamma * y).astype(x.dtype)


class Discriminator(nn.Module):
    """Images [N, H, W, C] and a `TextCodes` -> `Out` with logits [N].

    width: channels at the image's own resolution; twice as many at each smaller one, up to eight times.
    """

    dtype: Any
    width: int = bounded(32, least=1)

    tiny = {"width": 2}

    @nn.compact
    def __call__(self, image: jax.Array, cond: Any, *, train: bool, keys: Any = None) -> Out:
        kernels = {"dtype": self.dtype, "kernel_init": nn.initializers.he_normal()}
        x = Conv(self.width, **kernels)(image)
        for i in range(1, halvings(image.shape[1:]) + 1):
            x = DownBlock(self.width * min(2**i, MOST), self.dtype)(x)
        features = x.astype(wide(self.dtype)).mean((1, 2))
        sentence = jnp.broadcast_to(cond.sentence[:, None, None].astype(x.dtype), (*x.shape[:3], cond.sentence.shape[-1]))
        x = _leaky(Conv(2 * self.width, use_bias=False, **kernels)(jnp.concatenate([x, sentence], -1)))
        logits = Dense(1, use_bias=False, dtype=wide(self.dtype), kernel_init=nn.initializers.he_normal())(
            x.reshape(len(x), -1)
        )
        return Out(logits[:, 0].astype(wide(self.dtype)), features)
