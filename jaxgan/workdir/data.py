"""The data that a config names, also where another run makes them."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import jaxgan
from jaxgan import npz, sections
from jaxgan.batches import in_batches
from jaxgan.config.resolve import Config
from jaxgan.config.schema import value_of
from jaxgan.console import say
from jaxgan.data.samples import Followed, Samples
from jaxgan.data.source import Images
from jaxgan.data.subset import Subset
from jaxgan.errors import UserError, as_path
from jaxgan.files import replacing, user_cache
from jaxgan.generate import make_labels, make_pictures, takes_labels, trained
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.tasks.protocols import Generates, Predicts
from jaxgan.workdir.archive import Archive
from jaxgan.workdir.experiment import saved_config
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run, saved_plan, weights_digest

BATCH = 200  # samples at once
MOST = 50  # times as many samples as are wanted that a filter may see


def open_data(config: Config) -> Images:
    """The images that a config names, as `sections.open_data`; samples of `data.workdir` are made once. Raises UserError."""
    source = sections.source_of(config)
    own = isinstance(source, Samples) and bool(source.workdir)
    return sections.open_data(config, _made(source) if own else None)


def behind(config: Config) -> Config:
    """The config of the run whose samples are the data of another; any other config as it is. Raises UserError."""
    return _chain(config)[-1]


def _chain(config: Config) -> list[Config]:
    """A config, that of the run whose samples are its data, and so on."""
    source = sections.source_of(config)
    is_of_run = isinstance(source, Samples) and bool(source.workdir)
    return [config, *(_chain(saved_config(as_path(source.workdir))) if is_of_run else ())]


def open_split(config: Config, split: str = "", source_split: str = "", whole: bool = False) -> Images:
    """A split of a run's data as scores see it, nothing of it cut off: all its examples of the classes that are kept, with
    their own labels; or, whole, of all classes, as anomaly scores need it. Of samples of a run it is that run's data.

    split, source_split: empty for the run's own. Raises UserError where the data have no such split."""
    other = behind(config).copy_and_resolve_references().unlock()
    for name, value in (("split", split), ("source_split", source_split)):
        if value and name not in other.data:
            such = "" if name == "split" else " such"
            raise UserError(f"eval.{name}={value}, but data.name={other.data.name} has no{such} splits")
        if value:
            value_of(f"data.{name}", value, sections.sections(other.to_dict())["data"].fields[name])
            other.data.update({name: value})
    if split or whole:
        other.data.update(sections.without_subset(other, whole))
        other.data.update({"unseen": ()} if "unseen" in other.data else {})
    if "jitter" in other.data:
        other.data.jitter = 0  # fitted to their size themselves
    images = open_data(other.lock())
    for run in () if whole else _chain(config)[:-1]:  # what runs on samples leave out themselves
        subset = sections.subset_of(run)
        images = Subset(classes=subset.classes, without=subset.without).of(images, run.seed)
    return images


def trained_classes(config: Config, images: Images) -> np.ndarray:
    """Which classes a run is trained on, bool [K]; of samples of a run those that both keep. images: of any split of its
    data."""
    return np.logical_and.reduce([sections.subset_of(run).mask(images) for run in _chain(config)])


class _Donor(NamedTuple):
    """A run that samples are made of. taken: which of its checkpoints, for the record."""

    folder: Path
    plan: Plan
    step: int
    taken: dict[str, Any]

    def nets(self) -> Any:
        everywhere = Placement()
        _, _, state = load_run(self.folder, everywhere, self.step)
        return trained(self.plan, everywhere.local(state), ema=True)


def _donor(field: str, workdir: str) -> _Donor:
    """The newest checkpoint of a run. Raises UserError."""
    folder = as_path(workdir)
    plan, archive = saved_plan(folder), Archive(folder)
    steps = {archive.manifest["step"]} if archive.is_archive else Workdir(folder).saved_steps
    if not steps:
        raise UserError(f"{field}: {folder} holds no checkpoint yet")
    step = max(steps)
    return _Donor(folder, plan, step, {"workdir": workdir, "step": step, "digest": weights_digest(folder, step)})


def _made(source: Samples) -> Images:
    """The samples of `source.workdir`, and the run's real examples behind them, if any are wanted."""
    source.check()
    donor = _donor("data.workdir", source.workdir)
    layouts = _layouts(donor, source)
    has_labels = layouts is None and takes_labels(donor.plan)
    judge = _donor("data.filter_workdir", source.filter_workdir) if source.filter_workdir else None
    if judge:
        _check_judge(judge, donor, has_labels)
    real = _data_of(donor) if source.real or not (source.num or layouts) else None
    count = source.num or len(layouts or real or ())
    found = _cached(donor, judge, count, has_labels, layouts)
    label = donor.plan.features.get("label")
    title = f"{donor.plan.config.task.name}, step {donor.step}" + (", filtered" if judge else "")
    labels, sources = found.get("labels"), None
    if layouts:
        title += f", from {layouts.name}"
        beside = {name: layouts.gather_feature(name, np.arange(count)) for name in {"source", "label"} & {*layouts.features}}
        labels, sources = beside.get("label"), beside["source"]
    images = source.of(title, found["images"], labels, label.classes if label else 0, label.names if label else (), sources)
    taken = {"data.workdir": donor.taken} | ({"data.filter_workdir": judge.taken} if judge else {})
    images = replace(images, taken=taken)
    return _followed(images, real, source.real) if source.real and real is not None else images


