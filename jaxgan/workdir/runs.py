"""Loading runs back: their plans, networks that they lend, and states to go on from."""

import itertools
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import records
from jaxgan.config.resolve import Config, make_section
from jaxgan.config.run import FrozenRun, InitFrom
from jaxgan.console import say
from jaxgan.errors import UserError, as_path, nearest
from jaxgan.extractors.base import Network
from jaxgan.extractors.table import EXTRACTORS
from jaxgan.keys import role_id
from jaxgan.placement import Placement
from jaxgan.plan import Donor, Plan
from jaxgan.sections import sections, task_class
from jaxgan.state import GanState
from jaxgan.workdir.archive import CONFIG, Archive
from jaxgan.workdir.checkpoint import Checkpoints, DamagedError, kept_digest
from jaxgan.workdir.experiment import saved_config
from jaxgan.workdir.flat import digest, flatten
from jaxgan.workdir.folder import CONFIG_ADVICE, Workdir
from jaxgan.workdir.frozen import saved_donor
from jaxgan.workdir.saved import features_in

LOOKS = 20  # at a run that goes on and saves, for a checkpoint that stays long enough to be read


def saved_plan(workdir: Path, overrides: Any = ()) -> Plan:
    """What a finished or unfinished run was built from, without its data. overrides: of what does not define it."""
    resolved = saved_config(workdir, overrides)
    with records.reading(Workdir(workdir).record, CONFIG_ADVICE):
        features = features_in(Workdir(workdir).saved["data"])
    return Plan(resolved, features, load_frozen(resolved, workdir, features["image"].shape, trains=False), opened=False)


def load_frozen(
    config: Config,
    folder: Path | None,
    image_shape: tuple[int, ...] = (),
    planned: dict[str, Donor] | None = None,
    trains: bool = True,
) -> dict[str, Donor]:
    """The networks of the sections `frozen.NAME`: the copies in a run's `folder`, or, for a new run, the other runs'.

    image_shape: of what extractors look at. planned: networks in the place of some of them. trains: whether the losses will
    be computed; if not, an extractor that they alone read is not loaded, so that who uses a run need not have its weights.
    Raises UserError.
    """
    out: dict[str, Donor] = {}
    known = sections(config.to_dict()) if config.get("frozen") else {}
    for name in config.get("frozen", {}):
        part = known[f"frozen.{name}"]
        made = make_section(config, f"frozen.{name}", part, {})
        if part.cls is not FrozenRun:
            kind, field = config.frozen[name].name, f"frozen.{name}"
            if not trains and folder and kind in EXTRACTORS and name not in task_class(config.to_dict()).asks:
                digest_then = Workdir(folder).donors.get(field, {}).get("digest", "")
                network = Network(kind, digest_then, "not loaded", {}, _not_loaded)
            else:
                made.check()
                network = made.load(image_shape)
            before = Workdir(folder).donors.get(field, {}).get("digest", network.hash) if folder else network.hash
            if before != network.hash:
                raise UserError(f"{field}: the weights of {network.name} are others than when {folder} began; restore them")
            record = {"title": network.name, "field": field, "taken": {"digest": network.hash}}
            out[name] = Donor(lambda network=network: network, network.variables, record)
            continue
        copy = folder / "frozen" / name if folder and Workdir(folder).is_run else None
        before = Workdir(folder).donors.get(f"frozen.{name}.workdir") if folder and copy else None
        if folder and made.config and not made.workdir and Workdir(Workdir(folder).stage(name)).is_run:
            made = replace(made, workdir=str(Workdir(folder).stage(name)))
        out[name] = (planned or {}).get(name) or (saved_donor(copy) if copy else None) or lent(f"frozen.{name}", made)
        if before and before["digest"] != out[name].record["taken"]["digest"]:
            raise UserError(f"{copy} is gone, and {made.workdir} holds other networks than it was copied from; restore it")
        theirs = features_in(out[name].record["saved"]["data"])["image"].shape
        if image_shape and tuple(theirs) != tuple(image_shape):
            sizes = ["x".join(map(str, shape)) for shape in (theirs, image_shape)]
            raise UserError(
                f"frozen.{name} was trained on images of {sizes[0]}, and this run has {sizes[1]}; they must agree"
            )
    return out


