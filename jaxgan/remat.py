"""Rematerialisation: what lies within a network's parts is computed again for the gradient, and not kept (Chen et al. 2016,
"Training Deep Nets with Sublinear Memory Cost").

A part is a module that a network calls itself: a block of a residual network, or a layer of a plain one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import flax.linen as nn
import jax
import numpy as np


@contextmanager
def recomputed() -> Iterator[None]:
    """Within it, gradients of networks keep what enters their parts and what leaves them, and nothing between."""
    within = False

    def part(call: Callable, args: Any, kwargs: dict[str, Any], context: nn.module.InterceptorContext) -> Any:
        nonlocal within
        if within or context.method_name != "__call__" or len(context.module.path) != 1:
            return call(*args, **kwargs)
        leaves, tree = jax.tree.flatten((args, kwargs))
        at = [i for i, x in enumerate(leaves) if isinstance(x, jax.Array | np.ndarray)]  # the rest is told to the trace

        def again(module: nn.Module, arrays: list[Any]) -> Any:
            nonlocal within
            given = dict(enumerate(leaves)) | dict(zip(at, arrays))
            args, kwargs = jax.tree.unflatten(tree, given.values())
            within = True
            try:
                return type(module).__call__(module, *args, **kwargs)
            finally:
                within = False

        return nn.remat(again)(context.module, [leaves[i] for i in at])

    with nn.intercept_methods(part):
        yield
