"""StyleGAN's networks (Karras et al. 2019, "A Style-Based Generator Architecture"; 2020, "Analyzing and Improving the Image
Quality of StyleGAN"; 2018, "Progressive Growing of GANs"), each of their parts a field, so that the papers' ladders are
configs.

A generator has two halves. `styles` maps z to one vector w for each layer; calling it paints an image from them. Every
resolution has two 3x3 convolutions, the smallest one; widths double inwards up to `max_width`. Images are
not squashed.
"""

import math
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import parallel
from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.nets import groups, labels, layers, resample
from jaxgan.nets.conv import conv
from jaxgan.nets.dcgan import halvings
from jaxgan.nets.styled import GAIN, Mapping, Scaled, StyledConv, ToImage, leaky, normalised


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C].

    width: channels at the image's own resolution, doubled inwards. max_width: the most that they become.
    w_dim: of the intermediate latents w. mapping: layers from z to w. mapping_lr: multiplies their step size.
    style: what w does to a convolution: "modulated" (2020), "adain" (2019), or "none": w is the input alone (2018).
    start: the smallest image is a learned constant, or a dense layer of w ("latent").
    noise: whether there are normal numbers in each pixel of each layer.
    output: colours of every resolution added up ("skip", 2020), of the last one after blocks with a shortcut ("residual"),
      or of the last one alone ("plain", 2019).
    resample: the filter of what doubles the image.
    wide_blocks: with dtype=bfloat16, how many of the smallest resolutions compute in float32 all the same. clamp: no feature
      of the others is larger than this.
    w_avg_decay: of the mean of w, a step, which truncation goes towards.
    cond: how the mapping is told labels, where there are some: beside z lies their embedding, or the one-hot label.
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
    cond: str = among(("embed", "concat"), "embed")
    tiny: ClassVar = {"width": 4, "max_width": 8, "w_dim": 8, "mapping": 2}

    def setup(self):
        n, exact = halvings(self.image_shape), layers.wide(self.dtype)
        height, width, channels = self.image_shape
        taps = resample.FILTERS[self.resample]
        self.size = (height >> n, width >> n)
        self.w_avg = self.variable("batch_stats", "w_avg", jnp.zeros, (self.w_dim,), exact)
        self.map = Mapping(self.w_dim, self.mapping, self.mapping_lr, self.num_classes, self.dtype, self.cond)
        widths = [min(self.max_width, self.width << (n - i)) for i in range(n + 1)]
        self.dtypes = [exact if i < self.wide_blocks else self.dtype for i in range(n + 1)]
        if self.start == "constant":
            self.constant = self.param("constant", nn.initializers.normal(1), (*self.size, widths[0]), exact)
        else:
            self.dense = Scaled((self.w_dim, math.prod(self.size) * widths[0]), exact)
        self.opening = None
        if self.style == "adain":
            self.opening = StyledConv(widths[0], self.style, self.noise, None, self.dtypes[0], False, name="opening")
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
        """How many vectors w an image is painted from: one a convolution, and one for the last colours (adain: for what the
        first convolution sees)."""
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
            x = jnp.broadcast_to(self.constant, (w.shape[0], *self.constant.shape))
        else:
            x = self.dense(w[:, 0]).reshape(w.shape[0], *self.size, -1)
            x = x if self.opening else leaky(x)
            x = normalised(x) if self.style == "none" else x
        x = self._clamped(styled(self.opening, x), 0) if self.opening else x
        taps, image = resample.FILTERS[self.resample], None
        for i, second in enumerate(self.second):
            before = x
            if i:
                x = self._clamped(styled(self.first[i - 1], x), i)
            x = self._clamped(styled(second, x), i)
            if self.shortcuts and i:
                x = (x + resample.up(self.shortcuts[i - 1](before), taps)) / GAIN
            if self.output == "skip" or second is self.second[-1]:
                paint, last = self.colours[len(self.colours) - len(self.second) + i], w.shape[1] - 1
                colour = self._clamped(paint(x, w[:, min(count, last)]), i)
                image = colour if image is None else resample.up(image, taps) + colour
        return image

    def _noise(self, keys: jax.Array) -> list[jax.Array]:
        """Of each layer, [N, height, width, 1]; one draw, cut to pieces, which compiles faster than many."""
        height, width = self.size
        layers_ = [2 if i or self.opening else 1 for i in range(len(self.second))]
        shapes = [(height << i, width << i, 1) for i, number in enumerate(layers_) for _ in range(number)]
        ends = np.cumsum([math.prod(shape) for shape in shapes])
        draw = jax.vmap(lambda key: jax.random.normal(key, (int(ends[-1]),), layers.wide(self.dtype)))(keys)
        return [part.reshape(-1, *shape) for part, shape in zip(jnp.split(draw, ends[:-1], 1), shapes)]

    def _clamped(self, x: jax.Array, block: int) -> jax.Array:
        return x if self.dtypes[block] == layers.wide(self.dtype) else jnp.clip(x, -self.clamp, self.clamp)

    def __call__(self, z, cond=None, *, train: bool, keys=None):
        w = self.styles(z, cond, train=train)
        return self.paint(jnp.broadcast_to(w[:, None], (w.shape[0], self.num_styles, self.w_dim)), keys)


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N].

    width, max_width: as the generator's.
    input: blocks have a shortcut ("residual", 2020), are shown a smaller image each ("skip"), or neither ("plain", 2019).
    group: adjacent examples whose standard deviation is a feature (Karras et al. 2018, section 3); 1: none.
    resample, wide_blocks, clamp: as the generator's.

    head: how labels enter, where there are some (`labels.head`, `labels.planes`).
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
    head: str = among(labels.HEADS, "projection")
    tiny: ClassVar = {"width": 4, "max_width": 8, "group": 2}

    @property
    def coupled(self) -> int:
        """How many adjacent examples are judged together."""
        return self.group

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        n, exact, taps = halvings(image.shape[1:]), layers.wide(self.dtype), resample.FILTERS[self.resample]
        image = labels.planes(image, cond, self.head, self.num_classes)
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
            x = groups.minibatch_stddev(x, self.group)
        x = self._hidden("last_conv", x, 3, widths[n], dtypes[n])
        x = x.reshape(len(x), -1).astype(exact)
        features = leaky(Scaled((x.shape[-1], widths[n]), exact, name="dense")(x))
        if not self.num_classes or self.head != "projection":
            return labels.head(self.head, features, cond, self.num_classes, self._linear(widths[n]))
        logits = Scaled((widths[n], 1), exact, name="logits")(features)[:, 0]
        embedding = self.param("embed", nn.initializers.normal(1), (self.num_classes, widths[n]), exact)
        embedded = labels.weights(cond, self.num_classes, exact) @ embedding
        return layers.Out(logits + jnp.sum(features * embedded, -1) / math.sqrt(widths[n]), features)

    def _linear(self, inputs: int) -> Any:
        """Linear layers as `labels.head` makes them; "proxies" are of the label."""
        exact = layers.wide(self.dtype)

        def make(outputs: int, name: str = "logits", use_bias: bool = True) -> Scaled:
            shape = (self.num_classes if name == "proxies" else inputs, outputs)
            return Scaled(shape, exact, bias=0.0 if use_bias else None, name=name)

        return make

    def _hidden(self, name, x, size: int, features: int, dtype, down=None):
        layer = Scaled((size, size, x.shape[-1], features), dtype, name=name)
        x, kernel = x.astype(dtype), layer.kernel().astype(dtype)
        y = leaky(layer.add_bias(conv(x, kernel) if down is None else resample.down_conv(x, kernel, down)))
        return y if dtype == layers.wide(self.dtype) else jnp.clip(y, -self.clamp, self.clamp)
