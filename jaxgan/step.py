"""The training step: one pass over a list of updates. It knows no GAN.

For each update, for each of its rounds: advance the player's spectral norms, differentiate the task's loss with respect to
the player's params, average the gradients over the replicas, let the player's optimizer move the params. Then the moving
averages. That is all.
"""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxgan import monitor, parallel, spectral
from jaxgan.errors import UserError, nearest
from jaxgan.keys import Keys
from jaxgan.remat import recomputed
from jaxgan.state import NEVER, Aux, GanState, StepInputs, Update

Metrics = dict[str, jax.Array]
FINITE = "finite"  # among the metrics of an update, and in no log: the share of its rounds whose loss is finite


class Parts(NamedTuple):
    """What a step works with, built inside the trace from the hyper-parameters of the moment.

    task: see `tasks`. tx: an optax transform a player. ema_decay: of the moving averages, for one step. accumulate: in how
    many parts, one after the other, a batch is computed. remat: whether what lies within networks' parts is computed again.
    """

    task: Any
    tx: dict[str, optax.GradientTransformation]
    ema_decay: Any
    accumulate: int = 1
    remat: bool = False


def make_train_step(assemble: Callable[[StepInputs, jax.Array], Parts], updates: list[Update], simultaneous: bool = False):
    """The step, a pure function `(state, batch, inputs) -> (state, metrics)`.

    Args:
      assemble: (inputs, step) -> Parts.
      updates: carried out in this order. An update of r rounds takes the last r rounds of the batch.
      simultaneous: all gradients at the same params and on the same draws; else each update sees those before it.

    The batch's leaves are [rounds, examples of this replica, ...].
    """

    def train_step(state: GanState, batch: Any, inputs: StepInputs) -> tuple[GanState, Metrics]:
        parts, start, metrics = assemble(inputs, state.step), state, {}
        for i, update in enumerate(updates):
            at, draws = (start, 0) if simultaneous else (None, i)
            run = partial(carry_out, parts, update, batch, at, draws)
            state, more = run(state) if update.every == 1 else _sometimes(run, state, update.every)
            state = state.replace(first_bad=_first_bad(state, more.pop(FINITE), update, i, len(updates)))
            metrics |= more
        ema = optax.incremental_update(_averaged(state), state.ema, 1 - parts.ema_decay)
        return state.replace(step=state.step + 1, ema=_renormed(ema, state)), metrics

    return train_step


def carry_out(parts: Parts, update: Update, batch: Any, at: GanState | None, draws: int, state: GanState):
    """All rounds of one update, on the last of the batches: (state, metrics), the mean over the rounds.

    at: where to take gradients; None is wherever the state has got to. draws: the update that random keys belong to.
    """

    def one_round(state: GanState, xs: tuple[jax.Array, Any]):
        round, examples = xs
        keys = Keys(state.rng, state.step, draws, round, len(jax.tree.leaves(examples)[0]))
        return descend(parts, update, state, state if at is None else at, examples, keys)

    last = jax.tree.map(lambda x: x[-update.rounds :], batch)
    state, metrics = lax.scan(one_round, state, (jnp.arange(update.rounds), last))
    return state, jax.tree.map(lambda x: jnp.mean(x, 0), metrics)


def descend(parts: Parts, update: Update, state: GanState, at: GanState, examples: Any, keys: Keys):
    """One gradient step of one player on one batch: gradients at `at`, applied to `state`. Returns (state, metrics)."""
    player = update.player

    def advance(state: GanState, player: str, loss: str) -> GanState:
        """The state after such a step of a player, on the same batch and draws; differentiable."""
        return descend(parts._replace(remat=False), Update(player, loss), state, state, examples, keys)[0]  # it is on

    moved = {} if update.is_lazy else _advanced(at, player)
    at = at.replace(model_state={**at.model_state, player: {**at.model_state[player], **moved}})

    def loss_fn(params, examples: Any, keys: Keys) -> tuple[jax.Array, Aux]:
        with recomputed() if parts.remat else nullcontext():
            out = parts.task.loss(update.loss, at.replace(params={**at.params, player: params}), examples, keys, advance)
        return _checked(out, type(parts.task).__name__, at)

    gradient = partial(jax.value_and_grad(loss_fn, has_aux=True), at.params[player])
    many = parts.accumulate
    (loss, aux), grads = gradient(examples, keys) if many == 1 else _accumulated(gradient, examples, keys, many)
    grads, loss, metrics = parallel.mean((grads, loss, aux.metrics))
    changes, opt_state = parts.tx[player].update(grads, state.opt_state[player], state.params[player])
    params = optax.apply_updates(state.params[player], changes)
    metrics = metrics | _norms(update, state.step, grads, changes, state.params[player])
    metrics[FINITE] = jnp.isfinite(loss).astype(jnp.float32)
    model_state = {**state.model_state, **aux.model_state}
    model_state[player] = {**model_state[player], **moved}
    return state.replace(
        params={**state.params, player: params},
        opt_state={**state.opt_state, player: opt_state},
        model_state=model_state,
        memory={**state.memory, **aux.memory},
    ), metrics


