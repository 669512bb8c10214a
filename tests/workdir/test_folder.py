"""What a run's folder is read as."""

import json
import math

import pytest
from helpers import tiny

from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.verbs.evaluation import evaluate_run
from jaxgan.workdir import experiment
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run, saved_plan


@pytest.fixture
def workdir(tmp_path):
    return Workdir(tmp_path / "run")


def test_nothing_has_begun_in_a_new_folder(workdir):
    assert not workdir.is_run and workdir.done_step is None and workdir.failure is None
    assert workdir.metrics() == workdir.evaluations() == [] and workdir.starts == () and workdir.saved_steps == set()
    assert workdir.logged_step() == 0
    with pytest.raises(UserError, match="run holds no run"):
        workdir.config  # noqa: B018
    assert not workdir.path.exists()


def test_config_and_log_have_today_s_names(workdir):
    today, old = ({"objective": {name: {"r1": {"weight": 1.0}}}} for name in ("terms", "penalties"))
    workdir.save(today, {"size": 3}, {"step": 0})
    assert workdir.config == today
    record = json.loads(workdir.record.read_text())
    workdir.record.write_text(json.dumps({"config": old, "data": record["data"], "starts": record["starts"]}))
    assert workdir.config == today  # of a revision that gave its records no number
    workdir.save(today, {"size": 3}, {"step": 5})
    assert workdir.config == today
    assert [start["step"] for start in workdir.starts] == [0, 5] and workdir.saved["data"] == {"size": 3}
    workdir.log.write_text('{"step": 1, "penalty/r1/grad_norm": 2.0}\n{"step": 2}\n{"step": 3, "cut by a ki')
    assert workdir.metrics() == [{"step": 1, "term/r1/grad_norm": 2.0}, {"step": 2}]
    workdir.log.write_text("".join(json.dumps({"step": i}) + "\n" for i in range(5000)))
    assert workdir.logged_step() == 4999


def test_a_damaged_config_is_told_of(workdir):
    workdir.path.mkdir()
    workdir.record.write_text('{"config": {')
    with pytest.raises(UserError, match="config.json is damaged"):
        workdir.saved  # noqa: B018


def test_done_and_failed_can_be_taken_back(workdir):
    workdir.finish(7)
    workdir.fail("diverged", "why", "log")
    assert workdir.done_step == 7 and workdir.failure == {"kind": "diverged", "message": "why", "log": "log"}
    assert workdir.touched_since(0)
    workdir.reopen()
    workdir.forget_failure()
    assert workdir.done_step is None and workdir.failure is None and not workdir.touched_since(0)


def test_an_evaluation_takes_the_place_of_the_same_one(workdir):
    for step, precision, value in ((1, "a", 1.0), (1, "b", 2.0), (2, "a", math.nan), (1, "a", math.inf)):
        scores = {"fd_digits5k": {"value": value, "values": [value]}}
        workdir.add_evaluation({"step": step, "protocol": {"precision": precision}, "scores": scores})
    assert [one["scores"]["fd_digits5k"]["value"] for one in workdir.evaluations()] == [2.0, None, None]
    text = (workdir.path / "evaluation.json").read_text()
    assert "NaN" not in text and "Infinity" not in text  # JSON knows neither
    (workdir.path / "evaluation.json").write_text(text.replace("null", "NaN"))  # older revisions wrote it
    assert [one["scores"]["fd_digits5k"]["values"] for one in workdir.evaluations()] == [[2.0], [None], [None]]


def test_what_other_code_measured_is_kept_beside_it(workdir):
    one = {"step": 1, "protocol": {"precision": "a"}}
    for value, measured in ((1.0, None), (2.0, "a1"), (3.0, "b2"), (4.0, "a1"), (5.0, None)):
        scores = {"fd_digits5k": {"value": value, "values": [value]}}
        code = {"measured": {"date": "today", "code": {"fd": measured}}} if measured else {}  # or of an older revision
        workdir.add_evaluation({**one, "scores": scores, **code})
    found = [(x["scores"]["fd_digits5k"]["value"], x.get("measured", {}).get("code")) for x in workdir.evaluations()]
    assert found == [(3.0, {"fd": "b2"}), (4.0, {"fd": "a1"}), (5.0, None)]


def test_whole_checkpoints_are_counted_by_their_names(workdir):
    for name in ("2", "10", "damaged-4", "6.orbax-checkpoint-tmp"):
        (workdir.checkpoints / name).mkdir(parents=True)
    assert workdir.saved_steps == {2, 10}


def test_one_process_at_a_time(workdir):
    with workdir.claimed():
        with pytest.raises(UserError, match="in use by another run"), workdir.claimed():
            pass
    with workdir.claimed():
        pass


@pytest.mark.parametrize("name", ["checkpoints", "samples", "tensorboard", "frozen"])
def test_a_file_in_place_of_a_folder_is_told_of(workdir, name):
    workdir.path.mkdir()
    (workdir.path / name).write_text("")
    with pytest.raises(UserError, match=f"run/{name} is a file, and a run keeps a folder of that name"), workdir.claimed():
        pass
    with pytest.raises(UserError, match=f"run/{name} is a file"):
        load_run(workdir.path, Placement())


def test_a_folder_that_cannot_be_written_is_told_of(workdir, monkeypatch):
    workdir.save({}, {"size": 3}, {})
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(UserError, match="run cannot be written: Permission denied"), workdir.claimed():
        pass
    with pytest.raises(UserError, match="run cannot be written: Permission denied"):
        evaluate_run(workdir.path, [], None)


def test_damage_is_found_before_a_run_is_scored(workdir):
    workdir.save({}, {"size": 3}, {})
    (workdir.path / "evaluation.json").write_text('{"evaluations": [')
    with pytest.raises(UserError, match="evaluation.json is damaged .*; remove it, and evaluate again"):
        evaluate_run(workdir.path, [], None)


def test_a_mistake_in_a_saved_config_is_told_with_its_file(workdir):
    for config, told in (
        ({"steps": "many"}, "config.json: steps must be a whole number, not 'many'"),
        ({"task": []}, "config.json: 'task' is a section of fields"),
        ({"task": {"name": 3}}, "config.json is damaged "),
    ):
        workdir.save(config, {"size": 3, "image_shape": [4, 4, 1]}, {})
        with pytest.raises(UserError, match=told):
            saved_plan(workdir.path)


@pytest.mark.parametrize("name", ["metrics.jsonl", "samples/mine.png", "tensorboard/x", "evaluation.json", "DONE"])
def test_no_run_begins_among_somebodys_files(name, workdir):
    for there in ("checkpoints", "frozen/judge", "samples", "logs", "src"):  # of a start that was killed, or in nobody's way
        (workdir.path / there).mkdir(parents=True)
    (workdir.path / "notes.txt").write_text("mine")
    workdir.check_new()
    (workdir.path / name).parent.mkdir(parents=True, exist_ok=True)
    (workdir.path / name).write_text("mine")
    first = name.partition("/")[0]
    with pytest.raises(
        UserError, match=f"run holds no run, and one in it would replace its {first}; choose another --workdir"
    ):
        experiment.check_config(workdir.path, tiny("wgan.py"))
