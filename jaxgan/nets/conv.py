"""A convolution whose derivatives, at every order, are convolutions in a form that XLA compiles well.

A convolution is bilinear in the images x and the kernel w, and `<g, conv(x, w)>` is trilinear in (x, w, g). Its three
partial derivatives are three operations, each the transpose of the other two:

    conv         (x, w) -> y      what a network calls
    input_grad   (g, w) -> x      also what a network calls a *transposed* convolution
    kernel_grad  (x, g) -> w

So three primitives are enough for gradient penalties, and for penalties of penalties. JAX's own derivatives are the
same numbers, but reach XLA:CPU with dimension numbers for which it has only a naive loop: the kernel gradient of a
strided layer then takes a hundred times its share. Here each primitive is written out as one plain NHWC convolution
with explicit transposes, or as a matrix product where the kernel is one pixel (`conv_forms`). On GPU and TPU the same three
operations are left to `lax`'s own rules.

Images are [N, H, W, C], kernels [h, w, C / groups, C'], paddings ((low, high), (low, high)) in pixels.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from jaxgan.nets import conv_forms, conv_population
from jaxgan.nets.conv_forms import Geometry, Padding


def same_padding(kernel: tuple[int, int], stride: tuple[int, int], image: tuple[int, int]) -> Padding:
    """TensorFlow's SAME: the output has ceil(n / stride) pixels; an odd rest goes to the high side."""
    total = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(image, kernel, stride)]
    return tuple((t // 2, t - t // 2) for t in total)  # pyright: ignore


def conv(x: jax.Array, w: jax.Array, stride: int = 1, padding: Padding | None = None, groups: int = 1) -> jax.Array:
    """Cross-correlation of images [N, H, W, C] with a kernel [h, w, C / groups, C'], as deep learning calls a convolution.

    Args:
      x: images, of the kernel's dtype.
      w: kernel.
      stride: the same for both axes.
      padding: pixels ((low, high), (low, high)); None is SAME.
      groups: of channels side by side: the first C' / groups of the output see the first C / groups of x alone.

    Returns: [N, ceil(H / stride), ceil(W / stride), C'] under SAME padding.
    """
    image, kernel, strides = (x.shape[1], x.shape[2]), (w.shape[0], w.shape[1]), (stride, stride)
    padding = same_padding(kernel, strides, image) if padding is None else padding
    return _bind(conv_p, x, w, Geometry(strides, padding, image, kernel, groups))


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


conv_p = _primitive("jaxgan_conv", conv_forms.cpu_conv, conv_forms.lax_conv)
input_grad_p = _primitive("jaxgan_conv_input_grad", conv_forms.cpu_input_grad, conv_forms.lax_input_grad)
kernel_grad_p = _primitive("jaxgan_conv_kernel_grad", conv_forms.cpu_kernel_grad, conv_forms.lax_kernel_grad)


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
        form = conv_population.form()
        if form != "turns":
            n, rest = len(mapped[0]), iter(mapped)
            every = [jnp.broadcast_to(a, (n, *a.shape)) if axis is None else next(rest) for a, axis in zip(operands, axes)]
            return conv_population.apply(form, operation, every[0], every[1], geometry), 0

        def one(some):
            some = iter(some)
            lhs_, rhs_ = (a if axis is None else next(some) for a, axis in zip(operands, axes))
            return primitive.bind(lhs_, rhs_, geometry=geometry)

        return lax.map(one, mapped), 0

    batching.primitive_batchers[primitive] = rule


_batching(conv_p, "conv")
_batching(input_grad_p, "input_grad")
_batching(kernel_grad_p, "kernel_grad")
