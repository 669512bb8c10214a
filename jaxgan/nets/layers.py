"""Layers that every network shares, and what the norms' and activations' names in a config mean.

Params are float32 (float64 where the run is); `dtype` is what convolutions and matrix products compute in. Norms
compute in at least float32 whatever `dtype` is.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.nets import conv as convolution
from jaxgan.spectral import normalise

NORMS = ("none", "batch", "layer", "spectral")
PADDINGS = {"one": 1, "same": None}  # `pad` of `Conv` and `ConvTranspose`

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": nn.relu,
    "leaky_relu": lambda x: nn.leaky_relu(x, 0.2),
    "tanh": jnp.tanh,
    "softplus": lambda x: nn.softplus(2 * x + 2) / 2 - 1,  # one of the WGAN-GP paper's architecture axes
    "silu": nn.silu,
    "none": lambda x: x,
}


class Out(NamedTuple):
    """What a critic returns. All leaves have the examples first.

    logits: one score an example, [N], or any tree of scores (patches, scales, heads). Those of real and of fake examples may
      be unlike trees. Of {"picture", "caption"} the first judges the picture alone, and mismatched ones do not count in it.
    features: the last hidden layer, [N, F], or any tree of hidden layers.
    aux: outputs that belong to no adversarial loss (class logits, embeddings), or None.
    """

    logits: Any
    features: Any
    aux: Any = None


class Made(NamedTuple):
    """What a generator may return in place of an image. image: [N, H, W, C] in [-1, 1]. aux: what terms read by name, "mean"
    and "log_variance" of a latent, "attention", "stages"."""

    image: jax.Array
    aux: dict[str, Any]


def wide(dtype: Any) -> Any:
    """The dtype of params, norms, logits and slopes beside `dtype`: float32, or float64 in a float64 run."""
    return jnp.promote_types(dtype, jnp.float32)


def encoded(x: jax.Array, dims: int, output: str, dtype: Any) -> jax.Array:
    """The head of an encoder, in whose scope it is called: hidden layers [N, ...] -> z [N, dims], by one linear layer.
    output: "linear", or "tanh" after it."""
    z = Dense(dims, dtype=wide(dtype), name="z")(x.reshape(len(x), -1))
    return jnp.tanh(z) if output == "tanh" else z


class _Kernel(nn.Module):
    """A layer with a kernel whose last axis is `features`, divided by its largest singular value if `spectral`.

    Spectral normalisation (Miyato et al. 2018, Algorithm 1): sigma(W) = v^T W u with u, v from power iteration on the
    kernel as a matrix [everything else, features]. u is the collection "spectral". The step advances it once in each main
    update of the player whose network this is (`spectral.advance`); derivatives, of first or second order, take u and v as
    constants.
    """

    features: int
    spectral: bool = False
    use_bias: bool = True
    dtype: Any = jnp.float32
    kernel_init: Any = nn.initializers.normal(0.02)

    def kernel(self, shape: tuple[int, ...], of: Callable[[jax.Array], jax.Array] = lambda w: w) -> jax.Array:
        w = self.param("kernel", self.kernel_init, shape, wide(self.dtype))
        if self.spectral:
            matrix = w.reshape(-1, shape[-1])
            u = self.variable("spectral", "u", self._init_u, shape[-1])
            constant = jax.lax.stop_gradient(matrix)
            v = normalise(constant @ u.value)
            w = w / (v @ (matrix @ u.value))
        return of(w).astype(self.dtype)

    def _init_u(self, n: int) -> jax.Array:
        return normalise(jax.random.normal(self.make_rng("params"), (n,), wide(self.dtype)))

    def bias(self, y: jax.Array) -> jax.Array:
        if not self.use_bias:
            return y
        return y + self.param("bias", nn.initializers.zeros, (y.shape[-1],), wide(self.dtype)).astype(self.dtype)


class Dense(_Kernel):
    """[N, F] -> [N, features]."""

    @nn.compact
    def __call__(self, x):
        return self.bias(x.astype(self.dtype) @ self.kernel((x.shape[-1], self.features)))


class Conv(_Kernel):
    """[N, H, W, C] -> [N, ceil(H / stride), ceil(W / stride), features].

    pad: pixels of 0 at each edge, after which the output has floor((H + 2 pad - size) / stride) + 1 rows. None is SAME
      padding, which puts an odd pixel at the right and the lower edge.
    mirror: beyond its edges the image is mirrored, in place of 0; for odd sizes and stride 1.
    resample: "up" doubles the image first, by repeating pixels; "down" halves the result, by means of 2x2. For size 3 and
      stride 1. Either is one convolution of stride 2 with a kernel of 4x4, which is 4/9 of the arithmetic.
    """

    size: int = 3
    stride: int = 1
    pad: int | None = None
    mirror: bool = False
    resample: str = "none"

    @nn.compact
    def __call__(self, x):
        shape, x = (self.size, self.size, x.shape[-1], self.features), x.astype(self.dtype)
        if self.resample == "up":
            w = self.kernel(shape, lambda w: _spread(w)[::-1, ::-1].swapaxes(2, 3))
            return self.bias(convolution.conv_transpose(x, w))
        if self.resample == "down":
            return self.bias(convolution.conv(x, self.kernel(shape, lambda w: _spread(w) / 4), 2))
        w = self.kernel(shape)
        if not self.mirror:
            edges = None if self.pad is None else ((self.pad, self.pad), (self.pad, self.pad))
            return self.bias(convolution.conv(x, w, self.stride, edges))
        n = self.size // 2
        x = jnp.pad(x, ((0, 0), (n, n), (n, n), (0, 0)), mode="reflect")
        return self.bias(convolution.conv(x, w, padding=((0, 0), (0, 0))))


def _spread(w: jax.Array) -> jax.Array:
    """The sums of a kernel's [3, 3, ...] taps over windows of 2x2, [4, 4, ...]: `w` convolved with ones."""
    w = jnp.pad(w, ((1, 1), (1, 1), (0, 0), (0, 0)))
    w = w[1:] + w[:-1]
    return w[:, 1:] + w[:, :-1]


