"""The golden record: whether two revisions of this project train alike, to the bit.

    python tests/golden.py --old dfda187            # twelve runs; before each commit that moves code
    python tests/golden.py --old dfda187 --all      # every config and variant, and a cell of every table
    python tests/golden.py --old dfda187 --only=wgan
    python tests/golden.py --old dfda187 --resume   # and three runs that the old revision begins and the new one ends

Both revisions run on this machine, at smoke size, each from a folder of its own and with data that it prepares itself.
Compared are, of each run, the resolved config, the start's params and optimizer states, two batches, the keys of all
random draws, XLA's count of the step's operations and bytes, metrics and state after each of four steps, and generated
images. Names that have changed are mapped by
the new revision's `jaxgan/config/renamed.py`.

A run that differs is made again in float64: differences below 1e-9 there are listed as rounding. The exit code is 1 if
there is any other difference.
"""

import argparse
import fnmatch
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

STEPS = 4
ADDED = ("config",)  # kinds of which the new revision may have more: fields with defaults
ROUNDING = 1e-9
# Where each piece may stand, the newest place first.
PLACES = {
    "Plan": ("jaxgan.plan:Plan", "jaxgan.build:Blueprint"),
    "open_data": ("jaxgan.sections:open_data", "jaxgan.plan:open_data", "jaxgan.build:open_data"),
    "sections": ("jaxgan.sections:sections", "jaxgan.plan:sections", "jaxgan.build:sections"),
    "load": ("jaxgan.config.load:load_config", "jaxgan.config.resolve:load_config", "jaxgan.config:load"),
    "resolve": ("jaxgan.config.resolve:resolve_config", "jaxgan.config:resolve"),
    "flat": ("jaxgan.config.resolve:flat", "jaxgan.config:flat"),
    "Keys": ("jaxgan.keys:Keys", "jaxgan.noise:Keys"),
    "make_batch": ("jaxgan.program:make_batch",),
    "make_train_step": ("jaxgan.step:make_train_step",),
    "given_inputs": ("jaxgan.generate:given_inputs", "jaxgan.generate:source_inputs", "jaxgan.generate:given"),
    "make_generate": ("jaxgan.generate:make_generate",),
    "trained": ("jaxgan.generate:trained", "jaxgan.generate:variables"),
    "load_table": ("jaxgan.ablation.cells:load_table", "jaxgan.cells:load"),
    "make_cells": ("jaxgan.ablation.cells:make_cells", "jaxgan.cells:make_cells"),
}
# One of each task, network, loss and penalty, as far as twelve can be.
QUICK = (
    "vanilla.py:nonsaturating", "dcgan.py", "hinge.py", "wgan.py:gp", "wgan.py:clip", "toy.py:ring",
    "stylegan_lite.py:digits", "r3gan.py:digits", "pix2pix.py:labels", "cyclegan.py:digits", "ablations/dirac.py",
    "ablations/limited_data.py:dcgan",
)  # fmt: skip
# What makes any config small: the last part of a field's path -> its value. Fields that a config lacks are passed over.
SMALL = {
    "batch_size": 8, "steps": 4000, "z_dim": 4, "width": 4, "widths": 4, "max_width": 8, "group_width": 4, "w_dim": 8,
    "mapping": 2, "blocks": 1, "pool": 6, "kernels": 4, "images": 400, "points": 3000,
}  # fmt: skip
# Runs that the old revision begins and the new one ends, logged and saved at unlike steps, so that a log spans both.
_SMALL = ("--config.batch_size=8", "--config.log.every=4", "--config.checkpoint.every=5", "--config.nets.gen.width=4",
          "--config.nets.disc.width=4", "--config.sample.num=4")  # fmt: skip
RESUMED = {
    "wgan.py": _SMALL,
    "stylegan_lite.py": (*_SMALL, "--config.nets.gen.max_width=8", "--config.nets.disc.max_width=8"),
    "pix2pix.py": (*_SMALL, "--config.nets.gen.max_width=8"),
}
PICTURES = 24  # in the folders that stand in for data sets of the web


