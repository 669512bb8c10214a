"""Runs that differ in their seed, or in hyper-parameters that are data, trained together by one program.

Each member keeps its own order of the data, noise, optimizer and folder: it is the run that it would have been alone, but
for rounding. What members share is the compiled program, the data on the device, and the dispatch.
"""

import json
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxgan import program
from jaxgan.config.resolve import Config, flat, scalars_of
from jaxgan.data.source import Images
from jaxgan.data.subset import OF_RUN
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.sections import sections
from jaxgan.state import GanState, StepInputs

LARGEST = 16  # members of a population; more make several
AXES = GanState(step=None, params=0, model_state=0, opt_state=0, ema=0, memory=0, rng=0, first_bad=0)  # pyright: ignore
INPUT_AXES: Any = StepInputs(0, 0, None)  # pyright: ignore


def kind(config: Config) -> str:
    """A text that is the same for resolved configs whose runs one program can train; empty for one that trains alone."""
    if config.population == "off" or config.rollbacks or config.shards > 1:  # members go through every step together
        return ""
    scalars = scalars_of(config, sections(config.to_dict()))
    data_follow = config.data.get("subset_seed") == OF_RUN  # then members of other seeds have other data
    fields = {key: x for key, x in flat(config.to_dict()).items() if (key != "seed" or data_follow) and key not in scalars}
    return json.dumps([fields, str(jax.tree.structure(scalars))], default=str)


def form() -> str:
    """ "vmap", every member in each operation, where devices have room for more; "map", one member after the other, on a
    CPU, whose cores one member fills and where a member's bits then do not depend on how many there are."""
    return "map" if jax.default_backend() == "cpu" else "vmap"


def spreads(members: int, placement: Placement) -> bool:
    """Whether each device trains some of the members, on whole batches, and not all devices every member, on parts of them:
    where their number allows it, in one process."""
    alone = jax.process_count() == 1 and placement.kind == "shard_map"
    return alone and placement.size > 1 and members > 1 and members % placement.size == 0


def make_program(plan: Plan, images: Images, form: str) -> Callable:
    """`program.make_program` for a population: states and inputs are stacked, [members, ...], but for the step
    and frozen networks, which all share. So a lazy update stays a branch."""
    single = program.make_program(plan, images)
    if form == "vmap":
        return jax.vmap(single, in_axes=(AXES, INPUT_AXES, None, None), out_axes=(AXES, 0))

    def run(states: GanState, inputs: StepInputs, data: Any, count: jax.Array):
        def member(x):
            state, scalars, order = x
            state, report = single(
                state.replace(step=states.step), inputs._replace(scalars=scalars, order=order), data, count
            )
            return state.replace(step=None), report

        after, report = lax.map(member, (states.replace(step=None), inputs.scalars, inputs.order))
        return after.replace(step=states.step + count), report

    return run


def stack(states: list[GanState]) -> GanState:
    """The population's state from its members', which are at the same step."""
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *[state.replace(step=None) for state in states])
    return stacked.replace(step=states[0].step)


def stack_inputs(plans: list[Plan]) -> StepInputs:
    """Scalars and orders are stacked; frozen networks are shared."""
    scalars = jax.tree.map(lambda *x: np.stack(x), *[plan.inputs.scalars for plan in plans])
    return StepInputs(scalars, np.stack([plan.inputs.order for plan in plans]), plans[0].inputs.frozen)


def cut(tree: Any, n: int) -> list[Any]:
    """A stacked tree's members; of a state, each with the step that they share."""
    shared = {"step": tree.step} if isinstance(tree, GanState) else {}
    stacked = tree.replace(step=None) if shared else tree
    parts = [jax.tree.map(lambda x, i=i: x[i], stacked) for i in range(n)]
    return [part.replace(**shared) for part in parts] if shared else parts
