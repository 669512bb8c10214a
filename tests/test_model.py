"""The Python interface: the pictures of the command line, and mistakes in one line."""

import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import ROOT, SMALL, noise_images, plan_of, tiny_fields

import jaxgan
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.errors import UserError
from jaxgan.sections import sections
from jaxgan.training.train import train
from jaxgan.verbs.sample_request import sample_request
from jaxgan.verbs.sampling import sample


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "wgan"
    train(plan_of("wgan.py"), noise_images(), folder)
    return folder


@pytest.fixture(scope="module")
def model(run):
    return jaxgan.load(run)


def test_numbers_name_the_pictures_of_the_command_line(run, model, tmp_path):
    sample(run, sample_request(seeds="3,5", out=str(tmp_path / "two.npz")))
    assert np.array_equal(np.load(tmp_path / "two.npz")["images"], model.sample(seeds=[3, 5]))


def test_seed_goes_from_page_to_page(model):
    assert np.array_equal(model.sample(num=3, seed=2), model.sample(seeds=[6, 7, 8]))
    assert len(model.sample()) == 64


def test_interpolations_begin_and_end_with_their_pictures(model):
    frames = model.interpolate([3, 5, 8], frames=4)
    assert frames.shape == (9, 12, 12, 1) and frames.dtype == np.uint8
    ends = model.sample(seeds=[3, 5, 8]).astype(int)
    assert np.max(np.abs(frames[[0, 4, 8]] - ends)) <= 1
    assert np.max(np.abs(frames[2].astype(int) - ends[0])) > 1


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda m: m.sample(num=0), "num must be at least 1"),
        (lambda m: m.sample(num=3, seeds=[1]), "num or seeds"),
        (lambda m: m.sample(seeds=[-1]), "from 0 to 2"),
        (lambda m: m.sample(seeds=[]), "at least one"),
        (lambda m: m.sample(label=1), "is told no labels"),
        (lambda m: m.sample(truncation_psi=0.5), "generators with styles"),
        (lambda m: m.sample(standing=2), "of BatchNorm, which this run's generator has not"),
        (lambda m: m.interpolate([1]), "at least two seeds"),
        (lambda m: m.interpolate([1, 2], space="w"), "no space 'w'"),
        (lambda m: m.translate(np.zeros((1, 12, 12, 1), np.uint8)), "translates nothing"),
    ],
)
def test_mistakes(call, answer, model):
    with pytest.raises(UserError, match=answer):
        call(model)


def test_a_notebook_shows_samples(model):
    shown = model._repr_html_()
    assert "data:image/png;base64," in shown and "step 4" in shown
    assert model.grid(num=4).size == (24, 24) and model.scores == {} and model.config.steps == 4


def test_training_from_python(tmp_path):
    spec = f"{ROOT}/configs/vanilla.py"
    small = SMALL | tiny_fields(resolve_config(load_config(spec), [], sections))
    made = jaxgan.train(spec, tmp_path / "run", steps=2, overrides={**small, "seed": 3, "eval.num_samples": 200})
    assert made.step == 2 and made.config.seed == 3 and made.sample(num=2).shape == (2, 28, 28, 1)
    scores = made.evaluate(metrics=("fd", "prdc"), num_real=200, batch_size=50, allow_few=True)
    assert np.isfinite(list(scores.values())).all() and not (tmp_path / "run" / "evaluation.json").exists()
    with pytest.raises(UserError, match="did you mean 'steps'"):
        jaxgan.train(spec, tmp_path / "other", overrides={"stesp": 1})
    assert not (tmp_path / "other").exists()


def test_importing_takes_under_a_second_and_nothing_of_weight():
    code = "import sys, jaxgan; print(*({'jax', 'numpy', 'grain', 'tensorflow_datasets', 'absl'} & sys.modules.keys()))"
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "" and time.monotonic() - began < 1


def test_sampling_loads_no_data_library():
    code = "import sys, jaxgan; jaxgan.load('digits'); print(*({'grain', 'tensorflow_datasets'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


def test_the_shipped_digits():
    """It is what the package says that it is, and its digits can be read: the classifier is sure of most of them."""
    from jaxgan import models
    from jaxgan.extractors.digits import Digits
    from jaxgan.verbs.verifying import LEVELS, verify

    assert verify(models.find("digits")) <= LEVELS
    found = jaxgan.load("digits")
    network = Digits().load((28, 28, 1))
    _, logits = network.apply(network.variables, found.sample(num=64))
    sure = np.max(np.asarray(np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)), -1)
    assert np.mean(sure > 0.9) > 0.7
    assert found.scores["fd_digits5k"] < 20