def _not_loaded(variables: Any, images: Any) -> Any:
    raise AssertionError("an extractor that only losses read")


def lent(field: str, wanted: FrozenRun) -> Donor:
    """The networks of another run's checkpoint. field: for messages, "frozen.NAME". Raises UserError."""
    if not wanted.workdir:
        raise UserError(f"{field} says whose networks to take: --config.{field}.workdir=RUN")
    path, everywhere = as_path(wanted.workdir), Placement()
    plan, step, state = load_run(path, everywhere, wanted.step or None)
    if plan.frozen:
        raise UserError(f"{field}: {path} has frozen networks itself; take those runs that it took")
    for player in wanted.players:
        if player not in state.params:
            raise UserError(f"{field}: {path} has no player '{player}'; {nearest(player, state.params)}")
    players = wanted.players or tuple(state.params)
    variables = {player: state.variables(player, wanted.ema and player in state.ema) for player in players}
    found = jax.device_get(everywhere.local(variables))
    record = {
        "title": f"{plan.config.task.name} of {path}, step {step}",
        "field": f"{field}.workdir",
        "taken": {"workdir": wanted.workdir, "step": step, "digest": weights_digest(path, step)},
        "arrays": digest(flatten(found)),
        "players": list(players),
        "saved": {**Workdir(path).saved, "starts": []},
    }
    return Donor(plan.task, found, record)


def abstract_state(plan: Plan, placement: Placement) -> Any:
    """The shapes of a run's state, replicated over the whole mesh, as checkpoints hold it."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=placement.replicated), plan.shapes())


def load_run(workdir: Path, placement: Placement, step: int | None = None, overrides: Any = ()) -> tuple[Plan, int, Any]:
    """(plan, step, state over the whole mesh) of a run's newest intact checkpoint, or of that of `step`; or of an exported
    model, whose state has the generator alone. Raises UserError without one."""
    archive = Archive(workdir)
    if archive.is_archive:
        archive.check(CONFIG)
        plan, made_at = saved_plan(workdir, overrides), archive.manifest["step"]
        if step not in (None, made_at):
            raise UserError(f"{workdir} was exported at step {made_at} and has no other")
        return plan, made_at, archive.state(plan, placement)
    Workdir(workdir).check_folders()
    plan = saved_plan(workdir, overrides)
    if not Workdir(workdir).checkpoints.is_dir():
        raise UserError(f"{workdir} holds no checkpoint yet")
    found = _newest(Workdir(workdir), abstract_state(plan, placement), step)
    there = sorted(Workdir(workdir).saved_steps)
    if found is None and step is not None and there:
        raise UserError(f"{workdir} has no checkpoint of step {step}, but of {', '.join(map(str, there))}")
    if found is None:
        raise UserError(f"{workdir} holds no checkpoint yet")
    return plan, *found


def weights_digest(folder: Path, step: int) -> str | None:
    """The digest of a run's checkpoint of `step`, or of an exported model; None where none was kept."""
    archive = Archive(folder)
    return archive.identity if archive.is_archive else kept_digest(Workdir(folder).checkpoints, step)


def check_weights(folder: Path, ema: bool) -> None:
    """Refuses the weights themselves of an exported model, which has moving averages alone. Raises UserError."""
    if not ema and Archive(folder).is_archive and Archive(folder).manifest["ema"]:
        raise UserError(f"{folder} holds the moving averages of the weights alone; leave --noema out")


def _newest(workdir: Workdir, abstract: Any, step: int | None) -> tuple[int, Any] | None:
    """(step, state) of a run's newest intact checkpoint, or of that of `step`; None without one. The run may be going on and
    remove what is being read: then a newer one is there, which is looked for."""
    for look in itertools.count(1):
        before = workdir.saved_steps
        try:
            with closing(Checkpoints(workdir.checkpoints, read_only=True)) as checkpoints:
                return checkpoints.restore(abstract, say, step)
        except (DamagedError, OSError):
            if look == LOOKS or workdir.saved_steps == before:
                raise


