"""Which experiment a folder holds: its config, its data, and what each start writes down."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jaxgan.config import trust
from jaxgan.config.renamed import NAMES, earlier_values
from jaxgan.config.resolve import Config, Overrides, difference, flat, is_among, resolve_config
from jaxgan.config.run import DONORS, OPERATIONAL
from jaxgan.console import say
from jaxgan.errors import UserError, as_path
from jaxgan.plan import Plan
from jaxgan.sections import sections
from jaxgan.workdir.archive import Archive
from jaxgan.workdir.checkpoint import kept_digest
from jaxgan.workdir.folder import CONFIG_ADVICE, Workdir, check_path
from jaxgan.workdir.frozen import save_frozen
from jaxgan.workdir.provenance import changed, provenance
from jaxgan.workdir.saved import resolve_saved


def saved_config(workdir: Path, overrides: Iterable[tuple[str, str]] = ()) -> Config:
    """A run's config, resolved anew: a field that the run did not know yet has its default. overrides: of this command.

    Raises UserError, before anything is imported, where it names classes that are not to be trusted.
    """
    saved = Workdir(workdir).config
    Workdir(workdir).check_trust(saved, [text for _, text in overrides])
    return resolve_saved(saved, Workdir(workdir).record, CONFIG_ADVICE, overrides)


def check_config(workdir: Path, new: Config) -> None:
    """Refuses to continue another experiment in a workdir, where a UserError shows what differs, and to begin one among
    somebody's files."""
    check_path(workdir)
    if Archive(workdir).is_archive:
        raise UserError(
            f"{workdir} is an exported model, which is not trained on; choose another --workdir, and begin from this one's "
            f"generator with --config.init_from.workdir={workdir} --config.init_from.players="
            + ",".join(Archive(workdir).manifest["players"])
        )
    if not Workdir(workdir).is_run:
        Workdir(workdir).check_new()
    else:
        old = saved_config(workdir)
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
        if not now or not taken or "step" not in taken:
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
    """Writes `config.json`; each start of the run adds its provenance to the list "starts". Copies frozen networks. Says
    what is another than at the last start, and notes which classes outside the package the run uses. donors: the
    checkpoints of other runs that it begins from, if it begins."""
    save_frozen(plan, workdir)
    now = provenance()
    others = changed(Workdir(workdir).starts[-1], now) if step and Workdir(workdir).starts else ""
    if others:
        say(f"{workdir} goes on elsewhere than it began, {others}: its numbers may differ by rounding")
    start = {"step": step, "names": NAMES, "config": source, "overrides": [f"{k}={v}" for k, v in overrides]} | now
    donors = donors | images.taken | {donor.record["field"]: donor.record["taken"] for donor in plan.frozen.values()}
    start |= {"donors": donors} if donors else {}
    config = json.loads(plan.config.to_json())
    classes = [config, *(donor.record["saved"]["config"] for donor in plan.frozen.values() if "saved" in donor.record)]
    Workdir(workdir).save(config, _describe(images), start, trust.classes_in(classes))


def _describe(images: Any) -> dict[str, Any]:
    """A run's data for the record."""
    return {
        "name": images.name,
        "size": len(images),
        "features": {name: feature.as_json() for name, feature in images.features.items()},
        "digest": images.digest,
    }
