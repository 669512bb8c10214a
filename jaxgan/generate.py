"""A trained generator's images as pure functions of their numbers: latents follow from the run's seed and a number alone.
What else a generator starts from (a translator's source) is the data's example of that number.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.data.source import Images
from jaxgan.keys import role_id
from jaxgan.plan import Plan
from jaxgan.state import GanState


class Trained(NamedTuple):
    """What a run has learned. players: {player: flax variables}. frozen: variables of its frozen networks, by name."""

    players: dict[str, Any]
    frozen: dict[str, Any]


def trained(plan: Plan, state: GanState, ema: bool) -> Trained:
    """Every player's flax variables, the moving averages where `ema` and it has them."""
    players = {player: state.variables(player, ema and player in state.ema) for player in state.params}
    return Trained(players, plan.inputs.frozen)


def _make_draw(plan: Plan) -> Callable:
    """(the task, its inputs for numbers [N]) as a function of (nets, numbers): number i always has the same latent."""
    key = jax.random.fold_in(jax.random.key(plan.run.seed), role_id("sample"))

    def draw(nets: Trained, numbers: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
        task = plan.task(frozen=nets.frozen)
        return task, task.draw(jax.vmap(lambda i: jax.random.fold_in(key, i))(numbers))

    return draw


def given_inputs(plan: Plan, images: Images, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """The task's `given` features of examples number [N], as 8-bit pictures: the middle of what is stored."""
    return {name: images.gather_feature(name, numbers.astype(np.int64)) for name in plan.given}


def make_generate(plan: Plan, way: str = "ab") -> Callable:
    """`(nets, numbers [N]) -> images [N, H, W, C]` in [-1, 1], or points; of a generator with styles also `psi` [N],
    truncated; with what `given_inputs` returns by name; of a translator of two ways with its way, "ab" or "ba"."""
    draw, how = _make_draw(plan), {} if way == "ab" else {"way": way}

    def generate(nets: Trained, numbers, psi=None, **given):
        task, inputs = draw(nets, numbers)
        for name, x in given.items():
            is_picture = plan.features[name].kind == "picture"
            inputs[name] = x.astype(jnp.float32) / 127.5 - 1 if is_picture else x
        return task.generate(nets.players, inputs if psi is None else task.styles(nets.players, inputs, psi), **how)

    return generate


def make_interpolate(plan: Plan, space: str = "z") -> Callable:
    """`(nets, from [N], to [N], t [N]) -> images [N, H, W, C]`: the share t of the way from one number to another, in the
    latent space ("z") or among styles ("w"); of a generator with styles perhaps truncated by one more argument."""
    draw = _make_draw(plan)

    def interpolate(nets: Trained, a, b, t, psi=None):
        (task, first), (_, last) = draw(nets, a), draw(nets, b)

        def styles(inputs):
            return task.styles(nets.players, inputs, 1.0 if psi is None else psi)

        if space == "w":
            return task.generate(nets.players, task.blend(styles(first), styles(last), t))
        between = task.blend(first, last, t)
        return task.generate(nets.players, between if psi is None else styles(between))

    return interpolate


def make_mix(plan: Plan, layers: tuple[int, ...]) -> Callable:
    """`(nets, numbers [N], others [N], psi [N]) -> images`, painted with the others' styles in these layers."""
    draw = _make_draw(plan)

    def mix(nets: Trained, numbers, others, psi):
        (task, first), (_, second) = draw(nets, numbers), draw(nets, others)
        own, other = (task.styles(nets.players, inputs, psi) for inputs in (first, second))
        taken = jnp.isin(jnp.arange(own["w"].shape[1]), jnp.array(layers))
        return task.generate(nets.players, {**own, "w": jnp.where(taken[:, None], other["w"], own["w"])})

    return mix
