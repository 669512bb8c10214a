"""Scores of translators: against truths, there and back, and what digits are read as."""

import dataclasses
from functools import partial

import jax
import numpy as np
import pytest
from helpers import noise_images, plan_of

from jaxgan.data.source import Arrays, Known
from jaxgan.errors import UserError
from jaxgan.generate import given_inputs, make_generate, trained
from jaxgan.images import to_uint8
from jaxgan.metrics import pairs, segments
from jaxgan.placement import Placement
from jaxgan.scores import reading, translation
from jaxgan.scores.of_run import RunEvaluator, real_images

RANDOM = {"eval__features__name": "random", "eval__num_samples": 20, "eval__allow_few": True, "eval__batch_size": 8}


def run(spec, metrics, **overrides):
    plan = plan_of(spec, eval__metrics=metrics, eval__split="", eval__source_split="", **RANDOM, **overrides)
    return plan, noise_images(plan=plan), plan.init(jax.random.key(0))


def test_pairs_are_scored_by_what_the_network_makes_of_each_source():
    plan, data, state = run("pix2pix.py", "pairs")
    numbers, nets = np.arange(20), trained(plan, state, ema=True)
    made = to_uint8(jax.jit(make_generate(plan))(nets, numbers, source=data.gather_feature("source", numbers)))
    true = data.gather(numbers)["image"]
    found = translation.pair_scores(plan, data, state)
    assert found.keys() == {"l1", "psnr", "ssim", "feature_distance"}
    for name in ("l1", "psnr", "ssim"):
        assert found[name] == pytest.approx(float(np.mean(getattr(pairs, name)(true, made))), rel=1e-6)
    perfect = dataclasses.replace(data, examples=_Truth(data, made))
    assert translation.pair_scores(plan, perfect, state) == pytest.approx(
        {"l1": 0, "psnr": 100, "ssim": 1, "feature_distance": 0}, abs=1e-5
    )


class _Truth(Arrays):
    """The examples of a data set, the images replaced."""

    def __init__(self, data, made):
        super().__init__(made, None, np.arange(len(made)))
        self.data = data

    def __getitem__(self, i):
        return {**self.data.examples[i], "image": self.images[i]}


def test_colours_that_stand_for_classes_are_read():
    plan, data, state = run("pix2pix.py", "pairs")
    data = dataclasses.replace(data, known=Known(decode=lambda pixels: (pixels[..., 0] > 127).astype(int), pixel_classes=2))
    numbers = np.arange(20)
    made = translation.translated(plan, trained(plan, state, ema=True), given_inputs(plan, data, numbers)["source"])
    maps = [data.known.decode(x) for x in (data.gather(numbers)["image"], made)]
    expected = segments.scores(segments.confusion(*maps, num_classes=2))
    found = translation.pair_scores(plan, data, state)
    assert {name: found[name] for name in expected} == expected and 0.2 < found["pixel_accuracy"] < 0.8


@pytest.mark.slow
def test_the_way_back_and_the_truth():
    plan, data, state = run("cyclegan.py", "cycles")
    data = dataclasses.replace(data, known=Known(truth=True))
    data.examples, data.others = _WithTruth(data.examples), {"source": _WithTruth(data.sources, "source")}
    nets, numbers = trained(plan, state, ema=True), np.arange(20)
    sources = data.gather_feature("source", numbers)
    there = translation.translated(plan, nets, sources)
    back = translation.translated(plan, nets, there, "ba")
    assert there.shape == (20, 12, 12, 1) and back.shape == sources.shape == (20, 12, 12, 3)
    found = translation.cycle_scores(plan, data, state)
    assert found["cycle_a"] == pytest.approx(float(np.mean(pairs.l1(sources, back))))
    assert found["psnr_ab"] == pytest.approx(float(np.mean(pairs.psnr(np.full_like(there, 7), there))))
    assert found["l1_ba"] == pytest.approx(
        float(
            np.mean(pairs.l1(np.full_like(back, 7), translation.translated(plan, nets, data.gather(numbers)["image"], "ba")))
        )
    )
    assert found["fd_ab"] > 0 and found["fd_ba"] > 0


class _WithTruth:
    """Examples whose true translation is one grey level everywhere, in the other domain's shape."""

    def __init__(self, examples, key="image"):
        self.examples, self.shape = examples, (12, 12, 1) if key == "source" else (12, 12, 3)

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, i):
        return {**self.examples[i], "truth": np.full(self.shape, 7, np.uint8)}


def test_a_translator_s_images_are_scored_like_any_others():
    plan, data, state = run("pix2pix.py", "fd,pairs")
    result = RunEvaluator(plan, data, Placement("shard_map", jax.devices()[:2]))(state, 0)
    assert {"fd_random20", "psnr", "feature_distance"} <= result["scores"].keys()
    assert "8-bit" in result["protocol"]["metrics"]["pairs"] and result["protocol"]["samples"]["images"] == 20
    again = RunEvaluator(plan, data, Placement("shard_map", jax.devices()[:1]))(state, 0)
    for name in ("psnr", "fd_random20"):
        assert again["scores"][name]["value"] == pytest.approx(result["scores"][name]["value"], rel=1e-3)


def test_scores_of_others_are_refused():
    plan, data, state = run("cyclegan.py", "pairs")
    with pytest.raises(UserError, match="the metric 'pairs' is of task paired"):
        translation.pair_scores(plan, data, state)
    plan, data, state = run("pix2pix.py", "cycles")
    with pytest.raises(UserError, match="both ways"):
        translation.cycle_scores(plan, data, state)
    with pytest.raises(UserError, match="data.name=digit_styles"):
        reading.reading_scores(plan, data, state)
    with pytest.raises(UserError, match="has no such splits"):
        own = plan_of("pix2pix.py:own", eval__source_split="x", data__dir="photos").config
        real_images(own, noise_images())


@pytest.mark.slow
def test_real_digits_are_read_and_noise_is_not(monkeypatch):
    """The package's classifier reads true translations; an untrained translator keeps no class."""
    from jaxgan.plan import Plan
    from jaxgan.sections import open_data

    monkeypatch.setattr(reading, "EPOCHS", 1)
    config = plan_of("cyclegan.py", eval__num_samples=100).config
    data = open_data(config)
    plan = Plan(config, data.features)
    scored, state = real_images(config, open_data(config)), plan.init(jax.random.key(0))
    found = reading.reading_scores(plan, scored, state)
    assert found.keys() == {"read_b", "read_ba", "read_ab", "read_real_b"}
    assert 0.2 < found["read_b"] < 0.7 and found["read_ba"] < 0.3 and found["read_ab"] < 0.4
    truth = {way: partial(scored.gather_key, "truth", stream=stream) for way, stream in (("ba", "main"), ("ab", "source"))}
    monkeypatch.setattr(reading, "translated", lambda plan, nets, source, way="ab": truth[way](np.arange(len(source))))
    assert reading.reading_scores(plan, scored, state)["read_ba"] > 0.9
