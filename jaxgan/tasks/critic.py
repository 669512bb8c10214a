"""A discriminator on examples in training: its answers, and what its collections (BatchNorm's statistics, spectral norms'
power iterations) are after them."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.nets.layers import Out
from jaxgan.objectives.terms import Examples

Variables = dict[str, Any]


def advanced(disc: nn.Module, variables: Variables, x: Examples) -> Variables:
    """The variables with their power iterations one further; x is of the right shape and otherwise of no consequence."""
    if "spectral" not in variables:
        return variables
    _, moved = disc.apply(variables, x["image"], x["cond"], train=False, mutable=["spectral"])
    return {**variables, **jax.lax.stop_gradient(moved)}


def answers(disc: nn.Module, variables: Variables, x: Examples) -> tuple[Out, Variables]:
    """(`Out`, the variables after these examples)."""
    out, changed = disc.apply(variables, x["image"], x["cond"], train=True, mutable=["batch_stats"])
    return out, {**variables, **changed}


def compare(disc: nn.Module, variables: Variables, real: Examples, fake: Examples, joint: bool) -> tuple[Out, Out, Any]:
    """`Out`s of real and fake, in one batch if `joint`, else one after the other; and the collections after both."""
    if joint:
        out, variables = answers(disc, variables, jax.tree.map(lambda *x: jnp.concatenate(x), real, fake))
        n = len(real["image"])
        real_out, fake_out = jax.tree.map(lambda x: x[:n], out), jax.tree.map(lambda x: x[n:], out)
    else:
        real_out, variables = answers(disc, variables, real)
        fake_out, variables = answers(disc, variables, fake)
    return real_out, fake_out, {k: x for k, x in variables.items() if k != "params"}
