"""A search from one command: trials are runs, and a kill changes nothing."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import ROOT, launch

from jaxgan.errors import UserError
from jaxgan.search.asked import Asked, remembered
from jaxgan.search.search import Search
from jaxgan.search.trials import TRIES
from jaxgan.workdir.folder import Workdir

pytest.importorskip("optuna")
ONE = {"XLA_FLAGS": ""}  # device
CONFIG = '''
"""A search of nothing much."""
from configs import toy

def get_config():
    config = toy.get_config("ring")
    config.data.points = 500
    config.batch_size, config.steps = 8, 40
    config.nets.gen.widths = config.nets.disc.widths = (4,)
    config.log = {"every": 10, "tensorboard": False}
    config.checkpoint = {"every": 10, "keep": 2}
    config.sample = {"every": 0, "num": 20}
    config.eval.update(num_samples=50, num_real=50, batch_size=50, every=40, metrics=("modes",))
    return config
'''
SPACE = """
from jaxgan.space import Choice, Log, Space

def space():
    return Space({"optim.gen.lr": Log(1e-4, 1e-2), "optim.disc.lr": Choice((1e-3, 1e38))}, {"critic.pack": 1})
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "config.py").write_text(CONFIG)
    (tmp_path / "space.py").write_text(SPACE)
    return tmp_path


def command(files, name, *more):
    own = [f"--config={files / 'config.py'}", f"--space={files / 'space.py'}", "--budget=4", "--workers=2"]
    return [*own, "--mode=tune", f"--workdir={files / name}", *more]


def ended(search, trial, code, log) -> Any:
    """A process of one trial that has ended."""
    return SimpleNamespace(work=(search, [trial]), code=code, log=log, began=time.time())


def outcome(folder):
    """What a study holds: of each trial its state, value and params, and the last line of its run's log."""
    search = Search(folder, remembered(folder))
    study, out = search.study(), {}
    for trial in search.trials(study):
        found = study.trials()[trial.number]
        logged = {key: x for key, x in Workdir(trial.folder).metrics()[-1].items() if "per_sec" not in key and key != "time"}
        out[trial.number] = found.state.name, found.value, found.params, logged
    return out


@pytest.mark.slow
def test_a_search_that_was_killed_ends_with_the_same_study(files):
    launch(*command(files, "whole"), env=ONE)
    killed, words = files / "killed", [sys.executable, str(ROOT / "launch.py"), *command(files, "killed")]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": {**os.environ, **ONE}}
    process = subprocess.Popen(words, start_new_session=True, **quiet)
    deadline = time.monotonic() + 180
    while not any(killed.glob("trials/*/checkpoints/[0-9]*")) and time.monotonic() < deadline:
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)  # it and the processes that train
    process.wait()
    assert any(killed.glob("trials/*/checkpoints/[0-9]*")) and len([*killed.glob("trials/*/DONE")]) < 4
    launch("--mode=tune", f"--workdir={killed}", "--workers=2", env=ONE)
    whole = outcome(files / "whole")
    assert outcome(killed) == whole and sorted(whole) == [0, 1, 2, 3]
    assert all(state == "COMPLETE" for state, *_ in whole.values())
    assert (killed / "trials.csv").read_text() == (files / "whole" / "trials.csv").read_text()
    assert "0, the config" in (killed / "report.md").read_text() and (killed / "search.png").stat().st_size
    more = launch("--mode=tune", f"--workdir={killed}", "--budget=5", env=ONE)
    assert sorted(outcome(killed)) == [0, 1, 2, 3, 4]
    assert "5 trials, best: trial" in more.stdout


def test_a_trial_whose_process_crashes_is_tried_again_and_then_told(files):
    search = Search(files / "w", Asked(str(files / "config.py"), str(files / "space.py"), budget=1))
    search.save()
    study, log = search.study(), files / "log"
    log.write_text("started\nout of luck\n")
    for tries in range(1, TRIES + 1):
        (trial,) = search.take(study, set())
        assert (trial.number, trial.tries) == (0, tries - 1)
        assert search.take(study, {0}) == []  # this start trains it, and the budget is spent
        search.end(study, ended(search, trial, 7, log))
    assert search.take(study, set()) == [] and study.trials()[0].state.name == "FAIL"
    assert Workdir(trial.folder).failure["message"] == "its process ended with code 7: out of luck"


def test_a_trial_that_another_process_trains_is_left_to_it(files):
    search = Search(files / "w", Asked(str(files / "config.py"), str(files / "space.py"), budget=1))
    search.save()
    study = search.study()
    (trial,) = search.take(study, set())
    with Workdir(trial.folder).claimed():
        assert search.take(study, set()) == []
        search.end(study, ended(search, trial, 2, files / "log"))  # ours came second
    assert [one.tries for one in search.take(study, set())] == [0]


def test_what_does_not_fit_ends_before_anything_is_written(files):
    asked = Asked(str(files / "config.py"), str(files / "space.py"))
    with pytest.raises(UserError, match="no score 'mods' among those of eval.metrics; did you mean 'modes'"):
        Search(files / "w", Asked(asked.config, asked.space, score="mods"))
    with pytest.raises(UserError, match="--config.optim.gen.lr is a field of the space .*; leave one out"):
        Search(files / "w", Asked(asked.config, asked.space, [("optim.gen.lr", "1e-3")]))
    with pytest.raises(UserError, match="no sampler 'rndom'; did you mean 'random'"):
        Search(files / "w", dataclasses.replace(asked, sampler="rndom"))
    search = Search(files / "w", asked)
    assert search.asked.options == {}
    assert (search.asked.score, search.asked.better) == ("modes", "higher") and not (files / "w").exists()
    search.save()
    assert remembered(files / "w") == search.asked
