"""How far around a pixel a function of images looks: its receptive radius, computed and not guessed.

One pixel of the input becomes NaN. Whatever is computed from a NaN is NaN: sums and products with any weight, zero included;
ReLU and PReLU on either side of their kink; pixel shuffle, nearest and bilinear enlargement. So the NaNs of the output are
the pixels that can depend on that one, for any weights and any picture. Gradients would miss paths through units that are
off in one picture, and those whose product of weights is below the smallest float. That happens in deep networks.

One operation spreads a NaN too far: a matrix product, by which JAX resizes, multiplies it by the zeros outside of the
filter. Here products with an exact zero stay what they are (`_product`).
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Literal, jaxpr_as_fun

FIRST, LAST = 64, 2048  # sides of the pictures that are tried; each is twice the one before
STRIP = 16  # their other side: paths straight ahead are the longest
PHASES = 4  # neighbouring pixels that become NaN, each in a picture of its own
INSIDE = ("jaxpr", "call_jaxpr", "fun_jaxpr")  # where JAX keeps what a call computes


def radius(fn: Callable[[Any, jax.Array], jax.Array], variables: Any, scale: int, channels: int) -> int | None:
    """The least r such that each pixel of the output depends on inputs at most r pixels away, along either axis.

    Output pixel Y lies in input pixel Y // scale, from which r is counted; all `scale` phases are within it.

    None where there is no such r below `LAST` / 2, as with norms over the whole picture or attention, and where the answer
    depends on the position in the picture, as with layers of stride two.

    Args:
      fn: (variables, images [N, h, w, channels]) -> [N, scale h, scale w, C], for any h and w.
      variables: a tree of arrays. scale: by which the output is larger.
    """
    quickly = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}  # a program runs once

    def run(variables: Any, images: jax.Array) -> Any:
        program = jax.jit(lambda variables, images: _evaluated(fn, variables, images)).lower(variables, images)
        return program.compile(quickly if cpu.platform == "cpu" else None)(variables, images)

    cpu = _cpu()
    variables = jax.device_put(variables, cpu)
    side = FIRST
    while side <= LAST:
        found = []
        for axis in (1, 2):
            shape = [PHASES, STRIP, STRIP, channels]
            shape[axis] = side
            found.append(_reach(run, variables, tuple(shape), axis, scale, cpu))
            if found[-1] is None:
                break
        else:
            return None if any(x == -1 for x in found) else max(found)
        side *= 2
    return None


def _reach(run: Callable, variables: Any, shape: tuple[int, ...], axis: int, scale: int, device: Any) -> int | None:
    """The radius along an axis; None where the picture is too small to tell, -1 where it depends on the position."""
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    first = shape[axis] // 2 - PHASES // 2
    for i in range(PHASES):
        np.moveaxis(images[i], axis - 1, 0)[first + i, STRIP // 2] = np.nan
    made = np.isnan(np.asarray(run(variables, jax.device_put(images, device))))
    reached = np.asarray(made.any((3 - axis, 3)))  # [PHASES, scale * side]
    if not reached.any(axis=-1).all():
        return 0  # nothing depends on the input
    low, high = reached.argmax(1), reached.shape[1] - 1 - reached[:, ::-1].argmax(1)
    if low.min() == 0 or high.max() == reached.shape[1] - 1:
        return None
    at = first + np.arange(PHASES)
    before, after = at - low // scale, high // scale - at
    steady = len({*(low - at * scale)}) == 1 and len({*(high - at * scale)}) == 1
    return int(max(before.max(), after.max(), 0)) if steady else -1


def _cpu() -> Any:
    """A CPU: GPU libraries have convolutions by transforms, which spread a NaN further than it matters."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return jax.local_devices()[0]


def _evaluated(fn: Callable, *inputs: Any) -> jax.Array:
    """`fn(*inputs)`, with `_product` in place of matrix products."""
    closed, shape = jax.make_jaxpr(fn, return_shape=True)(*inputs)
    made = _run(closed, *jax.tree.leaves(inputs))
    return jax.tree.unflatten(jax.tree.structure(shape), made)


def _run(closed: ClosedJaxpr, *inputs: Any) -> list[Any]:
    """The outputs of a traced function, equation by equation."""
    known = dict(zip([*closed.jaxpr.constvars, *closed.jaxpr.invars], [*closed.consts, *inputs]))
    read = lambda x: x.val if isinstance(x, Literal) else known[x]  # noqa: E731
    for eqn in closed.jaxpr.eqns:
        values = [read(x) for x in eqn.invars]
        inside = next((eqn.params[name] for name in INSIDE if isinstance(eqn.params.get(name), ClosedJaxpr)), None)
        if eqn.primitive.name == "dot_general" and jnp.issubdtype(values[0].dtype, jnp.floating):
            made = [_product(eqn, *values)]
        elif inside is not None and len(inside.jaxpr.invars) == len(values) and "scan" not in eqn.primitive.name:
            made = _run(inside, *values)
        else:
            free = [x for x in eqn.invars if not isinstance(x, Literal)]
            alone = closed.jaxpr.replace(eqns=[eqn], constvars=[], invars=free, outvars=eqn.outvars)
            made = jaxpr_as_fun(ClosedJaxpr(alone, []))(*map(read, free))
        known |= zip(eqn.outvars, made)
    return [read(x) for x in closed.jaxpr.outvars]


def _product(eqn: Any, left: jax.Array, right: jax.Array) -> jax.Array:
    """A matrix product whose result is NaN where a NaN is multiplied by anything but an exact zero."""
    multiply = lambda a, b: eqn.primitive.bind(a.astype(left.dtype), b.astype(right.dtype), **eqn.params)  # noqa: E731
    nans, clean = [jnp.isnan(x) for x in (left, right)], [jnp.nan_to_num(x, nan=0.0) for x in (left, right)]
    counts = [nan | (x != 0) for nan, x in zip(nans, clean)]
    hit = multiply(nans[0], counts[1]) + multiply(counts[0], nans[1])
    return jnp.where(hit > 0, math.nan, multiply(*clean))
