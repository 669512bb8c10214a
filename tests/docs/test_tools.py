"""The scripts beside the documentation, on folders of small pictures in place of what they read."""

import importlib.util

import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

from jaxgan.data.bicubic import shrink
from jaxgan.data.wholes import cut


@pytest.fixture(scope="module")
def debian():
    spec = importlib.util.spec_from_file_location("debian_photographs", ROOT / "docs/tools/debian_photographs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pairs_of_one_scene_are_on_one_side(debian):
    files = [
        name.rpartition("/")[2].partition(".")[0]
        for kinds in debian.FILES.values()
        for one in kinds.values()
        for name in one
    ]
    assert len(files) == len(set(files)) == 45 and set(debian.TEST) < set(files)
    for left, right in (("aloeL", "aloeR"), ("graf1", "graf3"), ("leuvenA", "leuvenB"), ("rubberwhale1", "rubberwhale2")):
        assert {left, right} <= set(files) and (left in debian.TEST) == (right in debian.TEST)


def test_photographs_are_gathered_and_shrunk(debian, tmp_path, capsys):
    rng = np.random.default_rng(0)
    place = tmp_path / "root" / debian.PLACES["mate-backgrounds"]
    place.mkdir(parents=True)
    written = {}
    for factor, names in debian.FILES["mate-backgrounds"].items():
        for name in names:
            Image.fromarray(rng.integers(0, 256, (31, 42, 3), dtype=np.uint8)).save(place / name, quality=95)
            with Image.open(place / name) as image:
                written[name.removesuffix(".jpg")] = shrink(cut(np.asarray(image), factor), factor)
    debian.gather(tmp_path / "out", tmp_path / "root")
    said = capsys.readouterr().out
    assert "left out: opencv-doc, of which 20 files are not there" in said and "12 photographs" in said
    assert sorted(path.name for path in (tmp_path / "out" / "test").iterdir()) == ["mate_Dune.png", "mate_LadyBird.png"]
    for path in (tmp_path / "out").rglob("*.png"):
        with Image.open(path) as image:
            np.testing.assert_array_equal(np.asarray(image), written[path.stem.removeprefix("mate_")])
