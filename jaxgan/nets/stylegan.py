"""StyleGAN's networks (Karras et al. 2019, "A Style-Based Generator Architecture"; 2020, "Analyzing and Improving the Image
Quality of StyleGAN"; 2018, "Progressive Growing of GANs"), each of their parts a field, so that the papers' ladders are
configs.

A generator has two halves. `styles` maps z to one vector w for each layer; calling it paints an image from them. Every
resolution has two 3x3 convolutions, the smallest one; widths double inwards up to `max_width`. Kernels are drawn from N(0,
1) and scaled at run time (Karras et al. 2018, section 4.1), so that all of them learn at one pace. Images are not squashed.
"""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import parallel
from jaxgan.errors import UserError
from jaxgan.fields import among, bounded
from jaxgan.nets import layers, resample
from jaxgan.nets.conv import conv
from jaxgan.nets.dcgan import halvings

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
    """z [N, Z] -> w [N, dims] by `depth` layers, z normalised first; with classes, of [z, the label's embedding], both
    normalised (Karras et al. 2019, section 2; labels as in 2020b, "Training GANs with Limited Data")."""

    dims: int
    depth: int
    lr_mul: float
    num_classes: int
    dtype: Any

    @nn.compact
    def __call__(self, z, label):
        exact = layers.wide(self.dtype)
        x = normalised(z.astype(exact))
        if self.num_classes:
            embedding = self.param("embed", nn.initializers.normal(1), (self.num_classes, self.dims), exact)
            x = jnp.concatenate([x, normalised(embedding[label])], -1)
        for i in range(self.depth):
            x = leaky(Scaled((x.shape[-1], self.dims), exact, self.lr_mul, name=f"dense{i}")(x))
        return x


