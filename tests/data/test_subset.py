"""Parts of a data set by class, wrong labels, and label vectors: functions of an example's number and a seed alone."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import tensorflow_datasets as tfds
from helpers import inside, noise_images, tiny

from jaxgan.data import digits, shapes
from jaxgan.data.features import features_of, from_json
from jaxgan.data.source import Arrays, Images
from jaxgan.data.subset import Subset, labels_of
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError
from jaxgan.scores.of_run import real_images
from jaxgan.sections import open_data
from jaxgan.training import population


def labelled(n: int = 300, classes: int = 3) -> Images:
    """Picture i is all i mod 256; labels go round."""
    images = (np.arange(n) % 256).astype(np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    arrays = Arrays(images, np.arange(n) % classes, np.arange(n))
    return Images("rounds", arrays, features_of((8, 8, 1), classes), True, digest="abc")


def taken(images: Images) -> tuple[np.ndarray, np.ndarray]:
    """Which examples of `labelled` there are, and the labels that they are given."""
    found = images.gather(np.arange(len(images)))
    return found["image"][:, 0, 0, 0].astype(int), found["label"]


def test_so_many_of_each_class():
    small, large = (Subset(per_class=n).of(labelled(120), 0) for n in (5, 20))
    numbers, labels = taken(small)
    np.testing.assert_array_equal(np.bincount(labels), [5, 5, 5])
    np.testing.assert_array_equal(labels, numbers % 3)
    assert set(numbers) < set(taken(large)[0])  # a smaller part of the same seed is within a larger one
    other = taken(Subset(per_class=5, subset_seed=1).of(labelled(120), 0))[0]
    assert set(numbers) != set(other)
    of_run = Subset(per_class=5, subset_seed=-1)
    np.testing.assert_array_equal(taken(of_run.of(labelled(120), 1))[0], other)


def test_a_share_of_each_class():
    images = Subset(class_shares=(1, 0.1, 0)).of(labelled(), 0)
    np.testing.assert_array_equal(np.bincount(taken(images)[1], minlength=3), [100, 10, 0])
    few = Subset(class_shares=(1, 0.01, 0.5), per_class=10).of(labelled(), 0)
    np.testing.assert_array_equal(np.bincount(taken(few)[1]), [10, 1, 5])  # one at least of a class that is kept


def test_wrong_labels_are_so_many_and_of_the_other_classes():
    images = labelled(3000, 4)
    true, told = labels_of(images), labels_of(Subset(wrong_labels=0.2).of(images, 0))
    wrong = told != true
    assert wrong.sum() == 600
    by = (told[wrong] - true[wrong]) % 4
    assert all(abs(np.mean(by == k) - 1 / 3) < 0.06 for k in (1, 2, 3))
    more = labels_of(Subset(wrong_labels=0.5).of(images, 0))
    np.testing.assert_array_equal(more[wrong], told[wrong])  # the same ones first
    np.testing.assert_array_equal(told, labels_of(Subset(wrong_labels=0.2).of(images, 7)))
    assert (told != labels_of(Subset(wrong_labels=0.2, subset_seed=1).of(images, 0))).any()


def test_a_part_is_no_other_data_set_to_a_cache():
    whole = labelled()
    assert Subset().of(whole, 0) is whole
    parts = [Subset(**fields).of(whole, 0) for fields in (
        {"per_class": 5}, {"per_class": 6}, {"per_class": 5, "subset_seed": 1}, {"wrong_labels": 0.1},
        {"class_shares": (1, 1, 0.5)}, {"class_shares": (1, 0.5, 1)},
    )]  # fmt: skip
    assert len({part.name for part in [whole, *parts]}) == len({part.digest for part in [whole, *parts]}) == 7
    assert Subset(per_class=5).of(replace(whole, digest=""), 0).digest == ""  # of what has no identity, neither has a part
    many = labelled(60, 30)
    names = {Subset(class_shares=(*[1.0] * 29, last)).of(many, 0).name for last in (0.5, 1.0)}
    assert len(names) == 2 and max(map(len, names)) < 80


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"class_shares": (1, 0.5)}, "data.class_shares has 2 numbers, and rounds has 3 classes"),
        ({"class_shares": (0, 0, 0)}, "data.class_shares leaves nothing: at least one class needs a share above 0"),
        ({"per_class": 101}, "data.per_class=101, but class 0 of rounds has 100 examples"),
    ],
)
def test_parts_that_there_are_not(fields, message):
    with pytest.raises(UserError, match=message):
        Subset(**fields).of(labelled(), 0)


def test_data_without_classes_have_no_parts_by_class():
    plain = Images("plain", Arrays(np.zeros((9, 8, 8, 1), np.uint8), None, np.arange(9)), features_of((8, 8, 1)), True)
    vectors = replace(plain, name="vectors", features=features_of((8, 8, 1), 3, vector=True))
    for fields in ({"per_class": 1}, {"class_shares": (1,)}, {"wrong_labels": 0.1}):
        with pytest.raises(UserError, match=f"data.{next(iter(fields))} is of data with labels, and plain has none"):
            Subset(**fields).of(plain, 0)
        with pytest.raises(UserError, match="is of classes, and the label of vectors is a vector of 3 attributes"):
            Subset(**fields).of(vectors, 0)


def test_every_source_has_the_fields():
    images = open_data(tiny("dcgan.py", data__per_class=3, data__wrong_labels=0.1))
    assert len(images) == 30 and "3 a class, 10 % of labels wrong, subset_seed 0" in images.name
    stacked = tiny(
        "dcgan.py", data__name="stacked_digits", data__images=3000, data__class_shares=",".join(["1"] * 999 + ["0"])
    )
    images = open_data(stacked)
    assert images.features["label"].shares[999] == 0 and images.known.shares[999] == 0


def test_shares_are_known_and_survive_the_record():
    images = open_data(tiny("dcgan.py", data__class_shares="1,1,1,1,1,1,1,1,1,.1"))
    label = images.features["label"]
    counts = np.bincount(images.load()["label"], minlength=10)
    np.testing.assert_allclose(label.shares, counts / 3640, rtol=0, atol=1e-12)
    assert from_json(label.as_json()) == label
    assert open_data(tiny("dcgan.py")).features["label"].shares == (0.1,) * 10
    assert noise_images().features["label"].shares == ()  # pictures would have to be decoded


def test_scores_of_a_split_are_against_all_of_it():
    few = tiny("dcgan.py", data__per_class=3, data__wrong_labels=0.5, eval__split="")
    images = open_data(few)
    assert real_images(few, images) is images  # and its name, in the protocol, says what it is
    test = real_images(tiny("dcgan.py", data__per_class=3, data__wrong_labels=0.5, eval__split="test"), images)
    np.testing.assert_array_equal(np.bincount(test.load()["label"]), [100] * 10)
    assert test.name == Tfds(split="test").open().name
    with pytest.raises(UserError, match="eval.split=test, but data.name=.*Unsplit has no splits"):
        real_images(tiny("dcgan.py", data__name=f"{__name__}:Unsplit", eval__split="test"), images)


@dataclass(frozen=True)
class Unsplit:
    """Somebody's own source."""

    per_class: int = 7  # a field of its own is its own

    def open(self) -> Images:
        return labelled(3 * self.per_class)


