"""Modes found, by points put where they count and where they do not."""

import numpy as np
import pytest
from helpers import tiny

from jaxgan.data.features import features_of
from jaxgan.data.source import Modes
from jaxgan.data.toy import Ring
from jaxgan.errors import UserError
from jaxgan.metrics.modes import modes
from jaxgan.plan import Plan
from jaxgan.scores.of_run import check_scores
from jaxgan.sections import open_data
from jaxgan.training.train import train
from jaxgan.workdir.folder import Workdir

REAL = Modes(np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]), 0.1)


def at(*places):
    return np.array(places, np.float32)


def test_counts_shares_and_divergence():
    perfect = modes(np.repeat(REAL.centres, 3, 0).astype(np.float32), REAL)
    assert perfect == {"modes": 4, "high_quality": 1, "reverse_kl": pytest.approx(0, abs=1e-12)}
    one = modes(at((0, 0), (0.29, 0), (0.31, 0), (9, 9)), REAL)  # three standard deviations are .3
    assert one == {"modes": 1, "high_quality": 0.5, "reverse_kl": pytest.approx(np.log(4))}
    two = modes(at((0, 0), (0, 0), (0, 0), (1, 1)), REAL)
    expected = 0.75 * np.log(0.75 * 4) + 0.25 * np.log(0.25 * 4)
    assert two == {"modes": 2, "high_quality": 1, "reverse_kl": pytest.approx(expected)}
    none = modes(at((9, 9), (5, 5)), REAL)
    assert none == {"modes": 0, "high_quality": 0, "reverse_kl": pytest.approx(np.log(4))}


def test_real_points_find_every_mode():
    ring = Ring(points=2500).open()
    found = modes(ring.load()["image"], ring.known.modes)
    assert found["modes"] == 8 and found["reverse_kl"] < 0.01
    assert found["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=0.005)  # of a Gaussian in two dimensions, within 3


@pytest.mark.slow
def test_a_run_of_points_is_scored(tmp_path):
    config = tiny(
        "toy.py:ring", data__points=200, eval__every=2, eval__num_samples=40, eval__num_real=100, eval__batch_size=20
    )
    images = open_data(config)
    train(Plan(config, images.features), images, tmp_path / "run")
    last = Workdir(tmp_path / "run").evaluations()[-1]
    assert sorted(last["scores"]) == ["high_quality_points40", "modes_points40", "reverse_kl_points40"]
    assert "pixels" not in last["protocol"]["samples"] and last["protocol"]["extractor"]["name"] == "points"
    with pytest.raises(UserError, match="this run makes points, which --config.eval.features.name=points leaves"):
        check_scores(Plan(tiny("toy.py:ring", eval__features__name="digits"), features_of((2,))))
    roll = tiny("toy.py:swiss_roll", data__points=200, eval__every=2, eval__metrics="modes", eval__num_real=100)
    images = open_data(roll)
    with pytest.raises(UserError, match="has no known modes; leave 'modes' out"):
        train(Plan(roll, images.features), images, tmp_path / "roll")