def _accumulated(gradient: Callable, examples: Any, keys: Keys, many: int) -> Any:
    """What `gradient(examples, keys)` returns, from so many parts of the examples one after the other: means of floats, and
    of all else the last part's."""

    @jax.jit  # so that finding the shapes and running the loop share one trace
    def of_part(at: jax.Array, some: Any):
        with parallel.in_parts(many):
            return gradient(some, keys.part(many, at))

    def add(total: Any, xs: tuple[jax.Array, Any]):
        found = of_part(*xs)
        return jax.tree.map(lambda t, x: t + x / many if jnp.issubdtype(x.dtype, jnp.floating) else x, total, found), None

    parts = jax.tree.map(lambda x: x.reshape(many, len(x) // many, *x.shape[1:]), examples)
    xs = jnp.arange(many), parts
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(of_part, *jax.tree.map(lambda x: x[0], xs)))
    return lax.scan(add, zeros, xs)[0]


def _checked(out: Any, task: str, at: GanState) -> tuple[jax.Array, Aux]:
    """What a loss returned. Raises UserError, while the step is traced, where it is something else than it should be."""
    if not (isinstance(out, tuple) and len(out) == 2 and isinstance(out[1], Aux)):
        raise UserError(f"{task}.loss must return (scalar, jaxgan.state.Aux), not {type(out).__name__}")
    if jnp.shape(out[0]) != ():
        raise UserError(f"{task}.loss must return a scalar, not an array of shape {jnp.shape(out[0])}")
    for player in out[1].model_state:
        if player not in at.model_state:
            raise UserError(f"{task}.loss changes collections of '{player}'; {nearest(player, at.model_state)}")
    return out


def _advanced(at: GanState, player: str) -> dict[str, Any]:
    """A player's collection "spectral", one power iteration further; {} where it has none."""
    own = at.model_state[player].get("spectral")
    return {} if own is None else {"spectral": spectral.advance(at.params[player], own)}


def _norms(update: Update, step: jax.Array, grads: Any, changes: Any, params: Any) -> Metrics:
    """`monitor`'s numbers of an update, at every `monitor.EVERY`-th step; in between they are NaN."""

    def measured() -> Metrics:
        return {
            f"{update.loss}/grad_norm": optax.tree.norm(grads),
            f"{update.loss}/update_ratio": optax.tree.norm(changes) / (optax.tree.norm(params) + 1e-12),
        }

    absent = _absent(jax.eval_shape(measured))
    return lax.cond(step % monitor.EVERY == 0, measured, lambda: absent)


def _sometimes(run: Callable, state: GanState, every: int) -> tuple[GanState, Metrics]:
    """`run` at every `every`-th step; in between its metrics are NaN, which says: none."""
    absent = _absent(jax.eval_shape(run, state)[1])
    return lax.cond(state.step % every == 0, run, lambda state: (state, absent), state)


def _absent(shapes: Metrics) -> Metrics:
    """Metrics of an update that was not made."""
    return jax.tree.map(lambda x: jnp.full(x.shape, jnp.nan, x.dtype), shapes)


def _averaged(state: GanState) -> dict[str, Any]:
    return {p: {"params": parallel.part(state.params[p]), "model_state": state.model_state[p]} for p in state.ema}


def _renormed(ema: Any, state: GanState) -> dict[str, Any]:
    """The averages, with spectral norms of their own kernels: an average of unit vectors is shorter than one."""
    out = {}
    for player, own in ema.items():
        old, moved = state.ema[player]["model_state"].get("spectral"), {}
        if old is not None:
            moved = {"spectral": spectral.advance(parallel.whole(own["params"], state.params[player]), old)}
        out[player] = {**own, "model_state": {**own["model_state"], **moved}}
    return out


def _first_bad(state: GanState, finite: jax.Array, update: Update, i: int, n: int) -> jax.Array:
    """The first (step, update) whose loss is not finite, or which left the norm of its player's params non-finite, which in
    float32 they are from 1e19 on; once set it stays. No word to the host. finite: NaN where the update was not made."""
    bad = (finite < 1) | ~jnp.isfinite(optax.tree.norm(state.params[update.player]))
    return jnp.minimum(state.first_bad, jnp.where(bad, state.step * n + i, NEVER))
