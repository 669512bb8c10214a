"""A search from one command: trials are runs, and a kill changes nothing."""

import contextlib
import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import ROOT, launch
from small_search import CONFIG, ONE, SPACE

from jaxgan.ablation.cells import CrashedError
from jaxgan.errors import UserError
from jaxgan.search.asked import Asked, remembered
from jaxgan.search.search import Search
from jaxgan.search.trials import TRIES, Trial
from jaxgan.workdir.folder import Workdir

pytest.importorskip("optuna")


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
    """Kills the search with its workers, or one worker alone, at random moments. JAXGAN_KILLS=20 has it killed as often."""
    launch(*command(files, "whole"), env=ONE)
    killed, words = files / "killed", [sys.executable, str(ROOT / "launch.py"), *command(files, "killed")]
    quiet: dict = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": {**os.environ, **ONE}}
    rng, kills, process = random.Random(0), int(os.environ.get("JAXGAN_KILLS", 2)), None
    for i in range(kills):
        if process is None or process.poll() is not None:
            process = subprocess.Popen(words, start_new_session=True, **quiet)
        time.sleep(rng.uniform(4, 12))
        workers = [pid for pid in children(process.pid) if pid]
        if i % 2 and workers:
            os.kill(rng.choice(workers), signal.SIGKILL)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process and process.poll() is None:
        process.wait(600)
    launch("--mode=tune", f"--workdir={killed}", "--workers=2", env=ONE)
    whole = outcome(files / "whole")
    assert outcome(killed) == whole and sorted(whole) == [0, 1, 2, 3]
    assert all(state == "COMPLETE" for state, *_ in whole.values())
    assert (killed / "report.md").read_text() == (files / "whole" / "report.md").read_text()
    assert "0, the default" in (killed / "report.md").read_text() and (killed / "search.png").stat().st_size
    more = launch("--mode=tune", f"--workdir={killed}", "--budget=5", env=ONE)
    assert sorted(outcome(killed)) == [0, 1, 2, 3, 4]
    assert "5 trials, best: trial" in more.stdout


def children(parent: int) -> list[int]:
    """The processes that a process has started, on Linux."""
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()] if Path(f"/proc/{parent}").exists() else []


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


def test_trials_that_all_crash_for_one_reason_end_the_search(files):
    def end(*messages):
        search = Search(files / "w", Asked(str(files / "config.py"), str(files / "space.py"), budget=9))
        for message in messages:
            result = SimpleNamespace(state="crashed" if message else "done", message=message, numbers={})
            search.tell(SimpleNamespace(tell=lambda *_: None), SimpleNamespace(number=1, pruned=0, result=result))  # pyright: ignore

    end("few", "few", "", "few", "few", "few")
    end("few", "few", "other")
    with pytest.raises(CrashedError, match="3 trials have crashed alike, and no other has ended: few"):
        end("few", "few", "few")


def test_a_trial_that_another_process_trains_is_left_to_it(files):
    search = Search(files / "w", Asked(str(files / "config.py"), str(files / "space.py"), budget=1))
    search.save()
    study = search.study()
    (trial,) = search.take(study, set())
    with Workdir(trial.folder).claimed():
        assert search.take(study, set()) == []
        search.end(study, ended(search, trial, 2, files / "log"))  # ours came second
    assert [one.tries for one in search.take(study, set())] == [0]


def test_a_trial_that_cannot_be_scored_on_the_test_split_has_crashed(files):
    folder = files / "w" / "trials" / "00000"
    folder.mkdir(parents=True)
    (folder / "DONE").write_text('{"step": 40}')
    trial = Trial(0, folder, str(files / "config.py"), [], test="nowhere")
    assert trial.cell.is_done and not trial.is_over
    assert dataclasses.replace(trial, tries=TRIES).result.state == "crashed"


def test_a_search_that_runs_is_not_begun_again(files):
    search = Search(files / "w", Asked(str(files / "config.py"), str(files / "space.py"), budget=1))
    with Workdir(files / "w").claimed(), pytest.raises(UserError, match="is in use by another run"):
        search.train(1)


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