def specs(tree: Path, everything: bool) -> list[str]:
    """The configs to run, each "FILE.py:VARIANT"; of `ablations/` a cell of the table."""
    if not everything:
        return list(QUICK)
    out = []
    for path in [*sorted((tree / "configs").glob("*.py")), *sorted((tree / "configs" / "ablations").glob("*.py"))]:
        if path.stem in ("default", "__init__"):
            continue
        name = str(path.relative_to(tree / "configs"))
        module = importlib.import_module(f"configs.{name.removesuffix('.py').replace('/', '.')}")
        out += [f"{name}:{variant}".rstrip(":") for variant in getattr(module, "VARIANTS", ("",))]
    return out


def piece(name: str) -> Any:
    for place in PLACES[name]:
        module, _, attribute = place.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError):
            continue
    raise SystemExit(f"golden: this revision has no {name} at any of {', '.join(PLACES[name])}")


# --- in a process of its own: the record of one revision --------------------------------------------------------------


def record(tree: Path, wanted: list[str], folder: Path, float64: bool) -> None:
    """Writes an npz file {"kind|name": array} of each of the runs `wanted` of the revision in `tree`, unless it is there."""
    opened: dict[str, Any] = {}
    for number, spec in enumerate(wanted, 1):
        path, began = record_path(folder, spec), time.monotonic()
        if path.exists():
            continue
        try:
            found = run(tree, spec, opened, float64)
        except Exception as error:
            traceback.print_exc()
            found = {"error|message": np.array(f"{type(error).__name__}: {error}"[:300])}
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path.with_suffix(".tmp.npz"), **found)
        path.with_suffix(".tmp.npz").rename(path)
        print(f"[{number}/{len(wanted)}] {spec}: {len(found)} arrays, {time.monotonic() - began:.1f} s", flush=True)


def record_path(folder: Path, spec: str) -> Path:
    return folder / f"{re.sub('[^a-z0-9]+', '_', spec.lower())}.npz"


def run(tree: Path, spec: str, opened: dict[str, Any], float64: bool) -> dict[str, np.ndarray]:
    """What a run at smoke size comes to, by "kind|name"."""
    import jax

    sections, flat = piece("sections"), piece("flat")
    own, out = [], {}
    if spec.startswith("ablations/"):
        cell = cell_of(tree, spec)
        base, own = piece("load")(cell.source), list(cell.overrides)
        out["cell|name"] = np.array(f"{cell.name}, {cell.number}, {cell.folder.name}")
    else:
        base = piece("load")(f"{tree}/configs/{spec}")
    config = piece("resolve")(base, [*own, *stand_in(piece("resolve")(base, own, sections))], sections)
    ends = {key: key.rpartition(".")[2] for key, x in flat(config.to_dict()).items() if not isinstance(x, str)}
    small = [(key, str(SMALL[end])) for key, end in ends.items() if end in SMALL]
    if float64:
        small.append(("dtype", "float64"))
    config = piece("resolve")(config.copy_and_resolve_references().unlock(), small, sections)
    jax.config.update("jax_enable_x64", config.dtype == "float64")
    out |= {f"config|{key}": np.array(json.dumps(x)) for key, x in flat(config.to_dict()).items()}
    data = json.dumps(config.data.to_dict(), default=str) + str(config.task.name)
    if data not in opened:
        images = piece("open_data")(config)
        opened[data] = (images, images.load())
    images, loaded = opened[data]
    images.resident = True
    is_old = not hasattr(images, "features")
    plan = piece("Plan")(config, *((images.image_shape, images.source_shape) if is_old else (images.features,)))
    inputs, order = (plan.hparams, plan.hparams["order"]) if is_old else (plan.inputs, plan.inputs.order)
    state = jax.jit(lambda seed: plan.init(jax.random.key(seed)))(np.uint32(config.seed))
    out |= arrays("start", state)
    make_batch = piece("make_batch")(plan, images)
    batch = jax.jit(lambda step, data: make_batch(step, data, order))
    roles, restore = watch_draws()
    train_step = piece("make_train_step")(plan.assemble, plan.updates, plan.config.simultaneous)
    first = batch(np.int32(0), loaded)
    step = jax.jit(lambda state, data: train_step(state, data, inputs)).lower(state, first).compile()
    out |= {f"cost|{name}": np.array(step.cost_analysis()[name]) for name in ("flops", "bytes accessed")}
    for i in range(STEPS):
        examples = batch(np.int32(i), loaded)
        if i < 2:
            out |= arrays(f"batch {i}", examples)
        state, metrics = step(state, examples)
        out |= arrays(f"metrics {i}", metrics)
    restore()
    out |= arrays("end", state)
    for update, role in sorted(roles):
        keys = piece("Keys")(jax.random.key(config.seed), 3, update, 0, 4)
        out[f"draw|{update}/{role}"] = np.asarray(jax.random.key_data(keys.shared(role)))
    numbers = np.arange(4, dtype=np.uint32)
    generate = jax.jit(piece("make_generate")(plan))
    nets = piece("trained")(*(() if is_old else (plan,)), state, True)
    made = generate(nets, numbers, **piece("given_inputs")(plan, images, numbers))
    out["images|made"] = np.asarray(made)
    return out


