"""Runs that train a frozen network first: one command for both, killed anywhere, and changed when it is too late."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
from helpers import ROOT, arrays, assert_same_bits, launch, noise_images, plan_of, tiny

from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.training import stages
from jaxgan.training.train import train
from jaxgan.workdir.checkpoint import kept_digest
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

SMALL = "batch_size=8,task.z_dim=4,nets.gen.width=4,nets.disc.width=4,log.every=2,checkpoint.every=2,rounds.disc=1"


@pytest.fixture(autouse=True)
def noise(monkeypatch):
    monkeypatch.setattr(stages, "open_data", lambda config: noise_images())


def config_of(given="steps=4", **fields):
    return tiny("fanogan.py:izi", **{"frozen__first__overrides": f"{SMALL},{given}", **fields})


def both(folder, given="steps=4", **fields):
    """Trains as the command does."""
    config, images = config_of(given, **fields), noise_images()
    plan = Plan(config, images.features, stages.networks(config, images, folder))
    train(plan, images, folder)
    return folder


def bits(folder):
    return arrays(load_run(folder, Placement())[2])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "open_data", lambda config: noise_images())
        return both(tmp_path_factory.mktemp("stages") / "whole")


def test_one_command_trains_both_and_the_second_has_the_first_s_networks(whole):
    own = Workdir(whole).stage("first")
    assert own == whole / "stages" / "first" and Workdir(own).done_step == Workdir(whole).done_step == 4
    first, taken = Workdir(own).config, Workdir(whole).donors["frozen.first.workdir"]
    assert taken == {"workdir": str(own), "step": 4, "digest": kept_digest(own / "checkpoints", 4)}
    assert first["task"]["name"] == "latent" and first["data"] == Workdir(whole).config["data"]
    plan, _, state = load_run(whole, Placement())
    assert set(state.params) == {"enc"} and set(plan.frozen["first"].variables) == {"disc", "gen"}
    generator = load_run(own, Placement())[2].variables("gen", True)  # its moving average
    for a, b in zip(*map(jax.tree.leaves, (plan.frozen["first"].variables["gen"], generator)), strict=True):
        np.testing.assert_array_equal(a, np.asarray(b))


def test_the_first_has_the_run_s_seed():
    ((first, _),) = stages.stages(config_of(seed=3)).values()
    assert first.seed == 3 and first.nets.gen.width == 4


@pytest.mark.slow
def test_stopped_in_either_stage_it_goes_on_to_the_same_bits(whole, tmp_path):
    config = config_of("steps=2")
    assert stages.networks(config, noise_images(), tmp_path) is not None  # half of the first stage, and no run yet
    both(tmp_path, steps=2)
    assert Workdir(Workdir(tmp_path).stage("first")).done_step == 4
    both(tmp_path)
    for a, b in ((whole, tmp_path), (Workdir(whole).stage("first"), Workdir(tmp_path).stage("first"))):
        assert_same_bits(bits(a), bits(b))


def test_a_signal_in_the_first_stage_ends_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "train", lambda plan, data, folder, *about: None)
    assert stages.networks(config_of(), noise_images(), tmp_path / "run") is None
    assert not Workdir(tmp_path / "run").is_run


@pytest.mark.parametrize(
    "given, fields, answer",
    [
        ("steps=4,optim.gen.lr=1", {}, "began from another frozen.first; .* undo of its stage: optim.gen.lr: .* -> 1"),
        ("steps=6", {}, "began from another frozen.first; .*steps: 4 -> 6"),
        ("steps=4", {"seed": 1}, "holds another experiment; .*seed: 0 -> 1"),
        ("steps=4", {"data__wrong_labels": 0.5}, "holds another experiment; .*data.wrong_labels: 0.0 -> 0.5"),
    ],
)
def test_what_a_first_stage_depends_on_may_not_change_later(whole, given, fields, answer):
    with pytest.raises(UserError, match=answer):
        both(whole, given, **fields)


def test_nor_while_the_first_stage_is_trained(tmp_path):
    stages.networks(config_of("steps=2"), noise_images(), tmp_path)
    with pytest.raises(UserError, match="stages/first holds another experiment; .*optim.gen.lr: .* -> 1"):
        stages.networks(config_of("steps=2,optim.gen.lr=1"), noise_images(), tmp_path)


def test_how_it_is_watched_may_change_and_its_folder_may_go(whole, tmp_path):
    both(whole, "steps=4,log.every=1")
    networks = stages.networks(config_of(frozen__first__workdir=whole / "stages" / "first"), noise_images(), tmp_path)
    assert networks and not list(tmp_path.iterdir())  # an own first run: none is trained


@pytest.mark.parametrize(
    "given, fields, answer",
    [
        ("steps", {}, "frozen.first.overrides are FIELD=VALUE, as optim.gen.lr=1e-4 is, and not 'steps'"),
        ("data.name=mnist", {}, "frozen.first.overrides: data.name is that of the run itself, --config.data.name=mnist"),
        ("seed=1", {}, "seed is that of the run itself, --config.seed=1"),
        ("stepz=1", {}, "frozen.first: no config field 'stepz'; did you mean 'steps'"),
        ("steps=2", {"task__z_dim": 7}, "has a z of 4; --config.task.z_dim=4"),
        ("steps=2", {"frozen__first__config": "configs/fanogn.py"}, "frozen.first: no config file .*did you mean .*fanogan"),
        ("steps=2", {"frozen__first__config": "configs/fanogan.py:izi"}, "frozen.first.config=.* has a stage itself"),
    ],
)
def test_mistakes_are_told_before_a_stage_is_trained(tmp_path, given, fields, answer):
    if "frozen__first__config" in fields and "izi" in fields["frozen__first__config"]:
        given, fields = "steps=2", {**fields, "frozen__first__overrides": "steps=2"}
    with pytest.raises(UserError, match=answer):
        both(tmp_path / "run", given, **fields)
    assert not (tmp_path / "run").exists()


def test_a_dry_run_trains_nothing(tmp_path):
    config, images = config_of(), noise_images()
    networks = stages.networks(config, images, tmp_path / "run", train_first=False)
    plan = Plan(config, images.features, networks)
    assert "not trained yet" in plan.frozen_lines()["first"] and not (tmp_path / "run").exists()
    assert {x.shape for x in jax.tree.leaves(plan.frozen["first"].variables)} == {
        x.shape for x in jax.tree.leaves(plan_of("fanogan.py:wgan", task__z_dim=4).shapes().params)
    }


def command(folder, *more):
    first = f"--config.frozen.first.overrides={SMALL},steps=8,log.tensorboard=false"
    small = "nets.enc.width=4,task.z_dim=4,steps=8,batch_size=8,checkpoint.every=2,log.every=2,sample.num=4"
    own = [f"--config.{field}" for field in small.split(",")]
    return ["--config=configs/fanogan.py", f"--workdir={folder}", first, *own, *more]


@pytest.mark.slow
def test_a_kill_in_either_stage(tmp_path):
    """The command itself, killed hard once in each stage."""
    launch(*command(tmp_path / "whole"))
    killed = tmp_path / "killed"
    for folder in (Workdir(killed).stage("first"), killed):
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "launch.py"), *command(killed)],
            cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 200
        while not (folder / "checkpoints" / "2").is_dir() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        with contextlib.suppress(OSError):
            process.send_signal(signal.SIGKILL)
        process.wait()
    launch(*command(killed))
    for name in ("whole", "killed"):
        assert json.loads((tmp_path / name / "DONE").read_text())["step"] == 8
    ends = [[kept_digest(path / "checkpoints", 8) for path in (tmp_path / name, Workdir(tmp_path / name).stage("first"))]
            for name in ("whole", "killed")]  # fmt: skip
    assert ends[0] == ends[1] and all(ends[0])
