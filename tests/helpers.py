"""Tiny versions of the real configs, and runs of them."""

import contextlib
import copy
import dataclasses
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import ml_collections
import numpy as np

from jaxgan import program
from jaxgan.config.load import load_config
from jaxgan.config.resolve import flat, resolve_config
from jaxgan.data import order
from jaxgan.data.captions import WithTokens
from jaxgan.data.features import Feature, features_of
from jaxgan.data.pairs import AsSource, Beside
from jaxgan.data.source import Images
from jaxgan.extractors.base import Random
from jaxgan.extractors.table import EXTRACTORS
from jaxgan.plan import Donor, Plan
from jaxgan.sections import sections

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = [
    "vanilla.py:nonsaturating",
    "vanilla.py:minimax",
    "dcgan.py",
    "lsgan.py",
    "hinge.py",
    "wgan.py:gp",
    "wgan.py:clip",
    "toy.py:ring",
    "toy.py:swiss_roll",
    "cifar10.py:sngan_resnet",
    "cifar10.py:wgan",
    "celeba.py",
    "stylegan_lite.py",
    "r3gan.py",
    "cgan.py:concat",
    "cgan.py:acgan",
    "cgan.py:reacgan",
    "biggan.py",
    "sagan.py",
    "pix2pix.py",
    "cyclegan.py",
    "ganomaly.py",
]
SMALL = {"batch_size": "8", "steps": "4", "log.every": "2", "sample.num": "4", "checkpoint.every": "2"}

FRAGILE = '''
"""A loss that is no number for one draw of noise in eight."""
import jax.numpy as jnp

def disc(real, fake):
    return jnp.where((jnp.abs(fake).sum() * 1e4) % 1 < 0.125, jnp.nan, jnp.square(real - 1).mean() + jnp.square(fake).mean())

def gen(real, fake):
    return jnp.square(fake - 1).mean()

LOSS = (disc, gen)
'''


def tiny(spec: str = "wgan.py", **overrides) -> "ml_collections.ConfigDict":
    """A config of `configs/` at smoke size, by what its classes declare as `tiny`; overrides with __ for the dots."""
    base = load_config(f"{ROOT}/configs/{spec}")
    given = {key.replace("__", "."): str(value) for key, value in overrides.items()}
    named = resolve_config(base, [(key, name) for key, name in given.items() if key.endswith(".name")], sections)
    small = SMALL | tiny_fields(named)
    for key, value in flat(named.to_dict()).items():
        if str(value).endswith("%)"):  # shares of a run: of one of 4,000 images, however long a test's is
            small[key] = re.sub(r"([\d.]+)%", lambda share: f"{float(share[1]) * 4e-2:g}", value)
    return resolve_config(base, list((small | given).items()), sections)


def tiny_fields(config) -> dict[str, str]:
    """What the classes of a config declare as `tiny`, as overrides."""
    parts = sections(config.to_dict()).items()
    return {f"{path}.{key}": str(x) for path, part in parts for key, x in getattr(part.cls, "tiny", {}).items()}


OF_TEXT = ("damsm", "text")  # tasks that want captions
TOKENS = Feature("tokens", (5,), np.int32, 8, names=("", "<unknown>", *"abcdef"), choices=2)


def noise_captions(size: int = 48) -> np.ndarray:
    """Two captions of 1 to 5 words for each of some pictures, int32 [N, 2, 5]."""
    rng = np.random.default_rng(0)
    words, lengths = rng.integers(2, 8, (size, 2, 5)), rng.integers(1, 6, (size, 2, 1))
    return np.where(np.arange(5) < lengths, words, 0).astype(np.int32)


class Noise:
    """48 random pictures of 12x12 with labels, in place of a data set."""

    def __init__(self, size: int = 48, shape: tuple[int, ...] = (12, 12, 1)):
        rng = np.random.default_rng(0)
        self._images = rng.integers(0, 256, (size, *shape), dtype=np.uint8)
        self._labels = rng.integers(0, 10, size)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, i: int) -> dict:
        return {"image": self._images[i], "label": self._labels[i]}


def enlarges(config) -> bool:
    """Whether the generator of a config takes sources that are smaller than images."""
    gen = sections(config.to_dict()).get("nets.gen")
    return gen is not None and "scale" in {field.name for field in dataclasses.fields(gen.cls)}


def noise_features(config=None) -> dict[str, Feature]:
    """Of `noise_images`, for the task of a config."""
    task = config.task.name if config else ""
    translates = task in ("paired", "unpaired")
    source = (3, 3, 1) if config and enlarges(config) else (12, 12, 3)
    tokens = {"tokens": TOKENS} if config and config.task.name in OF_TEXT else {}
    return features_of((12, 12, 1), 10, source if translates else (), apart=task == "unpaired") | tokens


def noise_images(resident: bool = True, plan: Plan | None = None) -> Images:
    """With sources, if the task of `plan` translates them: coloured ones, of their own number where they belong to none;
    small grey ones, if it enlarges them."""
    images = Images("noise", Noise(), noise_features(plan and plan.config), resident)
    if "tokens" in images.features:
        images.examples = WithTokens(images.examples, noise_captions(), np.arange(48))
    if images.paired:
        images.examples = Beside(images.examples, Noise(48, images.source_shape))
    elif images.source_shape:
        images.others["source"] = AsSource(Noise(40, images.source_shape))
    return images


def plan_of(spec: str = "wgan.py", **overrides) -> Plan:
    """The plan of a tiny config over `noise_images`."""
    config = tiny(spec, **overrides)
    return Plan(config, noise_features(config), frozen_of(config) if config.task.name == "text" else None)


