"""The loss of tasks in which a generator and a critic compete, from two methods of each task.

`AdversarialTask` has the rest. Such a task has the fields `objective`, `critic` and `augment`, and two methods:

    make(player, state, batch, keys, wants) -> Making       images, pairs and values, as far as `wants` asks for them
    shown(making, state, batch) -> {critic: (network, its variables, {"real": examples, "fake": examples})}

A task with one critic calls it "". `offers` says what else there is: `path(state, keys)` for "path". A task without critics
is an `ObjectiveTask`, which has `make` alone; what trains it are an objective's terms.
"""

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets.layers import Made, wide
from jaxgan.objectives.context import Context, Judged
from jaxgan.objectives.objective import CRITIC, MAKER, Objective, diversity
from jaxgan.state import LAZY, Aux, GanState, Update
from jaxgan.tasks.critic import Critic
from jaxgan.tasks.networks import Variables, joined
from jaxgan.tasks.task import Advance, BaseTask, Batch, Frozen


class Making(NamedTuple):
    """What a maker made for one update.

    images: {critic: [N, H, W, C]}, empty if no critic is needed. batch: the matching real examples, repeated if there are
      more fakes than reals. image: the generated images that are comparable to `batch["image"]`.
    collections: the maker's afterwards. pairs, values: see `Context`. memory: what changes, by name.
    """

    images: dict[str, jax.Array] = {}
    batch: Batch = {}
    image: jax.Array | None = None
    collections: Variables = {}
    pairs: dict[str, tuple[Any, Any]] = {}
    values: dict[str, Any] = {}
    memory: dict[str, Any] = {}


def adversarial_loss(
    task: Any, name: str, state: GanState, batch: Batch, keys: Keys, advance: Advance
) -> tuple[jax.Array, Aux]:
    """`Task.loss` of a player's main update, or of a lazy term's."""
    objective, term = task.objective, name.removeprefix(LAZY) if name.startswith(LAZY) else ""
    player = player_of(task, objective.terms[term].side) if term else name
    side = task.sides[player]
    for _ in range(getattr(task, "unroll", 0) if side == MAKER and not term else 0):
        critic = player_of(task, CRITIC)
        state = advance(state, critic, critic)
    wants = objective.wants(side, term)
    making, judged, memories, after = play(task, player, state, batch, keys, wants)
    ctx = Context(
        player,
        side,
        batch,
        state.params[player],
        pairs=making.pairs | (_features(judged) if "pairs.features" in wants else {}),
        values=_wanted(making.values, wants),
        path=partial(task.path, state) if "path" in wants else None,
        gradients=partial(gradients, task, state, batch, keys),
        frozen=getattr(task, "frozen", {}),
        memory=state.memory,
        keys=keys.grouped(task.critic.pack) if hasattr(task, "critic") else keys,
    )
    if term:
        value, metrics, memory = objective.lazy_term(term, ctx, judged, memories)
        return value, Aux(metrics, {}, memory)
    value, metrics, memory = objective.total(ctx, judged, memories)
    if side == CRITIC:
        changed = after[""] if "" in after else joined(after)
        if len(judged) == 1 and objective.half(CRITIC):
            (one,) = judged.values()
            signs = objective.taken_for_real(one.real_out.logits)
            more, adapted = task.augment.adapt(signs, len(batch["image"]) * parallel.size(), state.memory)
            metrics, memory = metrics | more, memory | adapted
    else:
        changed, memory = making.collections, memory | making.memory
        if making.image is not None and objective.half(MAKER):
            metrics[f"{player}/diversity"] = diversity(batch["image"], making.image)
    return value, Aux(metrics, {player: changed} if changed else {}, memory)


@dataclass(frozen=True, kw_only=True)
class ObjectiveTask(BaseTask):
    """A task whose losses are those of an objective: terms, and between a maker and its critics an adversarial loss.

    critics: names of the critic player's networks; ("",) if it has one, () if there is no such player.
    """

    objective: Objective
    frozen: dict[str, Frozen] = field(default_factory=dict)
    dtype: Any

    @property
    def critics(self) -> tuple[str, ...]:
        """What critics are called."""
        return names_of(self.players[player_of(self, CRITIC)]) if CRITIC in self.sides.values() else ()

    def updates(self, rounds: dict[str, int]) -> list[Update]:
        """For each player its main update, if it has anything to descend on, and those of its lazy terms. The images of the
        first update count as seen."""
        out = []
        for player in self.players:
            side = self.sides[player]
            out += [Update(player, player, rounds[player])] if self.objective.has_update(side) else []
            out += self.objective.lazy(player, side)
        return out

    def init_memory(self) -> dict[str, Any]:
        """What terms carry from step to step, at step 0."""
        return {name: jnp.asarray(x, wide(self.dtype)) for name, x in self.objective.memory(self.critics).items()}

    loss = adversarial_loss


