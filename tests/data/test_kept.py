"""Classes that are kept, by name and number, in every split; and other classes among the training examples."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from helpers import inside, tiny

from jaxgan.data.features import features_of
from jaxgan.data.kept import Kept, kept_classes
from jaxgan.data.pairs import AsSource, unpaired
from jaxgan.data.source import Arrays, Images, Modes
from jaxgan.data.subset import Subset, labels_of
from jaxgan.data.toy import Ring
from jaxgan.errors import UserError
from jaxgan.scores.of_run import real_images
from jaxgan.sections import open_data, source_of, without_subset
from jaxgan.workdir.data import open_split, trained_classes

NAMES = ("cat", "dog", "owl")


def named(n: int = 300, names: tuple[str, ...] = NAMES, split: str = "train") -> Images:
    """Picture i is all i mod 256; labels go round."""
    images = (np.arange(n) % 256).astype(np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)
    arrays = Arrays(images, np.arange(n) % len(names), np.arange(n))
    features = features_of((8, 8, 1), len(names), names=names)
    return Images(f"pets, split {split}", arrays, features, True, digest="abc")


@pytest.mark.parametrize("fields", [{"classes": ("dog", "owl")}, {"classes": ("2", "1")}, {"without": ("cat",)},
                                    {"without": ("0",)}, {"classes": ("dog", "2", "dog")}])  # fmt: skip
def test_classes_are_kept_by_name_or_number_and_keep_their_numbers(fields):
    images = Subset(**fields).of(named(), 0)
    found = images.gather(np.arange(len(images)))
    np.testing.assert_array_equal(Kept(**fields).mask(named()), [False, True, True])
    np.testing.assert_array_equal(np.bincount(found["label"], minlength=3), [0, 100, 100])
    np.testing.assert_array_equal(found["image"][:, 0, 0, 0], np.flatnonzero(np.arange(300) % 3) % 256)
    assert images.num_classes == 3 and images.features["label"].names == NAMES
    assert images.name == "pets, split train, without cat"  # however it was asked, so that caches are shared
    assert images.digest not in ("", "abc")


def test_a_number_is_no_other_class_where_numbers_are_names():
    numbered = named(names=("5", "7"))
    np.testing.assert_array_equal(Kept(classes=("5",)).mask(numbered), [True, False])
    with pytest.raises(UserError, match="data.classes=0: pets, split train has no such class; did you mean 5"):
        Kept(classes=("0",)).mask(numbered)
    bare = replace(numbered, features=features_of((8, 8, 1), 2))
    np.testing.assert_array_equal(Kept(classes=("1",)).mask(bare), [False, True])


def test_all_of_them_is_the_whole():
    whole = named()
    assert Subset(classes=NAMES).of(whole, 0) is whole
    np.testing.assert_array_equal(Kept().mask(whole), [True] * 3)
    np.testing.assert_array_equal(kept_classes({"classes": (), "name": "digits"}, whole), [True] * 3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": ("dgo",)}, "data.classes=dgo: pets, split train has no such class; did you mean 'dog'?"),
        ({"without": ("3",)}, "data.without=3: pets, split train has no such class; known: cat, dog, owl"),
        ({"without": NAMES}, "data.without leaves nothing: it names every class of pets, split train"),
        ({"classes": ("cat",), "class_shares": (0, 1, 1)}, "data.class_shares leaves nothing: pets, .* no example of the"),
        ({"classes": ("cat",), "wrong_labels": 0.1}, "data.wrong_labels needs another class to choose, and .* that is kept"),
        ({"classes": ("cat",), "contamination": 0.9}, "contamination=0.9 needs 900 examples .* has 200; at most 0.667 here"),
        ({"classes": NAMES, "contamination": 0.1}, "contamination=0.1 needs 33 examples .* not kept, and .* has 0$"),
    ],
)
def test_classes_that_there_are_not(fields, message):
    with pytest.raises(UserError, match=message):
        Subset(**fields).of(named(), 0)


def test_a_split_without_the_class():
    other = named(split="test")
    other.examples.labels[:] = 1
    with pytest.raises(UserError, match="data.classes leaves nothing: pets, split test has no example of the classes that"):
        Subset(classes=("cat",)).of(other, 0)


def test_fields_that_do_not_go_together():
    with pytest.raises(UserError, match="data.classes=cat and data.without=dog,owl are two ways to say one thing"):
        Kept(classes=("cat",), without=("dog", "owl"))
    with pytest.raises(UserError, match="data.contamination is of classes that are not kept; --config.data.classes"):
        Subset(contamination=0.1)
    plain = Images("plain", Arrays(np.zeros((9, 8, 8, 1), np.uint8), None, np.arange(9)), features_of((8, 8, 1)), True)
    with pytest.raises(UserError, match="data.without is of data with labels, and plain has none"):
        Subset(without=("1",)).of(plain, 0)


def test_parts_of_what_is_kept():
    part = Subset(classes=("dog", "owl"), per_class=10, wrong_labels=0.5)
    images = part.of(named(), 0)
    np.testing.assert_array_equal(np.bincount(labels_of(images), minlength=3)[0], 0)  # a wrong label is a kept class' too
    alike = Subset(classes=("dog", "owl"), per_class=10).of(named(), 0)
    np.testing.assert_array_equal(np.bincount(labels_of(alike)), [0, 10, 10])
    np.testing.assert_array_equal(images.examples.index, alike.examples.index)
    every = Subset(per_class=10).of(named(), 0).examples
    np.testing.assert_array_equal(every.index[every.labels > 0], alike.examples.index)  # the same ones of each class
    assert (labels_of(images) != labels_of(alike)).sum() == 10


def test_other_classes_among_them():
    parts = [Subset(classes=("cat",), contamination=share).of(named(), 0) for share in (0, 0.05, 0.2)]
    numbers = [set(part.examples.index.tolist()) for part in parts]
    assert numbers[0] < numbers[1] < numbers[2]  # a smaller share is within a larger one
    assert [(labels_of(part) > 0).sum() for part in parts] == [0, 5, 25]  # of 100, 105 and 125
    assert all((labels_of(part) == 0).sum() == 100 for part in parts)
    assert (labels_of(parts[2]) == np.arange(300)[parts[2].examples.index] % 3).all()
    assert parts[2].name == "pets, split train, classes cat, 20 % of other classes, subset_seed 0"
    seeded = Subset(classes=("cat",), contamination=0.2, subset_seed=-1)
    np.testing.assert_array_equal(seeded.of(named(), 0).examples.index, parts[2].examples.index)
    assert set(seeded.of(named(), 1).examples.index.tolist()) != numbers[2]
    assert len({part.digest for part in parts}) == 3


def test_sources_that_belong_to_no_image_are_of_the_same_classes():
    images = named()
    features = images.features | {"source": replace(images.features["image"], stream="source")}
    apart = replace(images, features=features, others={"source": AsSource(named(90).examples)})
    kept = Subset(classes=("owl",)).of(apart, 0)
    assert kept.lengths() == {"main": 100, "source": 30}
    assert set(kept.gather_key("label", np.arange(30), "source")) == {2}
    assert Subset(per_class=3).of(apart, 0).lengths() == {"main": 9, "source": 90}
    bare = replace(apart, others={"source": AsSource(Arrays(images.examples.images, None, np.arange(300)))})
    assert Subset(classes=("owl",)).of(bare, 0).lengths() == {"main": 100, "source": 300}
    pairs = replace(images, features=images.features | {"source": images.features["image"]})
    assert unpaired(Subset(classes=("owl",)).of(pairs, 0)).lengths() == {"main": 100, "source": 100}


def test_modes_and_shares_that_are_left():
    ring = Subset(without=("0",)).of(Ring(points=100).open(), 0)
    assert isinstance(ring.known.modes, Modes) and len(ring.known.modes.centres) == 7
    told = named()
    told.features["label"] = replace(told.features["label"], shares=(1 / 3,) * 3)
    assert Subset(classes=("cat", "owl")).of(told, 0).features["label"].shares == (0.5, 0, 0.5)


def test_ordinary_scores_are_against_the_kept_classes_and_a_split_opens_whole():
    config = tiny("dcgan.py", data__classes="3,5", data__per_class=4, data__contamination=0.2, eval__split="test")
    images = open_data(config)
    assert np.bincount(labels_of(images), minlength=10)[[3, 5]].tolist() == [4, 4] and len(images) == 10
    real = real_images(config, images)
    assert np.bincount(labels_of(real), minlength=10).tolist() == [0, 0, 0, 100, 0, 100, 0, 0, 0, 0]
    assert real.name == "digits/1.0.0, split test, classes 3,5"
    np.testing.assert_array_equal(open_split(config, "test").examples.index, real.examples.index)
    whole = open_split(config, "test", whole=True)
    assert np.bincount(labels_of(whole)).tolist() == [100] * 10 and whole.name == "digits/1.0.0, split test"
    assert len(open_split(config, "", whole=True)) == 4000
    for one in (images, real, whole):
        np.testing.assert_array_equal(kept_classes(config.data, one), trained_classes(config, one))
        assert np.flatnonzero(kept_classes(config.data, one)).tolist() == [3, 5]
    with pytest.raises(UserError, match="has no split 'tset'; did you mean 'test'"):
        open_split(config, "tset", whole=True)


def test_numbers_in_a_config_of_python():
    assert tiny("dcgan.py", data__classes=(3, 5)).data.classes == tiny("dcgan.py", data__classes="3,5").data.classes
    assert tiny("dcgan.py", data__without=3).data.without == ("3",)


@dataclass(frozen=True)
class Preset:
    """A data set that keeps one class unless it is told otherwise."""

    presets = {"classes": ("cat",)}
    split: str = "train"

    def open(self) -> Images:
        return named(split=self.split)


def test_a_data_set_may_keep_some_by_itself():
    config = tiny("dcgan.py", data__name=f"{__name__}:Preset")
    assert config.data.classes == ("cat",) and len(open_data(config)) == 100
    assert len(open_data(tiny("dcgan.py", data__name=f"{__name__}:Preset", data__classes=""))) == 300
    assert len(open_split(config, "test")) == 100 and len(open_split(config, "test", whole=True)) == 300
    assert without_subset(config) == {
        "class_shares": (), "per_class": 0, "contamination": 0.0, "wrong_labels": 0.0, "subset_seed": 0
    }  # fmt: skip
    assert without_subset(config, whole=True)["classes"] == ()
    assert source_of(config) == Preset()


@pytest.mark.slow
def test_a_conditional_run_keeps_its_class_numbers(tmp_path):
    small = [f"--workdir={tmp_path}/run", "--config.steps=2", "--config.nets.gen.width=2", "--config.nets.disc.width=2",
             "--config.batch_size=4", "--config.log.tensorboard=false", "--config.sample.num=4"]  # fmt: skip
    given = ["--config.data.classes=3,5", "--config.task.num_classes=10", "--config.eval.every=2", "--config.eval.repeats=1",
             "--config.eval.split=test", "--config.eval.num_samples=160", "--config.eval.allow_few=true"]  # fmt: skip
    done = inside("--config=configs/dcgan.py", *small, *given, "--config.eval.metrics=fd,label_accuracy")
    assert "digits/1.0.0, split train, classes 3,5: 800 images" in done.stdout + done.stderr
    assert "digits/1.0.0, split test, classes 3,5" in (tmp_path / "run" / "evaluation.json").read_text()
    other = inside("--config=configs/dcgan.py", *small, *given, "--config.data.classes=3", check=2)
    assert "data.classes: ['3', '5'] -> ['3']" in other.stderr