def cell_of(tree: Path, spec: str) -> Any:
    """The last row's cell of the first seed: the row with most changes."""
    path = f"{tree}/configs/{spec}"
    every = piece("make_cells")(piece("load_table")(path), path, Path("cells"), [])
    return [cell for cell in every if cell.seed == every[0].seed][-1]


def stand_in(config: Any) -> list[tuple[str, str]]:
    """Overrides that put folders of pictures in the place of data that would come from the web."""
    from PIL import Image

    name, shape = config.data.name, tuple(config.data.get("size", ())) or (32,)
    web = {"cifar10": 32, "imagenet_resized/32x32": 32, "imagenet_resized/64x64": 64, "celeb_a": 64, "emoji": 32}
    is_translated = config.task.name in ("paired", "unpaired")
    if name not in web and name != "image_folder" and name != "image_pairs" and not name.startswith("cycle_gan"):
        return []
    side, folder, rng = min(web.get(name, shape[0]), 32), Path("pictures"), np.random.default_rng(0)
    for where in ("all/a", "all/b", "pairs/trainA", "pairs/trainB"):
        for i in range(0 if (folder / where / f"{PICTURES - 1}.png").exists() else PICTURES):
            (folder / where).mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(0, 256, (80, 72, 3), dtype=np.uint8)).save(folder / where / f"{i:02}.png")
    own = {"data.dir": f"{folder}/{'pairs' if is_translated else 'all'}", "data.size": str(side), "data.cache": "fitted"}
    if is_translated:
        own |= {"data.paired": str(config.task.name == "paired")}
    else:
        own |= {"data.flip": str(config.data.flip)}
        if config.task.get("num_classes", 0):
            own |= {"data.labels": "folders", "task.num_classes": "2"}
    named = {"data.name": "image_pairs" if is_translated else "image_folder"} if not name.startswith("image_") else {}
    return [*named.items(), *own.items()]


def arrays(kind: str, tree: Any) -> dict[str, np.ndarray]:
    import jax

    out = {}
    for path, x in jax.tree_util.tree_leaves_with_path(tree):
        x = jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x
        out[f"{kind}|{jax.tree_util.keystr(path, simple=True, separator='.')}"] = np.asarray(x)
    return out


def watch_draws() -> tuple[set[tuple[int, str]], Any]:
    """(a set that (update, role) is added to wherever a key is made, what ends it)."""
    keys_class, seen = piece("Keys"), set()
    init, shared = keys_class.__init__, keys_class.shared

    def watched_init(self, rng, step, update, *rest, **named):
        init(self, rng, step, update, *rest, **named)
        self._watched = update if isinstance(update, int) else -1

    def watched_shared(self, role):
        seen.add((self._watched, role))
        return shared(self, role)

    keys_class.__init__, keys_class.shared = watched_init, watched_shared

    def restore():
        keys_class.__init__, keys_class.shared = init, shared

    return seen, restore


# --- the comparison ---------------------------------------------------------------------------------------------------