def _data_of(donor: _Donor, **fields: Any) -> Images:
    """The data of a run as it sees them outside training: nothing of them cut off. fields: of the section, to change."""
    config = donor.plan.config.copy_and_resolve_references().unlock()
    config.data.update(fields | ({"jitter": 0} if "jitter" in config.data else {}))
    return open_data(config.lock())


def _layouts(donor: _Donor, source: Samples) -> Images | None:
    """The examples whose sources a run translates; None for a generator from noise. Raises UserError for other runs."""
    plan = donor.plan
    told = f"data.workdir={source.workdir}: {plan.config.task.name}"
    if not plan.can(Generates) or plan.given not in ((), ("source",)):
        raise UserError(f"{told} makes no pictures from noise; name a generator")
    if not plan.given and source.sources:
        raise UserError(f"{told} translates no sources; --config.data.sources=")
    if not plan.given:
        return None
    if source.sources and "split" not in plan.config.data:
        raise UserError(f"data.sources={source.sources}, but data.name={plan.config.data.name} has no splits")
    other = {"split": source.sources, **sections.without_subset(plan.config)} if source.sources else {}
    images = _data_of(donor, **other)
    if not images.paired:
        raise UserError(f"{told} learns from pictures that belong to no source; name a run of pairs, configs/pix2pix.py")
    return images


def _followed(images: Images, real: Images, share: float) -> Images:
    """Samples and real examples, of which the latter are so large a share."""
    if real.image_shape != images.image_shape or real.num_classes != images.num_classes:
        raise UserError(f"data.real: {real.name} and its samples have unlike shapes or labels")
    more = round(len(images) * share / (1 - share))
    name = f"{images.name}, and {real.name} as {100 * share:g} %"
    digest = hashlib.sha256(f"{images.digest} {name} {real.digest}".encode()).hexdigest()[:16]
    examples = Followed(images.examples, real.examples, more)
    return replace(images, name=name, examples=examples, digest=digest, resident=images.resident and real.resident)


def _check_judge(judge: _Donor, donor: _Donor, has_labels: bool) -> None:
    if not judge.plan.can(Predicts):
        raise UserError(f"data.filter_workdir: {judge.plan.config.task.name} predicts no classes; name a classifier's run")
    if not has_labels:
        raise UserError("data.filter_workdir: the generator of data.workdir is told no labels that a classifier could check")
    if judge.plan.image_shape != donor.plan.image_shape:
        shapes = ["x".join(map(str, plan.image_shape)) for plan in (judge.plan, donor.plan)]
        raise UserError(f"data.filter_workdir was trained on images of {shapes[0]}, and samples are {shapes[1]}")


def _cached(
    donor: _Donor, judge: _Donor | None, count: int, has_labels: bool, layouts: Images | None
) -> dict[str, np.ndarray]:
    """{"images", "seeds", perhaps "labels"} of a generator's first `count` samples that a classifier, if any, agrees with;
    from the cache if they have been made before, on such a device and by these versions."""
    taken = [x and (x.taken["digest"], x.step, x.plan.config.to_json()) for x in (donor, judge)]
    about = [taken, count, jax.devices()[0].device_kind, jax.__version__, jaxgan.__version__]
    about += [[layouts.name, layouts.digest]] if layouts else []
    key = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
    path = user_cache() / "samples" / f"{key[:24]}.npz"
    is_known = all(x is None or x.taken["digest"] for x in (donor, judge))  # else a name says nothing of the weights
    try:
        found = npz.read(path) if is_known else {}
        if found.keys() >= {"images", "seeds"} | ({"labels"} if has_labels else set()):
            return found
    except (OSError, ValueError):  # none, or damaged
        pass
    say(f"making {count:,} samples of {donor.folder}, step {donor.step}")
    out = _generated(donor, judge, count, has_labels, layouts)
    try:
        with replacing(path) as file:
            np.savez(file, **out)  # pyright: ignore[reportArgumentType]
    except OSError:  # a cache that cannot be written costs time alone
        pass
    return out


def _generated(
    donor: _Donor, judge: _Donor | None, count: int, has_labels: bool, layouts: Images | None
) -> dict[str, np.ndarray]:
    make, right = make_pictures(donor.plan, donor.nets(), layouts), _agrees(judge) if judge else None
    asked = make_labels(donor.plan) if has_labels else None
    parts: list[dict[str, np.ndarray]] = []
    have = first = 0
    while have < count:
        if first >= MOST * count:
            raise UserError(f"data.filter_workdir: of {first:,} samples {have} are taken for what they were asked to be")
        numbers = np.arange(first, first + BATCH, dtype=np.uint32)
        part = {"images": make(numbers), "seeds": numbers}
        if not np.isfinite(part["images"]).all():
            raise UserError(f"data.workdir: samples of {donor.folder} are not finite")
        if asked:
            part["labels"] = asked(numbers)
        if right:
            kept = right(part["images"], part["labels"])
            part = {name: x[kept] for name, x in part.items()}
        parts.append(part)
        have, first = have + len(part["seeds"]), first + BATCH
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}


def _agrees(judge: _Donor) -> Any:
    """(images, labels) -> which of them a classifier takes for what their labels say, bool [N]."""
    nets, task = judge.nets(), judge.plan.task()

    @jax.jit
    def likeliest(images: jax.Array) -> jax.Array:
        return task.predict(nets.players, images.astype(np.float32) / 127.5 - 1).argmax(-1)

    return lambda images, labels: in_batches(lambda x: np.asarray(likeliest(x)), BATCH, images) == labels