def test_a_field_of_the_same_name_is_the_sources():
    assert len(open_data(tiny("dcgan.py", data__name=f"{__name__}:Unsplit"))) == 21
    assert len(open_data(tiny("dcgan.py", data__name=f"{__name__}:Unsplit", data__class_shares="1,1,0"))) == 14


def test_members_of_a_population_share_their_data():
    runs = [[tiny("dcgan.py", seed=seed, data__per_class=5, data__subset_seed=own) for seed in (0, 1)] for own in (0, -1)]
    assert [len(set(map(population.kind, pair))) for pair in runs] == [1, 2]


def test_a_run_goes_on_with_its_own_part(tmp_path):
    small = ["--config=configs/dcgan.py", f"--workdir={tmp_path}/run", "--config.steps=1", "--config.nets.gen.width=2",
             "--config.nets.disc.width=2", "--config.batch_size=4", "--config.log.tensorboard=false"]  # fmt: skip
    inside(*small, "--config.data.per_class=4")
    done = inside(*small, "--config.data.per_class=5", check=2)
    assert "data.per_class: 4 -> 5" in done.stderr


class Faces(tfds.core.GeneratorBasedBuilder):
    """Six pictures with answers as a dict and as a sequence."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        answers = {"glasses": np.bool_, "hat": np.bool_, "smile": np.bool_}
        row = tfds.features.Tensor(shape=(2,), dtype=np.bool_)
        picture = tfds.features.Image(shape=(8, 8, 1))
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict({"image": picture, "attributes": answers, "row": row})
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(6):
            answers = {name: bool(i >> k & 1) for k, name in enumerate(("glasses", "hat", "smile"))}
            picture = digits.png(np.full((8, 8, 1), i, np.uint8))
            yield i, {"image": picture, "attributes": answers, "row": np.array([True, i > 2])}


@pytest.mark.parametrize("fitted", [{}, {"size": (4,)}])
def test_answers_are_a_vector(fitted, tmp_path):
    own = {"name": f"{__name__}:Faces", "dir": str(tmp_path), "cache": str(tmp_path / "c"), **fitted}
    images = Tfds(label="attributes", **own).open()
    label = images.features["label"]
    assert (label.shape, label.classes, label.names) == ((3,), 3, ("glasses", "hat", "smile"))
    found = images.load()
    number = found["image"][:, 0, 0, 0]
    assert found["label"].dtype == np.int32
    np.testing.assert_array_equal(found["label"] @ [1, 2, 4], number)
    np.testing.assert_array_equal(images.examples.all_labels(), found["label"])
    row = Tfds(label="row", **own).open()
    np.testing.assert_array_equal(row.load()["label"][:, 1], row.load()["image"][:, 0, 0, 0] > 2)
    assert Tfds(**own).open().num_classes == 0  # unasked, there is no label
    with pytest.raises(UserError, match="no labels 'row2'; did you mean 'row'"):
        Tfds(label="row2", **own).open()


def test_kinds_and_colours_of_scenes():
    images = Tfds(name="shapes/32", split="test", label="attributes").open()
    names = images.features["label"].names
    for i in (0, 5, 17):
        scene = shapes.scene("test", i)
        told = {shapes.KINDS[int(kind)] for kind in scene.factors[:, 0]} | {
            shapes.COLOURS[int(colour)] for colour in scene.factors[:, 1]
        }
        label = images.gather(np.array([i]))["label"][0]
        assert {name for name, is_there in zip(names, label) if is_there} == told