def run_record(tree: Path, wanted: list[str], folder: Path, float64: bool = False) -> dict[str, np.ndarray]:
    """The record of the revision in `tree`, made by a process that sees this revision alone."""
    runs = folder / ("runs64" if float64 else "runs")
    runs.mkdir(parents=True, exist_ok=True)
    env = {key: x for key, x in os.environ.items() if not key.startswith("XLA_FLAGS")}
    env |= {
        "PYTHONPATH": f"{tree}", "JAX_PLATFORMS": "cpu", "TFDS_DATA_DIR": str(folder / "tfds"),
        "XDG_CACHE_HOME": str(folder / "cache"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # the same program either way, and compiled in a third of the time
    }  # fmt: skip
    env.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder.parent / "xla"))
    command = [sys.executable, str(Path(__file__).resolve()), "--record", str(runs), "--tree", str(tree), *wanted]
    subprocess.run(command + ["--float64"] * float64, cwd=folder, env=env, check=True)
    out = {}
    for spec in wanted:
        with np.load(record_path(runs, spec)) as saved:
            out |= {f"{spec}|{name}": x for name, x in saved.items()}
    return out


def mapped(old: dict[str, np.ndarray], names: Any) -> dict[str, np.ndarray]:
    """The old record under the names of the new revision, by its module `renamed`."""
    out, configs = {}, {}
    for name, x in old.items():
        spec, kind, rest = name.split("|", 2)
        if kind == "config":
            configs.setdefault(spec, {})[rest] = json.loads(str(x))
        else:
            out["|".join((spec, kind, next(iter(names.renamed_metrics({rest: 0})))))] = x
    for spec, fields in configs.items():
        out |= {f"{spec}|config|{path}": np.array(json.dumps(x)) for path, x in names.renamed_fields(fields).items()}
    return out


def compare(old: dict[str, np.ndarray], new: dict[str, np.ndarray], names: Any) -> dict[str, list[tuple]]:
    """{run: [(name, how it differs, largest difference), ...]} of what is not equal to the bit."""
    before = mapped(old, names)
    out: dict[str, list[tuple]] = {}
    for name in sorted(before.keys() | new.keys()):
        spec = name.partition("|")[0]
        a, b = before.get(name), new.get(name)
        if a is None and name.split("|")[1] in ADDED and old:
            continue
        if a is None or b is None:
            difference = ("only in the " + ("new" if a is None else "old"), np.inf)
        elif name.endswith("|error|message"):
            difference = (f"failed in both: {a} / {b}", np.inf)
        elif a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes():
            continue
        elif a.shape == b.shape and a.dtype == b.dtype and a.dtype.kind == "f":
            gap = np.abs(a.astype(np.float64) - b) / np.maximum(1, np.abs(a).astype(np.float64))
            difference = ("values", float(np.nanmax(gap)) if np.array_equal(np.isnan(a), np.isnan(b)) else np.inf)
        else:
            difference = (f"{a!s:.60} -> {b!s:.60}" if a.ndim == 0 else f"{a.dtype}{a.shape} -> {b.dtype}{b.shape}", np.inf)
        out.setdefault(spec, []).append((name.partition("|")[2], *difference))
    return out


