"""What a run carries from step to step: arrays only, the same on every replica."""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

NEVER = 2**31 - 1  # `first_bad` of a healthy run
LAZY = "term/"  # how the losses of lazy terms are called, "term/r1"


class GanState(flax.struct.PyTreeNode):
    """The whole of a run; saving it is saving the run.

    step: int32, passes over the update list. params, opt_state: by player. model_state: by player, the networks' other
    collections (BatchNorm statistics, spectral-norm vectors). ema: by player, moving averages {"params", "model_state"}.
    memory: unlearned state that a loss owns. rng: the root key, which never advances. first_bad: int32, the step and
    update whose loss was the first not to be finite, or which first left a param non-finite (or beyond 1e19), as step *
    updates + update.
    """

    step: jax.Array
    params: dict[str, Any]
    model_state: dict[str, Any]
    opt_state: dict[str, Any]
    ema: dict[str, Any]
    memory: dict[str, Any]
    rng: jax.Array
    first_bad: jax.Array

    def variables(self, player: str, ema: bool = False) -> dict[str, Any]:
        """A player's flax variables {"params": ..., collections}, moving averages if `ema`."""
        if ema:
            return {"params": self.ema[player]["params"], **self.ema[player]["model_state"]}
        return {"params": self.params[player], **self.model_state[player]}


class Update(NamedTuple):
    """One entry of the step's list: `player` descends on `loss`, `rounds` batches long, at every `every`-th step."""

    player: str
    loss: str
    rounds: int = 1
    every: int = 1

    @property
    def is_lazy(self) -> bool:
        """Whether it is of a lazy term, and not one of the player's main updates."""
        return self.loss.startswith(LAZY)


class StepInputs(NamedTuple):
    """What a step reads beside the state and the batch. A population maps the axes (0, 0, None).

    scalars: hyper-parameters and schedules, by their config paths. order: uint32, the key of the data's order.
    frozen: variables of networks that this run does not train, {name: {player: flax variables}}; replicated, never donated,
      never in a checkpoint.
    """

    scalars: dict[str, Any]
    order: Any
    frozen: dict[str, Any]


class Aux(NamedTuple):
    """What a loss returns beside its scalar: metrics (scalars by name), and what it changed, by player or name."""

    metrics: dict[str, jax.Array]
    model_state: dict[str, Any] = {}
    memory: dict[str, Any] = {}


def init_state(
    variables: dict[str, Any], memory: dict[str, Any], averaged: tuple[str, ...], tx: dict[str, Any], rng: jax.Array
) -> GanState:
    """A new run's state. variables: {player: flax variables}. memory: what losses carry. averaged: players with moving
    averages. tx: each player's optimizer. rng: the root key."""
    params = {player: v["params"] for player, v in variables.items()}
    model_state = {player: {k: x for k, x in v.items() if k != "params"} for player, v in variables.items()}
    ema = {player: {"params": params[player], "model_state": model_state[player]} for player in averaged}
    return GanState(
        step=jnp.int32(0),
        params=params,
        model_state=model_state,
        opt_state={player: tx[player].init(params[player]) for player in params},
        ema=jax.tree.map(jnp.copy, ema),  # a buffer may be donated only once
        memory=memory,
        rng=rng,
        first_bad=jnp.int32(NEVER),
    )