class ConvTranspose(_Kernel):
    """[N, H, W, C] -> [N, stride H, stride W, features]: the input gradient of the `Conv` with the same fields."""

    size: int = 4
    stride: int = 2
    pad: int | None = None

    @nn.compact
    def __call__(self, x):
        # The transposed convolution's own kernel has its input channels last.
        w = self.kernel((self.size, self.size, x.shape[-1], self.features)).swapaxes(2, 3)
        edge = None if self.pad is None else (self.pad, self.size - self.stride - self.pad)
        return self.bias(convolution.conv_transpose(x.astype(self.dtype), w, self.stride, edge and (edge, edge)))


class Dropout(nn.Module):
    """x with each value 0 with probability `rate`, the others larger by as much, from one key an example, `keys(role)`; x
    itself without keys. Each layer of a network needs a role of its own."""

    rate: float
    role: str

    def __call__(self, x, keys):
        if keys is None or not self.rate:
            return x
        kept = jax.vmap(lambda key: jax.random.bernoulli(key, 1 - self.rate, x.shape[1:]))(keys(self.role))
        return jnp.where(kept, x / (1 - self.rate), 0)


class Norm(nn.Module):
    """The normalisation that a config names, of [N, F] or [N, H, W, C]; "none" and "spectral" leave x alone.

    cond: numbers [N, D] that gains and shifts follow, 1 + W c and V c, in place of learned ones: conditional BatchNorm (de
    Vries et al. 2017; one-hot labels as in Miyato and Koyama 2018, embeddings as in Brock et al. 2019). spectral,
    kernel_init: of W and V.

    batch: statistics over the examples of the *global* batch (and pixels); running ones where `train` is false.
    layer: over all of an example's values, as the WGAN-GP paper's critic has it, then a scale and shift a channel.
    instance: over the pixels of one channel of one example (Ulyanov et al. 2016), then a scale and shift a channel.

    epsilon: what is added to the variance; the default is that of pix2pix', CycleGAN's, WGAN-GP's and DCGAN's code.

    The variance is E (x - E x)^2, in two passes. In float32 E x^2 - (E x)^2 is off by a quarter where the mean is 1000
    standard deviations.
    """

    kind: str
    dtype: Any = jnp.float32
    epsilon: float = 1e-5
    spectral: bool = False
    kernel_init: Any = nn.initializers.zeros

    @nn.compact
    def __call__(self, x, train: bool, cond=None):
        if self.kind in ("none", "spectral"):
            return x
        exact = wide(self.dtype)
        same = {"epsilon": self.epsilon, "dtype": exact, "param_dtype": exact, "use_fast_variance": False}
        same |= {} if cond is None else {"use_scale": False, "use_bias": False}
        if self.kind == "batch":
            over = parallel.axis_name() if train else None
            norm = nn.BatchNorm(use_running_average=not train, momentum=0.9, axis_name=over, **same)
        elif self.kind == "instance":
            norm = nn.InstanceNorm(**same)
        else:
            norm = nn.LayerNorm(reduction_axes=tuple(range(1, x.ndim)), feature_axes=(-1,), **same)
        if cond is None:
            return norm(x).astype(x.dtype)

        def follows(name: str) -> jax.Array:
            fields = {"use_bias": False, "spectral": self.spectral, "kernel_init": self.kernel_init}
            told = Dense(x.shape[-1], dtype=exact, name=name, **fields)(cond)
            return told.reshape(len(x), *[1] * (x.ndim - 2), -1)

        return (norm(x) * (1 + follows("gain")) + follows("shift")).astype(x.dtype)
