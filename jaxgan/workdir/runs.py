"""Runs and their folders: which config a folder belongs to, and loading its newest state back."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from jaxgan.config.renamed import NAMES, earlier_values
from jaxgan.config.resolve import Config, Overrides, difference, flat, is_among, make_section, resolve_config
from jaxgan.config.run import DONORS, OPERATIONAL, FrozenRun
from jaxgan.console import say
from jaxgan.errors import UserError, as_path, nearest
from jaxgan.parallel import Placement
from jaxgan.plan import Donor, Plan
from jaxgan.sections import sections
from jaxgan.state import GanState
from jaxgan.workdir.checkpoint import Checkpoints, digest, flatten, kept_digest
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.frozen import features_in, save_frozen, saved_donor
from jaxgan.workdir.writer import provenance


def check_config(workdir: Path, new: Config) -> None:
    """Refuses to continue another experiment in a workdir: a UserError shows what differs."""
    if Workdir(workdir).is_run:
        # Resolved anew, so that a field which the run did not know yet has its default.
        old = resolve_config(ml_collections.ConfigDict(Workdir(workdir).config), [], sections)
        lines = difference(old.to_dict(), new.to_dict(), OPERATIONAL)
        lines += _other_donors(Workdir(workdir), flat(old.to_dict()), flat(new.to_dict()))
        if lines:
            raise UserError(f"{workdir} holds another experiment; choose another --workdir, or undo: " + "; ".join(lines))


def has_earlier_values(folder: Path) -> bool:
    """Whether a folder holds a run that began before some values were fields."""
    return any(start.get("names", 1) < NAMES for start in Workdir(folder).starts[:1])


def earlier_overrides(base: Config, overrides: Overrides) -> Overrides:
    """What a config needs to go on with a run that `has_earlier_values`, in fields that file and overrides leave at today's
    default."""
    config = resolve_config(base, overrides, sections).to_dict()
    today, asked, known = flat(config), dict(overrides), sections(config)
    out = []
    for path, value in earlier_values(config).items():
        section, _, field = path.rpartition(".")
        if path not in asked and today[path] == known[section].fields[field].default:
            out.append((path, str(value)))
    return out


def _other_donors(workdir: Workdir, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Lines "path: old -> new" of donors that are other runs than before; one whose folder has moved is the same."""
    lines = []
    for field in (path for path in {**old, **new} if is_among(path, DONORS)):
        before, now, taken = old.get(field, ""), new.get(field, ""), workdir.donors.get(field)
        if before == now or before and now and as_path(before).resolve() == as_path(now).resolve():
            continue
        if not now or not taken:
            lines.append(f"{field}: {before} -> {now}")
        elif kept_digest(Workdir(as_path(now)).checkpoints, taken["step"]) != taken["digest"]:
            lines.append(f"{field}: {before} -> {now}, which does not hold the checkpoint of step {taken['step']} of then")
    return lines


def check_data(workdir: Path, images: Any) -> None:
    """Refuses to go on with other data than a run began with. Raises UserError."""
    if Workdir(workdir).is_run:
        both = Workdir(workdir).saved["data"], _describe(images)
        before, now = ((data["size"], data.get("digest", "")) for data in both)
        if before != now:
            raise UserError(
                f"the data of {workdir} have changed since it began ({before[0]:,} images {before[1]}, now {now[0]:,} "
                f"{now[1]}); choose another --workdir, or restore them"
            )


def record_start(
    plan: Plan, workdir: Path, images: Any, source: str, overrides: Any, step: int, donors: dict[str, Any]
) -> None:
    """Writes `config.json`; each start of the run adds its provenance to the list "starts". Copies frozen networks. donors:
    the checkpoints of other runs that it begins from, if it begins."""
    save_frozen(plan, workdir)
    start = {"step": step, "names": NAMES, "config": source, "overrides": [f"{k}={v}" for k, v in overrides]} | provenance()
    donors = donors | {donor.record["field"]: donor.record["taken"] for donor in plan.frozen.values()}
    start |= {"donors": donors} if donors else {}
    Workdir(workdir).save(json.loads(plan.config.to_json()), _describe(images), start)


def _describe(images: Any) -> dict[str, Any]:
    """A run's data for the record."""
    return {
        "name": images.name,
        "size": len(images),
        "features": {name: feature.as_json() for name, feature in images.features.items()},
        "digest": images.digest,
    }


def saved_plan(workdir: Path, overrides: Any = ()) -> Plan:
    """What a finished or unfinished run was built from, without its data. overrides: of what does not define it."""
    saved = Workdir(workdir).saved
    resolved = resolve_config(ml_collections.ConfigDict(saved["config"]), list(overrides), sections)
    features = features_in(saved["data"])
    return Plan(resolved, features, load_frozen(resolved, workdir, features["image"].shape), opened=False)