class StyledConv(nn.Module):
    """A 3x3 convolution, doubling the image if `up`, with noise, bias, leaky ReLU and a style in the order of its kind.

    "modulated" (Karras et al. 2020, figure 2d): the style scales the kernel. "adain" (2019, equation 8): the style scales
    and shifts each map of the output once it has mean 0 and variance 1. "none" (2018): no style, pixels of norm 1.
    Noise is one normal number a pixel, times a learned number (modulated: one; adain: one a channel).
    """

    features: int
    kind: str
    noise: bool
    up: tuple[float, ...] | None
    dtype: Any

    @nn.compact
    def __call__(self, x, w, noise=None):
        channels, exact = x.shape[-1], layers.wide(self.dtype)
        conv_ = Scaled((3, 3, channels, self.features), self.dtype, name="conv")
        x = x.astype(self.dtype)
        if self.kind == "modulated":
            style = Scaled((w.shape[-1], channels), exact, bias=1.0, name="style")(w)
            x = modulated_conv(x, conv_.kernel(), style, up=self.up)
        else:
            kernel = conv_.kernel().astype(self.dtype)
            x = conv(x, kernel) if self.up is None else resample.up_conv(x, kernel, self.up)
        if self.noise:
            strength = self.param("noise", nn.initializers.zeros, (1 if self.kind == "modulated" else self.features,), exact)
            if noise is not None:
                x = x + (noise * strength).astype(x.dtype)
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


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C]. `width` is the channels at the image's own resolution, doubled inwards up to
    `max_width`.

    w_dim: of the intermediate latents w. mapping: layers from z to w. mapping_lr: multiplies their step size.
    style: what w does to a convolution: "modulated" (2020), "adain" (2019), or "none": w is the input alone (2018).
    start: the smallest image is a learned constant, or a dense layer of w ("latent").
    noise: whether there are normal numbers in each pixel of each layer.
    output: colours of every resolution added up ("skip", 2020), of the last one after blocks with a shortcut ("residual"),
      or of the last one alone ("plain", 2019).
    resample: the filter of what doubles the image, `resample.FILTERS`.
    wide_blocks: with dtype=bfloat16, how many of the smallest resolutions compute in float32 all the same. clamp: no feature
      of the others is larger than this.
    w_avg_decay: of the mean of w, a step, which truncation goes towards.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int
    width: int = bounded(32, least=1)
    max_width: int = bounded(256, least=1)
    w_dim: int = bounded(128, least=1)
    mapping: int = bounded(8, least=0)
    mapping_lr: float = 0.01
    style: str = among(("modulated", "adain", "none"), "modulated")
    start: str = among(("constant", "latent"), "constant")
    noise: bool = True
    output: str = among(("skip", "residual", "plain"), "skip")
    resample: str = among(resample.FILTERS, "fir")
    wide_blocks: int = bounded(1, least=0)
    clamp: float = 256.0
    w_avg_decay: float = bounded(0.998, below=1)

    def setup(self):
        n, exact = halvings(self.image_shape), layers.wide(self.dtype)
        height, width, channels = self.image_shape
        taps = resample.FILTERS[self.resample]
        self.size = (height >> n, width >> n)
        self.w_avg = self.variable("batch_stats", "w_avg", jnp.zeros, (self.w_dim,), exact)
        self.map = Mapping(self.w_dim, self.mapping, self.mapping_lr, self.num_classes, self.dtype)
        widths = [min(self.max_width, self.width << (n - i)) for i in range(n + 1)]
        self.dtypes = [exact if i < self.wide_blocks else self.dtype for i in range(n + 1)]
        if self.start == "constant":
            self.constant = self.param("constant", nn.initializers.normal(1), (*self.size, widths[0]), exact)
        else:
            self.dense = Scaled((self.w_dim, math.prod(self.size) * widths[0]), exact)
        first, second, colours, shortcuts = [], [], [], []
        for i, (features, dtype) in enumerate(zip(widths, self.dtypes)):
            if i:
                first.append(StyledConv(features, self.style, self.noise, taps, dtype, name=f"block{i}_conv0"))
            second.append(StyledConv(features, self.style, self.noise, None, dtype, name=f"block{i}_conv1"))
            if self.output == "skip" or i == n:
                colours.append(ToImage(channels, self.style, dtype, name=f"block{i}_colour"))
            if self.output == "residual" and i:
                shape = (1, 1, widths[i - 1], features)
                shortcuts.append(Scaled(shape, dtype, bias=None, name=f"block{i}_shortcut"))
        self.first, self.second, self.colours, self.shortcuts = first, second, colours, shortcuts

    @property
    def num_styles(self) -> int:
        """How many vectors w an image is painted from: one a convolution, and one for the last colours."""
        return 2 * halvings(self.image_shape) + 2

    def styles(self, z, cond=None, *, train: bool = False):
        """w [N, w_dim]; with `train` the mean of w moves along, over the global batch."""
        w = self.map(z, cond)
        if w.shape[-1] != self.w_dim:
            raise UserError(f"without a mapping w is z: nets.gen.w_dim={w.shape[-1]}, or nets.gen.mapping=1 or more")
        if train and self.is_mutable_collection("batch_stats") and not self.is_initializing():
            mean = parallel.mean(jnp.mean(jax.lax.stop_gradient(w), 0))
            self.w_avg.value = mean + self.w_avg_decay * (self.w_avg.value - mean)
        return w

    def paint(self, w, keys=None):
        """Images of w [N, num_styles, w_dim]. keys: role -> one key an example, for noise; None: no noise."""
        count, noise = 0, iter(self._noise(keys("noise")) if self.noise and keys else ())

        def styled(layer, x):
            nonlocal count
            count += 1
            return layer(x, w[:, count - 1], next(noise, None))

        if self.start == "constant":
            x = jnp.broadcast_to(self.constant, (len(w), *self.constant.shape))
        else:
            x = leaky(self.dense(w[:, 0])).reshape(len(w), *self.size, -1)
            x = normalised(x) if self.style == "none" else x
        taps, image = resample.FILTERS[self.resample], None
        for i, second in enumerate(self.second):
            before = x
            if i:
                x = self._clamped(styled(self.first[i - 1], x), i)
            x = self._clamped(styled(second, x), i)
            if self.shortcuts and i:
                x = (x + resample.up(self.shortcuts[i - 1](before), taps)) / GAIN
            if self.output == "skip" or second is self.second[-1]:
                colour = self._clamped(self.colours[len(self.colours) - len(self.second) + i](x, w[:, count]), i)
                image = colour if image is None else resample.up(image, taps) + colour
        return image

    def _noise(self, keys: jax.Array) -> list[jax.Array]:
        """Of each layer, [N, height, width, 1]; one draw, cut to pieces, which compiles faster than many."""
        height, width = self.size
        shapes = [(height << i, width << i, 1) for i in range(len(self.second)) for _ in range(2 if i else 1)]
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        draw = jax.vmap(lambda key: jax.random.normal(key, (int(ends[-1]),), layers.wide(self.dtype)))(keys)
        return [part.reshape(-1, *shape) for part, shape in zip(jnp.split(draw, ends[:-1], 1), shapes)]

    def _clamped(self, x: jax.Array, block: int) -> jax.Array:
        return x if self.dtypes[block] == layers.wide(self.dtype) else jnp.clip(x, -self.clamp, self.clamp)

    def __call__(self, z, cond=None, *, train: bool, keys=None):
        w = self.styles(z, cond, train=train)
        return self.paint(jnp.broadcast_to(w[:, None], (len(w), self.num_styles, self.w_dim)), keys)


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N]; widths as the generator's.

    input: blocks have a shortcut ("residual", 2020), are shown a smaller image each ("skip"), or neither ("plain", 2019).
    group: adjacent examples whose standard deviation is a feature (Karras et al. 2018, section 3); 1: none.
    resample, wide_blocks, clamp: as the generator's.
    With classes the logits gain the scalar product of the last features with the label's embedding (Miyato and Koyama 2018,
    equation 3).
    """

    dtype: Any
    num_classes: int
    width: int = bounded(32, least=1)
    max_width: int = bounded(256, least=1)
    input: str = among(("residual", "skip", "plain"), "residual")
    resample: str = among(resample.FILTERS, "fir")
    group: int = bounded(4, least=1)
    wide_blocks: int = bounded(1, least=0)
    clamp: float = 256.0

    @property
    def coupled(self) -> int:
        """How many adjacent examples are judged together."""
        return self.group

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        n, exact, taps = halvings(image.shape[1:]), layers.wide(self.dtype), resample.FILTERS[self.resample]
        widths = [min(self.max_width, self.width << i) for i in range(n + 1)]
        x, dtypes = jnp.zeros(()), [exact if i > n - self.wide_blocks else self.dtype for i in range(n + 1)]
        for i, (features, dtype) in enumerate(zip(widths, dtypes)):
            if i == 0 or self.input == "skip":
                x = x + self._hidden(f"block{i}_colour", image, 1, features, dtype)
            if i == n:
                break
            before = x
            x = self._hidden(f"block{i}_conv0", x, 3, features, dtype)
            x = self._hidden(f"block{i}_conv1", x, 3, widths[i + 1], dtype, taps)
            if self.input == "residual":
                shortcut = Scaled((1, 1, features, widths[i + 1]), dtype, bias=None, name=f"block{i}_shortcut")
                x = (x + shortcut(resample.down(before, taps))) / GAIN
            if self.input == "skip":
                image = resample.down(image, taps)
        if self.group > 1:
            x = layers.minibatch_stddev(x, self.group)
        x = self._hidden("last_conv", x, 3, widths[n], dtypes[n])
        x = x.reshape(len(x), -1).astype(exact)
        features = leaky(Scaled((x.shape[-1], widths[n]), exact, name="dense")(x))
        logits = Scaled((widths[n], 1), exact, name="logits")(features)[:, 0]
        if self.num_classes:
            embedding = self.param("embed", nn.initializers.normal(1), (self.num_classes, widths[n]), exact)
            logits += jnp.sum(features * embedding[cond], -1) / math.sqrt(widths[n])
        return layers.Out(logits, features)

    def _hidden(self, name, x, size: int, features: int, dtype, down=None):
        layer = Scaled((size, size, x.shape[-1], features), dtype, name=name)
        x, kernel = x.astype(dtype), layer.kernel().astype(dtype)
        y = leaky(layer.add_bias(conv(x, kernel) if down is None else resample.down_conv(x, kernel, down)))
        return y if dtype == layers.wide(self.dtype) else jnp.clip(y, -self.clamp, self.clamp)