def frozen_of(config, names=TOKENS.names) -> dict[str, Donor]:
    """A frozen DAMSM of random weights, whose captions have these words."""
    features = noise_features(config) | {"tokens": dataclasses.replace(TOKENS, names=names, classes=len(names))}
    first, rng = Plan(tiny("damsm.py", dtype=config.dtype), features), np.random.default_rng(1)
    shapes = jax.eval_shape(lambda: first.init(jax.random.key(0)).variables("match"))
    variables = jax.tree.map(lambda x: rng.uniform(0.1, 1, x.shape).astype(x.dtype), shapes)
    return {"damsm": Donor(first.task, {"match": variables}, {"taken": {"digest": "x"}})}


def small_sources(config, features: dict[str, Feature]) -> dict[str, Feature]:
    """Features whose sources are a quarter of the images' sides, and of their channels, if the config enlarges them."""
    height, width, channels = features["image"].shape if enlarges(config) else (0, 0, 0)
    small = {"source": dataclasses.replace(features["image"], shape=(height // 4, width // 4, channels))} if height else {}
    return features | small


def plan_after_stages(config, features: dict[str, Feature]) -> Plan:
    """The plan of a config, with untrained networks in the place of frozen runs that it would train first, and random ones
    in the place of extractors."""
    from jaxgan.training.stages import planned, stages

    features = small_sources(config, features)
    extractors = {name: part for name, part in config.get("frozen", {}).items() if part.name in EXTRACTORS}
    if extractors:
        network = Random().load(features["image"].shape)
        lent = {name: network._replace(name=part.name) for name, part in extractors.items()}  # with that one's stages
        lent = {name: Donor(lambda x=x: x, x.variables, {"taken": {"digest": name}}) for name, x in lent.items()}
        return Plan(config, features, lent)
    own = config.copy_and_resolve_references().unlock()
    for frozen in own.get("frozen", {}).values():
        frozen.workdir = ""
    first = {name: planned(own, name, Plan(stage, features)) for name, (stage, _) in stages(own).items()}
    return Plan(config, features, first)


def numbers(line: dict) -> dict[str, float]:
    """A line of the log without what was not measured, or is text."""
    return {key: x for key, x in line.items() if isinstance(x, int | float)}


def arrays(state) -> dict[str, np.ndarray]:
    """Every leaf of a state on the host, by its path."""
    from jaxgan.workdir.flat import flatten

    return {name: np.asarray(x.addressable_data(0)) for name, x in flatten(state).items()}


def assert_same_bits(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert a.keys() == b.keys()
    different = [name for name in a if a[name].tobytes() != b[name].tobytes()]
    assert not different, f"{len(different)} of {len(a)} leaves differ, first {different[0]}"


def launch(*arguments: str, env: dict | None = None, check: int | None = 0, timeout: int = 300):
    """`python launch.py ...` as a user would type it."""
    command = [sys.executable, str(ROOT / "launch.py"), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, cwd=ROOT, env={**os.environ, **(env or {})}
    )
    if check is not None:
        assert done.returncode == check, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def inside(*arguments: str, check: int | None = 0):
    """As `launch`, in this process: for what trains nothing, where starting Python would be most of the time."""
    from jaxgan import cli

    said, warned = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(warned):
        code = cli.main(["launch.py", *map(str, arguments)])
    done = subprocess.CompletedProcess(arguments, code, said.getvalue(), warned.getvalue())
    assert check is None or code == check, f"{arguments}\n{done.stdout}\n{done.stderr}"
    return done


def lend_controls(folder: Path, to: Path) -> None:
    """Copies the controls that one table has scored to another, which scores them again if it asks for others."""
    if (folder / "controls.json").exists():
        to.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / "controls.json", to / "controls.json")


def devices(n: int) -> list[jax.Device]:
    return jax.devices()[:n]


def network_answers(network, images) -> list[np.ndarray]:
    """An extractor's [features, logits] of uint8 images, as scores take them."""
    with jax.default_matmul_precision("highest"):
        return [np.asarray(x) for x in jax.jit(network.apply)(network.variables, images)]


def assert_near(ours, theirs) -> None:
    """Features and logits alike to 1e-4 of the largest, and large enough for that to say something."""
    for x, y in zip(ours, theirs):
        assert x.dtype == np.float32 and np.abs(y).max() > 0.5
        np.testing.assert_allclose(x, y, rtol=0, atol=1e-4 * np.abs(y).max())


def run(plan, placement, steps=2, resident=True, updates=None):
    """The state after some steps, without the loop around them. updates: the step's, in place of all."""
    images, own = noise_images(resident, plan), copy.copy(plan)
    own.updates = plan.updates if updates is None else updates
    run_steps = placement.wrap(program.make_program(own, images), not resident, plan.shapes())
    state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(plan.config.seed))
    if placement.shards > 1:
        state = jax.device_put(state, placement.shardings(state))
    hparams = placement.replicate(plan.inputs)
    rows, key = placement.local_rows(plan.config.batch_size), order.seed_key(plan.config.seed)
    batches = images.batches(0, plan.rounds, plan.config.batch_size, rows, key)
    data = placement.replicate(program.resident(images)) if resident else None
    for _ in range(steps):
        state, report = run_steps(state, hparams, data if resident else placement.put(next(batches)), np.int32(1))
    return state, jax.device_get(program.means(placement.local(report["totals"])))
