"""Tiles of pictures of many sizes: what they cover, what lies beside them, splits, the cache, and what goes wrong."""

import shutil
import zipfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from jaxgan import data
from jaxgan.data import bicubic, degrade, picture_tiles
from jaxgan.data.groups import groups_of
from jaxgan.data.picture_tiles import PictureTiles
from jaxgan.data.resize import Fit
from jaxgan.data.tfds_tiles import TfdsTiles
from jaxgan.data.tiles import starts
from jaxgan.data.wholes import cut
from jaxgan.errors import UserError

SIZES = {"a": (64, 64), "b": (67, 131), "sub/c": (90, 33), "sub/d": (32, 32)}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Four pictures of noise, of which one is as large as the smallest tile of the tests."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("tiles") / "mine"
    for name, size in SIZES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    return folder


def read(where, **fields):
    fields = {"size": (24,), "jitter": 8, "split": "all", "cache": str(where.parent / "cache")} | fields
    return PictureTiles(dir=str(where), **fields).open()


def pixels_of(home, name):
    with Image.open(home / name) as image:
        return np.asarray(image)


def test_where_tiles_begin_by_hand():
    assert starts(64, 32, 4).tolist() == [0, 32]
    assert starts(67, 32, 4).tolist() == [0, 32]  # 67 is cut to 64
    assert starts(100, 40, 4).tolist() == [0, 32, 60]
    assert starts(40, 40, 4).tolist() == starts(43, 40, 4).tolist() == [0]
    assert not len(starts(39, 40, 4)) and not len(starts(3, 4, 4))


