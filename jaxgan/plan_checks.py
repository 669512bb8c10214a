"""What a plan refuses before anything is compiled: parts of a run that do not fit each other or the data."""

from typing import Any

from jaxgan.config.load import Config
from jaxgan.config.run import Run
from jaxgan.data.features import Feature
from jaxgan.errors import UserError, nearest
from jaxgan.objectives.context import Facts
from jaxgan.sections import sections
from jaxgan.tasks.protocols import methods_of


def check_given(config: Config, task: Any, features: dict[str, Feature], frozen: dict[str, Any]) -> None:
    """Refuses data without the features that the generator starts from, and a task whose frozen networks are not in the
    config. task: its class. Raises UserError."""
    name, data = config.task.name, config.data.name
    for feature in getattr(task, "given", ()):
        if feature not in features and feature == "source":
            how = "source=FEATURE (or grey)" if task.ways == ("ab",) else "source_split=SPLIT (or source=FEATURE)"
            own = sections(config.to_dict())["data"].fields.get("source")
            how = how if own else "name=image_pairs, for one"
            how = f"source={own.default}" if own and own.choices else how
            raise UserError(
                f"task.name={name} translates pictures, and the data set {data} has none to start from; --config.data.{how}"
            )
        if feature not in features:
            raise UserError(
                f"task.name={name} starts from '{feature}', which the data set {data} has not; {nearest(feature, features)}"
            )
    for asked in task.asks:
        if asked not in frozen:
            raise UserError(f"task.name={name} needs a frozen network '{asked}'; --config.frozen.{asked}.workdir=RUN")


def check_parts(
    task: Any, run: Run, features: dict[str, Feature], opened: bool, schedules: frozenset[str], name: str
) -> None:
    """Lets the task, its terms, its augmentation and its networks check themselves. opened, schedules: see `Facts`. name:
    the task's in the config. Raises UserError."""
    begins = run.init_from
    if begins.base_workdir and not begins.workdir:
        raise UserError("init_from.base_workdir is the second of two runs; init_from.workdir names the first")
    if begins.strength != 1 and not begins.base_workdir:
        raise UserError(
            f"init_from.strength={begins.strength:g} is between two runs; init_from.base_workdir names the second"
        )
    frozen = {own: one.task for own, one in getattr(task, "frozen", {}).items()}
    objective = getattr(task, "objective", None)
    facts = Facts(run, features, opened, objective, frozen, schedules)
    for asked, protocols in task.asks.items():
        for protocol in (protocol for protocol in protocols if not isinstance(frozen[asked], protocol)):
            lacks = ", ".join(methods_of(protocol))
            found = type(frozen[asked]).__name__
            raise UserError(f"frozen.{asked}: a {found} lacks what task.name={name} asks of it: {lacks}")
    terms = objective.terms if objective else {}
    if objective:
        objective.check(task.offers, task.sides, frozen, name)
    needs = {need for term in terms.values() for need in term.needs}
    needed = {need.removeprefix("frozen.") for need in needs if need.startswith("frozen.")}
    for own in frozen:
        if own not in needed and own not in task.asks:
            asked = [*task.asks, *sorted(needed & frozen.keys())]
            hint = nearest(own, asked) if asked else f"--config.frozen.{own}=none leaves it out"
            raise UserError(f"nothing asks for the frozen network '{own}'; {hint}")
    nets = [getattr(task, net) for net in task.nets if hasattr(task, net)]
    every: list[Any] = [task, *terms.values(), getattr(task, "augment", None), *nets]
    for one in every:
        if hasattr(one, "check"):
            one.check(facts)
