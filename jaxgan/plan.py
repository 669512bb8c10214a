"""From a resolved config to what a run works with: data, task, updates, optimizers, hyper-parameters."""

import dataclasses
import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import data
from jaxgan.config.resolve import Config, make_section, scalars_of
from jaxgan.config.run import DTYPES, Checkpoint, Eval, Experiment, InitFrom, Log, Sample
from jaxgan.config.schedules import evaluate
from jaxgan.config.schema import Field, Section, section
from jaxgan.data import order
from jaxgan.data.pairs import unpaired
from jaxgan.data.source import Images
from jaxgan.errors import UserError, lookup_class
from jaxgan.extractors.base import Network
from jaxgan.extractors.table import EXTRACTORS
from jaxgan.objectives import losses
from jaxgan.objectives.augment import AUGMENTS
from jaxgan.objectives.objective import Objective
from jaxgan.objectives.terms import PENALTIES
from jaxgan.optim import OPTIMIZERS, Ema
from jaxgan.state import GanState, Update, init_state
from jaxgan.step import Parts
from jaxgan.tasks import TASKS


def sections(raw: dict) -> dict[str, Section]:
    """Every section of a config by its dotted path, for the names that are in `raw`. Raises UserError."""
    task = lookup_class(TASKS, _name(raw, "task", "latent"), "task", "nets", "players", "averaged")
    objective = raw.get("objective", {})
    loss = Field(str, "nonsaturating")
    losses.find(objective.get("loss", loss.default))
    images = data.find(_name(raw, "data", "digits"))

    def tagged(path: str, default: str, table: dict, kind: str, *needs: str) -> dict[str, Section]:
        return {path: section(lookup_class(table, _name(raw, path, default), kind, *needs), tagged=True)}

    out = {
        "": section(Experiment),
        "data": section(images, tagged=True, named=any(f.name == "name" for f in dataclasses.fields(images))),
        "task": section(task, tagged=True),
        "objective": Section(None, {"loss": loss}),
        "rounds": Section(None, {player: Field(int, 1, least=1) for player in task.players}),
        "ema": section(Ema),
        "log": section(Log),
        "sample": section(Sample),
        "checkpoint": section(Checkpoint),
        "eval": section(Eval),
        "init_from": section(InitFrom),
    }
    out |= tagged("augment", "none", AUGMENTS, "augmentation", "memory", "adapt")
    out |= tagged("eval.features", "digits", EXTRACTORS, "extractor", "check", "load")
    for net, table in task.nets.items():
        out |= tagged(f"nets.{net}", "dcgan", table, f"network for {net}")
    for name in objective.get("terms", {}):
        out |= tagged(f"objective.terms.{name}", name, PENALTIES, "penalty", "weight", "every", "player")
    for player in task.players:
        out |= tagged(f"optim.{player}", "adam", OPTIMIZERS, "optimizer", "make")
    return out


def _name(raw: dict, path: str, default: str) -> str:
    """The name that a tagged section has; without one it gets `default`."""
    for key in path.split("."):
        raw = raw.setdefault(key, {})
        if not isinstance(raw, dict):
            raise UserError(f"'{path}' is a section of fields, not {raw!r}; its kind is {path}.name")
    return raw.setdefault("name", default)


def source_of(config: Config) -> Any:
    """The data source that a config names, not yet opened. Raises UserError."""
    return make_section(config, "data", sections(config.to_dict())["data"], {})


def open_data(config: Config) -> Images:
    """The images that a config names; pairs torn apart for a task that takes none. Raises UserError."""
    images = source_of(config).open()
    if not isinstance(images, Images):
        raise UserError(f"open() of data set '{config.data.name}' must return jaxgan.data.source.Images, not {images!r:.80}")
    ways = getattr(sections(config.to_dict())["task"].cls, "ways", ())
    return unpaired(images) if images.paired and "ba" in ways else images


def extractor_of(config: Config) -> Any:
    """The extractor that a config names, not yet loaded."""
    return make_section(config, "eval.features", sections(config.to_dict())["eval.features"], {})


