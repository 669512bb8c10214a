"""A convolution whose derivatives, at every order, are convolutions in a form that XLA compiles well.

A convolution is bilinear in the images x and the kernel w, and `<g, conv(x, w)>` is trilinear in (x, w, g). Its three
partial derivatives are three operations, each the transpose of the other two:

    conv         (x, w) -> y      what a network calls
    input_grad   (g, w) -> x      also what a network calls a *transposed* convolution
    kernel_grad  (x, g) -> w

So three primitives are enough for gradient penalties, and for penalties of penalties. JAX's own derivatives are the
same numbers, but reach XLA:CPU with dimension numbers for which it has only a naive loop: the kernel gradient of a
strided layer then takes a hundred times its share. Here each primitive is written out as one plain NHWC convolution
with explicit transposes, or as a matrix product where the kernel is one pixel. On GPU and TPU the same three operations are
left to `lax`'s own rules.

Images are [N, H, W, C], kernels [h, w, C, C'], paddings ((low, high), (low, high)) in pixels.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from jaxgan.nets import members

Padding = tuple[tuple[int, int], tuple[int, int]]
NHWC = ("NHWC", "HWIO", "NHWC")


class Geometry(NamedTuple):
    """What a convolution needs beside its two operands, the same for the three operations."""

    stride: tuple[int, int]
    padding: Padding
    image: tuple[int, int]  # H, W of x
    kernel: tuple[int, int]  # h, w of w

    @property
    def output(self) -> tuple[int, int]:
        """H, W of y."""
        sizes = zip(self.image, self.kernel, self.stride, self.padding)
        return tuple((n + low + high - k) // s + 1 for n, k, s, (low, high) in sizes)  # pyright: ignore


def same_padding(kernel: tuple[int, int], stride: tuple[int, int], image: tuple[int, int]) -> Padding:
    """TensorFlow's SAME: the output has ceil(n / stride) pixels; an odd rest goes to the high side."""
    total = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(image, kernel, stride)]
    return tuple((t // 2, t - t // 2) for t in total)  # pyright: ignore


def conv(x: jax.Array, w: jax.Array, stride: int = 1, padding: Padding | None = None) -> jax.Array:
    """Cross-correlation of images [N, H, W, C] with a kernel [h, w, C, C'], as deep learning calls a convolution.

    Args:
      x: images, of the kernel's dtype.
      w: kernel.
      stride: the same for both axes.
      padding: pixels ((low, high), (low, high)); None is SAME.

    Returns: [N, ceil(H / stride), ceil(W / stride), C'] under SAME padding.
    """
    image, kernel, strides = (x.shape[1], x.shape[2]), (w.shape[0], w.shape[1]), (stride, stride)
    padding = same_padding(kernel, strides, image) if padding is None else padding
    return _bind(conv_p, x, w, Geometry(strides, padding, image, kernel))


def conv_transpose(x: jax.Array, w: jax.Array, stride: int = 2, padding: Padding | None = None) -> jax.Array:
    """The transpose of `conv`, [N, H, W, C'] -> [N, stride H, stride W, C] under SAME padding (None), and larger by
    what the kernel reaches beyond its stride under less.

    The kernel keeps the layout of the convolution that this transposes: [h, w, C, C'], with C' the channels of `x`.
    """
    kernel, strides = (w.shape[0], w.shape[1]), (stride, stride)
    if padding is None:
        image = (x.shape[1] * stride, x.shape[2] * stride)
        padding = same_padding(kernel, strides, image)
    else:
        height, width = ((n - 1) * stride + k - sum(pads) for n, k, pads in zip(x.shape[1:3], kernel, padding))
        image = (height, width)
    return _bind(input_grad_p, x, w, Geometry(strides, padding, image, kernel))


def _bind(primitive: Primitive, lhs: jax.Array, rhs: jax.Array, geometry: Geometry) -> jax.Array:
    if lhs.dtype != rhs.dtype:
        raise TypeError(f"a convolution's operands must have one dtype, not {lhs.dtype} and {rhs.dtype}")
    return primitive.bind(lhs, rhs, geometry=geometry)


# Each operation twice: as XLA:CPU likes it, and for other backends.


def _pointwise(geometry: Geometry) -> bool:
    """Whether a kernel of one pixel sees every pixel: a matrix product, up to twelve times faster in XLA:CPU."""
    return geometry == Geometry((1, 1), ((0, 0), (0, 0)), geometry.image, (1, 1))


def _cpu_conv(x, w, *, geometry: Geometry):
    """A matrix product for kernels of one pixel, and for outputs of one, where XLA:CPU has its naive loop alone."""
    if _pointwise(geometry):
        return lax.dot_general(x, w[0, 0], (((3,), (0,)), ((), ())))
    if geometry.output != (1, 1):
        return _conv(x, w, geometry=geometry)
    (top, _), (left, _) = geometry.padding
    w = w[top : top + x.shape[1], left : left + x.shape[2]]  # what lies over the image
    x = x[:, : w.shape[0], : w.shape[1]]
    return lax.dot_general(x, w, (((1, 2, 3), (0, 1, 2)), ((), ())))[:, None, None]


def _conv(x, w, *, geometry: Geometry):
    return lax.conv_general_dilated(x, w, geometry.stride, geometry.padding, dimension_numbers=NHWC)


def _input_grad(g, w, *, geometry: Geometry):
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


def _kernel_grad(x, g, *, geometry: Geometry):
    """A convolution of the images with g as a kernel dilated by the stride; batch and channels change places."""
    if _pointwise(geometry):
        return lax.dot_general(x, g, (((0, 1, 2), (0, 1, 2)), ((), ())))[None, None]
    padding = [
        (low, (o - 1) * s + k - n - low)
        for n, k, s, o, (low, _) in zip(geometry.image, geometry.kernel, geometry.stride, geometry.output, geometry.padding)
    ]
    images, kernel = x.transpose(3, 1, 2, 0), g.transpose(1, 2, 0, 3)
    out = lax.conv_general_dilated(images, kernel, (1, 1), padding, rhs_dilation=geometry.stride, dimension_numbers=NHWC)
    return out.transpose(1, 2, 0, 3)


def _lax_input_grad(g, w, *, geometry: Geometry):
    x = jax.ShapeDtypeStruct((g.shape[0], *geometry.image, w.shape[2]), g.dtype)
    return jax.linear_transpose(lambda x: _conv(x, w, geometry=geometry), x)(g)[0]


def _lax_kernel_grad(x, g, *, geometry: Geometry):
    w = jax.ShapeDtypeStruct((*geometry.kernel, x.shape[3], g.shape[3]), g.dtype)
    return jax.linear_transpose(lambda w: _conv(x, w, geometry=geometry), w)(g)[0]


def _primitive(name: str, cpu, other) -> Primitive:
    primitive = Primitive(name)
    primitive.def_impl(jax.jit(primitive.bind, static_argnames="geometry"))
    primitive.def_abstract_eval(lambda lhs, rhs, *, geometry: _shape(other, lhs, rhs, geometry))
    mlir.register_lowering(primitive, mlir.lower_fun(other, multiple_results=False))
    mlir.register_lowering(primitive, mlir.lower_fun(cpu, multiple_results=False), platform="cpu")
    return primitive


def _shape(fn, lhs, rhs, geometry):
    out = jax.eval_shape(
        partial(fn, geometry=geometry),
        jax.ShapeDtypeStruct(lhs.shape, lhs.dtype),
        jax.ShapeDtypeStruct(rhs.shape, rhs.dtype),
    )
    return ShapedArray(out.shape, out.dtype)


conv_p = _primitive("jaxgan_conv", _cpu_conv, _conv)
input_grad_p = _primitive("jaxgan_conv_input_grad", _input_grad, _lax_input_grad)
kernel_grad_p = _primitive("jaxgan_conv_kernel_grad", _kernel_grad, _lax_kernel_grad)


def _defbilinear(primitive: Primitive, lhs_rule, rhs_rule) -> None:
    """`lhs_rule(ct, rhs)` and `rhs_rule(ct, lhs)` are the two operands' cotangents, as operands of another primitive."""
    ad.defbilinear(
        primitive,
        lambda ct, _, rhs, *, geometry: lhs_rule[0].bind(*lhs_rule[1](ct, rhs), geometry=geometry),
        lambda ct, lhs, _, *, geometry: rhs_rule[0].bind(*rhs_rule[1](ct, lhs), geometry=geometry),
    )


def _ct_first(ct, other):
    return ct, other


def _ct_last(ct, other):
    return other, ct


_defbilinear(conv_p, (input_grad_p, _ct_first), (kernel_grad_p, _ct_last))
_defbilinear(input_grad_p, (conv_p, _ct_first), (kernel_grad_p, _ct_first))
_defbilinear(kernel_grad_p, (input_grad_p, _ct_last), (conv_p, _ct_last))


def _batching(primitive: Primitive, operation: str):
    """Mapped images with a shared kernel fold into the batch; whatever else is mapped takes the form of the backend."""

    def rule(operands, axes, *, geometry):
        (lhs, rhs), (lhs_axis, rhs_axis) = operands, axes
        if operation != "kernel_grad" and rhs_axis is None:
            lhs = jnp.moveaxis(lhs, lhs_axis, 0)
            out = primitive.bind(lhs.reshape(-1, *lhs.shape[2:]), rhs, geometry=geometry)
            return out.reshape(*lhs.shape[:2], *out.shape[1:]), 0
        mapped = [jnp.moveaxis(a, axis, 0) for a, axis in zip(operands, axes) if axis is not None]
        form = members.form()
        if form != "turns":
            n, rest = len(mapped[0]), iter(mapped)
            every = [jnp.broadcast_to(a, (n, *a.shape)) if axis is None else next(rest) for a, axis in zip(operands, axes)]
            return members.apply(form, operation, every[0], every[1], geometry), 0

        def one(some):
            some = iter(some)
            lhs_, rhs_ = (a if axis is None else next(some) for a, axis in zip(operands, axes))
            return primitive.bind(lhs_, rhs_, geometry=geometry)

        return lax.map(one, mapped), 0

    batching.primitive_batchers[primitive] = rule


_batching(conv_p, "conv")
_batching(input_grad_p, "input_grad")
_batching(kernel_grad_p, "kernel_grad")
