"""A table of scores: means over seeds, and nothing that was measured otherwise."""

import copy
import json

import pytest

from jaxgan import evaluate, report


def result(value: float, **samples) -> dict:
    protocol = {"extractor": {"name": "digits"}, "samples": {"images": 1000, "weights": "moving average", **samples}}
    scores = {"fd_digits1k": {"value": value, "values": [value]}, "kid_error_digits1k": {"value": 0.1, "values": [0.1]}}
    return {"step": 4, "scores": scores, "protocol": protocol}


@pytest.fixture
def runs(tmp_path):
    for seed, value in enumerate((10.0, 12.0)):
        (tmp_path / f"a_{seed}").mkdir()
        evaluate.append(tmp_path / f"a_{seed}", result(99.0, images=20))  # an older one, of another protocol
        evaluate.append(tmp_path / f"a_{seed}", result(value))
        evaluate.append(tmp_path / f"a_{seed}", result(77.0) | {"step": 2})  # an earlier checkpoint, scored later
    floor = copy.deepcopy(result(1.0))
    floor["protocol"]["samples"] = {"images": 1000}
    floor |= {"scored": {"data": "digits", "digest": ""}}
    (tmp_path / "floor.json").write_text(json.dumps(floor))
    return tmp_path


def test_means_over_seeds_beside_the_floor(runs, capsys):
    assert report.main([f"a={runs}/a_0,{runs}/a_1", f"floor={runs}/floor.json"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "| | fd_digits1k ↓ | runs |",
        "|---|---|---|",
        "| a | 11 +- 1.4 | 2 |",
        "| floor | 1 | 1 |",
    ]


def test_unlike_protocols_are_refused(runs, capsys):
    evaluate.append(runs / "a_1", result(12.0, weights="raw"))
    assert report.main([f"a={runs}/a_0,{runs}/a_1"]) == 2
    assert "samples.weights is 'moving average' in one and 'raw' in another" in capsys.readouterr().err


def test_unlike_steps_are_refused(runs, capsys):
    evaluate.append(runs / "a_1", result(12.0) | {"step": 6})
    assert report.main([f"a={runs}/a_0,{runs}/a_1"]) == 2
    assert "row 'a' were scored at unlike steps: 4, 6" in capsys.readouterr().err


def test_foreign_samples_alone(runs, capsys):
    assert report.main([f"x={runs}/floor.json", f"y={runs}/floor.json"]) == 0


def test_a_run_without_scores_is_named(runs, capsys):
    assert report.main([f"a={runs}/b"]) == 2
    assert "has not been evaluated: python launch.py --mode=evaluate --workdir=" in capsys.readouterr().err