def starting_state(
    plan: Plan, placement: Placement, checkpoints: Checkpoints, step: int | None = None
) -> tuple[GanState, dict[str, Any]]:
    """(The state to go on from, the checkpoints of other runs that it has params of).

    It is the newest intact checkpoint, or that of `step`, or a new one (step 0, or none there), with another run's params if
    so asked.
    """
    found = None if step == 0 else checkpoints.restore(abstract_state(plan, placement), say, step)
    if found:
        return placement.from_global(found[1]), {}
    state = new_state(plan, placement)
    return adopt(plan, placement, state) if plan.run.init_from.workdir else (state, {})


def new_state(plan: Plan, placement: Placement) -> GanState:
    """A run's state at step 0, but for `init_from`."""
    return placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(plan.run.seed))


def with_other_noise(state: GanState, rollbacks: list[dict[str, Any]], placement: Placement) -> tuple[GanState, int]:
    """(The state with the noise of its last rollback, which rollback of the run that was), where it is the one that was gone
    back to; else as it is, and 0. Checkpoints that are saved later have that noise."""
    if not rollbacks or rollbacks[-1]["step"] != int(placement.local(state.step)):
        return state, 0
    many = len(rollbacks)
    return state.replace(rng=jax.random.fold_in(state.rng, role_id(f"rollback/{many}"))), many


def check_donor(plan: Plan) -> None:
    """Refuses, before anything is made, an `init_from` whose networks this run cannot take. Raises UserError."""
    given, mine = plan.run.init_from, plan.shapes()
    for workdir in filter(None, (given.workdir, given.base_workdir)):
        theirs, archive = saved_plan(as_path(workdir)).shapes(), Archive(as_path(workdir))
        have = archive.manifest["players"] if archive.is_archive else [*theirs.params]
        for player in given.players or tuple(mine.params):
            if player not in mine.params or player not in have:
                raise UserError(f"init_from: no player '{player}' in both runs; {nearest(player, have)}")
            shapes = [jax.tree.map(jnp.shape, (one.params[player], one.model_state[player])) for one in (mine, theirs)]
            if shapes[0] != shapes[1]:
                raise UserError(f"init_from: {workdir} has another network for '{player}' than this run")


def adopt(plan: Plan, placement: Placement, state: GanState) -> tuple[GanState, dict[str, Any]]:
    """(`state` with the params, statistics and averages of the players that `init_from` names, which checkpoint they are
    from). Raises UserError."""
    check_donor(plan)
    given, donors = plan.run.init_from, {}
    taken, donors["init_from.workdir"] = _donated(given, given.workdir, state)
    if given.base_workdir:
        base, donors["init_from.base_workdir"] = _donated(given, given.base_workdir, state)
        s = given.strength
        taken = jax.tree.map(lambda a, b: (s * a + (1 - s) * b).astype(a.dtype), taken, base)
        say(f"weights between the two: {s:g} of the first")
    own = {player: placement.replicate(x) for player, x in taken.items()}
    params = state.params | {player: x["params"] for player, x in own.items()}
    model_state = state.model_state | {player: x["model_state"] for player, x in own.items()}
    # Copies of their own: the step is given params and averages for good, and no array twice.
    ema = state.ema | {player: placement.replicate(x) for player, x in taken.items() if player in state.ema}
    return state.replace(params=params, model_state=model_state, ema=ema), donors


def _donated(given: InitFrom, workdir: str, state: GanState) -> tuple[dict[str, Any], dict[str, Any]]:
    """({player: its params and statistics}, which checkpoint of a run they are from)."""
    everywhere, path = Placement(), as_path(workdir)
    _, step, other = load_run(path, everywhere)
    other = jax.device_get(everywhere.local(other.replace(rng=jax.random.key_data(other.rng))))
    players = given.players or tuple(state.params)
    raw = {player: {"params": other.params[player], "model_state": other.model_state[player]} for player in players}
    averages = {player: x for player, x in other.ema.items() if player in raw} if given.ema else {}
    say(f"starting from {workdir} at step {step}")
    return raw | averages, {"workdir": workdir, "step": step, "digest": weights_digest(path, step)}