class Plan:
    """A resolved config over data of a known shape; makes the parts of a step.

    source_shape: of pictures to translate, () where the data have none. ways: in which the task translates, "ab", "ba".
    hparams: the scalars, data of the compiled step, and "order", the key of the order of the data. updates: the step's list.
    kimg_per_step: thousands of real images that the first update sees in a step. rounds: batches that a step needs.
    group: a replica's batch is a multiple of it.
    """

    def __init__(self, config: Config, image_shape: tuple[int, ...], source_shape: tuple[int, ...] = ()):
        self.config, self.image_shape, self.source_shape = config, tuple(image_shape), tuple(source_shape)
        self._sections = sections(config.to_dict())
        self.ways: tuple[str, ...] = getattr(self._sections["task"].cls, "ways", ())
        if self.ways and not source_shape:
            how = "source=FEATURE (or grey)" if self.ways == ("ab",) else "source_split=SPLIT (or source=FEATURE)"
            how = how if "source" in config.data else "name=image_pairs, for one"
            raise UserError(
                f"task.name={config.task.name} translates pictures, and the data set {config.data.name} has none to start "
                f"from; --config.data.{how}"
            )
        if self.ways and self.source_shape[:2] != self.image_shape[:2]:
            sizes = " and ".join("x".join(map(str, shape[:2])) for shape in (self.source_shape, self.image_shape))
            raise UserError(f"sources and images are of unlike sizes, {sizes}; --config.data.size=SIDE fits both")
        self._at_start = at_start = evaluate(scalars_of(config, self._sections), jnp.float32(0))
        self._check_labels()
        self._check_augment()
        task = self.task(at_start)
        self.updates: list[Update] = task.updates(config.rounds.to_dict())
        self._own_share = {player: _own_share(self.updates, player) for player in task.players}
        self.group: int = getattr(task, "group", 1)
        self._differentiated: tuple[str, ...] = getattr(task, "differentiated", ())
        self.rounds = max(update.rounds for update in self.updates)
        if config.simultaneous and "ba" in self.ways:
            raise UserError("discriminators of task unpaired judge what its generators have just made: simultaneous=false")
        if config.simultaneous and self.rounds > 1:
            raise UserError("simultaneous updates share one batch: every rounds.PLAYER must be 1")
        images = config.batch_size * self.rounds
        if images * config.steps >= 2**32:
            raise UserError(f"steps={config.steps} would show {images * config.steps} images, more than 2^32")
        self.kimg_per_step = config.batch_size * self.updates[0].rounds / 1000
        scalars = scalars_of(config, self._sections, self.kimg_per_step * config.steps)
        self.hparams = scalars | {"order": np.uint32(order.seed_key(config.seed))}
        self._params = {p: v["params"] for p, v in jax.eval_shape(task.init, jax.random.key(0)).items()}
        try:
            self._transforms(at_start)
        except ValueError as error:
            raise UserError(str(error)) from error

    @property
    def players(self) -> tuple[str, ...]:
        return tuple(self._params)

    def num_params(self, player: str) -> int:
        """How many numbers a player learns."""
        return sum(math.prod(x.shape) for x in jax.tree.leaves(self._params[player]))

    def task(self, values: dict[str, Any] | None = None) -> Any:
        """The task, its scalars from `values`, arrays or tracers; by default as at the start."""
        values = self._at_start if values is None else values
        supplied = {
            "image_shape": self.image_shape,
            "source_shape": self.source_shape,
            "batch_size": self.config.batch_size,
            "dtype": DTYPES[self.config.dtype],
        }
        penalties = {name: self._make(f"objective.terms.{name}", values) for name in self.config.objective.terms}
        objective = Objective(losses.find(self.config.objective.loss), penalties)
        told = {"num_classes": self.config.task.get("num_classes", 0)}
        nets = {net: self._make(f"nets.{net}", values, **supplied, **told) for net in self._sections["task"].cls.nets}
        augment = self._make("augment", values)
        return self._make("task", values, objective=objective, augment=augment, **nets, **supplied)

    def assemble(self, hparams: dict[str, Any], step: jax.Array) -> Parts:
        """What the step works with when `step` passes have been made."""
        kimg = step * jnp.float32(self.kimg_per_step)
        values = evaluate(hparams, kimg)
        ema = self._make("ema", values)
        return Parts(self.task(values), self._transforms(values), ema.decay(kimg, self.kimg_per_step))

    def init(self, rng: jax.Array) -> GanState:
        """The state at step 0; a pure function of the root key."""
        return init_state(self.task(), self._transforms(self._at_start), rng)

    @functools.cached_property
    def extractor(self) -> Network:
        """The network whose features images are scored by. Raises UserError."""
        return extractor_of(self.config).load(self.image_shape)

    def shapes(self) -> GanState:
        """The state's shapes and dtypes, without an array."""
        return jax.eval_shape(self.init, jax.random.key(0))

    def check_data(self, images: Images) -> None:
        """Refuses data without the labels that networks are told of, or without the pairs. Raises UserError."""
        if self.config.task.name == "paired" and not images.paired:
            raise UserError(
                f"task.name=paired compares with true translations, and in {images.name} no picture has one; "
                "--config.data.source=FEATURE (of image_pairs: paired=true), or configs/cyclegan.py"
            )
        told, have = self.config.task.get("num_classes", 0), images.num_classes
        if told and told != have:
            what = f"has labels of {have} classes" if have else "has no labels"
            raise UserError(f"task.num_classes={told}, but the data set {what}; --config.task.num_classes={have or 0}")

    def _check_labels(self) -> None:
        if not self.config.task.get("num_classes", 0):
            return
        for net in self._sections["task"].cls.nets:
            if not any(f.name == "num_classes" for f in dataclasses.fields(self._sections[f"nets.{net}"].cls)):
                name = f"nets.{net}.name={self.config.nets[net].name}"
                raise UserError(f"{name} takes no labels; stylegan and r3gan do, or --config.task.num_classes=0")

    def _check_augment(self) -> None:
        augment = self.config.augment
        if augment.name in ("diffaugment", "ada") and len(self.image_shape) != 3:
            raise UserError(f"augment.name={augment.name} is of images, and these are points; --config.augment.name=none")
        if augment.name != "ada":
            return
        if augment.adapt_p and isinstance(augment.p, str):
            raise UserError(
                f"augment.p={augment.p} is a schedule, and augment.adapt_p would leave it; --config.augment.adapt_p=False"
            )
        if "colour" in augment.kinds and self.image_shape[2] not in (1, 3):
            raise UserError(
                f"augment.kinds=colour is of grey and RGB, not of {self.image_shape[2]} channels; --config.data.channels=3, "
                "or --config.augment.kinds=blit,geometry"
            )

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
    """Of a player's steps the share that is not lazy penalties'."""
    own = [update for update in updates if update.player == player]
    main, lazy = (sum(u.rounds / u.every for u in own if (u.every > 1) == is_lazy) for is_lazy in (False, True))
    return main / (main + lazy) if lazy else 1.0