def names_of(tree: Path) -> Any:
    """The module that says what a revision has renamed. It needs nothing but Python's own library."""
    spec = importlib.util.spec_from_file_location("names", tree / "jaxgan" / "config" / "renamed.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resumed(old: Path, new: Path, folder: Path, names: Any) -> list[str]:
    """Faults of runs that the old revision begins and the new one ends, against the old one's whole: none is good."""
    faults = []
    for spec, small in RESUMED.items():
        name = spec.partition(".")[0]
        whole, both = folder / f"{name}_whole", folder / f"{name}_both"
        shutil.rmtree(whole, ignore_errors=True)
        shutil.rmtree(both, ignore_errors=True)
        launch(old, f"--config={old}/configs/{spec}", f"--workdir={whole}", *small, "--config.steps=5")
        shutil.copytree(whole, both)
        launch(old, f"--workdir={whole}", "--config.steps=10")
        launch(new, f"--workdir={both}", "--config.steps=10")
        a, b = (json.loads((x / "checkpoints" / "10" / "_CHECKPOINT_METADATA").read_text()) for x in (whole, both))
        if a["custom_metadata"]["digest"] != b["custom_metadata"]["digest"]:
            faults.append(f"{spec}: the params of step 10 are not the old revision's")
        logs = [[json.loads(line) for line in (x / "metrics.jsonl").read_text().splitlines()] for x in (whole, both)]
        for one, other in zip(*logs):
            one = names.renamed_metrics({key: x for key, x in one.items() if key != "img_per_sec"})
            if one != {key: x for key, x in other.items() if key != "img_per_sec"}:
                faults.append(f"{spec}: the log's line of step {one['step']} is not the old revision's")
    return faults


def launch(tree: Path, *arguments: str) -> None:
    env = {**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(tree)}
    subprocess.run([sys.executable, str(tree / "launch.py"), *arguments], env=env, check=True, capture_output=True)


def checkout(root: Path, revision: str, folder: Path) -> Path:
    """A revision's files, in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    files = subprocess.run(["git", "-C", str(root), "archive", revision], capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=files, check=True)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", help="the revision to compare with")
    parser.add_argument("--new", default="", help="another revision than the files as they stand")
    parser.add_argument("--all", action="store_true", help="every config and variant, and a cell of every table")
    parser.add_argument("--resume", action="store_true", help="also end runs that the old revision has begun")
    parser.add_argument("--only", default="*", help="runs whose name holds this text")
    parser.add_argument("--folder", default="", help="where to keep records: what is there is not made again")
    parser.add_argument("--record", help=argparse.SUPPRESS)
    parser.add_argument("--tree", help=argparse.SUPPRESS)
    parser.add_argument("--float64", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("runs", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.record:
        record(Path(given.tree), given.runs, Path(given.record), given.float64)
        return 0
    if not given.old:
        parser.error("--old REVISION says what to compare with")
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory(prefix="golden-") as temporary:
        folder = Path(given.folder or temporary).resolve()
        commit = subprocess.run(["git", "-C", str(root), "rev-parse", given.old], capture_output=True, text=True, check=True)
        old = checkout(root, given.old, folder / "trees" / commit.stdout.strip()[:12])
        new = checkout(root, given.new, folder / "trees" / given.new) if given.new else root
        sys.path.insert(0, str(old))
        wanted = [spec for spec in specs(old, given.all) if fnmatch.fnmatch(spec, f"*{given.only}*")]
        if not given.new:  # the files may have changed since
            shutil.rmtree(folder / "new", ignore_errors=True)
        before = run_record(old, wanted, folder / old.name)
        after = run_record(new, wanted, folder / (f"{given.new}" if given.new else "new"))
        names, faults = names_of(new), 0
        differing = compare(before, after, names)
        values = sum(x.size if x.dtype.kind not in "US" else 1 for x in after.values())
        rounding = []
        if differing:
            again = [spec for spec in differing if not any("only" in how or "->" in how for _, how, _ in differing[spec])]
            exact = {}
            if again:
                exact = compare(
                    run_record(old, again, folder / old.name, True),
                    run_record(new, again, folder / (given.new or "new"), True),
                    names,
                )
            for spec in again:
                worst = max((gap for *_, gap in exact.get(spec, [])), default=0.0)
                if worst < ROUNDING:
                    rounding.append(f"{spec}: {len(differing.pop(spec))} arrays by rounding, {worst:.1e} in float64")
        for spec, lines in differing.items():
            faults += len(lines)
            for name, how, gap in lines[:8]:
                print(f"DIFFERS  {spec}  {name}: {how}" + (f", {gap:.2e}" if np.isfinite(gap) else ""))
            if len(lines) > 8:
                print(f"DIFFERS  {spec}  and {len(lines) - 8} more")
        for line in resumed(old, new, folder / "resumed", names) if given.resume else ():
            faults += 1
            print(f"DIFFERS  resumed  {line}")
        for line in rounding:
            print(f"rounding  {line}")
        print(f"{len(wanted)} runs, {len(after):,} arrays, {values:,} values compared: "
              f"{faults} differ, {len(rounding)} runs by rounding")  # fmt: skip
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