@dataclass(frozen=True, kw_only=True)
class AdversarialTask(ObjectiveTask):
    """A task of one player that makes and one that judges."""

    critic: Critic
    augment: Any
    sides = {"disc": CRITIC, "gen": MAKER}
    averaged = ("gen",)

    @property
    def group(self) -> int:
        """A replica's batch must be a multiple of this: packs, coupled examples, and each term's shrink."""
        nets = {getattr(self, section) for section in self.players[player_of(self, CRITIC)].values()}
        shares = [getattr(term, "shrink", 1) for term in self.objective.terms.values()]
        return self.critic.pack * math.lcm(*(coupled(net) for net in nets), *shares)

    def init_memory(self) -> dict[str, Any]:
        """What terms and augmentation carry from step to step, at step 0."""
        own = {name: jnp.asarray(x, wide(self.dtype)) for name, x in self.augment.memory.items()}
        return {**super().init_memory(), **own}


def play(
    task: Any, player: str, state: GanState, batch: Batch, keys: Keys, wants: frozenset[str]
) -> tuple[Making, dict[str, Judged], dict[str, dict[str, Any]], dict[str, Variables]]:
    """What is made for a player's update, and every critic's answers, memory and collections afterwards, if `wants` asks for
    them."""
    making, judged, memories, after = task.make(player, state, batch, keys, wants), {}, {}, {}
    for critic, (net, variables, shown) in (task.shown(making, state, batch) if "judged" in wants else {}).items():
        own, suffix = (state.memory, "") if not critic else (_memory_of(critic, state.memory), f"/{critic}")
        memories[critic] = own
        judged[critic], after[critic] = task.critic.judge(net, variables, shown, suffix, keys, own, task.augment)
    return making, judged, memories, after


def gradients(task: Any, state: GanState, batch: Batch, keys: Keys) -> dict[str, Any]:
    """{player: gradient of its adversarial loss by its own params}, over the global batch."""

    def adversarial(params: Any, player: str) -> jax.Array:
        at = state.replace(params={**state.params, player: params})
        judged, side = play(task, player, at, batch, keys, frozenset({"judged"}))[1], task.sides[player]
        half = task.objective.half(side)
        losses = [half(one.real_out.logits, one.fake_out.logits) for one in judged.values()]
        total = losses[0] if len(losses) == 1 else jnp.sum(jnp.stack(losses))
        return total * task.objective.weight if side == MAKER else total

    return parallel.mean({player: jax.grad(adversarial)(state.params[player], player) for player in task.players})


def names_of(networks: dict[str, str]) -> tuple[str, ...]:
    """A player's networks by name, "" for one that is alone."""
    return tuple(networks) if len(networks) > 1 else ("",)


def coupled(net: Any) -> int:
    """How many adjacent examples a critic judges together."""
    return getattr(net, "coupled", 1)


def player_of(task: Any, side: str) -> str:
    """The player that is on a side."""
    return next(player for player, own in task.sides.items() if own == side)


def unmade(out: Any) -> tuple[jax.Array, dict[str, Any]]:
    """The image that a generator returns, and its values by name."""
    return (out.image, out.aux) if isinstance(out, Made) else (out, {})


def _memory_of(critic: str, memory: dict[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(f"{critic}/"): x for name, x in memory.items() if name.startswith(f"{critic}/")}


def _features(judged: dict[str, Judged]) -> dict[str, tuple[Any, Any]]:
    names = {critic: f"features/{critic}" if critic else "features" for critic in judged}
    return {names[critic]: (one.real_out.features, one.fake_out.features) for critic, one in judged.items()}


def _wanted(values: dict[str, Any], wants: frozenset[str]) -> dict[str, Any]:
    for need in sorted(wants):
        name = need.removeprefix("values.")
        if need.startswith("values.") and name not in values:
            raise UserError(
                f"a term needs '{name}' of what the generator returns, a Made with {', '.join(values) or 'nothing'}"
            )
    return values
