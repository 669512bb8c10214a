"""What a run will take: parameters, memory and arithmetic, known from shapes before anything runs."""

import math
import os
from typing import Any

import jax
import numpy as np

from jaxgan import step
from jaxgan.config.run import DTYPES
from jaxgan.data.features import NUMBERS
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.memory import human
from jaxgan.nets.layers import wide
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.program import make_program
from jaxgan.state import GanState, StepInputs, Update


def size(tree: Any) -> int:
    """Bytes of a tree of arrays or shapes."""
    return sum(math.prod(x.shape) * x.dtype.itemsize for x in jax.tree.leaves(tree))


def data_size(images: Images) -> int:
    """Bytes of a data set that stays on the device; 0 for one that is read ahead."""
    return size(shapes(images, (len(images),))) if images.resident else 0


def shapes(images: Images, first: tuple[int, ...]) -> dict[str, jax.ShapeDtypeStruct]:
    """The shapes of a batch, or of a whole data set, as it is stored; first: its leading axes."""
    out, lengths = {}, images.lengths()
    for name, feature in images.features.items():
        shape, leading = images.stored_shape(feature), first
        if images.resident and len(first) == 1:  # see `program.resident`
            shape, leading = (math.prod(shape),) if shape else (), (lengths[feature.stream],)
        out[name] = jax.ShapeDtypeStruct((*leading, *shape), feature.dtype)
    return out


def capacity(placement: Placement) -> int:
    """Bytes that a device of this process may use; of a CPU's devices, their share of the machine's memory."""
    device = placement.local_devices[0]
    stats = device.memory_stats() or {}
    if "bytes_limit" in stats:
        return stats["bytes_limit"]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // len(placement.local_devices)


def check_batch(plan: Plan, placement: Placement) -> None:
    """Refuses a batch that the devices cannot share. Raises UserError."""
    check_share(plan, placement.size)


def check_share(plan: Plan, devices: int) -> None:
    """`check_batch` for so many devices."""
    size = plan.run.batch_size
    if size % devices:
        near = max(devices, round(size / devices) * devices)
        raise UserError(f"batch_size={size} is not divisible by the {devices} devices; {near} is")
    if size // devices % plan.group:
        near = max(1, round(size / devices / plan.group)) * plan.group * devices
        raise UserError(f"batch_size={size} gives each of {devices} devices no whole groups of {plan.group}; {near} does")
    many = plan.run.accumulate
    if size // devices % (many * plan.group):
        near = max(1, round(size / devices / plan.group / many)) * plan.group * many * devices
        raise UserError(f"batch_size={size} gives each of {devices} devices no {many} equal parts; {near} does")


def check(plan: Plan, images: Images, placement: Placement, members: int = 1) -> None:
    """Refuses what cannot fit even without a single activation: so many states, and one gradient. Raises UserError."""
    shapes = plan.shapes()
    gradients = max(size(params) for params in shapes.params.values())
    states = members * size(shapes)
    need, have = states + gradients + data_size(images), capacity(placement)
    if need > have:
        fewer = " or --config.data.resident=off" if data_size(images) > have / 2 else ""
        parts = f"params, optimizer, averages and gradients {human(states + gradients)}, data {human(data_size(images))}"
        raise UserError(
            f"this run needs at least {human(need)} on each device, which has {human(have)} ({parts}); "
            f"make the networks smaller{fewer}"
        )


def flops(plan: Plan) -> dict[str, float]:
    """Floating-point operations of one round of each update on the global batch, as XLA counts them in the unoptimised
    program; a multiplication with an addition is two."""

    def one_round(state: GanState, inputs: StepInputs, examples: Any, update: Update):
        parts = plan.assemble(inputs, state.step)
        keys = Keys(state.rng, state.step, 0, 0, plan.run.batch_size)
        return step.descend(parts, update, state, state, examples, keys)

    dtype, n = wide(DTYPES[plan.run.dtype]), plan.run.batch_size
    examples = {
        name: jax.ShapeDtypeStruct((n, *feature.shape), feature.dtype if feature.kind in NUMBERS else dtype)
        for name, feature in plan.features.items()
    }
    counts = {}
    for update in plan.updates:
        lowered = jax.jit(one_round, static_argnums=3).lower(plan.shapes(), plan.inputs, examples, update)
        counts[update.loss] = float((lowered.cost_analysis() or {}).get("flops", math.nan))
    return counts


def compiled(plan: Plan, images: Images, placement: Placement) -> Any:
    """The compiled step of a run on a placement's devices, which need not be there."""
    own = plan.shapes()
    step: Any = placement.wrap(make_program(plan, images), not images.resident, own)
    first = (len(images),) if images.resident else (plan.rounds, plan.run.batch_size)
    split = placement.replicated if images.resident else placement.sharded

    def at(tree: Any, sharding: Any) -> Any:
        return jax.tree.map(lambda x: jax.ShapeDtypeStruct(np.shape(x), x.dtype, sharding=sharding), tree)

    places = placement.shardings(own)
    state = jax.tree.map(lambda x, place: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), own, places)
    inputs, count = (at(tree, placement.replicated) for tree in (plan.inputs, np.int32(1)))
    return step.lower(state, inputs, at(shapes(images, first), split), count).compile()


def layers(plan: Plan) -> list[str]:
    """A line for each layer of each player: its params' shapes and their number."""
    lines = []
    for player, params in plan.shapes().params.items():
        lines.append(f"{player}: {plan.num_params(player):,} params")
        several = len(plan.nets_of(player)) > 1
        named = {f"{net}.{name}": x for net, own in params.items() for name, x in own.items()} if several else params
        for name, layer in named.items():
            leaves = jax.tree.leaves(layer)
            shapes = " ".join("x".join(map(str, x.shape)) or "1" for x in leaves[:6]) + (" ..." if len(leaves) > 6 else "")
            lines.append(f"  {name:<18} {sum(math.prod(x.shape) for x in leaves):>12,}  {shapes}")
    return lines


def report(plan: Plan, images: Images, placement: Placement) -> str:
    """What `--dry_run` prints: layers, arithmetic and memory. Compiles the step for the last."""
    shapes, counts = plan.shapes(), flops(plan)
    per_step = sum(counts[u.loss] * u.rounds / u.every for u in plan.updates)
    lines = layers(plan)
    lines.append("arithmetic of a step, all devices together")
    for update in plan.updates:
        times = (f" x{update.rounds}" if update.rounds > 1 else "") + (f" every {update.every}" if update.every > 1 else "")
        lines.append(f"  {update.loss + times:<18} {human(counts[update.loss], 'FLOP'):>12}")
    lines.append(f"  {'step':<18} {human(per_step, 'FLOP'):>12}")
    lines.append(f"  {'whole run':<18} {human(per_step * plan.run.steps, 'FLOP'):>12}")
    memory = {
        "params": size(shapes.params),
        "optimizer": size(shapes.opt_state),
        "averages": size(shapes.ema),
        "memory": size(shapes.memory),
        **({"frozen networks": size(plan.inputs.frozen)} if plan.frozen else {}),
        "data": data_size(images),
        "step": compiled(plan, images, placement).memory_analysis().temp_size_in_bytes,
    }
    lines.append("memory of a device")
    lines += [f"  {name:<18} {human(number):>12}" for name, number in memory.items()]
    lines.append(f"  {'of':<18} {human(capacity(placement)):>12}")
    return "\n".join(lines)
