"""What each replica runs in one dispatch: some steps in a row, the data taken and the metrics added up on the device.

How many steps a dispatch has is an argument of the one compiled program, the trip count of a loop. So a run that is cut
into other dispatches, by a log, a checkpoint or another `steps_per_dispatch`, executes the same code and ends in the
same bits.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxgan import parallel
from jaxgan.config.run import DTYPES, Run
from jaxgan.data import order
from jaxgan.data.features import Feature
from jaxgan.data.source import Images
from jaxgan.nets.layers import wide
from jaxgan.plan import Plan
from jaxgan.state import GanState, StepInputs
from jaxgan.step import make_train_step

GROUP = 8  # steps that "auto" puts in a dispatch: a small step on a GPU is shorter than its own dispatch


def make_program(plan: Plan, images: Images) -> Callable:
    """What each replica runs: `(state, inputs, data, count) -> (state, {"totals", "first_bad"})`.

    data: this replica's batch [rounds, n, ...], which serves one step; or `resident(images)`, from which each step takes the
    same examples that it would have been given. count: steps, int32. totals: see `means`.
    """
    examples = make_batch(plan, images)
    train_step = make_train_step(plan.assemble, plan.updates, plan.run.simultaneous)

    @jax.jit  # so that finding the metrics' shapes and running the loop share one trace
    def one(state: GanState, inputs: StepInputs, data: Any):
        return train_step(state, examples(state.step, data, inputs.order), inputs)

    def program(state: GanState, inputs: StepInputs, data: dict[str, jax.Array], count: jax.Array):
        def body(_, carry):
            state, totals = carry
            state, metrics = one(state, inputs, data)
            return state, _add(totals, metrics)

        metrics = jax.eval_shape(one, state, inputs, data)[1]
        zeros = {name: (jnp.zeros(x.shape, x.dtype), jnp.zeros(x.shape, jnp.int32)) for name, x in metrics.items()}
        state, totals = lax.fori_loop(0, count, body, (state, zeros))
        return state, {"totals": totals, "first_bad": state.first_bad}

    return program


def resident(images: Images) -> dict[str, np.ndarray]:
    """A whole data set as a device keeps it, an example a flat row. A TPU pads the last axes of what it gathers from, and
    three channels would take as much memory as 128."""
    return {name: x.reshape(len(x), -1) if x.ndim > 2 else x for name, x in images.load().items()}


def make_batch(plan: Plan, images: Images) -> Callable:
    """`(step, data, key) -> batch`: a step's examples, as the networks see them."""
    config, dtype = plan.config, wide(DTYPES[plan.run.dtype])
    stored = {name: images.stored_shape(feature) for name, feature in images.features.items()}

    def batch(step: jax.Array, data: dict[str, jax.Array], key: jax.Array) -> dict[str, jax.Array]:
        rows = parallel.rows(config.batch_size // parallel.size())
        at, out = order.positions(step, plan.rounds, config.batch_size, rows, jnp), {}
        for stream, n in images.lengths().items():
            own = order.stream_key(stream, key, jnp)
            index = order.example_index(at, n, own, jnp) if images.resident else None
            for name, feature in images.features.items():
                if feature.stream == stream:
                    x = data[name] if index is None else data[name][index].reshape(*index.shape, *stored[name])
                    out[name] = taken(x, feature, at, own)
        return out

    def taken(x: jax.Array, feature: Feature, at: jax.Array, key: jax.Array) -> jax.Array:
        """A feature [rounds, n, ...] of the positions `at`, from what is stored."""
        if feature.kind == "tokens":
            one = order.choice(at, key, feature.choices, jnp)
            return jnp.take_along_axis(x, one[..., None, None], -2)[..., 0, :]
        return x if feature.kind == "label" else seen(x, feature, at, key)

    def seen(x: jax.Array, feature: Feature, at: jax.Array, key: jax.Array) -> jax.Array:
        """Pictures, or points, [rounds, n, ...] of the positions `at`."""
        if feature.kind == "points":
            return x.astype(dtype)
        if images.jitter:
            unit = images.unit(feature.stream)
            top, left = order.places(at, key, images.jitter // unit + 1, jnp)
            step = unit // feature.scale
            x = _cut(x, *((top, left) if step == 1 else (top * step, left * step)), images.jitter // feature.scale)
        if images.turns:
            x = _turned(x, order.turn(at, key, jnp)[..., None, None, None])
        if images.flip:
            x = jnp.where(order.coin(at, key, jnp)[..., None, None, None], x[..., ::-1, :], x)
        return x.astype(dtype) / 127.5 - 1

    return batch


def _cut(image: jax.Array, top: jax.Array, left: jax.Array, jitter: int) -> jax.Array:
    """Of each picture [..., H + jitter, W + jitter, C] the part [..., H, W, C] from (top, left) on."""
    *leading, height, width, channels = image.shape
    size = (height - jitter, width - jitter, channels)
    cut = jax.vmap(lambda x, y, left: lax.dynamic_slice(x, (y, left, 0), size))
    flat = cut(image.reshape(-1, height, width, channels), top.reshape(-1), left.reshape(-1))
    return flat.reshape(*leading, *size)


def _turned(image: jax.Array, quarters: jax.Array) -> jax.Array:
    """Square pictures [..., S, S, C], each turned counterclockwise by so many quarters [..., 1, 1, 1] of a circle."""
    x = jnp.where(quarters % 2 == 1, image.swapaxes(-3, -2), image)
    x = jnp.where((quarters == 1) | (quarters == 2), x[..., ::-1, :, :], x)
    return jnp.where(quarters >= 2, x[..., ::-1, :], x)


def dispatches(run: Run, length: int, first: int) -> Iterator[int]:
    """The steps at which the host takes over, from step `first` on: multiples of the dispatch's `length`, every step at
    which something is due, and the last. They are absolute, so a resumed run has the same ones."""
    at = [run.log.every, run.sample.every, run.checkpoint.every, run.eval.every, length]
    while first < run.steps:
        first = min([run.steps] + [(first // every + 1) * every for every in at if every > 0])
        yield first


def steps_per_dispatch(run: Run, images: Images, members: int = 1) -> int:
    """The number behind 0, "auto": more than one where the data are on the device, and the device is not the host or has a
    population to train, whose states each dispatch moves."""
    if not images.resident:
        return 1
    return run.steps_per_dispatch or (1 if jax.default_backend() == "cpu" and members == 1 else GROUP)


@jax.jit
def single_params(state: GanState) -> dict[str, jax.Array]:
    """{"param/disc.psi": value} of every param that is one number, or one a member."""
    size = jnp.size(state.first_bad)
    leaves = jax.tree_util.tree_leaves_with_path(state.params)
    names = ((f"param/{jax.tree_util.keystr(path, simple=True, separator='.')}", x) for path, x in leaves)
    return {name: x.reshape(state.first_bad.shape) for name, x in names if x.size == size}


def _add(totals: Any, metrics: dict[str, jax.Array]) -> dict[str, Any]:
    """Sums and counts of metrics; NaN is the mark of an update that this step did not make."""
    seen = {name: ~jnp.isnan(x) for name, x in metrics.items()}
    return {
        name: (total + jnp.where(seen[name], metrics[name], 0), number + seen[name].astype(jnp.int32))
        for name, (total, number) in totals.items()
    }


@jax.jit
def combine(totals: Any, more: Any) -> Any:
    """The totals of two dispatches together."""
    return jax.tree.map(jnp.add, totals, more)


def totals_as_json(totals: Any) -> dict[str, list]:
    """The totals of one run as JSON, to the last bit."""
    found = jax.device_get(totals or {})
    return {name: [float(total).hex(), total.dtype.name, int(count)] for name, (total, count) in found.items()}


def totals_from_json(notes: list[dict[str, list] | None]) -> Any:
    """What `totals_as_json` wrote, of one run, or stacked of several, of which None is one that adds nothing; None where
    there are none."""
    first = next((note for note in notes if note), None)
    if first is None:
        return None
    out = {}
    for name, (_, dtype, _) in first.items():
        each = [(note or {}).get(name, ["0x0p0", dtype, 0]) for note in notes]
        sums, counts = np.array([float.fromhex(x) for x, *_ in each], dtype), np.array([n for *_, n in each], np.int32)
        out[name] = (sums, counts) if len(notes) > 1 else (sums[0], counts[0])
    return out


@jax.jit
def means(totals: Any) -> dict[str, jax.Array]:
    """{name: mean} from {name: (sum, count)}."""
    return {name: total / count for name, (total, count) in totals.items()}
