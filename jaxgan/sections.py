"""The sections of a config, each the fields of a class; and the data and the extractor that a config names."""

import dataclasses
from typing import Any

from jaxgan import data
from jaxgan.anomaly.table import DETECTORS
from jaxgan.config.resolve import Config, make_section
from jaxgan.config.run import Checkpoint, Eval, FrozenRun, InitFrom, Log, Run, Sample
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import Field, Section, section
from jaxgan.data.kept import Kept
from jaxgan.data.pairs import unpaired
from jaxgan.data.source import Images
from jaxgan.data.subset import Subset, with_shares
from jaxgan.errors import UserError, lookup_class, nearest
from jaxgan.extractors.table import EXTRACTORS
from jaxgan.objectives import losses
from jaxgan.objectives.augment import AUGMENTS
from jaxgan.objectives.objective import SIDES
from jaxgan.objectives.terms import TERMS
from jaxgan.optim import OPTIMIZERS, Ema
from jaxgan.tasks import TASKS
from jaxgan.tasks.adversarial import AdversarialTask
from jaxgan.tasks.critic import Critic

FROZEN = {"run": FrozenRun, **EXTRACTORS}
WATCHED = {"log": Log, "sample": Sample, "checkpoint": Checkpoint, "eval": Eval, "init_from": InitFrom}


def sections(raw: dict) -> dict[str, Section]:
    """Every section of a config by its dotted path, for the names that are in `raw`. Raises UserError."""
    task = task_class(raw)
    images = data.find(_name(raw, "data", "digits"))

    def tagged(path: str, default: str, table: dict, kind: str, *needs: str) -> dict[str, Section]:
        name = _name(raw, path, default)
        return {path: section(lookup_class(table, name, kind, *needs), name)}

    own = _source_section(images, _name(raw, "data", "digits"))
    out = {
        "": section(Run),
        "data": own._replace(fields=own.fields | _subset_fields(images, own)),
        "task": section(task, _name(raw, "task", "latent")),
        "rounds": Section(None, {player: Field(int, 1, least=1) for player in task.players}),
        "ema": section(Ema),
        **{path: section(cls) for path, cls in WATCHED.items()},
        **tagged("eval.features", "digits", EXTRACTORS, "extractor", "check", "load"),
        **tagged("eval.detector", "task", DETECTORS, "detector", "check", "make"),
    }
    has = {f.name for f in dataclasses.fields(task)}
    if "objective" in has:
        loss = Field(str, "nonsaturating")
        losses.find(_at(raw, "objective").get("loss", loss.default))
        out["objective"] = Section(None, {"loss": loss, "weight": Field(Scalar, 1.0)})
        out["objective.terms"] = Section(None, {})
        for name in _at(raw, "objective.terms"):
            out |= tagged(f"objective.terms.{name}", name, TERMS, "term", "weight", "every", "side", "needs")
    if "critic" in has:
        out["critic"] = section(Critic)
    if "augment" in has:
        out |= tagged("augment", "none", AUGMENTS, "augmentation", "memory", "adapt")
    if "frozen" in has:
        out["frozen"] = Section(None, {})
        for name in _at(raw, "frozen"):
            out |= tagged(f"frozen.{name}", "run", FROZEN, "frozen network")
    for net, table in task.nets.items():
        out |= tagged(f"nets.{net}", "dcgan" if "dcgan" in table else next(iter(table)), table, f"network for {net}")
    for player in task.players:
        out |= tagged(f"optim.{player}", "adam", OPTIMIZERS, "optimizer", "make")
    return out


def task_class(raw: dict) -> Any:
    """The class of the task that a config names. Raises UserError."""
    needs = ("nets", "players", "sides", "averaged", "asks", "offers", "check", "updates", "init", "init_memory", "loss")
    name = _name(raw, "task", "latent")
    task = lookup_class(TASKS, name, "task", *needs)
    _check_task(task, f"task '{name}'")
    return task


