"""Stacked digits: what is in a picture, which are drawn, and what a base must be."""

import numpy as np
import pytest
from helpers import tiny

from jaxgan.data.features import features_of
from jaxgan.data.source import Images
from jaxgan.data.stacked import StackedDigits
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError
from jaxgan.metrics import classes
from jaxgan.plan import Plan
from jaxgan.sections import open_data
from jaxgan.training.train import train
from jaxgan.workdir.folder import Workdir


def test_each_channel_is_a_digit_of_its_own():
    images = StackedDigits(images=500).open()
    data, digits = images.load(), Tfds(name="digits").open().load()
    assert data["image"].shape == (500, 28, 28, 3) and data["image"].dtype == np.uint8
    np.testing.assert_allclose(images.known.shares, np.full(1000, 1e-3))
    assert images.image_shape == (28, 28, 3) and images.num_classes == 1000 and images.resident
    assert images.features["label"].names[:11] == tuple(f"{i:03}" for i in range(11))
    singles = {image.tobytes(): label for image, label in zip(digits["image"], digits["label"])}
    for picture, label in zip(data["image"][:50], data["label"]):
        assert [singles[picture[..., i].tobytes()] for i in range(3)] == [int(digit) for digit in f"{label:03}"]


@pytest.mark.slow
def test_the_draw_is_of_seed_and_split_alone():
    first, again, other = (StackedDigits(images=200, draw_seed=seed).open().load()["label"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.9
    counts = np.bincount(StackedDigits(images=50_000).open().examples.index.ravel())
    assert len(counts) == 4000 and counts.min() > 10  # every digit of the split, and about as often: 37.5
    held = StackedDigits(images=20, split="test").open().examples
    assert len(held.images) == 1000


def test_a_base_that_cannot_be_stacked_is_refused(monkeypatch):
    monkeypatch.setattr(Tfds, "open", lambda self: Images("rgb", [], features_of((32, 32, 3), 10), True))
    with pytest.raises(UserError, match="data.base=cifar10 has 10 classes of 32x32x3; ten of grey pictures can be stacked"):
        StackedDigits(base="cifar10").open()


def test_modes_are_counted_by_class():
    sure = np.eye(4)[[0, 0, 0, 1]] * 0.92 + 0.02
    equal = classes.shares(np.eye(4)[np.arange(400) % 4])
    np.testing.assert_allclose(equal, 0.25)
    found = classes.modes(equal, sure)
    q = np.array([0.75, 0.25])
    assert found == {"modes": 2, "high_quality": 1, "reverse_kl": pytest.approx(np.sum(q * np.log(q * 4)))}
    assert classes.modes(equal, np.full((8, 4), 0.25))["high_quality"] == 0
    missing = classes.modes(classes.shares(np.eye(4)[[0, 0]]), np.eye(4)[[1, 1]])  # a mode that the reals lack: finite
    assert missing["reverse_kl"] == pytest.approx(np.log(6 / 1))


@pytest.mark.slow
def test_a_run_is_scored_by_its_modes(tmp_path):
    config = tiny(
        "dcgan.py", data__name="stacked_digits", data__images=300, eval__every=4, eval__metrics="class_modes,repetition",
        eval__num_samples=60, eval__num_real=250, eval__batch_size=50, eval__features__name="digits",
    )  # fmt: skip
    images = open_data(config)
    train(Plan(config, images.features), images, tmp_path / "run")
    result = Workdir(tmp_path / "run").evaluations()[-1]
    assert {"modes_digits60", "high_quality_digits60", "reverse_kl_digits60", "repeated_digits60"} <= result["scores"].keys()
    assert result["protocol"]["metrics"]["class_modes"].endswith("high quality above 0.9")
    assert "stacked 300 of digits" in result["protocol"]["real"]["data"]
