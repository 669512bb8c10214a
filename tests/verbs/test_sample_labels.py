"""Samples of a generator that is told labels: tables, pairs, and what is written beside each picture."""

import csv
import json

import numpy as np
import pytest
from helpers import Noise, noise_features, noise_images, plan_of, tiny
from PIL import Image

import jaxgan
from jaxgan.data.features import Feature
from jaxgan.data.sample_records import pack, read_samples, unpack, write_samples
from jaxgan.data.samples import Samples
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.generate import make_labels
from jaxgan.plan import Plan
from jaxgan.training.train import train
from jaxgan.verbs import sample_files, sampling
from jaxgan.verbs.sample_request import sample_request
from jaxgan.verbs.sampling import sample


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A conditional generator whose params are large, so that labels and latents show in its pictures."""
    folder = tmp_path_factory.mktemp("runs") / "r3gan"
    train(plan_of("r3gan.py", task__num_classes=10, optim__gen__lr=0.05, steps=2), noise_images(), folder)
    return folder


@pytest.fixture(scope="module")
def model(run):
    return jaxgan.load(run)


def picture(run, tmp_path, **flags):
    with Image.open(sample(run, sample_request(out=str(tmp_path / "p.png"), overwrite=True, **flags))) as found:
        return np.asarray(found)


def arrays(run, path, **flags):
    with np.load(sample(run, sample_request(out=str(path), overwrite=True, **flags))) as found:
        return dict(found)


def test_a_table_has_a_row_for_each_label_and_a_column_for_each_number(run, model, tmp_path):
    table = picture(run, tmp_path, labels="0-2,9", seeds="3,5")
    assert table.shape == (4 * 12, 2 * 12)
    for i, label in enumerate((0, 1, 2, 9)):
        row = model.sample(seeds=[3, 5], label=label)[..., 0]
        np.testing.assert_array_equal(table[12 * i : 12 * (i + 1)], np.concatenate([*row], 1))
    assert (table[:12] != table[12:24]).any() and (table[:, :12] != table[:, 12:]).any()
    assert picture(run, tmp_path, labels="0-1").shape == (2 * 12, 8 * 12)


def test_one_label_is_that_of_all_and_its_old_flag_says_the_same(run, model, tmp_path):
    new, old = (picture(run, tmp_path, num=4, **flags) for flags in ({"labels": "3"}, {"label": 3}))
    np.testing.assert_array_equal(new, old)
    np.testing.assert_array_equal(np.asarray(model.grid(4, label=3)), new)


def test_labels_one_a_picture(model):
    mixed = model.sample(label=[7, 1, 7])
    np.testing.assert_array_equal(mixed[1], model.sample(num=3, label=1)[1])
    np.testing.assert_array_equal(mixed[2], model.sample(num=3, label=7)[2])
    assert np.asarray(model.grid(label=[1, 2, 3, 4])).shape == (24, 24)


def test_arrays_have_every_pair_and_its_label(run, model, tmp_path):
    found = arrays(run, tmp_path / "a.npz", labels="1,4", seeds="0-2")
    assert found["labels"].tolist() == [1] * 3 + [4] * 3 and found["labels"].dtype == np.int32
    assert found["seeds"].tolist() == [0, 1, 2] * 2 and found["seeds"].dtype == np.uint32
    for seed, label, image in zip(found["seeds"], found["labels"], found["images"]):
        np.testing.assert_array_equal(image, model.sample(seeds=[int(seed)], label=int(label))[0])
    request = json.loads(str(found["request"]))
    assert request["labels"] == "1,4" and request["step"] == found["step"] == 2


def test_labels_that_the_numbers_draw_are_written_too(run, model, tmp_path):
    found = arrays(run, tmp_path / "a.npz", num=20)
    assert len(set(found["labels"].tolist())) > 3
    np.testing.assert_array_equal(model.sample(seeds=range(20), label=found["labels"]), found["images"])
    drawn = make_labels(model._plan)(found["seeds"])
    np.testing.assert_array_equal(drawn, found["labels"])


@pytest.mark.slow
def test_a_folder_has_a_list_of_numbers_and_labels(run, model, tmp_path):
    folder = sample(run, sample_request(labels="2,5", num=2, out=str(tmp_path / "out")))
    lines = [*csv.DictReader((folder / "samples.csv").open())]
    assert [(line["seed"], line["label"]) for line in lines] == [("0", "2"), ("1", "2"), ("0", "5"), ("1", "5")]
    for line in lines:
        with Image.open(folder / line["file"]) as found:
            made = model.sample(seeds=[int(line["seed"])], label=int(line["label"]))[0, ..., 0]
            np.testing.assert_array_equal(np.asarray(found), made)
    one = sample(run, sample_request(labels="2", num=2, out=str(tmp_path / "one")))
    assert (one / "samples.csv").read_text() == "file,seed,label\nseed00000000.png,0,2\nseed00000001.png,1,2\n"


def test_records_are_read_back_and_writing_goes_on_where_it_was_stopped(run, tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "CHUNK", 4)
    whole = arrays(run, tmp_path / "a.npz", num=10)
    path, left, save = tmp_path / "a.array_record", [2], sample_files.save_npy

    def killed(*arguments):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        save(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(sample_files, "save_npy", killed)
        with pytest.raises(KeyboardInterrupt):
            sample(run, sample_request(num=10, out=str(path)))
    assert not path.exists() and len([*(tmp_path / "a.array_record.parts").glob("*.npy")]) == 2
    sample(run, sample_request(num=10, out=str(path)))
    found = [*read_samples(path)]
    for name in ("image", "seed", "label"):
        np.testing.assert_array_equal(np.stack([one[name] for one in found]), whole[f"{name}s"])
        assert found[0][name].dtype == whole[f"{name}s"].dtype
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.array_record", "a.npz"]


def test_what_is_no_file_of_samples_is_told(tmp_path):
    (tmp_path / "bad.array_record").write_bytes(b"x" * 100)
    (tmp_path / "cut.array_record").write_bytes(b"")
    write_samples(tmp_path / "odd.array_record", [{"image": np.zeros((2, 2, 1), np.uint8)}])
    content = (tmp_path / "odd.array_record").read_bytes()
    (tmp_path / "cut.array_record").write_bytes(content[:-20])
    for name in ("none", "bad", "cut"):
        with pytest.raises(UserError, match=f"{name}.array_record is no file of samples; --mode=sample --out=NAME"):
            next(read_samples(tmp_path / f"{name}.array_record"))
    assert unpack(pack(seed=np.uint32(3)))["seed"] == 3


@pytest.mark.slow
def test_truncations_are_rows_and_each_is_that_of_its_own(run, model, tmp_path):
    for kind, values in (("scale", ("1", "0.5", "0")), ("resample", ("9", "0.5"))):
        table = picture(run, tmp_path, seeds="0-3", labels="2", truncation=f"{kind}:{','.join(values)}")
        assert table.shape == (12 * len(values), 48)
        for i, t in enumerate(values):
            own = model.sample(num=4, label=2, truncation=f"{kind}:{t}")[..., 0]
            np.testing.assert_array_equal(table[12 * i : 12 * (i + 1)], np.concatenate([*own], 1))
        np.testing.assert_array_equal(table[:12], picture(run, tmp_path, num=4, grid="4x1", labels="2"))
        assert (table[12:24] != table[:12]).any()


@pytest.mark.slow
def test_a_truncated_request_is_another(run, tmp_path):
    sample(run, sample_request(num=2, out=str(tmp_path / "out"), truncation="scale:0.5"))
    for other in ({}, {"truncation": "scale:0.7"}, {"truncation": "scale:0.5", "labels": "1"}):
        with pytest.raises(UserError, match="holds files of another command .(truncation|label): "):
            sample(run, sample_request(num=2, out=str(tmp_path / "out"), **other))


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"labels": "10"}, "this generator knows the labels 0 to 9, and not 10"),
        ({"labels": "cat"}, "--labels must be numbers and ranges"),
        ({"labels": "3", "label": 3}, "--label=3 is --labels=3 by its old name; leave one out"),
        ({"labels": "3", "interpolate": 4}, "--labels is of pictures and tables, and not of --mix and --interpolate"),
        ({"labels": "0-3", "grid": "2x2"}, "--grid has no effect on a table"),
        ({"labels": "0-3", "truncation": "scale:1,0.5"}, "several values of --labels make a table of their own, and so do"),
        ({"truncation": "scale:1,0.5", "interpolate": 4}, "several values of --truncation make a table .* give one beside"),
        ({"truncation": "scale:1,0.5", "out": "x.npz"}, "--out=x.npz must be FILE.png"),
        ({"truncation": "scale:1", "truncation_psi": ("0.5",)}, "--truncation_psi is of StyleGAN's styles"),
        ({"standing": 0}, "--standing must be at least 1 pass, not 0"),
        ({"standing": 4}, "standing statistics are of BatchNorm, which this run's generator has not"),
    ],
)
def test_mistakes(run, flags, told):
    with pytest.raises(UserError, match=told):
        sample(run, sample_request(**flags))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"label": [1, 2], "num": 3}, "label is a whole number, or one for each of the 3 pictures"),
        ({"label": 1.5}, "label is a whole number"),
        ({"label": [1, 11]}, "knows the labels 0 to 9, and not 11"),
        ({"truncation": "scale:1,0.5"}, "truncation is one value here"),
        ({"truncation": "scale:1", "truncation_psi": 0.5}, "truncation_psi is of"),
        ({"standing": -1}, "standing must be at least 1 pass, or 0 for none, not -1"),
    ],
)
def test_mistakes_from_python(model, asked, told):
    with pytest.raises(UserError, match=told):
        model.sample(**asked)


@pytest.fixture(scope="module")
def attributed(tmp_path_factory):
    """A run that is told three attributes of each picture."""
    folder, config = (
        tmp_path_factory.mktemp("runs") / "attributed",
        tiny("r3gan.py", task__num_classes=3, optim__gen__lr=0.005, steps=2),
    )
    features = noise_features(config)
    features["label"] = Feature("label", (3,), np.int32, 3, names=("red", "circle", "large"))
    noise, labels = Noise(), np.random.default_rng(0).integers(0, 2, (len(Noise()), 3), np.int32)
    pixels = np.stack([noise[i]["image"] for i in range(len(noise))])
    train(Plan(config, features), Images("noise", Arrays(pixels, labels, np.arange(len(noise))), features, True), folder)
    return folder


def test_attributes_are_asked_for_by_name(attributed, tmp_path):
    model = jaxgan.load(attributed)
    table = picture(attributed, tmp_path, attributes=["red,large", "circle", "none"], seeds="3,5")
    for i, asked in enumerate(("large,red", "circle", "none")):
        row = model.sample(seeds=[3, 5], label=asked)[..., 0]
        np.testing.assert_array_equal(table[12 * i : 12 * (i + 1)], np.concatenate([*row], 1))
    assert (table[:12] != table[12:24]).any() and (table[:12] != table[24:]).any()
    found = arrays(attributed, tmp_path / "a.npz", attributes=["red,large", "none"], seeds="3,5")
    assert found["labels"].tolist() == [[1, 0, 1]] * 2 + [[0, 0, 0]] * 2
    again = Samples(dir=str(tmp_path / "a.npz")).open()
    np.testing.assert_array_equal(again.load()["label"], found["labels"])
    several = model.sample(seeds=[3, 5], label=["circle", "red,large"])
    np.testing.assert_array_equal(several[1], found["images"][1])


def test_attributes_that_cannot_be_had_are_refused(attributed, run, tmp_path):
    for folder, flags, message in (
        (attributed, {"attributes": ["redd"]}, r"knows no attribute 'redd'; did you mean 'red'\?"),
        (attributed, {"labels": "1"}, "told 3 attributes of each picture, and not one label; --attributes=red,circle"),
        (run, {"attributes": ["red"]}, "told one of 10 labels, and no attributes; --labels=0"),
    ):
        with pytest.raises(UserError, match=message):
            sample(folder, sample_request(num=2, **flags))
    with pytest.raises(UserError, match="--labels is of one class a picture and --attributes of several"):
        sample_request(labels="1", attributes=["red"])
