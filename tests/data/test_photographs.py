"""The photographs that packages ship: which ones, their split, and what is said where they are not there."""

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from jaxgan.data import photographs
from jaxgan.data.groups import groups_of
from jaxgan.data.photographs import PICTURES, Photographs
from jaxgan.errors import UserError


def test_no_scene_is_on_both_sides():
    sides = {name: {side for file, side in PICTURES.items() if file.startswith(name)} for name in ("skimage/data/motor",)}
    assert all(len(found) == 1 for found in sides.values())
    assert sorted(PICTURES.values()).count("test") == 3 and len(PICTURES) == 8


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Stand-ins for the two packages, with pictures of other contents."""
    rng = np.random.default_rng(0)
    for name in PICTURES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (50, 70, 3), dtype=np.uint8)).save(tmp_path / name)
    there = {name: SimpleNamespace(submodule_search_locations=[str(tmp_path / name)]) for name in photographs.PACKAGES}
    monkeypatch.setattr(photographs.importlib.util, "find_spec", there.get)
    return there, tmp_path


def test_the_splits(packages):
    cache = str(packages[1] / "cache")
    names = {s: Photographs(split=s, size=(24,), cache=cache).open().wholes.names for s in ("train", "test", "all")}
    assert names["test"] == ["chelsea", "china", "coffee"]
    assert names["train"] == ["astronaut", "flower", "motorcycle_left", "motorcycle_right", "rocket"]
    assert names["all"] == sorted(names["train"] + names["test"])
    images = Photographs(size=(24,), source="down2", cache=cache).open()
    assert images.source_shape == (12, 12, 3) and len(images) == 5 * 3 * 3
    assert np.bincount(groups_of(images.examples)).tolist() == [9, 9, 18, 9]  # a stereo pair is one scene


def test_what_is_not_there_is_said(packages):
    there, home = packages
    (home / "sklearn/datasets/images/flower.jpg").unlink()
    with pytest.raises(UserError, match="the package scikit-learn has no 'datasets/images/flower.jpg'; install it anew"):
        Photographs(size=(24,)).open()
    del there["skimage"]
    with pytest.raises(UserError, match=r'photographs need the package scikit-image: pip install -e "\.\[photographs\]"'):
        Photographs(size=(24,)).open()


def test_the_real_ones_where_they_are_installed(tmp_path):
    for package in photographs.PACKAGES:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    images = Photographs(split="all", size=(96,), jitter=32, cache=str(tmp_path)).open()
    shapes = {name: pixels.shape for name, pixels in images.wholes}
    assert shapes["astronaut"] == (512, 512, 3) and shapes["motorcycle_left"] == shapes["motorcycle_right"] == (500, 741, 3)
    assert shapes["china"] == shapes["flower"] == shapes["rocket"] == (427, 640, 3)
    assert shapes["chelsea"] == (300, 451, 3) and shapes["coffee"] == (400, 600, 3)
    for name, pixels in images.wholes:  # in colour, and of many levels
        assert np.ptp(pixels.astype(int), axis=-1).mean() > 5 and len(np.unique(pixels)) > 200, name
    assert any(tmp_path.iterdir())  # where the first pass is
