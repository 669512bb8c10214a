"""A trained generator's images as pure functions of their numbers: latents follow from the run's seed and a number alone.
What else a generator starts from (a translator's source) is the data's example of that number.
"""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.data.source import Images
from jaxgan.errors import UserError, nearest
from jaxgan.images import to_uint8
from jaxgan.keys import role_id
from jaxgan.plan import Plan
from jaxgan.state import GanState
from jaxgan.tasks.protocols import Truncates
from jaxgan.truncation import Truncation

CHUNK = 64  # pictures generated at once


class Trained(NamedTuple):
    """What a run has learned. players: {player: flax variables}. frozen: variables of its frozen networks, by name."""

    players: dict[str, Any]
    frozen: dict[str, Any]


def trained(plan: Plan, state: GanState, ema: bool) -> Trained:
    """Every player's flax variables, the moving averages where `ema` and it has them."""
    players = {player: state.variables(player, ema and player in state.ema) for player in state.params}
    return Trained(players, plan.inputs.frozen)


def make_draw(plan: Plan, role: str = "sample") -> Callable:
    """(the task, its inputs for numbers [N]) as a function of (nets, numbers): number i always has the same latent, of each
    role another one. Of a plan with truncation also t, a number or [N], in place of that plan's."""
    key, cut = jax.random.fold_in(jax.random.key(plan.run.seed), role_id(role)), plan.truncation

    def draw(nets: Trained, numbers: jax.Array, t: Any = None) -> tuple[Any, dict[str, jax.Array]]:
        task = plan.task(frozen=nets.frozen)
        inputs = task.draw(jax.vmap(lambda i: jax.random.fold_in(key, i))(numbers))
        return task, task.truncate(inputs, cut.kind, cut.t if t is None else t) if cut else inputs

    return draw


def truncated(plan: Plan, truncation: Truncation | None) -> Plan:
    """The same plan, whose generator starts from truncated latents wherever it samples. Raises UserError where it cannot."""
    out = copy.copy(plan)
    out.truncation = truncation
    if truncation is None:
        return out
    if not plan.can(Truncates):
        raise UserError("truncation is of a latent z, and this run's generator has none; leave it out")
    kinds = plan.task().truncations
    if not kinds:
        raise UserError("this generator turns z into styles, and its truncation is of those: --truncation_psi=0.7")
    if truncation.kind not in kinds:
        raise UserError(
            f"truncation by '{truncation.kind}' is of a normal z, and this run's is uniform; "
            f"{nearest(truncation.kind, kinds)}"
        )
    return out


def given_inputs(plan: Plan, images: Images, numbers: np.ndarray) -> dict[str, np.ndarray]:
    """The task's `given` features of examples number [N], as 8-bit pictures: the middle of what is stored."""
    return {name: images.gather_feature(name, numbers.astype(np.int64)) for name in plan.given}


def make_generate(plan: Plan, way: str = "ab") -> Callable:
    """`(nets, numbers [N]) -> images [N, H, W, C]` in [-1, 1], or points; of a generator with styles also `psi` [N],
    truncated; of one that is told labels also `label` int32 [N], in place of those drawn; of a plan with truncation also `t`
    [N], in place of its own; with what `given_inputs` returns by name; of a translator of two ways with its way, "ab" or
    "ba"."""
    draw, how = make_draw(plan), {} if way == "ab" else {"way": way}

    def generate(nets: Trained, numbers, psi=None, label=None, t=None, **given):
        task, inputs = draw(nets, numbers, t)
        if label is not None:
            inputs["label"] = label
        for name, x in given.items():
            is_picture = plan.features[name].kind == "picture"
            inputs[name] = x.astype(jnp.float32) / 127.5 - 1 if is_picture else x
        return task.generate(nets.players, inputs if psi is None else task.styles(nets.players, inputs, psi), **how)

    return generate


def make_pictures(plan: Plan, nets: Trained, data: Images | None = None) -> Callable:
    """`numbers uint32 [N] -> uint8 [N, H, W, C]`, or points; by name also what `make_generate` takes: psi, label, t, [N],
    and what the generator starts from. data: whose examples it starts from otherwise."""
    fn, is_picture = jax.jit(make_generate(plan)), len(plan.image_shape) == 3

    def make(numbers: np.ndarray, **asked: np.ndarray) -> np.ndarray:
        given = given_inputs(plan, data, numbers) if data else {}
        made = np.asarray(fn(nets, numbers, **(given | asked)))
        return to_uint8(made) if is_picture else made

    return make


def make_labels(plan: Plan) -> Callable[[np.ndarray], np.ndarray]:
    """`numbers uint32 [N] -> int32 [N]`, the labels that the generator is told with these numbers; [N, K] of attributes."""
    draw, nets = make_draw(plan), Trained({}, plan.inputs.frozen)
    labels = jax.jit(lambda nets, numbers: draw(nets, numbers)[1]["label"])
    return lambda numbers: np.asarray(labels(nets, numbers))


def takes_labels(plan: Plan) -> bool:
    """Whether the generator is told labels."""
    return "label" in jax.eval_shape(plan.task().draw, jax.random.split(jax.random.key(0), 1))


def make_interpolate(plan: Plan, space: str = "z") -> Callable:
    """`(nets, from [N], to [N], t [N]) -> images [N, H, W, C]`: the share t of the way from one number to another, in the
    latent space ("z") or among styles ("w"); of a generator with styles perhaps truncated by one more argument."""
    draw = make_draw(plan)

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
    draw = make_draw(plan)

    def mix(nets: Trained, numbers, others, psi):
        (task, first), (_, second) = draw(nets, numbers), draw(nets, others)
        own, other = (task.styles(nets.players, inputs, psi) for inputs in (first, second))
        taken = jnp.isin(jnp.arange(own["w"].shape[1]), jnp.array(layers))
        return task.generate(nets.players, {**own, "w": jnp.where(taken[:, None], other["w"], own["w"])})

    return mix
