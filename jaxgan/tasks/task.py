"""What a task is; `tasks.protocols` is what it may be able to do besides.

A task owns networks and says what each player's loss is. It is a frozen dataclass; its fields with defaults are the section
`task` of a config. The other fields are filled by name when the plan is made:

  a key of `nets`                 the network of that section
  objective, critic, augment      those sections, which exist only for tasks that have the field
  frozen                          {name: `Frozen`}, networks of other runs or extractors, from the sections `frozen.NAME`
  image_shape, source_shape, ...  NAME_shape of each feature that is neither a label nor tokens
  data                            {name: `data.features.Feature`}; the data are then opened before the task is checked
  label, tokens                   the `Feature` of that name, or None where there is none, or the data are not open yet
  batch_size, dtype               of the run

`docs/own_tasks.md` has three complete tasks, and a GAN with networks of its own.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol

import jax

from jaxgan.keys import Keys
from jaxgan.objectives.context import Facts
from jaxgan.state import Aux, GanState, Update

# {feature: array}. "image" [N, H, W, C] in [-1, 1], or points [N, D]; "label" int32 [N]; "source" [N, H, W, C'];
# "tokens" int32 [N, T].
Batch = dict[str, jax.Array]
Advance = Callable[[GanState, str, str], GanState]


class Frozen(NamedTuple):
    """A network of another run, or an extractor. task: the other run's task, or the network. variables: {player: flax
    variables}, or the network's weights; arguments of the compiled step, never constants in it."""

    task: Any
    variables: Any


class BaseTask:
    """A task with the usual answers: each player has one main update, and there is nothing to check or to remember.

    nets: {section under `nets`: {name: class}}. players: {player: {network: section that builds it}}, in the order of
      their updates. sides: {player: "critic" or "maker"}. At most one player has each side. An objective's terms belong to a
      side. averaged: players with moving averages. asks: {frozen network: protocols that it must satisfy}.
    offers: which `Term.needs` this task can fill.
    """

    nets: ClassVar[dict[str, dict[str, Any]]]
    players: ClassVar[dict[str, dict[str, str]]]
    sides: ClassVar[dict[str, str]] = {}
    averaged: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[dict[str, tuple[type, ...]]] = {}
    offers: ClassVar[frozenset[str]] = frozenset()

    def check(self, facts: Facts) -> None:
        """Refuses what cannot be trained. Raises UserError."""

    def updates(self, rounds: dict[str, int]) -> list[Update]:
        """The step's list. rounds: the section `rounds`, batches in a row for each player."""
        return [Update(player, player, rounds[player]) for player in self.players]

    def init_memory(self) -> dict[str, Any]:
        """What losses carry from step to step, at step 0: arrays by name."""
        return {}


class Task(Protocol):
    """See `BaseTask` for what is not said here."""

    nets: ClassVar[dict[str, dict[str, Any]]]
    players: ClassVar[dict[str, dict[str, str]]]
    sides: ClassVar[dict[str, str]]
    averaged: ClassVar[tuple[str, ...]]
    asks: ClassVar[dict[str, tuple[type, ...]]]
    offers: ClassVar[frozenset[str]]

    def check(self, facts: Facts) -> None: ...

    def updates(self, rounds: dict[str, int]) -> list[Update]: ...

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}; a player of several networks has {network: ...} in each collection."""
        ...

    def init_memory(self) -> dict[str, Any]: ...

    def loss(self, name: str, state: GanState, batch: Batch, keys: Keys, advance: Advance) -> tuple[jax.Array, Aux]:
        """The scalar that a player descends on, differentiable by that player's params, and what it changes.

        name: `Update.loss`. state: with the player's params in place; its spectral norms have been advanced.
        batch: this round's examples of this replica. keys: this round's random streams.
        advance: (state, player, loss) -> the state after that player's step on this batch.
        """
        ...
