"""A trained generator's images as pure functions of their numbers: latents follow from the run's seed and a number alone; of
a translator, number i is what it makes of the data's source i.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.data.source import Images
from jaxgan.keys import role_id
from jaxgan.plan import Plan
from jaxgan.state import GanState


def variables(state: GanState, ema: bool) -> dict[str, Any]:
    """Every player's flax variables, the moving averages where `ema` and it has them."""
    return {player: state.variables(player, ema and player in state.ema) for player in state.params}


def _make_draw(plan: Plan) -> tuple[Any, Callable]:
    """The task, and numbers [N] -> its inputs: number i has the same latent in every picture."""
    task = plan.task()
    key = jax.random.fold_in(jax.random.key(plan.config.seed), role_id("sample"))
    return task, lambda numbers: task.draw(jax.vmap(lambda i: jax.random.fold_in(key, i))(numbers))


def source_inputs(plan: Plan, images: Images, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """What `make_generate`'s function takes beside the numbers [N]: a translator's {"source": uint8 [N, H, W, C']}."""
    return {"source": images.gather_sources(numbers.astype(np.int64))} if plan.ways else {}


def make_generate(plan: Plan, way: str = "ab") -> Callable:
    """`(variables, numbers [N]) -> images [N, H, W, C]` in [-1, 1]; of a generator with styles also `psi` [N], truncated; of
    a translator with `source`, see `source_inputs`, and of one of two with its way, "ab" or "ba"."""
    task, draw = _make_draw(plan)
    how = {} if way == "ab" else {"way": way}

    def generate(nets, numbers, psi=None, source=None):
        inputs = draw(numbers)
        if source is not None:
            inputs["source"] = source.astype(jnp.float32) / 127.5 - 1
        return task.generate(nets, inputs if psi is None else task.styles(nets, inputs, psi), **how)

    return generate


def make_interpolate(plan: Plan, space: str = "z") -> Callable:
    """`(variables, from [N], to [N], t [N]) -> images [N, H, W, C]`: the share t of the way from one number to another, in
    the latent space ("z") or among styles ("w"); of a generator with styles perhaps truncated by one more argument."""
    task, draw = _make_draw(plan)

    def interpolate(nets, a, b, t, psi=None):
        def styles(inputs):
            return task.styles(nets, inputs, 1.0 if psi is None else psi)

        if space == "w":
            return task.generate(nets, task.blend(styles(draw(a)), styles(draw(b)), t))
        between = task.blend(draw(a), draw(b), t)
        return task.generate(nets, between if psi is None else styles(between))

    return interpolate


def make_mix(plan: Plan, layers: tuple[int, ...]) -> Callable:
    """`(variables, numbers [N], others [N], psi [N]) -> images`, painted with the others' styles in these layers."""
    task, draw = _make_draw(plan)

    def mix(nets, numbers, others, psi):
        own, other = (task.styles(nets, draw(n), psi) for n in (numbers, others))
        taken = jnp.isin(jnp.arange(own["w"].shape[1]), jnp.array(layers))
        return task.generate(nets, {**own, "w": jnp.where(taken[:, None], other["w"], own["w"])})

    return mix
