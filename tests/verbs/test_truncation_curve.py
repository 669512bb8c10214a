"""The curve over truncation, and standing statistics of a trained run: protocols say so, and scores stay apart."""

import csv
import json

import numpy as np
import pytest
from helpers import noise_images, plan_of
from PIL import Image

import jaxgan
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.scores.of_run import RunEvaluator
from jaxgan.training.train import train
from jaxgan.truncation import parse
from jaxgan.verbs import truncation_curve as module
from jaxgan.verbs.sample_request import sample_request
from jaxgan.verbs.sampling import sample
from jaxgan.verbs.truncation_curve import truncation_curve
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

SCORED = {
    "eval__features__name": "random", "eval__features__width": 2, "eval__num_samples": 20, "eval__batch_size": 8,
    "eval__metrics": "fd,prdc", "eval__repeats": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "dcgan"
    train(plan_of("dcgan.py", steps=2, **SCORED), noise_images(), folder)
    return folder


@pytest.fixture
def scorers(monkeypatch, tmp_path):
    """The truncations that were scored; the data are those of the run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "open_data", lambda config: noise_images())
    seen, scorer = [], RunEvaluator

    def counted(plan, *arguments):
        seen.append(str(plan.truncation))
        return scorer(plan, *arguments)

    monkeypatch.setattr(module, "RunEvaluator", counted)
    return seen


def test_a_curve_is_measured_once_and_stays_apart(run, scorers):
    truncation_curve(run, [], None, parse("scale:1,0.5"))
    found = json.loads((run / "truncation.json").read_text())["truncations"]
    assert [one["truncation"] for one in found] == [{"kind": "scale", "t": 0.5}, {"kind": "scale", "t": 1.0}]
    assert [one["protocol"]["samples"]["truncation"] for one in found] == ["z times 0.5", "z times 1"]
    values = [one["scores"]["fd_random20"]["value"] for one in found]
    assert values[0] != values[1] and len(found[0]["scores"]["fd_random20"]["values"]) == 2
    assert scorers == ["scale:0.5", "scale:1"] and Workdir(run).evaluations() == []
    lines = [*csv.DictReader((run / "truncation.csv").open())]
    assert [(line["kind"], float(line["t"]), float(line["fd_random20"])) for line in lines] == [
        ("scale", 0.5, values[0]), ("scale", 1.0, values[1])
    ]  # fmt: skip
    with Image.open(run / "truncation.png") as picture:
        assert picture.width > picture.height > 200
    before = (run / "truncation.csv").read_bytes()
    truncation_curve(run, [], None, parse("scale:0.5,1"))
    assert len(scorers) == 2 and (run / "truncation.csv").read_bytes() == before  # nothing was scored anew
    truncation_curve(run, [], None, parse("resample:0.5"))
    truncation_curve(run, [("eval.num_samples", "24")], None, parse("scale:1"))
    assert scorers[2:] == ["resample:0.5", "scale:1"]
    assert len(json.loads((run / "truncation.json").read_text())["truncations"]) == 4


def test_untruncated_scores_are_those_of_scale_1(run, scorers):
    plan, step, state = load_run(run, Placement())
    plain = RunEvaluator(plan, noise_images(), Placement())(state, step, 2)
    truncation_curve(run, [], None, parse("scale:1"))
    found = json.loads((run / "truncation.json").read_text())["truncations"]
    [cut] = [x for x in found if x["truncation"] == {"kind": "scale", "t": 1.0} and "fd_random20" in x["scores"]]
    assert cut["scores"]["fd_random20"]["values"] == pytest.approx(plain["scores"]["fd_random20"]["values"], rel=1e-3)
    assert "truncation" not in plain["protocol"]["samples"]
    assert plain["protocol"]["samples"]["batch_norm"] == "running statistics"


def test_standing_statistics_are_said_and_repeat(run, scorers):
    plan, step, state = load_run(
        run, Placement(), overrides=[("eval.batch_norm", "standing"), ("eval.standing_passes", "3")]
    )
    first, second = (RunEvaluator(plan, noise_images(), Placement())(state, step) for _ in range(2))
    assert first["protocol"]["samples"]["batch_norm"] == "standing statistics, 3 passes of 8"
    assert first["scores"] == second["scores"]
    plan, step, state = load_run(run, Placement())
    running = RunEvaluator(plan, noise_images(), Placement())(state, step)
    assert running["scores"]["fd_random20"]["value"] != first["scores"]["fd_random20"]["value"]


def test_samples_by_standing_statistics_do_not_depend_on_each_other(run, tmp_path):
    model = jaxgan.load(run)
    running, standing = model.sample(num=4), model.sample(num=4, standing=2)
    assert (running != standing).any() and (standing != model.sample(num=4, standing=3)).any()
    np.testing.assert_array_equal(standing[1:3], model.sample(seeds=[1, 2], standing=2))
    with np.load(sample(run, sample_request(num=4, standing=2, out=str(tmp_path / "a.npz")))) as found:
        np.testing.assert_array_equal(found["images"], standing)
        assert json.loads(str(found["request"]))["standing"] == 2


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ([("eval.metrics", "kid")], "a curve over truncation draws fd, prdc, label_accuracy: name one"),
        ([("eval.metrics", "fd,ppl")], "the metric 'ppl' is of latents as they are drawn; leave it out"),
    ],
)
def test_mistakes(run, scorers, overrides, told):
    with pytest.raises(UserError, match=told):
        truncation_curve(run, overrides, None, parse("scale:1"))
    assert not scorers


def test_a_damaged_file_is_told_before_anything_is_scored(run, scorers):
    before = (run / "truncation.json").read_bytes() if (run / "truncation.json").exists() else None
    (run / "truncation.json").write_text('{"truncations": [{}]}')
    with pytest.raises(UserError, match="truncation.json .*; remove it, and evaluate again"):
        truncation_curve(run, [], None, parse("scale:1"))
    assert not scorers
    (run / "truncation.json").unlink() if before is None else (run / "truncation.json").write_bytes(before)