def _check_task(task: Any, name: str) -> None:
    """Refuses a task whose class attributes do not fit each other. Raises UserError."""
    if not task.players:
        raise UserError(f"{name}: players is empty; a task trains at least one, {{player: {{network: section}}}}")
    for net, table in task.nets.items():
        if not table:
            raise UserError(f"{name}: nets['{net}'] names no class, {{name: class}}")
    for player, networks in task.players.items():
        for net in networks.values():
            if net not in task.nets:
                raise UserError(f"{name}: players['{player}'] names the section '{net}'; {nearest(net, task.nets)}")
    for player in (*task.averaged, *task.sides):
        if player not in task.players:
            raise UserError(f"{name}: averaged or sides name the player '{player}'; {nearest(player, task.players)}")
    for side in task.sides.values():
        if side not in SIDES:
            raise UserError(f"{name}: sides are {' or '.join(map(repr, SIDES))}, not '{side}'")
        if list(task.sides.values()).count(side) > 1:
            raise UserError(f"{name}: two players are on the side '{side}'; one player may have several networks")
    if issubclass(task, AdversarialTask) and (
        set(task.sides) != set(task.players) or set(task.sides.values()) != set(SIDES)
    ):
        raise UserError(f"{name}: an AdversarialTask has one player on each side, {{player: 'critic', player: 'maker'}}")


def _at(raw: dict, path: str) -> dict:
    """A section of a raw config; {} where there is none."""
    for key in path.split("."):
        raw = raw.get(key, {})
        if not isinstance(raw, dict):
            raise UserError(f"'{path}' is a section of fields, not {raw!r}; its kind is {path}.name")
    return raw


def _name(raw: dict, path: str, default: str) -> str:
    """The name that a tagged section has."""
    return _at(raw, path).get("name", default)


def _source_section(source: Any, name: str) -> Section:
    """The section of a data source's own fields."""
    return section(source, name, any(f.name == "name" for f in dataclasses.fields(source)))


def source_of(config: Config) -> Any:
    """The data source that a config names, not yet opened. Raises UserError."""
    return make_section(config, "data", _source_section(data.find(config.data.name), config.data.name), {})


def subset_of(config: Config) -> Subset:
    """Which of the source's examples a config takes."""
    return make_section(config, "data", Section(Subset, _fields_of_subset(config)), {})


def without_subset(config: Config, whole: bool = False) -> dict[str, Any]:
    """What the fields of the section `data` are where all examples of the classes that are kept are taken as they are; or,
    whole, those of all classes."""
    fields, kept = section(Subset).fields, section(Kept).fields
    return {name: fields[name].default for name in _fields_of_subset(config) if whole or name not in kept}


def _fields_of_subset(config: Config) -> dict[str, Field]:
    source = data.find(config.data.name)
    return _subset_fields(source, _source_section(source, config.data.name))


def _subset_fields(source: Any, own: Section) -> dict[str, Field]:
    """The fields of `Subset`; one that the source has itself is the source's. Its `presets` are other defaults."""
    presets = getattr(source, "presets", {})
    fields = {name: field for name, field in section(Subset).fields.items() if name not in own.fields}
    return {name: field._replace(default=presets.get(name, field.default)) for name, field in fields.items()}


def open_data(config: Config, made: Images | None = None) -> Images:
    """The images that a config names; pairs as two streams for a task that translates both ways. made: what the source would
    open, where that is made elsewhere; see `workdir.data.open_data`, which is what runs call. Raises UserError."""
    images = source_of(config).open() if made is None else made
    if not isinstance(images, Images):
        raise UserError(f"open() of data set '{config.data.name}' must return jaxgan.data.source.Images, not {images!r:.80}")
    images = with_shares(subset_of(config).of(images, config.seed))
    return unpaired(images) if images.paired and "ba" in getattr(task_class(config.to_dict()), "ways", ()) else images


def extractor_of(config: Config) -> Any:
    """The extractor that a config names, not yet loaded."""
    return make_section(config, "eval.features", sections(config.to_dict())["eval.features"], {})


def detector_of(config: Config) -> Any:
    """The detector that a config names, not yet made."""
    return make_section(config, "eval.detector", sections(config.to_dict())["eval.detector"], {})
