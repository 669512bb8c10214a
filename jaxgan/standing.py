"""Standing statistics of BatchNorm (Brock et al. 2019, BigGAN): in place of the running ones, which
come of training, means over passes of the trained generator in training mode, over latents as they will be sampled.

The passes' latents and labels are drawn as samples are, from a stream of their own. So they depend on the run's seed, the
truncation, the number of passes and the size of a batch, and not on which samples are asked for: a number stays one picture.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxgan.errors import UserError
from jaxgan.generate import make_draw, trained
from jaxgan.plan import Plan
from jaxgan.state import GanState
from jaxgan.tasks.protocols import Settles

STATISTICS = "batch_stats"  # flax's collection of them
Path = tuple[str, ...]


class Standing:
    """`(state) -> state` with standing statistics of the players that make images.

    Args: plan: of the run; its truncation is that of the passes. passes: at least 1. size: of a batch. ema: whether the
    statistics belong to the moving averages of the weights, where there are any.
    Raises UserError for a generator without BatchNorm.
    """

    def __init__(self, plan: Plan, passes: int, size: int, ema: bool = True):
        if not plan.can(Settles):
            raise UserError("standing statistics are of generators that start from noise; leave them out")
        self._plan, self._passes, self._size, self._ema = plan, passes, size, ema
        self._draw = make_draw(plan, "standing")
        nets = jax.eval_shape(lambda state: trained(plan, state, ema), plan.shapes())
        self._kept, self._players = _moved(lambda: jax.eval_shape(self._settle, nets, np.uint32(0)))
        if not self._kept:
            raise UserError("standing statistics are of BatchNorm, which this run's generator has not; leave them out")
        self._pass = jax.jit(self._add)

    def __call__(self, state: GanState) -> GanState:
        nets = trained(self._plan, state, self._ema)
        sums = jax.tree.map(jnp.zeros_like, self._statistics(nets.players))
        for i in range(self._passes):
            sums = self._pass(nets, sums, np.uint32(i))
        means = {player: {path: x / self._passes for path, x in own.items()} for player, own in sums.items()}
        ema, model_state = dict(state.ema), dict(state.model_state)
        for player, own in means.items():
            if self._ema and player in ema:
                ema[player] = {**ema[player], "model_state": _with(ema[player]["model_state"], own)}
            else:
                model_state[player] = _with(model_state[player], own)
        return state.replace(ema=ema, model_state=model_state)

    def _settle(self, nets: Any, i: jax.Array) -> dict[str, Any]:
        task, inputs = self._draw(nets, i * np.uint32(self._size) + jnp.arange(self._size, dtype=jnp.uint32))
        return task.settle(nets.players, inputs)

    def _add(self, nets: Any, sums: dict[str, Any], i: jax.Array) -> dict[str, Any]:
        """`sums` and the statistics of one more batch. A pass leaves kept * before + (1 - kept) * batch: before is 0."""
        zeros = jax.tree.map(jnp.zeros_like, self._statistics(nets.players))
        players = {player: _with(x, zeros.get(player, {})) for player, x in nets.players.items()}
        after = self._statistics(self._settle(nets._replace(players=players), i))
        return {
            player: {path: x + after[player][path] / (1 - self._factor(path)) for path, x in own.items()}
            for player, own in sums.items()
        }

    def _statistics(self, players: dict[str, Any]) -> dict[str, dict[Path, Any]]:
        """{player: {path: mean or variance}} of the BatchNorms of those players that a pass moves."""
        flat: dict[str, Any] = {player: flatten_dict(players[player].get(STATISTICS, {})) for player in self._players}
        return {player: {at: x for at, x in own.items() if self._factor(at)} for player, own in flat.items()}

    def _factor(self, path: Path) -> float:
        """The share of a statistic that a pass keeps; 0 for what is of no BatchNorm. Of a player of several networks the
        path begins with the network's name, which a module does not know."""
        return next((kept for module, kept in self._kept.items() if path[:-1][-len(module) :] == module), 0.0)


def _moved(run: Callable[[], dict[str, Any]]) -> tuple[dict[Path, float], tuple[str, ...]]:
    """({path of a BatchNorm: the share of its statistics that `run` keeps}, players that it returns)."""
    kept: dict[Path, float] = {}

    def note(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
        module = context.module
        if isinstance(module, nn.BatchNorm) and context.method_name == "__call__":
            fixed = kwargs.get("use_running_average", args[1] if len(args) > 1 else None)
            if not (module.use_running_average if fixed is None else fixed):
                kept[module.path] = kept.get(module.path, 1.0) * module.momentum
        return call(*args, **kwargs)

    with nn.intercept_methods(note):
        players = run()
    return kept, tuple(players)


def _with(collections: dict[str, Any], statistics: dict[Path, jax.Array]) -> dict[str, Any]:
    """A player's collections with these statistics in place."""
    if not statistics:
        return collections
    return {**collections, STATISTICS: unflatten_dict(flatten_dict(collections[STATISTICS]) | statistics)}
