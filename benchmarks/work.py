"""How many images the networks of a step see, here and in PyTorch: what must be equal where times are compared."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import flax.linen as nn
import jax
from jax.ad_checkpoint import checkpoint_name
from jax.interpreters import partial_eval

from jaxgan.keys import Keys
from jaxgan.plan import Plan

MARK = "images:"


def of_plan(plan: Plan) -> dict[str, int]:
    """{player: images that its networks are given in a step}; those whose answer nothing depends on do not count."""
    n, task, seen = plan.run.batch_size, plan.task(), Counter()
    batch = {name: jax.ShapeDtypeStruct((n, *feature.shape), "float32") for name, feature in plan.features.items()}
    owner = {type(getattr(task, section)): player for player, nets in task.players.items() for section in nets.values()}

    def mark(call: Callable, args: Any, kwargs: Any, context: Any) -> Any:
        if context.module.scope.path or context.method_name != "__call__":
            return call(*args, **kwargs)
        name = f"{MARK}{owner[type(context.module)]}:{len(args[0])}"
        return call(checkpoint_name(args[0], name), *args[1:], **kwargs)

    for update in plan.updates:

        def loss(state: Any, batch: Any, update: Any = update) -> jax.Array:
            keys = Keys(state.rng, state.step, 0, 0, n)
            with nn.intercept_methods(mark):
                return task.loss(update.loss, state, batch, keys, lambda state, *_: state)[0]

        whole = jax.make_jaxpr(loss)(plan.shapes(), batch).jaxpr
        for name in _marks(partial_eval.dce_jaxpr(whole, [True] * len(whole.outvars))[0]):
            player, images = name.removeprefix(MARK).split(":")
            seen[player] += int(images) * update.rounds
    return dict(seen)


def _marks(jaxpr: Any) -> Iterator[str]:
    """The names of all marks in a program and in those that it calls."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "name" and equation.params["name"].startswith(MARK):
            yield equation.params["name"]
        for value in jax.tree.leaves(equation.params, is_leaf=lambda x: hasattr(x, "eqns") or hasattr(x, "jaxpr")):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from _marks(inner)


def of_torch(nets: dict[str, list], step: Callable[[], Any]) -> dict[str, int]:
    """The same of PyTorch's side: nets are each player's, and `step` makes one."""
    seen, hooks = Counter(), []
    for player, own in nets.items():
        for net in own:
            count = lambda _, args, player=player: seen.update({player: len(args[0])})  # noqa: E731
            hooks.append(net.register_forward_pre_hook(count))
    step()
    for hook in hooks:
        hook.remove()
    return dict(seen)
