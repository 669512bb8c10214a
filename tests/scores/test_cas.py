"""The classification accuracy score: what it is trained on and tested on, its ends, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from helpers import tiny

from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.plan import Plan
from jaxgan.scores import cas


@pytest.fixture(autouse=True)
def soon(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cas, "STEPS", 30)


def bars(name: str, n: int, seed: int, digest: str = "") -> Images:
    """12x12 pictures of one of three bright columns on noise, which a classifier tells apart soon."""
    rng = np.random.default_rng(seed)
    labels, images = np.arange(n) % 3, rng.integers(0, 100, (n, 12, 12, 1), dtype=np.uint8)
    images[np.arange(n), :, 4 * labels + 1] = 255
    return Images(name, Arrays(images, labels, np.arange(n)), features_of((12, 12, 1), 3), True, digest=digest)


def plan_of_bars(**fields) -> Plan:
    own = {"task__num_classes": 3, "nets__gen__name": "r3gan", "nets__disc__name": "r3gan", "eval__split": "test"}
    return Plan(tiny("dcgan.py", **(own | fields)), features_of((12, 12, 1), 3))


def score(monkeypatch, made: Images, real: Images, test: Images) -> dict[str, float]:
    """Of a generator whose sample i is example i of `made`."""
    kept = {"image": made.load()["image"], "label": made.load()["label"]}
    monkeypatch.setattr(cas, "open_data", lambda config: real)
    monkeypatch.setattr(cas, "trained", lambda *_: None)
    monkeypatch.setattr(cas, "make_pictures", lambda *_: lambda numbers: kept["image"][numbers])
    monkeypatch.setattr(cas, "make_labels", lambda _: lambda numbers: kept["label"][numbers])
    return cas.cas(plan_of_bars(), test, None)


@pytest.mark.slow
def test_a_perfect_generator_a_wrong_one_and_the_real_images(monkeypatch):
    real, test = bars("real", 90, 0, "a"), bars("test", 60, 1, "b")
    good = score(monkeypatch, bars("made", 90, 2), real, test)
    assert good == {"cas": 1, "cas_real": 1}
    assert good == score(monkeypatch, bars("made", 90, 2), real, test)  # to the last bit
    others = bars("made", 90, 2)
    others.examples.labels = (others.examples.labels + 1) % 3  # labels that it does not keep to
    calls = []
    accuracy = cas._accuracy
    monkeypatch.setattr(cas, "_accuracy", lambda *pair: calls.append(pair[0].name) or accuracy(*pair))
    assert score(monkeypatch, others, real, test) == {"cas": 0, "cas_real": 1}
    assert calls == ["samples"]  # what no generator changes is not trained again
    changed = replace(real, digest="c")
    score(monkeypatch, others, changed, test)
    assert calls == ["samples", "samples", "real"]


def test_it_is_trained_on_as_many_samples_as_there_are_training_images(monkeypatch):
    seen = {}
    monkeypatch.setattr(
        cas, "_accuracy", lambda images, test: seen.setdefault(images.name, (len(images), len(test))) and 0.5
    )
    score(monkeypatch, bars("made", 120, 2), bars("real", 90, 0), bars("test", 60, 1))
    assert seen == {"samples": (90, 60), "real": (90, 60)}


def test_what_it_refuses(monkeypatch):
    real, test = bars("real", 90, 0), bars("test", 60, 1)
    with pytest.raises(UserError, match="60 of the 60 images of eval.split are training images"):
        score(monkeypatch, bars("made", 90, 2), real, replace(real, examples=replace(real.examples, index=np.arange(60))))
    for fields, images, message in (
        ({"eval__split": ""}, test, "real images that the run has not trained on: --config.eval.split=test"),
        ({"eval__split": "train"}, test, "real images that the run has not trained on"),
        ({}, replace(test, features=features_of((12, 12, 1))), "of data with classes, and test has no labels"),
        ({}, replace(test, features=features_of((12, 12, 1), 3, vector=True)), "test has vectors of 3 attributes"),
        ({"task__num_classes": 0}, test, "a generator that is told classes: --config.task.num_classes=3"),
    ):
        with pytest.raises(UserError, match=message):
            cas.check(plan_of_bars(**fields), images)
