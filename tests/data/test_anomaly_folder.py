"""Normal and abnormal pictures with masks, in MVTec's layout, made here; and what goes wrong with such folders."""

import shutil

import numpy as np
import pytest
from helpers import tiny
from PIL import Image

from jaxgan.data.anomaly_folder import AnomalyFolder
from jaxgan.data.subset import labels_of
from jaxgan.errors import UserError
from jaxgan.scores.of_run import real_images
from jaxgan.sections import open_data
from jaxgan.workdir.data import open_split, trained_classes


def write(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def make(root, side=16):
    """20 grey pictures to train on and 4 to test; 3 with a white square of half the side at the top left, and 2 with a stain
    of 2 pixels there, both with masks."""
    grey = np.full((side, side, 3), 100, np.uint8)
    for i in range(20):
        write(root / "train" / "good" / f"{i:03}.png", grey + i)
    for i in range(4):
        write(root / "test" / "good" / f"{i:03}.png", grey + 50 + i)
    for defect, count, width in (("square", 3, side // 2), ("stain", 2, 2)):
        for i in range(count):
            picture, mask = grey + i, np.zeros((side, side), np.uint8)
            picture[:width, :width], mask[:width, :width] = 255, 255
            write(root / "test" / defect / f"{i:03}.png", picture)
            write(root / "ground_truth" / defect / f"{i:03}_mask.png", mask)
    return root


@pytest.fixture
def bottles(tmp_path):
    return make(tmp_path / "mvtec" / "bottle")


def read(root, **fields):
    return AnomalyFolder(**{"dir": str(root), "size": (8,), "cache": str(root.parent.parent / "cache")} | fields).open()


def test_splits(bottles):
    train, held, test = (read(bottles, split=split) for split in ("train", "validation", "test"))
    assert len(train) + len(held) == 20 and 0 < len(held) < 10 and len(test) == 9
    levels = [set(part.load()["image"][:, 0, 0, 0].tolist()) for part in (train, held)]
    assert not levels[0] & levels[1] and levels[0] | levels[1] == set(range(100, 120))
    assert all(part.features["label"].names == ("good", "square", "stain") for part in (train, held, test))
    np.testing.assert_array_equal(labels_of(test), [0, 0, 0, 0, 1, 1, 1, 2, 2])
    more = read(bottles, held_out=0.5, split="validation")
    assert set(held.examples.index) < set(more.examples.index) and more.name != held.name


def test_masks_are_of_the_test_split_alone(bottles, capfd):
    train, test = read(bottles), read(bottles, split="test")
    assert "mask" not in train.features and test.features["mask"].shape == (8, 8, 1)
    mask = test.load()["mask"]
    assert mask.shape == (9, 8, 8, 1) and mask.dtype == np.uint8
    square = np.zeros((8, 8), bool)
    square[:4, :4] = True
    assert not mask[:4].any() and all(((one[..., 0] > 127) == square).all() for one in mask[4:7])
    assert all((one[..., 0] > 127).sum() == 1 for one in mask[7:])
    np.testing.assert_array_equal(test.load()["image"][4, ..., 0] > 200, square)
    small = read(bottles, split="test", size=(4,))
    assert not (small.load()["mask"][7:] > 127).any()
    assert "2 of 5 masks in" in "".join(capfd.readouterr())


def test_only_good_ones_are_kept_and_the_test_split_opens_whole(bottles):
    config = tiny(
        "dcgan.py", data__name="anomaly_folder", data__dir=str(bottles), data__size=8, data__channels=3,
        data__cache=str(bottles.parent.parent / "cache"), eval__split="test",
    )  # fmt: skip
    images = open_data(config)
    assert config.data.classes == ("good",) and set(labels_of(images)) == {0}
    assert len(real_images(config, images)) == 4 and len(open_split(config, "test", whole=True)) == 9
    assert set(labels_of(open_split(config, "validation"))) == {0}
    np.testing.assert_array_equal(trained_classes(config, images), [True, False, False])


def test_groups_and_defects_among_the_training_pictures(bottles):
    shutil.copytree(bottles / "test" / "stain", bottles / "train" / "stain")
    train = read(bottles, group=r"/\d\d(\d)")  # the last digit
    held = read(bottles, group=r"/\d\d(\d)", split="validation")
    groups = [set(part.examples.all_groups()) for part in (train, held)]
    assert not set(train.examples.all_groups()[labels_of(train) == 0]) & groups[1] and len(held) % 2 == 0
    assert labels_of(train).tolist().count(2) == 2 and set(labels_of(held)) == {0}
    assert read(bottles).examples.all_groups() is None


def test_masks_by_the_pictures_own_name_or_none_at_all(bottles):
    for file in (bottles / "ground_truth").rglob("*_mask.png"):
        file.rename(file.with_name(file.name.replace("_mask", "")))
    own = read(bottles, split="test")
    assert "mask" in own.features
    shutil.rmtree(bottles / "ground_truth")
    bare = read(bottles, split="test")
    assert "mask" not in bare.features and bare.digest != own.digest


def test_a_changed_mask_is_another_data_set(bottles):
    first = read(bottles, split="test").digest
    write(bottles / "ground_truth" / "stain" / "000_mask.png", np.full((16, 16), 255, np.uint8))
    assert read(bottles, split="test").digest != first


def _mask_of_another_size(root):
    write(root / "ground_truth" / "square" / "001_mask.png", np.full((9, 9), 255, np.uint8))


def _mask_of_ones(root):
    write(root / "ground_truth" / "square" / "001_mask.png", np.ones((16, 16), np.uint8))


def _damaged(root):
    (root / "test" / "square" / "002.png").write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("change", "split", "message"),
    [
        (lambda root: shutil.rmtree(root / "train"), "train", "has no pictures in train/good; it has ground_truth/square, "),
        (lambda root: (root / "train" / "good").rename(root / "train" / "god"), "train", "in train/good; .* train/god"),
        (lambda root: shutil.rmtree(root / "test"), "test", "has no pictures in test/good; it has ground_truth/square"),
        (lambda root: shutil.rmtree(root / "test" / "good"), "test", "has no pictures in test/good"),
        (lambda root: [shutil.rmtree(root / "test" / x) for x in ("square", "stain")], "test", "has no abnormal pictures"),
        (lambda root: (root / "ground_truth/square/001_mask.png").unlink(), "test",
         "test/square/001.png has no mask ground_truth/square/001_mask.png$"),
        (lambda root: shutil.rmtree(root / "ground_truth" / "square"), "test",
         r"test/square/000.png has no mask ground_truth/square/000_mask.png \(the first of 3\)$"),
        (_mask_of_another_size, "test", "1 of 5 pictures in bottle masks cannot be used, the first ground_truth/square/001_"
         "mask.png: its size is 9x9, and that of its picture 001.png 16x16"),
        (_mask_of_ones, "test", "001_mask.png: its highest level is 1; abnormal pixels of a mask are white, 255"),
        (_damaged, "train", "the first test/square/002.png"),
    ],
)  # fmt: skip
def test_folders_that_lack_something(bottles, change, split, message):
    change(bottles)
    with pytest.raises(UserError, match=message):
        read(bottles, split=split)


def test_folders_that_are_another(bottles, tmp_path):
    with pytest.raises(UserError, match="has no pictures in train/good; did you mean '.*mvtec/bottle'"):
        read(bottles.parent)
    with pytest.raises(UserError, match="there is no folder '.*botle'; did you mean '.*mvtec/bottle'"):
        read(bottles.parent / "botle")
    with pytest.raises(UserError, match="say where the pictures are: --config.data.dir=FOLDER, with train/good"):
        AnomalyFolder().open()
    with pytest.raises(UserError, match="split validation of '.*' is empty: 20 pictures in train, held_out=0"):
        read(bottles, split="validation", held_out=0.0)
    with pytest.raises(UserError, match=r"data.group='\(' is no regular expression"):
        read(bottles, group="(")
    shutil.rmtree(bottles / "test")
    assert len(read(bottles)) > 10  # normal pictures alone do to train


def test_pictures_elsewhere_are_told(bottles, capfd):
    shutil.copy(bottles / "test" / "good" / "000.png", bottles / "train" / "beside.png")
    assert len(read(bottles)) < 20
    told = "".join(capfd.readouterr())
    assert "passed over in bottle: 1 pictures elsewhere than in train/CLASS" in told and "train/beside.png" in told
