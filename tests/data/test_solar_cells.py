"""Solar cells: a package of small pictures laid out as elpv-dataset, and the package itself where it is installed."""

import importlib.util

import numpy as np
import pytest
from PIL import Image

from jaxgan.data import solar_cells
from jaxgan.data.groups import groups_of
from jaxgan.data.kept import Kept
from jaxgan.data.solar_cells import BLOCKS, SolarCells, blocks_of
from jaxgan.data.subset import Subset, labels_of
from jaxgan.errors import UserError

CHANGES = [60, 360, 540, 900, 1614, 2144, 2216, 2396, 2444]  # of the type, in the package's list
MONO = np.searchsorted(CHANGES, np.arange(2624), side="right") % 2 == 0
PROBABILITIES = np.array([0, 0, 1 / 3, 2 / 3, 1])[np.arange(2624) % 5]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder with a list of the real one's types, and pictures of the side 6."""
    root = tmp_path_factory.mktemp("elpv")
    (root / "images").mkdir()
    lines = []
    for i in range(2624):
        Image.fromarray(np.full((6, 6), i % 256, np.uint8)).save(root / "images" / f"cell{i + 1:04}.png", compress_level=0)
        lines.append(f"images/cell{i + 1:04}.png  {PROBABILITIES[i]}   {'mono' if MONO[i] else 'poly'}\n")
    (root / "labels.csv").write_text("".join(lines))
    return root


@pytest.fixture
def cells(package, tmp_path_factory, monkeypatch):
    """Opens a split of them."""
    monkeypatch.setattr(solar_cells, "_folder", lambda: package)
    cache = str(package / "cache")
    return lambda **fields: SolarCells(**{"size": (4,), "cache": cache} | fields).open()


def test_cells_by_their_probability(cells):
    images = cells(split="all")
    assert images.image_shape == (4, 4, 1) and images.features["label"].names == ("sound", "doubtful", "defective")
    np.testing.assert_array_equal(np.bincount(labels_of(images)), [1050, 1050, 524])
    found = images.gather(np.arange(2624))
    np.testing.assert_array_equal(found["image"][:, 0, 0, 0], np.arange(2624) % 256)
    np.testing.assert_array_equal(found["label"], np.array([0, 0, 1, 1, 2])[np.arange(2624) % 5])
    np.testing.assert_array_equal(images.gather_key("mono", np.arange(2624)), MONO)


def test_blocks_are_runs_of_one_type():
    blocks = blocks_of(list(MONO))
    assert len(BLOCKS) == 44 and blocks.max() == 43 and (np.diff(blocks) >= 0).all()
    assert all(len(set(MONO[blocks == block])) == 1 for block in range(44))
    assert {48, 50, 54, 60, 72} == set(np.bincount(blocks))
    for other in (MONO[:-1], np.roll(MONO, 1)):
        with pytest.raises(UserError, match="not those whose modules are known; install its version 1.0"):
            blocks_of(list(other))


def test_splits_by_blocks_tear_none_apart(cells):
    splits = [cells(split=split) for split in ("train", "validation", "test")]
    index = [set(split.examples.index.tolist()) for split in splits]
    assert sum(map(len, index)) == 2624 and set.union(*index) == set(range(2624)) and len(index[0]) == 1494  # as documented
    blocks = [set(groups_of(split.examples)) for split in splits]
    assert not blocks[0] & blocks[1] and not blocks[0] & blocks[2] and not blocks[1] & blocks[2]
    assert all(0.17 < len(part) / 2624 < 0.27 for part in index[1:])
    types = [split.gather_key("mono", np.arange(len(split))) for split in splits]
    assert all(0.3 < mono.mean() < 0.5 for mono in types)  # 0.41 of all


def test_a_torn_split_differs_from_an_honest_one_in_what_trains_alone(cells):
    whole, halves, torn = (
        {split: cells(split=split, by=by) for split in ("train", "validation", "test")}
        for by in ("blocks", "halves", "torn")
    )
    for split in ("validation", "test"):
        np.testing.assert_array_equal(halves[split].examples.index, torn[split].examples.index)
        assert halves[split].name == torn[split].name
    assert halves["train"].name != torn["train"].name
    index = {name: set(images["train"].examples.index) for name, images in (("halves", halves), ("torn", torn))}
    test, tested = set(whole["test"].examples.index), set(halves["test"].examples.index)
    assert tested < test and 0.4 < len(tested) / len(test) < 0.6
    assert index["torn"] - index["halves"] == test - tested
    assert not index["halves"] & test and index["halves"] == set(whole["train"].examples.index)
    counts = [np.bincount(labels_of(images["train"])).tolist() for images in (halves, torn)]
    assert counts[0] == counts[1]
    assert set(groups_of(torn["train"].examples)) >= set(groups_of(torn["test"].examples))


def test_groups_go_with_a_part(cells):
    images = cells(split="test")
    sound = Subset(classes=("sound",)).of(images, 0)
    np.testing.assert_array_equal(groups_of(sound.examples), groups_of(images.examples)[labels_of(images) == 0])
    np.testing.assert_array_equal(Kept(classes=("sound",)).mask(images), [True, False, False])


def test_a_package_that_is_not_there_or_damaged(package, cells, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="pictures of many sizes need one for the networks"):
        cells(size=())
    for text in ("images/cell0001.png 0.0 multi\n", "images/cell0001.png\n"):
        (tmp_path / "labels.csv").write_text(text)
        monkeypatch.setattr(solar_cells, "_folder", lambda: tmp_path)
        with pytest.raises(UserError, match="labels.csv' is damaged; install the package elpv-dataset anew"):
            cells()
    (tmp_path / "labels.csv").write_text((package / "labels.csv").read_text())
    with pytest.raises(UserError, match="2624 of 2624 pictures in solar cells cannot be used, the first images/cell0001"):
        cells()
    monkeypatch.undo()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'need the package elpv-dataset \(CC BY-NC-SA\): pip install -e "\.\[elpv\]"'):
        SolarCells().open()


@pytest.mark.slow
def test_the_package_itself(tmp_path):
    pytest.importorskip("elpv_dataset")
    splits = [SolarCells(split=split, cache=str(tmp_path)).open() for split in ("train", "validation", "test")]
    counts = [np.bincount(labels_of(split)).tolist() for split in splits]
    assert counts == [[982, 203, 309], [237, 80, 235], [289, 118, 171]]
    light = np.concatenate([split.load()["image"].mean((1, 2, 3)) for split in splits])
    order = np.argsort(np.concatenate([split.examples.index for split in splits]))
    assert np.corrcoef(light[order][1:], light[order][:-1])[0, 1] == pytest.approx(0.75, abs=0.005)
