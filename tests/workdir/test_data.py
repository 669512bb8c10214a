"""A run's samples as another run's data: made once, by number, beside its real pictures, and checked by a classifier."""

import json
import shutil

import numpy as np
import pytest
from helpers import tiny

from jaxgan.errors import UserError
from jaxgan.generate import make_labels, make_pictures, trained
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.of_run import real_images
from jaxgan.training.train import train
from jaxgan.workdir import data
from jaxgan.workdir.data import open_data
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

pytestmark = pytest.mark.slow
LABELLED = {
    "task__num_classes": 10, "nets__gen__name": "r3gan", "nets__disc__name": "r3gan", "data__per_class": 2, "steps": 2,
    "log__tensorboard": False, "data__size": 8,
}  # fmt: skip


def run(config, folder):
    images = open_data(config)
    train(Plan(config, images.features), images, folder)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    home = tmp_path_factory.mktemp("runs")
    run(tiny("dcgan.py", **LABELLED), home / "gan")
    run(tiny("classifier.py", data__size=8, data__per_class=2, steps=2, eval__every=0), home / "classifier")
    return home


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    """A run of pix2pix that saw six scenes."""
    config = tiny("pix2pix.py", data__per_class=2, data__subset_seed=5, steps=2, log__tensorboard=False)
    return run(config, tmp_path_factory.mktemp("runs") / "translator")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def of(runs, **fields):
    own = {f"data__{name}": x for name, x in ({"workdir": runs / "gan"} | fields).items()}
    return tiny("classifier.py", data__name="samples", steps=2, **own)


def test_number_i_is_the_runs_own_sample_i(runs):
    images = open_data(of(runs, num=30))
    plan, step, state = load_run(runs / "gan", Placement())
    numbers = np.arange(30, dtype=np.uint32)
    made = make_pictures(plan, trained(plan, state, True))(numbers)
    found = images.load()
    assert np.mean(found["image"] == made) > 0.999  # but for rounding: batches have another size
    np.testing.assert_array_equal(found["label"], make_labels(plan)(numbers))
    assert images.num_classes == 10 and len(open_data(of(runs))) == 20  # by default as many as it trained on
    assert images.taken["data.workdir"]["step"] == step == 2 and images.taken["data.workdir"]["digest"]


def test_samples_are_made_once(runs, monkeypatch):
    first = open_data(of(runs, num=30))
    monkeypatch.setattr(data, "_generated", None)  # cannot be called
    assert open_data(of(runs, num=30)).digest == first.digest
    with pytest.raises(TypeError):
        open_data(of(runs, num=31))


def test_real_pictures_beside(runs):
    images, real = open_data(of(runs, num=30, real=0.5)), open_data(tiny("dcgan.py", **LABELLED))
    found, theirs = images.load(), real.load()
    assert len(images) == 60 and "as 50 %" in images.name
    np.testing.assert_array_equal(found["image"][30:50], theirs["image"])
    np.testing.assert_array_equal(found["label"][30:], np.resize(theirs["label"], 30))
    np.testing.assert_array_equal(images.examples.all_labels(), found["label"])


def test_a_filter_keeps_what_a_classifier_agrees_with(runs):
    images = open_data(of(runs, num=5, filter_workdir=runs / "classifier"))
    plan, _, state = load_run(runs / "classifier", Placement())
    found, nets = images.load(), trained(plan, state, True)
    seen = plan.task().predict(nets.players, found["image"].astype(np.float32) / 127.5 - 1)
    np.testing.assert_array_equal(seen.argmax(-1), found["label"])
    assert len(images) == 5 and set(images.taken) == {"data.workdir", "data.filter_workdir"}


def test_the_test_images_are_of_the_runs_own_data(runs):
    config = of(runs, num=30)
    real = real_images(config, open_data(config))
    assert "digits" in real.name and len(real) == 1000 and "a class" not in real.name


def test_translations_of_other_sources_with_what_they_were_made_of(runs, translator):
    fields = {"workdir": translator, "sources": "test[:30]", "num": 0}
    images = open_data(of(runs, **fields))
    layouts = open_data(tiny("pix2pix.py", data__split="test[:30]"))
    plan, _, state = load_run(translator, Placement())
    found, theirs = images.load(), layouts.load()
    made = make_pictures(plan, trained(plan, state, True), layouts)(np.arange(30, dtype=np.uint32))
    np.testing.assert_array_equal(found["source"], theirs["source"])
    np.testing.assert_array_equal(found["label"], theirs["label"])
    assert np.mean(found["image"] == made) > 0.999 and np.mean(found["image"] == theirs["image"]) < 0.5
    assert "test[:30]" in images.name and images.paired and images.taken["data.workdir"]["step"] == 2
    own = open_data(of(runs, workdir=translator))  # by default what it saw itself
    assert len(own) == 6 and own.digest != images.digest
    mixed = open_data(of(runs, real=0.5, **fields))
    found = mixed.load()
    assert len(mixed) == 60
    np.testing.assert_array_equal(found["source"][:30], theirs["source"])
    seen = open_data(tiny("pix2pix.py", data__per_class=2, data__subset_seed=5)).load()
    for name in ("image", "source", "label"):
        np.testing.assert_array_equal(found[name][30:], np.concatenate([seen[name]] * 5))
    more = open_data(of(runs, **fields | {"num": 31})).load()  # beyond the last they begin again
    np.testing.assert_array_equal(more["source"][30], theirs["source"][0])


def test_a_detector_learns_from_translations_and_is_scored_on_real_pictures(translator, tmp_path):
    own = {"data__workdir": translator, "data__sources": "test[:30]", "data__real": 0.5, "data__flip": True}
    config = tiny("detector.py", data__name="samples", steps=2, eval__every=2, eval__num_real=40, **own)
    folder = run(config, tmp_path / "detector")
    scored = json.loads((folder / "evaluation.json").read_text())
    scored = scored["evaluations"][-1] if "evaluations" in scored else scored
    assert set(scored["scores"]) == {"map50"}
    assert scored["protocol"]["real"]["images"] == 40 and "split test, from labels" in scored["protocol"]["real"]["data"]
    assert "samples" not in scored["protocol"]


def test_what_makes_no_samples(runs, translator, tmp_path):
    for fields, message in (
        ({"workdir": runs / "classifier"}, "classify makes no pictures from noise; name a generator"),
        ({"workdir": tmp_path}, "holds no run"),
        ({"filter_workdir": runs / "gan"}, "latent predicts no classes; name a classifier's run"),
        ({"sources": "test"}, "latent translates no sources; --config.data.sources="),
        ({"workdir": translator, "sources": "tset"}, "has no split 'tset'"),
        ({"workdir": translator, "filter_workdir": runs / "classifier"}, "is told no labels that a classifier could check"),
    ):
        with pytest.raises(UserError, match=message):
            open_data(of(runs, **fields))


def test_a_run_remembers_which_checkpoint_its_samples_are_of(runs, tmp_path):
    folder = run(of(runs, num=20), tmp_path / "trained")
    assert Workdir(folder).donors["data.workdir"]["step"] == 2
    moved = tmp_path / "moved"
    shutil.copytree(runs / "gan", moved)
    record = json.loads((moved / "config.json").read_text())
    assert record["data"]["features"]["label"]["shares"] == [0.1] * 10
    (folder / "DONE").unlink()
    run(tiny("classifier.py", data__name="samples", data__workdir=moved, data__num=20, steps=2), folder)  # goes on
