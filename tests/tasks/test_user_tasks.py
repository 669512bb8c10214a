"""The four tasks of docs/own_tasks.md, as they stand there: trained, shown, scored, killed and resumed, on many devices."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from helpers import ROOT, assert_same_bits, devices

from jaxgan import program
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.plan import Donor, Plan
from jaxgan.sections import sections
from jaxgan.workdir.flat import flatten

TASKS = ("classifier", "autoencoder", "dreamer", "projection")
SMALL = ("--config.batch_size=16", "--config.checkpoint.every=4", "--config.log.every=4", "--config.sample.num=4",
         "--config.sample.every=0", "--config.eval.num_samples=100", "--config.eval.num_real=200",
         "--config.eval.allow_few=true", "--config.log.tensorboard=false")  # fmt: skip


def shown() -> dict[str, str]:
    """The Python files of the page, by name."""
    text = (ROOT / "docs" / "own_tasks.md").read_text()
    return dict(re.findall(r"\n`(\w+)\.py`\..*?```python\n(.*?)```", text, re.DOTALL))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the files, in which commands run."""
    folder = tmp_path_factory.mktemp("mine")
    files = shown()
    assert tuple(files) == TASKS
    for name, code in files.items():
        (folder / f"{name}.py").write_text(code)
    (folder / "configs").symlink_to(ROOT / "configs")
    return folder


def command(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "launch.py"), *words]


def launch(home: Path, *words: str) -> str:
    done = subprocess.run(command(*words), cwd=home, env={**os.environ, "XLA_FLAGS": ""}, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def digest(workdir: Path, step: int) -> str:
    return json.loads((workdir / "checkpoints" / str(step) / "_CHECKPOINT_METADATA").read_text())["custom_metadata"][
        "digest"
    ]


@pytest.fixture(scope="module")
def classifier(home) -> Path:
    """A small trained classifier, which the dreamer takes."""
    launch(home, "--config=classifier.py", "--workdir=runs/reader", *SMALL, "--config.steps=40", "--config.eval.every=40")
    return home / "runs" / "reader"


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_it_trains_samples_scores_and_resumes_after_a_kill(name, home, classifier):
    more = (f"--config.frozen.reader.workdir={classifier}",) if name == "dreamer" else ()
    words = (f"--config={name}.py", *SMALL, *more)
    whole, killed = home / "runs" / f"{name}_whole", home / "runs" / f"{name}_killed"
    launch(home, *words, f"--workdir={whole}", "--config.steps=12", "--config.eval.every=12")
    last = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    scores = {key: x for line in last for key, x in line.items() if key.startswith("eval/")}
    assert scores and all(np.isfinite(list(scores.values())))
    pictures = list((whole / "samples").glob("step_*.png"))
    assert bool(pictures) == (name != "classifier")
    if name != "classifier":
        launch(home, "--mode=sample", f"--workdir={whole}", "--num=4")
    if name in ("autoencoder", "dreamer"):  # one that starts from pictures, and one with a frozen network
        launch(home, "--mode=export", f"--workdir={whole}", f"--out={name}_model")
        assert "8 of 8 samples are the same, bit for bit" in launch(
            home, "--mode=verify", f"--input={name}_model", "--trust"
        )
    launch(home, "--mode=evaluate", f"--workdir={whole}")
    process = subprocess.Popen(
        command(*words, f"--workdir={killed}", "--config.steps=100000", "--config.eval.every=0"),
        cwd=home, env={**os.environ, "XLA_FLAGS": ""}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 120
    while not (killed / "checkpoints" / "4").is_dir() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    steps = sorted(int(path.name) for path in (killed / "checkpoints").iterdir() if path.name.isdigit())
    target = max(12, 4 * (steps[-1] // 4 + 2))
    launch(home, f"--workdir={whole}", f"--config.steps={target}", "--config.eval.every=0")
    launch(home, f"--workdir={killed}", f"--config.steps={target}", "--config.eval.every=0")
    assert digest(whole, target) == digest(killed, target)


@pytest.mark.slow
def test_a_table_whose_shown_row_is_a_stage_on_a_hidden_one(home):
    small = [word for word in SMALL if "num_real" not in word]
    launch(home, "--mode=ablate", "--config=dreamer.py", "--workdir=runs/dreams", *small, "--config.steps=8", "--workers=1")
    cells = home / "runs" / "dreams" / "cells"
    done = sorted(path.parent.name for path in cells.glob("*/DONE"))
    assert done == ["classifier_0", "classifier_1", "dreamer_0", "dreamer_1"]
    for i in (0, 1):
        record = json.loads((cells / f"dreamer_{i}" / "config.json").read_text())
        taken = record["starts"][0]["donors"]["frozen.reader.workdir"]
        assert taken["digest"] == digest(cells / f"classifier_{i}", 8) and taken["step"] == 8
    report = (home / "runs" / "dreams" / "report.md").read_text()
    assert "| dreamer |" in report and "| classifier |" not in report


def tiny_plan(name: str, home: Path, monkeypatch, dtype: str) -> tuple[Plan, Images]:
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(str(home))
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (48, 12, 12, 1), dtype=np.uint8), rng.integers(0, 10, 48)
    images = Images("noise", Arrays(pixels, labels, np.arange(48)), features_of((12, 12, 1), 10), True)
    fields = [("batch_size", "16"), ("dtype", dtype), ("ema.half_life_kimg", "0.05"), ("ema.rampup", "0")]
    config = resolve_config(load_config(f"{name}.py"), fields, sections)
    frozen = {}
    if name == "dreamer":
        reader, _ = tiny_plan("classifier", home, monkeypatch, dtype)
        state = jax.device_get(reader.init(jax.random.key(5)).replace(rng=None))
        frozen["reader"] = Donor(reader.task, {"net": state.variables("net")}, {"title": "a test's"})
    return Plan(config, images.features, frozen), images


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_four_devices_do_what_one_does_in_float64(name, home, monkeypatch):
    jax.config.update("jax_enable_x64", True)
    try:
        plan, images = tiny_plan(name, home, monkeypatch, "float64")
        ends = []
        for n in (1, 4):
            placement = Placement(devices=devices(n))
            state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(0))
            run = placement.wrap(program.make_program(plan, images), batch_is_split=False)
            inputs, data = placement.replicate(plan.inputs), placement.replicate(images.load())
            state, report = run(state, inputs, data, placement.replicate(np.int32(3)))
            assert int(placement.local(report["first_bad"])) > 1000
            ends.append({key: np.asarray(x.addressable_data(0)) for key, x in flatten(state).items()})
        for key, x in ends[0].items():
            assert x.dtype != np.float32, key
            np.testing.assert_allclose(ends[1][key], x, rtol=1e-9, atol=1e-9, err_msg=key)
        moved = [key for key in ends[0] if key.startswith("params.")]
        start = {key: np.asarray(x) for key, x in flatten(plan.init(jax.random.key(0))).items()}
        assert moved and all(np.abs(ends[0][key] - start[key]).max() > 0 for key in moved)
    finally:
        jax.config.update("jax_enable_x64", False)


def test_frozen_variables_are_arguments_and_not_constants(home, monkeypatch):
    """A step with other variables gives other gradients, without compiling anew."""
    plan, images = tiny_plan("dreamer", home, monkeypatch, "float32")
    state = plan.init(jax.random.key(0))
    step = jax.jit(program.make_program(plan, images))
    data = images.load()
    doubled = plan.inputs._replace(frozen=jax.tree.map(lambda x: 2 * x, plan.inputs.frozen))
    (one, _), (other, _) = (step(state, inputs, data, np.int32(1)) for inputs in (plan.inputs, doubled))
    assert step._cache_size() == 1
    assert any((a != b).any() for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params)))
    assert_same_bits(*({k: np.asarray(x) for k, x in flatten(s).items() if k.startswith("rng")} for s in (one, other)))


