"""A trained generator's images as pure functions of their numbers: latents follow from the run's seed and a number alone.
What else a generator starts from (a translator's source) is the data's example of that number.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.images import to_uint8
from jaxgan.keys import role_id
from jaxgan.plan import Plan
from jaxgan.state import GanState

CHUNK = 64  # pictures generated at once


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
    truncated; of one that is told labels also `label` int32 [N], in place of those drawn; with what `given_inputs` returns
    by name; of a translator of two ways with its way, "ab" or "ba"."""
    draw, how = _make_draw(plan), {} if way == "ab" else {"way": way}

    def generate(nets: Trained, numbers, psi=None, label=None, **given):
        task, inputs = draw(nets, numbers)
        if label is not None:
            inputs["label"] = label
        for name, x in given.items():
            is_picture = plan.features[name].kind == "picture"
            inputs[name] = x.astype(jnp.float32) / 127.5 - 1 if is_picture else x
        return task.generate(nets.players, inputs if psi is None else task.styles(nets.players, inputs, psi), **how)

    return generate


def make_pictures(plan: Plan, nets: Trained, data: Images | None = None, psi: float | None = None, label: int | None = None):
    """`numbers uint32 [N] -> uint8 [N, H, W, C]`, or points. data: of a generator that starts from them. psi: truncation.
    label: of all pictures, in place of those drawn. Raises UserError for a label that there is not."""
    fn, is_picture = jax.jit(make_generate(plan)), len(plan.image_shape) == 3
    if label is not None:
        check_label(plan, label)

    def make(numbers: np.ndarray) -> np.ndarray:
        own: dict[str, Any] = given_inputs(plan, data, numbers) if data else {}
        own |= {} if psi is None else {"psi": np.full(len(numbers), psi, np.float32)}
        own |= {} if label is None else {"label": np.full(len(numbers), label, np.int32)}
        made = np.asarray(fn(nets, numbers, **own))
        return to_uint8(made) if is_picture else made

    return make


def check_label(plan: Plan, label: int) -> None:
    """Refuses a label that the generator is not told. Raises UserError."""
    classes = plan.features["label"].classes if "label" in plan.features and takes_labels(plan) else 0
    if not classes:
        raise UserError("this generator is told no labels (--config.task.num_classes); leave the label out")
    if not 0 <= label < classes:
        raise UserError(f"this generator knows the labels 0 to {classes - 1}, and not {label}")


def takes_labels(plan: Plan) -> bool:
    """Whether the generator is told labels."""
    return "label" in jax.eval_shape(plan.task().draw, jax.random.split(jax.random.key(0), 1))


def drawn_labels(plan: Plan, numbers: np.ndarray) -> np.ndarray:
    """The labels that samples number [N] are asked for, of a generator that `takes_labels`; int32 [N, ...]."""
    draw = jax.jit(lambda nets, numbers: _make_draw(plan)(nets, numbers)[1]["label"])
    return np.asarray(draw(Trained({}, plan.inputs.frozen), numbers))


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
