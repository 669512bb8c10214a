"""Scores of few images: each metric says how few it is defined for, and fewer are refused before anything is computed."""

import json

import numpy as np
import pytest
from helpers import plan_of

from jaxgan import cli
from jaxgan.data.source import Modes
from jaxgan.errors import UserError
from jaxgan.files import nulls
from jaxgan.images import save_npz
from jaxgan.metrics.moments import Moments
from jaxgan.scores.checks import check_enough
from jaxgan.scores.labelled import Labelled
from jaxgan.scores.of_run import check_scores
from jaxgan.scores.table import METRICS

OF_IMAGES = {name: metric for name, metric in METRICS.items() if "state" not in metric.needs}
LEAST = {"fd": (2, 2), "kid": (2, 2), "prdc": (6, 6), "repetition": (2, 2), "is": (20, 1), "cycles": (2, 2)}
LEAST |= {"label_accuracy": (1, 0), "intra_fd": (2, 2), "class_recall": (6, 6)}  # in each class


def statistics(n: int, seed: int) -> Labelled:
    """Of images of one class."""
    rng, moments = np.random.default_rng(seed), Moments.empty(3)
    features, classes = rng.normal(size=(n, 3)).astype(np.float32), rng.dirichlet(np.ones(3), n)
    moments.add(features)
    labels = np.zeros(n, np.int32)
    return Labelled(moments, features, classes, Modes(np.eye(3), 0.1), labels=labels, num_classes=1)


def test_the_least_numbers():
    assert {name: metric.least for name, metric in METRICS.items() if metric.least != (1, 1)} == LEAST


@pytest.mark.parametrize("name", OF_IMAGES)
def test_values_of_the_least_number_are_defined(name):
    metric = METRICS[name]
    fake, real = (statistics(n, seed) for seed, n in enumerate(metric.least))
    values = metric.fn(real, fake, True)
    assert values and np.isfinite(list(values.values())).all() and values.get("is", 0) != 1


@pytest.mark.parametrize("name", LEAST)
def test_fewer_are_refused(name):
    generated, real = LEAST[name]
    chosen = {name: METRICS[name]}
    check_enough(chosen, generated, real)
    check_enough(chosen, generated)  # the data are not open yet
    with pytest.raises(UserError, match=f"'{name}' needs at least {generated} generated images, not {generated - 1}: "):
        check_enough(chosen, generated - 1)
    if real > 1:
        with pytest.raises(UserError, match=f"'{name}' needs at least {real} real images, not {real - 1}: "):
            check_enough(chosen, generated, real - 1)


@pytest.mark.parametrize("fields", [{"num_samples": 1}, {"num_real": 5}, {"num_samples": 19, "metrics": "is"}])
def test_a_run_is_refused_before_it_trains(fields):
    wanted = {"metrics": "kid,prdc", "num_samples": 20, "every": 2, "features__name": "random"} | fields
    with pytest.raises(UserError, match="needs at least (2 generated|6 real|20 generated) images"):
        check_scores(plan_of("dcgan.py", **{f"eval__{key}": x for key, x in wanted.items()}))


def test_anybody_s_few_pictures_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pictures = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), dtype=np.uint8)
    for n in (1, 5, 30):
        save_npz(tmp_path / f"{n}.npz", images=pictures[:n])
    typed = "launch.py --mode=evaluate --config.eval.features.name=random --out=a.json"
    for one, other, metric, told in (
        (1, 30, "kid", "2 generated images, not 1"),
        (30, 1, "kid", "2 real images, not 1"),
        (5, 30, "is", "20 generated images, not 5"),
    ):
        flags = [f"--samples={one}.npz", f"--reference={other}.npz", f"--config.eval.metrics={metric}"]
        assert cli.main([*typed.split(), *flags]) == 2
        assert told in capsys.readouterr().err and not (tmp_path / "a.json").exists()


def test_what_is_no_number_is_null():
    tree = {"a": [1.5, float("nan")], "b": {"c": -np.inf, "d": (np.float64("inf"), "x", 3, True, None)}}
    assert (
        json.dumps(nulls(tree), allow_nan=False) == '{"a": [1.5, null], "b": {"c": null, "d": [null, "x", 3, true, null]}}'
    )
