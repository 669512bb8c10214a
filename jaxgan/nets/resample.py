"""Resampling by two with a low-pass filter, alone and fused with a convolution, as StyleGAN has it (Karras et al. 2019,
section 2; 2020, figure 7), and Zhang 2019 before it, "Making Convolutional Networks Shift-Invariant Again".

Up: a zero after every pixel of both axes, then the filter with gain two an axis. Down: the filter, then every other pixel.
Outside of the image everything is zero. Filters are separable, symmetric and sum to one. All is one linear operation, whose
transpose is that operation again with up and down exchanged: a primitive, so that derivatives of any order stay as small as
it is, where those of its slices would grow.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from jaxgan.nets.conv import Padding, conv, conv_transpose

FILTERS = {
    "box": (0.5, 0.5),  # nearest neighbour up, means of 2x2 down: Karras et al. 2018
    "fir": (0.125, 0.375, 0.375, 0.125),  # bilinear up, and its transpose
}
NONE: Padding = ((0, 0), (0, 0))
Taps = tuple[float, ...]


def up(x: jax.Array, taps: Taps) -> jax.Array:
    """[N, H, W, C] -> [N, 2H, 2W, C]."""
    low = (len(taps) + 1) // 2
    return 4 * _fir(x, taps, 2, 1, (low, len(taps) - 1 - low))


def down(x: jax.Array, taps: Taps) -> jax.Array:
    """[N, H, W, C] -> [N, H / 2, W / 2, C], of even sides."""
    low = (len(taps) - 1) // 2
    return _fir(x, taps, 1, 2, (low, len(taps) - 2 - low))


def up_conv(x: jax.Array, w: jax.Array, taps: Taps) -> jax.Array:
    """`up` and a transposed convolution in one: zeros between pixels, w [3, 3, C, C'] turned by 180 degrees, the filter.

    [N, H, W, C] -> [N, 2H, 2W, C'] at the cost of a convolution of the small image.
    """
    y = conv_transpose(x, w.swapaxes(2, 3), 2, NONE)  # [N, 2H + 1, 2W + 1, C']
    low = (len(taps) + 1) // 2 - 1
    return 4 * _fir(y, taps, 1, 1, (low, len(taps) - 2 - low))


def down_conv(x: jax.Array, w: jax.Array, taps: Taps) -> jax.Array:
    """The filter, then w [3, 3, C, C'] with stride two: [N, H, W, C] -> [N, H / 2, W / 2, C'], of even sides."""
    low = (len(taps) - 1) // 2 + 1
    return conv(_fir(x, taps, 1, 1, (low, len(taps) - low)), w, 2, NONE)


def _fir(x: jax.Array, taps: Taps, up: int, down: int, pad: tuple[int, int]) -> jax.Array:
    """Along both axes: `up - 1` zeros after each pixel, `pad` zeros before and after all, the filter, every `down`-th
    pixel."""
    return fir_p.bind(x, taps=taps, up=up, down=down, pads=(pad, pad))


def _length(n: int, taps: Taps, up: int, down: int, pad: tuple[int, int]) -> int:
    return -(-(n * up + sum(pad) - len(taps) + 1) // down)


def _apply(x, *, taps: Taps, up: int, down: int, pads: Padding):
    for axis, (low, high) in zip((1, 2), pads):
        n = _length(x.shape[axis], taps, up, down, (low, high))
        config = [(0, 0, 0)] * x.ndim
        config[axis] = (low, high + up - 1, up - 1)
        padded = lax.pad(x, jnp.zeros((), x.dtype), config)
        parts = [lax.slice_in_dim(padded, k, k + (n - 1) * down + 1, down, axis) for k in range(len(taps))]
        x = sum((tap * part for tap, part in zip(taps, parts)), jnp.zeros((), x.dtype))
    return x


def _shape(x, *, taps: Taps, up: int, down: int, pads: Padding):
    sides = [_length(n, taps, up, down, pad) for n, pad in zip(x.shape[1:3], pads)]
    return ShapedArray((x.shape[0], *sides, x.shape[3]), x.dtype)


def _transpose(ct, x, *, taps: Taps, up: int, down: int, pads: Padding):
    if type(ct) is ad.Zero:
        return [ad.Zero(x.aval)]
    k, back = len(taps), []
    for n, o, (low, _) in zip(x.aval.shape[1:3], ct.shape[1:3], pads):
        before = k - 1 - low
        back.append((before, (n - 1) * up + k - o * down - before))
    return [fir_p.bind(ct, taps=taps[::-1], up=down, down=up, pads=tuple(back))]


def _batch(operands, axes, **params):
    (x,), (axis,) = operands, axes
    x = jnp.moveaxis(x, axis, 0)
    y = fir_p.bind(x.reshape(-1, *x.shape[2:]), **params)
    return y.reshape(*x.shape[:2], *y.shape[1:]), 0


fir_p = Primitive("jaxgan_fir")
fir_p.def_impl(jax.jit(fir_p.bind, static_argnames=("taps", "up", "down", "pads")))
fir_p.def_abstract_eval(_shape)
mlir.register_lowering(fir_p, mlir.lower_fun(_apply, multiple_results=False))
ad.deflinear2(fir_p, _transpose)
batching.primitive_batchers[fir_p] = _batch
