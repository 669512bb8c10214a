"""Convolutions under `vmap`: of a population's members, each with a kernel of its own.

Backends have no good convolution for that, so there are several forms, each bilinear in x [M, N, H, W, C] and
w [M, h, w, C / groups, C'] -> [M, N, H', W', C'], and the operations that derivatives need are its transposes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def grouped(x: jax.Array, w: jax.Array, geometry: Any) -> jax.Array:
    """One convolution of M groups of channels, which is what `vmap` makes of `lax`'s own."""
    members, n, height, width, c = x.shape
    x = x.transpose(1, 2, 3, 0, 4).reshape(n, height, width, members * c)
    w = w.transpose(1, 2, 3, 0, 4).reshape(*geometry.kernel, c // geometry.groups, -1)
    numbers = ("NHWC", "HWIO", "NHWC")
    y = lax.conv_general_dilated(
        x, w, geometry.stride, geometry.padding, dimension_numbers=numbers, feature_group_count=members * geometry.groups
    )
    return y.reshape(*y.shape[:3], members, -1).transpose(3, 0, 1, 2, 4)


def matmul(x: jax.Array, w: jax.Array, geometry: Any) -> jax.Array:
    """Batched matrix products of the windows' pixels (im2col)."""
    (kh, kw), (sh, sw), (rows, columns) = geometry.kernel, geometry.stride, geometry.output
    x = jnp.pad(x, ((0, 0), (0, 0), *geometry.padding, (0, 0)))
    windows = [
        x[:, :, i : i + (rows - 1) * sh + 1 : sh, j : j + (columns - 1) * sw + 1 : sw] for i in range(kh) for j in range(kw)
    ]
    patches = jnp.concatenate(windows, -1).reshape(len(x), -1, kh * kw * w.shape[3])
    y = lax.dot_general(patches, w.reshape(len(w), -1, w.shape[4]), (((2,), (1,)), ((0,), (0,))))
    return y.reshape(*x.shape[:2], rows, columns, -1)


FORMS = {"grouped": grouped, "matmul": matmul}
_forced: list[str] = []


def form() -> str:
    """ "turns", one member after the other, on a CPU, where that is measured to be fastest (docs/performance.md); elsewhere
    "matmul", which is not measured."""
    return _forced[-1] if _forced else "turns" if jax.default_backend() == "cpu" else "matmul"


@contextmanager
def members_as(form: str) -> Iterator[None]:
    """Within it, traces have members' convolutions in this form: "turns" or one of `FORMS`."""
    _forced.append(form)
    try:
        yield
    finally:
        _forced.pop()


def apply(form: str, operation: str, lhs: jax.Array, rhs: jax.Array, geometry: Any) -> jax.Array:
    """One of `conv`'s three operations on stacked operands: "conv" (x, w), "input_grad" (g, w), "kernel_grad" (x, g)."""
    groups = geometry.groups  # of which im2col would make windows nine times the size of many channels
    fn = partial(grouped if groups > 1 else FORMS[form], geometry=geometry)
    if operation == "conv":
        return fn(lhs, rhs)
    if operation == "input_grad":
        x = jax.ShapeDtypeStruct((*lhs.shape[:2], *geometry.image, groups * rhs.shape[3]), lhs.dtype)
        return jax.linear_transpose(lambda x: fn(x, rhs), x)(lhs)[0]
    w = jax.ShapeDtypeStruct((len(lhs), *geometry.kernel, lhs.shape[4] // groups, rhs.shape[4]), lhs.dtype)
    return jax.linear_transpose(lambda w: fn(lhs, w), w)(rhs)[0]
