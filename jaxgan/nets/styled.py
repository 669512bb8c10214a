"""Layers of StyleGAN's networks (Karras et al. 2018, 2019, 2020; `stylegan` has the titles).

Kernels are drawn from N(0, 1) and scaled at run time (Karras et al. 2018, section 4.1), so that all of them learn at one
pace.
"""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.nets import labels, layers, resample
from jaxgan.nets.conv import conv

GAIN = math.sqrt(2)  # keeps the variance of what passes a leaky ReLU


def leaky(x: jax.Array) -> jax.Array:
    return nn.leaky_relu(x, 0.2) * GAIN


def normalised(x: jax.Array) -> jax.Array:
    """x over the root mean square of its last axis (Karras et al. 2018, section 4.2)."""
    return x * jax.lax.rsqrt(jnp.mean(x**2, -1, keepdims=True) + 1e-8)


def modulated_conv(x: jax.Array, w: jax.Array, style: jax.Array, demodulate: bool = True, up: Any = None) -> jax.Array:
    """A convolution whose kernel differs from example to example (Karras et al. 2020, equations 1 to 3).

    Args:
      x: [N, H, W, C]. w: [h, w, C, C']. style: [N, C], by which an example's kernel is multiplied.
      demodulate: whether each of an example's kernels to a channel of the output is then scaled to norm 1.
      up: filter taps; doubles the image.

    Returns: [N, H, W, C'], of x's dtype. Computed with the one shared kernel: a kernel times a style is the image times the
      style (equation 1), and a kernel over its norm (equation 3) is the output over it.
    """
    shared, x = w.astype(x.dtype), x * style[:, None, None].astype(x.dtype)
    y = conv(x, shared) if up is None else resample.up_conv(x, shared, up)
    if demodulate:
        norms = (style**2) @ jnp.sum(w**2, (0, 1)) + 1e-8  # [N, C'], the sum of equation 3
        y = y * jax.lax.rsqrt(norms)[:, None, None].astype(y.dtype)
    return y


class Scaled(nn.Module):
    """A kernel drawn from N(0, 1 / lr_mul^2) and used times lr_mul / sqrt(fan-in) (Karras et al. 2018, section 4.1; 2019,
    appendix C, for the multiplier of the step size), and a bias used times lr_mul."""

    shape: tuple[int, ...]
    dtype: Any
    lr_mul: float = 1.0
    bias: float | None = 0.0

    def setup(self):
        exact, init = layers.wide(self.dtype), nn.initializers
        self.raw_kernel = self.param("kernel", init.normal(1 / self.lr_mul), self.shape, exact)
        if self.bias is not None:
            start = init.constant(self.bias / self.lr_mul)
            self.raw_bias = self.param("bias", start, self.shape[-1:], exact)

    def kernel(self) -> jax.Array:
        return self.raw_kernel * (self.lr_mul / math.sqrt(math.prod(self.shape[:-1])))

    def add_bias(self, y: jax.Array) -> jax.Array:
        return y + (self.raw_bias * self.lr_mul).astype(y.dtype)

    def __call__(self, x: jax.Array) -> jax.Array:
        """A dense layer of [N, C], or a convolution of [N, H, W, C]."""
        kernel = self.kernel().astype(self.dtype)
        y = x.astype(self.dtype) @ kernel if len(self.shape) == 2 else conv(x.astype(self.dtype), kernel)
        return y if self.bias is None else self.add_bias(y)


class Mapping(nn.Module):
    """z [N, Z] -> w [N, dims] by `depth` layers, z normalised first (Karras et al. 2019, section 2).

    With classes, of [z, the label], both normalised; cond: "embed", the label's embedding (2020b, "Training GANs with
    Limited Data"), or "concat", the one-hot label.
    """

    dims: int
    depth: int
    lr_mul: float
    num_classes: int
    dtype: Any
    cond: str = "embed"

    @nn.compact
    def __call__(self, z, label):
        exact = layers.wide(self.dtype)
        x = normalised(z.astype(exact))
        if self.num_classes:
            told = labels.weights(label, self.num_classes, exact)
            if self.cond == "embed":
                told = told @ self.param("embed", nn.initializers.normal(1), (self.num_classes, self.dims), exact)
            x = jnp.concatenate([x, normalised(told)], -1)
        for i in range(self.depth):
            x = leaky(Scaled((x.shape[-1], self.dims), exact, self.lr_mul, name=f"dense{i}")(x))
        return x


class StyledConv(nn.Module):
    """A 3x3 convolution, doubling the image if `up`, with noise, bias, leaky ReLU and a style in the order of its kind.

    "modulated" (Karras et al. 2020, figure 2d): the style scales the kernel. "adain" (2019, equation 1): the style scales
    and shifts each map of the output once it has mean 0 and variance 1. "none" (2018): no style, pixels of norm 1.
    Noise is one normal number a pixel, times a learned number (modulated: one; adain: one a channel). Without `convolve`
    there is all but the convolution, which is how StyleGAN begins (2019, figure 1b).
    """

    features: int
    kind: str
    noise: bool
    up: tuple[float, ...] | None
    dtype: Any
    convolve: bool = True

    @nn.compact
    def __call__(self, x, w, noise=None):
        channels, exact = x.shape[-1], layers.wide(self.dtype)
        conv_ = Scaled((3, 3, channels, self.features), self.dtype, name="conv") if self.convolve else None
        x = x.astype(self.dtype)
        if conv_ is None:
            pass
        elif self.kind == "modulated":
            style = Scaled((w.shape[-1], channels), exact, bias=1.0, name="style")(w)
            x = modulated_conv(x, conv_.kernel(), style, up=self.up)
        else:
            kernel = conv_.kernel().astype(self.dtype)
            x = conv(x, kernel) if self.up is None else resample.up_conv(x, kernel, self.up)
        if self.noise:
            strength = self.param("noise", nn.initializers.zeros, (1 if self.kind == "modulated" else self.features,), exact)
            if noise is not None:
                x = x + (noise * strength).astype(x.dtype)
        if conv_ is None:
            x = leaky(x + self.param("bias", nn.initializers.zeros, (channels,), exact).astype(x.dtype))
        else:
            x = leaky(conv_.add_bias(x))
        if self.kind == "adain":
            wide = x.astype(exact)
            mean, variance = jnp.mean(wide, (1, 2), keepdims=True), jnp.var(wide, (1, 2), keepdims=True)
            style = Scaled((w.shape[-1], 2 * self.features), exact, name="style")(w)[:, None, None]
            scale, shift = jnp.split(style, 2, -1)
            x = ((1 + scale) * (wide - mean) * jax.lax.rsqrt(variance + 1e-8) + shift).astype(x.dtype)
        return normalised(x) if self.kind == "none" else x


class ToImage(nn.Module):
    """Features [N, H, W, C] -> colours [N, H, W, channels] by a 1x1 convolution, modulated but not demodulated."""

    channels: int
    kind: str
    dtype: Any

    @nn.compact
    def __call__(self, x, w):
        exact = layers.wide(self.dtype)
        conv_ = Scaled((1, 1, x.shape[-1], self.channels), self.dtype, name="conv")
        if self.kind != "modulated":
            return conv_(x).astype(exact)
        style = Scaled((w.shape[-1], x.shape[-1]), exact, bias=1.0, name="style")(w)
        return conv_.add_bias(modulated_conv(x.astype(self.dtype), conv_.kernel(), style, demodulate=False).astype(exact))
