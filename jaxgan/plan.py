"""From a resolved config to the parts of a run: task, updates, optimizers, hyper-parameters."""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.config.resolve import Config, make_section, scalars_of
from jaxgan.config.run import DTYPES, Run
from jaxgan.config.schedules import Schedule, evaluate
from jaxgan.data import order
from jaxgan.data.features import NUMBERS, Feature
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.objectives import losses
from jaxgan.objectives.objective import Objective
from jaxgan.plan_checks import check_given, check_parts
from jaxgan.sections import WATCHED, detector_of, extractor_of, sections
from jaxgan.state import GanState, StepInputs, Update, init_state
from jaxgan.step import Parts
from jaxgan.tasks.networks import scale_of
from jaxgan.tasks.protocols import Translates
from jaxgan.tasks.task import Frozen
from jaxgan.truncation import Truncation


class Donor(NamedTuple):
    """A frozen network before it reaches the task.

    make: builds the other run's task, or returns the extractor; called inside the trace. variables: arrays on the host.
    record: "title", a line for people; "field" and "taken", for the run's config.json; of another run also "arrays", a
    digest, and "saved", its config and data.
    """

    make: Callable[[], Any]
    variables: Any
    record: dict[str, Any]


class Plan:
    """The task, updates and optimizers of a resolved config, for data of known features.

    run: the run's own fields, typed. features: of the data. inputs: what the compiled step reads beside state and batch.
    updates: the step's list. players: those that have an update.
    kimg_per_step: thousands of real images that the first update sees in a step. rounds: batches that a step needs.
    group: a replica's batch is a multiple of it. truncation: of sampled latents, set by `generate.truncated`, or None.

    Args:
      config: resolved.
      features: of the data, by name.
      frozen: networks of the sections `frozen.NAME`.
      opened: whether `features` is complete; before the data are opened it may hold the pictures alone.
    """

    def __init__(
        self, config: Config, features: dict[str, Feature], frozen: dict[str, Donor] | None = None, opened: bool = True
    ):
        self.config, self.features, self.frozen = config, features, frozen or {}
        self._sections = sections(config.to_dict())
        self.truncation: Truncation | None = None
        self.run: Run = self._make("", {}, **{path: self._make(path, {}) for path in WATCHED})
        check_given(config, self._sections["task"].cls, features, self.frozen)
        self._at_start = at_start = evaluate(scalars_of(config, self._sections), jnp.float32(0))
        self._sample_task = task = self.task(at_start)
        schedules = {path for path, x in scalars_of(config, self._sections).items() if isinstance(x, Schedule)}
        check_parts(task, self.run, features, opened, frozenset(schedules), config.task.name)
        self.updates: list[Update] = task.updates(config.rounds.to_dict())
        if not self.updates:
            raise UserError(
                "objective.loss=none leaves nothing to train by but terms, and there are none that train a player"
            )
        self._own_share = {player: _own_share(self.updates, player) for player in task.players}
        self.group: int = getattr(task, "group", 1)
        self._differentiated: tuple[str, ...] = getattr(task, "differentiated", ())
        self.rounds = max(update.rounds for update in self.updates)
        if config.simultaneous and self.rounds > 1:
            raise UserError("simultaneous updates share one batch: every rounds.PLAYER must be 1")
        images = config.batch_size * self.rounds
        if images * config.steps >= 2**32:
            raise UserError(f"steps={config.steps} would show {images * config.steps} images, more than 2^32")
        self.kimg_per_step = config.batch_size * self.updates[0].rounds / 1000
        scalars = scalars_of(config, self._sections, self.kimg_per_step * config.steps)
        variables = {name: donor.variables for name, donor in self.frozen.items()}
        self.inputs = StepInputs(scalars, np.uint32(order.seed_key(config.seed)), variables)
        made = jax.eval_shape(task.init, jax.random.key(0))
        if set(made) != set(task.players):
            raise UserError(
                f"task.name={config.task.name}: init makes {', '.join(made) or 'nothing'}, and its players are "
                f"{', '.join(task.players)}"
            )
        train = {update.player for update in self.updates}
        self._params = {player: made[player]["params"] for player in task.players if player in train}
        try:
            self._transforms(at_start)
        except ValueError as error:
            raise UserError(str(error)) from error

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Of the data's images, [H, W, C], or points, [D]."""
        return self.features["image"].shape

    @property
    def source_shape(self) -> tuple[int, ...]:
        """Of pictures to translate; () where the data have none."""
        return self.features["source"].shape if "source" in self.features else ()

    @property
    def players(self) -> tuple[str, ...]:
        return tuple(self._params)

    @property
    def sides(self) -> dict[str, str]:
        """{player: "critic" or "maker"}, of tasks whose players have sides."""
        return {player: side for player, side in self._sections["task"].cls.sides.items() if player in self._params}

    @property
    def given(self) -> tuple[str, ...]:
        """Features of the data that the generator starts from."""
        return getattr(self._sections["task"].cls, "given", ())

    @property
    def ways(self) -> tuple[str, ...]:
        """In which the task translates, "ab" and perhaps "ba"; () for one that does not."""
        return self._sections["task"].cls.ways if self.can(Translates) else ()

    def can(self, protocol: type) -> bool:
        """Whether the task satisfies a protocol of `tasks.protocols`."""
        return isinstance(self._sample_task, protocol)

    def nets_of(self, player: str) -> dict[str, Any]:
        """The config's sections of a player's networks, by network."""
        networks = self._sections["task"].cls.players[player]
        return {network: self.config.nets[section] for network, section in networks.items()}

    def frozen_lines(self) -> dict[str, str]:
        """A line on each frozen network, for people."""
        return {name: donor.record["title"] for name, donor in self.frozen.items()}

    def terms_that_need(self, what: str) -> list[str]:
        """Names of the terms that read a field of their `Context`."""
        objective = getattr(self._sample_task, "objective", None)
        return [name for name, term in objective.terms.items() if what in term.needs] if objective else []

    @property
    def digests_in_losses(self) -> dict[str, str]:
        """{digest of a frozen network's weights: the term that reads it}. A score whose network must not be one of the
        training compares that network's hash with these."""
        read = ((name, own) for own in self.frozen for name in self.terms_that_need(f"frozen.{own}"))
        return {self.frozen[own].record["taken"]["digest"]: name for name, own in read}

    def num_params(self, player: str) -> int:
        """How many numbers a player learns."""
        return sum(math.prod(x.shape) for x in jax.tree.leaves(self._params[player]))

    def task(self, values: dict[str, Any] | None = None, frozen: dict[str, Any] | None = None) -> Any:
        """The task, its scalars from `values`, arrays or tracers, by default as at the start; its frozen networks' variables
        from `frozen`, by default those of the plan."""
        values = self._at_start if values is None else values
        tokens = self.features.get("tokens")
        shapes = {f"{name}_shape": feature.shape for name, feature in self.features.items() if feature.kind not in NUMBERS}
        supplied = {
            **shapes,
            "data": self.features,
            "label": self.features.get("label"),
            "tokens": tokens,
            "vocabulary": tokens.classes if tokens else 2,
            "batch_size": self.config.batch_size,
            "dtype": DTYPES[self.config.dtype],
        }
        own = {name: x for name, x in self.config.task.items() if name != "name" and name not in supplied}
        nets = {
            net: self._make(f"nets.{net}", values, **supplied, **{"num_classes": 0, "scale": scale_of(shapes), **own})
            for net in self._sections["task"].cls.nets
        }
        parts: dict[str, Any] = {}
        if "objective" in self._sections:
            terms = {name: self._make(f"objective.terms.{name}", values) for name in self.config.objective.terms}
            parts["objective"] = Objective(
                losses.find(self.config.objective.loss), terms, values.get("objective.weight", 1.0)
            )
        parts |= {name: self._make(name, values) for name in ("critic", "augment") if name in self._sections}
        if "frozen" in self._sections:
            variables = {name: donor.variables for name, donor in self.frozen.items()} if frozen is None else frozen
            parts["frozen"] = {name: Frozen(donor.make(), variables[name]) for name, donor in self.frozen.items()}
        return self._make("task", values, **parts, **nets, **supplied)

    def assemble(self, inputs: StepInputs, step: jax.Array) -> Parts:
        """What the step works with when `step` passes have been made."""
        kimg = step * jnp.float32(self.kimg_per_step)
        values = evaluate(inputs.scalars, kimg)
        ema = self._make("ema", values)
        decay = ema.decay(kimg, self.kimg_per_step)
        return Parts(self.task(values, inputs.frozen), self._transforms(values), decay, self.run.accumulate, self.run.remat)

    def init(self, rng: jax.Array) -> GanState:
        """The state at step 0; a pure function of the root key."""
        task = self.task()
        averaged = tuple(player for player in task.averaged if player in self._params)
        return init_state(self._init(rng), task.init_memory(), averaged, self._transforms(self._at_start), rng)

    def _init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables} of the players that have an update."""
        return {player: x for player, x in self.task().init(rng).items() if player in self._params}

    @functools.cached_property
    def extractor(self) -> Network:
        """The network whose features images are scored by. Raises UserError."""
        return extractor_of(self.config).load(self.image_shape)

    @functools.cached_property
    def detector(self) -> Any:
        """The section `eval.detector`, by which anomalies are found."""
        return detector_of(self.config)

    def shapes(self) -> GanState:
        """The state's shapes and dtypes, without an array."""
        return jax.eval_shape(self.init, jax.random.key(0))

    def _make(self, path: str, values: dict[str, Any], **supplied: Any) -> Any:
        return make_section(self.config, path, self._sections[path], values, **supplied)

    def _transforms(self, values: dict[str, Any]) -> dict[str, Any]:
        """An optax transform for each player, corrected where it has a lazy update."""
        out = {}
        for player, params in self._params.items():
            optimizer = self._make(f"optim.{player}", values)
            if player in self._differentiated and not getattr(optimizer, "is_smooth", True):
                raise UserError(
                    f"task.unroll differentiates through the steps of optim.{player}, which needs a derivative at 0: "
                    f"--config.optim.{player}.eps_root=1e-16 (adam) or sgd, without max_grad_norm"
                )
            share = self._own_share[player]
            out[player] = (optimizer.corrected(share) if share < 1 else optimizer).make(params)
        return out


def _own_share(updates: list[Update], player: str) -> float:
    """The share of a player's steps that are not steps of lazy terms; 1 if it has only one kind."""
    own = [update for update in updates if update.player == player]
    main, lazy = (sum(u.rounds / u.every for u in own if u.is_lazy == is_lazy) for is_lazy in (False, True))
    return main / (main + lazy) if lazy and main else 1.0
