"""Stages: runs that a run trains first, whose networks it then has frozen; `frozen.NAME.config` names their configs.

A stage is an ordinary run in WORKDIR/stages/NAME. It has the run's data and seed, and fields of its own. One command trains
all stages and then the run; killed anywhere, the same command goes on.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.config.load import load_config
from jaxgan.config.resolve import Config, Overrides, is_among, resolve_config
from jaxgan.console import say
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.plan import Donor, Plan
from jaxgan.sections import sections
from jaxgan.training.train import check_run, train
from jaxgan.workdir.data import open_data
from jaxgan.workdir.experiment import check_config, check_data
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.frozen import check_stage
from jaxgan.workdir.runs import load_frozen

SHARED = ("seed", "dtype", "parallel", "deterministic", "data")  # what a stage has of the run that it is for


def stages(config: Config) -> dict[str, tuple[Config, Overrides]]:
    """{NAME: (resolved config of the stage, what was given for it)} of a run. Raises UserError."""
    out = {}
    for name, frozen in config.get("frozen", {}).items():
        if not frozen.get("config") or frozen.workdir:
            continue
        given = [_override(name, text) for text in frozen.overrides]
        try:
            base = load_config(frozen.config).copy_and_resolve_references().unlock()
            with base.ignore_type():
                base.update({field: config[field] for field in SHARED if field != "data"})
                base.data = config.data.to_dict()
            resolved = resolve_config(base, given, sections)
        except UserError as error:
            raise UserError(f"frozen.{name}: {error}") from error
        if stages(resolved):
            raise UserError(f"frozen.{name}.config={frozen.config} has a stage itself; name a config that has none")
        out[name] = resolved, given
    return out


def _override(name: str, text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    path = path.removeprefix("--config.")
    if not equals:
        raise UserError(f"frozen.{name}.overrides are FIELD=VALUE, as optim.gen.lr=1e-4 is, and not '{text}'")
    if is_among(path, SHARED):
        raise UserError(f"frozen.{name}.overrides: {path} is that of the run itself, --config.{path}={value}")
    return path, value


def networks(config: Config, images: Images, folder: Path, train_first: bool = True) -> dict[str, Donor] | None:
    """The frozen networks of a run, after its stages have been trained to their ends; None where a signal stopped one.

    train_first: or networks of the right shapes, all 0, for stages that are not there yet. Raises UserError,
    DivergedError, checkpoint.DamagedError.
    """
    wanted = stages(config)
    if Workdir(folder).is_run or not wanted:
        if wanted:
            check_config(folder, config)
        found = load_frozen(config, folder, images.image_shape)
        for name, (stage, _) in wanted.items():
            check_stage(folder, name, stage, config.frozen[name].step, found[name])
        return found
    plans = {}
    for name, (stage, _) in wanted.items():
        data = open_data(stage)
        plans[name] = Plan(stage, data.features, load_frozen(stage, None, data.image_shape)), data
    later = {name: planned(config, name, plan) for name, (plan, _) in plans.items()}
    whole = load_frozen(config, folder, images.image_shape, later)
    if not train_first:
        return whole
    placement = Placement(config.parallel, shards=config.shards)
    check_run(Plan(config, images.features, whole), placement, folder)  # before hours of a stage
    for name, (plan, data) in plans.items():
        own = Workdir(folder).stage(name)
        if Workdir(own).done_step == plan.run.steps:
            check_config(own, plan.config)
            check_data(own, data)
            continue
        say(f"first {config.frozen[name].config}, for frozen.{name}, in {own}")
        train(plan, data, own, config.frozen[name].config, wanted[name][1])
        if Workdir(own).done_step != plan.run.steps:
            return None
    return load_frozen(config, folder, images.image_shape)


def planned(config: Config, name: str, plan: Plan) -> Donor:
    """What a stage will hand on, as zeros."""
    shapes = plan.shapes()
    players = config.frozen[name].players or tuple(shapes.params)
    variables = {player: shapes.variables(player) for player in players if player in shapes.params}
    zeros: Callable[[Any], Any] = lambda x: np.zeros(x.shape, x.dtype)  # noqa: E731
    features = {own: feature.as_json() for own, feature in plan.features.items()}
    record = {"title": f"{plan.config.task.name} of {config.frozen[name].config}, not trained yet"}
    record |= {"field": f"frozen.{name}.workdir", "saved": {"data": {"features": features}}}
    return Donor(plan.task, jax.tree.map(zeros, variables), record)