def test_tiles_cover_a_side_evenly_and_no_fewer_could():
    for unit in (1, 2, 3, 4):
        for tile in (unit, 5 * unit, 12 * unit):
            for side in range(tile, 12 * tile):
                at, end = starts(side, tile, unit), side // unit * unit
                assert at[0] == 0 and at[-1] + tile == end and not (at % unit).any()
                assert len(at) == -(-end // tile) and (np.diff(at) <= tile).all()
                assert len(at) < 3 or np.ptp(np.diff(at)) <= unit


@pytest.mark.parametrize("source, scale", [("down4", 4), ("down2", 2)])
def test_tiles_are_parts_of_the_picture_and_of_its_low_resolution(source, scale, home):
    """Each picture is put together again from its tiles; the low resolution is made of the whole before it is cut."""
    images = read(home, source=source)
    assert images.paired and images.jitter == 8 and images.image_shape == (24, 24, 3)
    assert images.source_shape == (24 // scale, 24 // scale, 3) and images.features["source"].scale == scale
    stored = images.gather(np.arange(len(images)), whole=True)
    number = 0
    for name, (height, width) in SIZES.items():
        whole = cut(pixels_of(home, f"{name}.png"), scale)
        low = bicubic.shrink(whole, scale)
        covered = np.zeros(whole.shape[:2], bool)
        for top in starts(height, 32, scale):
            for left in starts(width, 32, scale):
                np.testing.assert_array_equal(stored["image"][number], whole[top : top + 32, left : left + 32])
                there = np.s_[top // scale : (top + 32) // scale, left // scale : (left + 32) // scale]
                np.testing.assert_array_equal(stored["source"][number], low[there])
                covered[top : top + 32, left : left + 32] = True
                number += 1
        assert covered.all()
    assert number == len(images) == {4: 4 + 8 + 3 + 1, 2: 4 + 15 + 3 + 1}[scale]
    middle = images.gather(np.arange(len(images)))
    np.testing.assert_array_equal(middle["image"], stored["image"][:, 4:28, 4:28])


def test_the_tiles_of_a_picture_are_a_group(home):
    assert np.bincount(groups_of(read(home).examples)).tolist() == [4, 8, 3, 1]
    assert np.bincount(groups_of(read(home, group="^(sub/|.)").examples)).tolist() == [4, 8, 4]  # sub/c and sub/d


def test_the_whole_pictures(home):
    wholes = read(home).wholes
    assert [wholes[i][0] for i in range(len(wholes))] == [f"{name}.png" for name in SIZES]
    for i, (name, found) in enumerate(wholes):  # which ends at the last
        np.testing.assert_array_equal(found, pixels_of(home, name))
        whole, low = wholes.pair(i)
        np.testing.assert_array_equal(whole, cut(found, 4))
        np.testing.assert_array_equal(low, bicubic.shrink(whole, 4))
    assert wholes[-1][0] == "sub/d.png"
    plain = read(home, source="none")
    assert plain.wholes.lower is None and plain.source_shape == () and "source" not in plain.gather(np.arange(1))


def test_the_second_time_nothing_is_decoded(home, monkeypatch):
    first = read(home)
    monkeypatch.setattr(Fit, "__call__", lambda *_: pytest.fail("decoded again"))
    monkeypatch.setattr(picture_tiles, "opened", lambda *_: pytest.fail("opened again"))
    again = read(home)
    assert again.digest == first.digest and len(again) == len(first)
    for name, x in first.load().items():
        np.testing.assert_array_equal(x, again.load()[name])


def test_an_archive_is_the_same_data_set(home, tmp_path):
    packed = tmp_path / "mine.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for file in sorted(home.rglob("*.png"), reverse=True):
            out.write(file, file.relative_to(home.parent))
    for source in ("down4", "real4"):
        one, other = read(home, source=source), read(packed, source=source)
        assert one.digest == other.digest
        for name, x in one.load().items():
            np.testing.assert_array_equal(x, other.load()[name])
        np.testing.assert_array_equal(groups_of(one.examples), groups_of(other.examples))
        for i in range(4):
            np.testing.assert_array_equal(one.wholes[i][1], other.wholes[i][1])


def test_splits_by_folders_and_by_name(home, tmp_path):
    for i, name in enumerate(SIZES):
        side = tmp_path / "apart" / ("test" if i == 3 else "train")
        side.mkdir(parents=True, exist_ok=True)
        shutil.copy(home / f"{name}.png", side)
    assert read(tmp_path / "apart", split="test").wholes.names == ["test/d.png"]
    assert len(read(tmp_path / "apart", split="train").wholes) == 3
    sides = [set(read(home, split=split, test_share=0.5).wholes.names) for split in ("train", "test")]
    assert all(sides) and not sides[0] & sides[1] and len(sides[0] | sides[1]) == 4
    both = read(home, group="(sub|.)", split="train", test_share=0.5).wholes.names
    assert len({name for name in both if name.startswith("sub")}) in (0, 2)


def test_a_degraded_source_is_that_of_its_number_and_seed(home):
    images, other = read(home, source="real4"), read(home, source="real4", draw_seed=1)
    stored = images.gather(np.arange(len(images)), whole=True)
    for i, (image, source) in enumerate(zip(stored["image"], stored["source"])):
        np.testing.assert_array_equal(source, degrade.degraded(image, 4, i, 0))
    assert images.digest != other.digest and "real4, draw_seed 1" in other.name
    assert not np.array_equal(other.gather(np.arange(1))["source"], images.gather(np.arange(1))["source"])
    whole = images.wholes
    np.testing.assert_array_equal(whole.pair(1)[1], degrade.degraded(cut(whole[1][1], 4), 4, 1, 0))


def test_another_cut_is_another_first_pass(home):
    assert len({read(home, **fields).digest for fields in ({}, {"source": "down2"}, {"jitter": 0})}) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": (30,)}, "data.size=30, but data.source=down4 needs multiples of 4: 32"),
        ({"size": (32,), "jitter": 3}, "data.jitter=3, but data.source=down4 needs multiples of 4: 4"),
        ({"size": (24, 32), "turns": True}, "data.turns is of square tiles, not 24x32; --config.data.size=SIDE"),
        ({"size": (24, 32, 3)}, "data.size must be 1 or 2 numbers"),
        (
            {"jitter": 12},
            "'sub/c.png' of mine, split all has 90x33 pixels, .* 36x36; .* smaller .* than 24 and 12 of jitter",
        ),
        (
            {"size": (96,), "jitter": 0},
            "'a.png' .* 64x64 pixels, fewer than a tile of 96x96; remove it, or choose a smaller",
        ),
        ({"group": "x(.)"}, "data.group='x.*' finds nothing in the names of 4 pictures, the first a"),
        ({"split": "test", "test_share": 0.0}, "split test of '.*mine' is empty: 4 pictures, test_share=0"),
        ({"dir": ""}, "say where the pictures are: --config.data.dir=FOLDER"),
    ],
)
def test_mistakes(fields, message, home):
    with pytest.raises(UserError, match=message):
        PictureTiles(**{"dir": str(home), "size": (24,), "split": "all", "cache": str(home.parent / "c2"), **fields}).open()


def test_broken_pictures_are_named(home, tmp_path):
    shutil.copytree(home, tmp_path / "mine")
    whole = (home / "b.png").read_bytes()
    (tmp_path / "mine" / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="'b.png' of mine, split all cannot be used: image file is truncated"):
        read(tmp_path / "mine")
    Image.open(home / "b.png").save(tmp_path / "mine" / "b.jpg", quality=95)  # whose header alone says how large it is
    (tmp_path / "mine" / "b.jpg").write_bytes((tmp_path / "mine" / "b.jpg").read_bytes()[:9000])
    (tmp_path / "mine" / "b.png").unlink()
    with pytest.raises(
        UserError, match="8 of 16 pictures in mine.* the first b.jpg at 00000,00000: image file is truncated"
    ):
        read(tmp_path / "mine")
    (tmp_path / "mine" / "b.jpg").unlink()
    (tmp_path / "mine" / "b.png").write_bytes(b"no picture at all")
    with pytest.raises(UserError, match="'b.png' of mine, split all cannot be used: no picture that Pillow can read"):
        read(tmp_path / "mine")
    assert not [path for path in (tmp_path / "cache").iterdir()]  # nothing half-written


def test_div2k_by_name(tmp_path, monkeypatch):
    """TFDS's own builder, without a download: random pictures of random sizes."""
    monkeypatch.setattr("jaxgan.data.builders.refuse_hopeless", lambda *_: None)
    assert data.find("div2k") is data.find("div2k/bicubic_x4") is TfdsTiles
    folders = {"dir": str(tmp_path / "t"), "cache": str(tmp_path / "c")}
    source = TfdsTiles(name="div2k/bicubic_x4", size=(4,), source="down2", **folders)
    with tfds.testing.mock_data(num_examples=3):
        images = source.open()
        assert images.name.startswith("div2k/bicubic_x4/2.0.0, split train (4x4 of 3 pictures, down2)")
        assert len(images.wholes) == 3 and images.image_shape == (4, 4, 3) and images.source_shape == (2, 2, 3)
        name, whole = images.wholes[1]
        stored = images.gather(np.flatnonzero(groups_of(images.examples) == 1))
        tops, lefts = (starts(side, 4, 2) for side in whole.shape[:2])
        assert name == "000001" and len(stored["image"]) == len(tops) * len(lefts)
        np.testing.assert_array_equal(stored["image"][-1], whole[tops[-1] : tops[-1] + 4, lefts[-1] : lefts[-1] + 4])
        assert source.open().digest == images.digest
