"""The three operations of a convolution (`conv`), each twice: as XLA:CPU likes it, and for other backends.

conv is x, w -> y; input_grad g, w -> x; kernel_grad x, g -> w. Images are [N, H, W, C], kernels [h, w, C / groups, C'].
"""

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

Padding = tuple[tuple[int, int], tuple[int, int]]
NHWC = ("NHWC", "HWIO", "NHWC")
UNROLLED = 16  # groups; more make programs long
LARGE, PART = 20 << 20, 10 << 20  # bytes of both operands of a kernel gradient: what goes in parts, and a part at the most


class Geometry(NamedTuple):
    """What a convolution needs beside its two operands, the same for the three operations."""

    stride: tuple[int, int]
    padding: Padding
    image: tuple[int, int]  # H, W of x
    kernel: tuple[int, int]  # h, w of w
    groups: int = 1  # of channels that do not see one another's

    @property
    def output(self) -> tuple[int, int]:
        """H, W of y."""
        sizes = zip(self.image, self.kernel, self.stride, self.padding)
        return tuple((n + low + high - k) // s + 1 for n, k, s, (low, high) in sizes)  # pyright: ignore


def _by_groups(form: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """`form` for any number of groups, one after the other: XLA:CPU has but a naive loop for its own, which takes up to 40
    times as long (benchmarks/NOTES.md). All three operations split both operands' last axes."""

    @wraps(form)
    def grouped(lhs, rhs, *, geometry: Geometry):
        n, one = geometry.groups, geometry._replace(groups=1)
        if n == 1:
            return form(lhs, rhs, geometry=geometry)
        if n <= UNROLLED:
            pairs = zip(jnp.split(lhs, n, -1), jnp.split(rhs, n, -1))
            return jnp.concatenate([form(a, b, geometry=one) for a, b in pairs], -1)
        apart = (jnp.moveaxis(a.reshape(*a.shape[:-1], n, -1), -2, 0) for a in (lhs, rhs))
        out = jnp.moveaxis(lax.map(lambda pair: form(*pair, geometry=one), tuple(apart)), 0, -2)
        return out.reshape(*out.shape[:-2], -1)

    return grouped


def _pointwise(geometry: Geometry) -> bool:
    """Whether a kernel of one pixel sees every pixel: a matrix product, up to twelve times faster in XLA:CPU."""
    return geometry == Geometry((1, 1), ((0, 0), (0, 0)), geometry.image, (1, 1))


@_by_groups
def cpu_conv(x, w, *, geometry: Geometry):
    """A matrix product for kernels of one pixel, and for outputs of one, where XLA:CPU has its naive loop alone."""
    if _pointwise(geometry):
        return lax.dot_general(x, w[0, 0], (((3,), (0,)), ((), ())))
    if geometry.output != (1, 1):
        return lax_conv(x, w, geometry=geometry)
    (top, _), (left, _) = geometry.padding
    w = w[top : top + x.shape[1], left : left + x.shape[2]]  # what lies over the image
    x = x[:, : w.shape[0], : w.shape[1]]
    return lax.dot_general(x, w, (((1, 2, 3), (0, 1, 2)), ((), ())))[:, None, None]


@_by_groups
def cpu_input_grad(g, w, *, geometry: Geometry):
    """By phases where that was measured to be faster, for strided layers of more than one channel: 1.2 to 4 times from 12 px
    on, 3 to 16 times up to 4 px, for which XLA:CPU has its naive loop alone; no gain between (benchmarks/NOTES.md)."""
    if _pointwise(geometry):
        return lax.dot_general(g, w[0, 0], (((3,), (1,)), ((), ())))
    of_size = min(geometry.image) >= 12 or max(geometry.image) <= 4
    by_phases = min(geometry.stride) > 1 and of_size and w.shape[2] > 1
    return (_input_grad_by_phases if by_phases else _input_grad_dilated)(g, w, geometry=geometry)


def _input_grad_by_phases(g, w, *, geometry: Geometry):
    """Pixel p of the padded image sees the taps k = p mod s alone: the s x s phases of the kernel are as many channels of
    one convolution of stride 1, whose output is then dealt out to the pixels. No product with a stuffed zero is left."""
    (kh, kw, c, features), (sh, sw), (height, width) = w.shape, geometry.stride, geometry.image
    th, tw = -(-kh // sh), -(-kw // sw)  # taps of a phase
    w = jnp.pad(w, ((0, th * sh - kh), (0, tw * sw - kw), (0, 0), (0, 0))).reshape(th, sh, tw, sw, c, features)
    w = w[::-1, :, ::-1].transpose(0, 2, 5, 1, 3, 4).reshape(th, tw, features, sh * sw * c)
    x = lax.conv_general_dilated(g, w, (1, 1), ((th - 1, th - 1), (tw - 1, tw - 1)), dimension_numbers=NHWC)
    n, rows, columns, _ = x.shape
    x = x.reshape(n, rows, columns, sh, sw, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, rows * sh, columns * sw, c)
    (top, _), (left, _) = geometry.padding
    # What no window reached, at the low right, has no gradient.
    below, right = max(0, top + height - rows * sh), max(0, left + width - columns * sw)
    return jnp.pad(x, ((0, 0), (0, below), (0, right), (0, 0)))[:, top : top + height, left : left + width]


def _input_grad_dilated(g, w, *, geometry: Geometry):
    """A convolution of the zero-stuffed g with the flipped kernel, channels swapped."""
    padding = [
        (k - 1 - low, n + low - 1 - (o - 1) * s)
        for n, k, s, o, (low, _) in zip(geometry.image, geometry.kernel, geometry.stride, geometry.output, geometry.padding)
    ]
    flipped = lax.rev(w, (0, 1)).transpose(0, 1, 3, 2)
    return lax.conv_general_dilated(g, flipped, (1, 1), padding, lhs_dilation=geometry.stride, dimension_numbers=NHWC)


@_by_groups
def cpu_kernel_grad(x, g, *, geometry: Geometry):
    """A matrix product for kernels of one pixel, else a convolution, of large batches part after part: batch and channels
    change places, and where the cache does not hold them that takes two to three times as long (benchmarks/NOTES.md)."""
    if _pointwise(geometry):
        return lax.dot_general(x, g, (((0, 1, 2), (0, 1, 2)), ((), ())))[None, None]
    n = _part(x, g)
    if n == len(x):
        return _kernel_grad(x, g, geometry=geometry)
    parts = tuple(a.reshape(-1, n, *a.shape[1:]) for a in (x, g))
    zeros = jnp.zeros((*geometry.kernel, x.shape[3], g.shape[3]), jnp.promote_types(x.dtype, jnp.float32))
    total = lax.scan(lambda total, part: (total + _kernel_grad(*part, geometry=geometry), None), zeros, parts)[0]
    return total.astype(x.dtype)


def _part(x: jax.Array, g: jax.Array) -> int:
    """How many examples each part of a kernel gradient's batch has: all of them if it is not large, or has so few channels
    that parts were measured to be no gain."""
    n, size = len(x), (x.size + g.size) * x.dtype.itemsize
    if size <= LARGE or min(x.shape[3], g.shape[3]) < 16:
        return n
    fitting = max(k for k in range(1, n + 1) if n % k == 0 and (k == 1 or size * k <= n * PART))
    return fitting if size * fitting >= n << 20 else n  # below a megabyte the loop costs more than it saves


def _kernel_grad(x, g, *, geometry: Geometry):
    """A convolution of the images with g as a kernel dilated by the stride."""
    padding = [
        (low, (o - 1) * s + k - n - low)
        for n, k, s, o, (low, _) in zip(geometry.image, geometry.kernel, geometry.stride, geometry.output, geometry.padding)
    ]
    images, kernel = x.transpose(3, 1, 2, 0), g.transpose(1, 2, 0, 3)
    out = lax.conv_general_dilated(images, kernel, (1, 1), padding, rhs_dilation=geometry.stride, dimension_numbers=NHWC)
    return out.transpose(1, 2, 0, 3)


def lax_conv(x, w, *, geometry: Geometry):
    groups = geometry.groups
    return lax.conv_general_dilated(
        x, w, geometry.stride, geometry.padding, dimension_numbers=NHWC, feature_group_count=groups
    )


def lax_input_grad(g, w, *, geometry: Geometry):
    x = jax.ShapeDtypeStruct((g.shape[0], *geometry.image, geometry.groups * w.shape[2]), g.dtype)
    return jax.linear_transpose(lambda x: lax_conv(x, w, geometry=geometry), x)(g)[0]


def lax_kernel_grad(x, g, *, geometry: Geometry):
    w = jax.ShapeDtypeStruct((*geometry.kernel, x.shape[3] // geometry.groups, g.shape[3]), g.dtype)
    return jax.linear_transpose(lambda w: lax_conv(x, w, geometry=geometry), w)(g)[0]