def load_frozen(config: Config, folder: Path | None, image_shape: tuple[int, ...] = ()) -> dict[str, Donor]:
    """The networks of the sections `frozen.NAME`: the copies in a run's `folder`, or, for a new run, the other runs'.

    image_shape: of what extractors look at. Raises UserError.
    """
    out: dict[str, Donor] = {}
    known = sections(config.to_dict()) if config.get("frozen") else {}
    for name in config.get("frozen", {}):
        part = known[f"frozen.{name}"]
        made = make_section(config, f"frozen.{name}", part, {})
        if part.cls is not FrozenRun:
            made.check()
            network, field = made.load(image_shape), f"frozen.{name}"
            before = Workdir(folder).donors.get(field, {}).get("digest", network.hash) if folder else network.hash
            if before != network.hash:
                raise UserError(f"{field}: the weights of {network.name} are others than when {folder} began; restore them")
            record = {"title": network.name, "field": field, "taken": {"digest": network.hash}}
            out[name] = Donor(lambda network=network: network, network.variables, record)
            continue
        is_run = folder is not None and Workdir(folder).is_run
        out[name] = (saved_donor(folder / "frozen" / name) if is_run else None) or _taken(name, made)  # pyright: ignore
        theirs = features_in(out[name].record["saved"]["data"])["image"].shape
        if image_shape and tuple(theirs) != tuple(image_shape):
            sizes = ["x".join(map(str, shape)) for shape in (theirs, image_shape)]
            raise UserError(
                f"frozen.{name} was trained on images of {sizes[0]}, and this run has {sizes[1]}; they must agree"
            )
    return out


def _taken(name: str, wanted: FrozenRun) -> Donor:
    """The networks of another run's checkpoint."""
    if not wanted.workdir:
        raise UserError(f"frozen.{name} says whose networks to take: --config.frozen.{name}.workdir=RUN")
    path, everywhere = as_path(wanted.workdir), Placement()
    plan, step, state = load_run(path, everywhere, wanted.step or None)
    if plan.frozen:
        raise UserError(f"frozen.{name}: {path} has frozen networks itself; take those runs that it took")
    for player in wanted.players:
        if player not in state.params:
            raise UserError(f"frozen.{name}: {path} has no player '{player}'; {nearest(player, state.params)}")
    players = wanted.players or tuple(state.params)
    variables = {player: state.variables(player, wanted.ema and player in state.ema) for player in players}
    found = jax.device_get(everywhere.local(variables))
    record = {
        "title": f"{plan.config.task.name} of {path}, step {step}",
        "field": f"frozen.{name}.workdir",
        "taken": {"workdir": wanted.workdir, "step": step, "digest": kept_digest(Workdir(path).checkpoints, step)},
        "arrays": digest(flatten(found)),
        "players": list(players),
        "saved": {**Workdir(path).saved, "starts": []},
    }
    return Donor(plan.task, found, record)


def abstract_state(plan: Plan, placement: Placement) -> Any:
    """The shapes of a run's state, replicated over the whole mesh, as checkpoints hold it."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=placement.replicated), plan.shapes())


def load_run(workdir: Path, placement: Placement, step: int | None = None, overrides: Any = ()) -> tuple[Plan, int, Any]:
    """(plan, step, state over the whole mesh) of a run's newest intact checkpoint, or of that of `step`. Raises
    UserError without one."""
    plan = saved_plan(workdir, overrides)
    folder = Workdir(workdir).checkpoints
    if not folder.is_dir():
        raise UserError(f"{workdir} holds no checkpoint yet")
    checkpoints = Checkpoints(folder, read_only=True)
    try:
        there = checkpoints.steps
        found = checkpoints.restore(abstract_state(plan, placement), say, step)
    finally:
        checkpoints.close()
    if found is None and step is not None and there:
        raise UserError(f"{workdir} has no checkpoint of step {step}, but of {', '.join(map(str, there))}")
    if found is None:
        raise UserError(f"{workdir} holds no checkpoint yet")
    return plan, *found


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


def check_donor(plan: Plan) -> None:
    """Refuses, before anything is made, an `init_from` whose networks this run cannot take. Raises UserError."""
    given = plan.run.init_from
    theirs, mine = (p.shapes() for p in (saved_plan(as_path(given.workdir)), plan))
    for player in given.players or tuple(mine.params):
        if player not in mine.params or player not in theirs.params:
            raise UserError(f"init_from: no player '{player}' in both runs; {nearest(player, theirs.params)}")
        shapes = [jax.tree.map(jnp.shape, (state.params[player], state.model_state[player])) for state in (mine, theirs)]
        if shapes[0] != shapes[1]:
            raise UserError(f"init_from: {given.workdir} has another network for '{player}' than this run")


def adopt(plan: Plan, placement: Placement, state: GanState) -> tuple[GanState, dict[str, Any]]:
    """(`state` with the params, statistics and averages of the players that `init_from` names, which checkpoint they are
    from). Raises UserError."""
    check_donor(plan)
    given, everywhere = plan.run.init_from, Placement()
    _, step, other = load_run(as_path(given.workdir), everywhere)
    donors = {
        "init_from.workdir": {
            "workdir": given.workdir,
            "step": step,
            "digest": kept_digest(Workdir(as_path(given.workdir)).checkpoints, step),
        }
    }
    other = jax.device_get(everywhere.local(other.replace(rng=jax.random.key_data(other.rng))))
    params, model_state, ema = dict(state.params), dict(state.model_state), dict(state.ema)
    for player in given.players or tuple(params):
        if given.ema and player in other.ema:
            taken = other.ema[player]
        else:
            taken = {"params": other.params[player], "model_state": other.model_state[player]}
        params[player] = placement.replicate(taken["params"])
        model_state[player] = placement.replicate(taken["model_state"])
        if player in ema:
            ema[player] = placement.replicate(taken)
    say(f"starting from {given.workdir} at step {step}")
    return state.replace(params=params, model_state=model_state, ema=ema), donors