@pytest.mark.parametrize(
    "name, overrides, answer",
    [
        ("classifier", ["objective.loss=hinge"], "no config field 'objective.loss'"),
        ("classifier", ["nets.net.widht=3"], "did you mean 'nets.net.width'"),
        ("dreamer", ["frozen.reader=none"], "needs a frozen network 'reader'; --config.frozen.reader.workdir=RUN"),
        ("autoencoder", ["optim.net.lr=1"], "no config field 'optim.net.lr'"),
    ],
)
def test_mistakes_are_told(name, overrides, answer, home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(str(home))
    with pytest.raises(UserError, match=re.escape(answer)):
        pairs = [tuple(text.split("=")) for text in overrides]
        Plan(resolve_config(load_config(f"{name}.py"), pairs, sections), features_of((12, 12, 1), 10))


def test_a_frozen_network_must_do_what_is_asked(home, monkeypatch):
    plan, images = tiny_plan("dreamer", home, monkeypatch, "float32")
    other, _ = tiny_plan("autoencoder", home, monkeypatch, "float32")
    with pytest.raises(
        UserError, match="frozen.reader: a Autoencode lacks what task.name=dreamer:Dream asks of it: predict"
    ):
        Plan(plan.config, images.features, {"reader": Donor(other.task, {}, {"title": ""})})
    with pytest.raises(UserError, match="nothing asks for the frozen network 'writer'"):
        config = plan.config.copy_and_resolve_references().unlock()
        config.frozen.writer = config.frozen.reader
        Plan(config.lock(), images.features, {**plan.frozen, "writer": plan.frozen["reader"]})
