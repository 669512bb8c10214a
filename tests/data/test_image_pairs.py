"""Pairs side by side or in two folders: halves, directions, partners by name, the cache, jitter, and what goes wrong."""

import numpy as np
import pytest
from PIL import Image

from jaxgan.data.image_pairs import ImagePairs
from jaxgan.data.resize import Fit
from jaxgan.errors import UserError


def put(path, level, height=8, width=8):
    """A picture of one grey level, or of one for the left half and one for the right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((height, width, 3), level[0] if isinstance(level, tuple) else level, np.uint8)
    if isinstance(level, tuple):
        pixels[:, width // 2 :] = level[1]
    Image.fromarray(pixels).save(path)


@pytest.fixture
def home(tmp_path):
    """`beside`, three pairs in pictures twice as wide as high; `apart`, five and four pictures in two folders."""
    for i, level in enumerate((10, 20, 30)):
        put(tmp_path / "beside" / "train" / f"{i}.png", (level, level + 100), 9, 18)
    for domain, n in (("A", 5), ("B", 4)):
        for i in range(n):
            ending = "bmp" if domain == "A" else "png"
            put(tmp_path / "apart" / f"train{domain}" / "deep" / f"{9 - i}.{ending}", 10 * i + 100 * (domain == "B"), 7 + i)
    return tmp_path


def read(where, **fields):
    fields = {"size": (4,), "cache": str(where.parent / "cache")} | fields
    return ImagePairs(dir=str(where), **fields).open()


def levels(pixels):
    """The grey level of each picture, which must have one alone."""
    assert pixels.dtype == np.uint8 and np.ptp(pixels, axis=(1, 2, 3)).max() == 0
    return pixels[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(("direction", "source", "image"), [("ab", 0, 100), ("ba", 100, 0)])
def test_halves_of_pictures_side_by_side(direction, source, image, home):
    images = read(home / "beside", direction=direction)
    assert images.paired and len(images) == 3 and images.num_classes == 0
    assert images.image_shape == images.source_shape == (4, 4, 3)
    loaded = images.load()
    assert levels(loaded["source"]) == [source + x for x in (10, 20, 30)]
    assert levels(loaded["image"]) == [image + x for x in (10, 20, 30)]


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_halves_are_those_that_a_person_sees(orientation, tmp_path):
    """Of a photograph that its camera turned."""
    turned = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    upright = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 16, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "p" / "train").mkdir(parents=True)
    upright.transpose(turned[orientation]).save(tmp_path / "p" / "train" / "x.png", exif=exif)
    loaded = read(tmp_path / "p", size=(8,)).load()
    np.testing.assert_array_equal(np.concatenate([loaded["source"][0], loaded["image"][0]], 1), np.asarray(upright))


@pytest.mark.parametrize(("direction", "source", "image"), [("ab", "A", "B"), ("ba", "B", "A")])
def test_two_folders_that_belong_to_each_other_in_nothing(direction, source, image, home):
    images, found = read(home / "apart", direction=direction), {"A": [40, 30, 20, 10, 0], "B": [130, 120, 110, 100]}
    assert not images.paired and len(images) == len(found[image]) and len(images.sources) == len(found[source])
    loaded = images.load()
    assert levels(loaded["source"]) == found[source] and levels(loaded["image"]) == found[image]
    assert "source" not in images.gather(np.arange(2))
    assert levels(images.gather_feature("source", np.arange(7))) == (found[source] * 2)[:7]  # they begin again


def test_partners_have_one_name_whatever_its_ending(home):
    (home / "apart" / "trainA" / "deep" / "5.bmp").unlink()  # the one without
    images = read(home / "apart", paired=True)
    assert images.paired and len(images) == 4
    loaded = images.load()
    assert levels(loaded["source"]) == [30, 20, 10, 0] and levels(loaded["image"]) == [130, 120, 110, 100]
    example = images.gather(np.array([2, 0]))
    assert levels(example["source"]) == [10, 30] and levels(example["image"]) == [110, 130]


def test_a_partner_that_was_changed_is_noticed(home):
    (home / "apart" / "trainA" / "deep" / "5.bmp").unlink()
    read(home / "apart", paired=True)
    put(home / "apart" / "trainB" / "deep" / "9.png", 1, 20)
    with pytest.raises(UserError, match="deep/9.bmp: its size is 7x8, and that of its counterpart 9.png 20x8"):
        read(home / "apart", paired=True)


def test_the_order_is_that_of_names_without_their_endings(tmp_path):
    """As files, a.c.png comes before a.png, and a.bmp before a.c.bmp."""
    for name, level in (("a", 10), ("a.c", 20)):
        put(tmp_path / "p" / "trainA" / f"{name}.png", level)
        put(tmp_path / "p" / "trainB" / f"{name}.bmp", level + 100)
    loaded = read(tmp_path / "p", paired=True).load()
    assert [b - a for a, b in zip(levels(loaded["source"]), levels(loaded["image"]))] == [100, 100]


def test_splits_are_folders(home):
    put(home / "beside" / "val" / "x.png", (1, 2), 8, 16)
    assert levels(read(home / "beside", split="val").load()["image"]) == [2]
    assert read(home / "beside", split="val").name == "beside, split val ab (4x4, crop, lanczos)"


@pytest.mark.parametrize("where", ["beside", "apart"])
def test_the_second_time_nothing_is_decoded(where, home, monkeypatch):
    first = read(home / where).load()
    monkeypatch.setattr(Fit, "__call__", lambda *_: pytest.fail("decoded again"))
    for direction in ("ab", "ba"):  # one pass serves both
        again = read(home / where, direction=direction).load()
        for name, x in first.items():
            other = {"image": "source", "source": "image"}[name] if direction == "ba" else name
            np.testing.assert_array_equal(again[other], x)


def test_the_digest_is_of_both_sides(home):
    before, turned = read(home / "apart").digest, read(home / "apart", direction="ba").digest
    assert before != turned
    for domain in "AB":
        put(home / "apart" / f"train{domain}" / "deep" / "9.png", 77, 30)
        now = read(home / "apart").digest
        assert now != before
        before = now


def test_a_folder_that_was_of_pairs_is_read_anew(home):
    """Though its files are the same, name, size and time."""
    read(home / "beside")
    (home / "beside" / "train").rename(home / "beside" / "trainA")
    put(home / "beside" / "trainB" / "x.png", 5)
    assert np.ptp(read(home / "beside").load()["source"], axis=(1, 2, 3)).min() > 90  # whole pictures


def test_grey(home):
    images = read(home / "beside", channels=1)
    assert images.image_shape == (4, 4, 1) and images.load()["source"].shape == (3, 4, 4, 1)


def test_jitter_stores_larger_pictures_and_gather_takes_the_middle(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 16, 3), dtype=np.uint8)
    (tmp_path / "p" / "train").mkdir(parents=True)
    Image.fromarray(pixels).save(tmp_path / "p" / "train" / "x.png")
    images = read(tmp_path / "p", size=(4, 5), jitter=3)
    assert images.image_shape == images.source_shape == (4, 5, 3) and images.jitter == 3
    loaded, one = images.load(), images.gather(np.array([[0]]))
    for name, half in (("source", pixels[:, :8]), ("image", pixels[:, 8:])):
        np.testing.assert_array_equal(loaded[name], half[None])
        np.testing.assert_array_equal(one[name][0, 0], half[1:5, 1:6])
    np.testing.assert_array_equal(images.gather_feature("source", np.array([0])), one["source"][0])


def test_jitter_of_pictures_that_belong_to_none(home):
    images = read(home / "apart", jitter=2)
    assert images.image_shape == (4, 4, 3)
    assert images.load()["source"].shape == (5, 6, 6, 3) and images.load()["image"].shape == (4, 6, 6, 3)
    assert images.gather_feature("source", np.arange(5)).shape == (5, 4, 4, 3)


def change(home, kind):
    beside, a, b = home / "beside" / "train", home / "apart" / "trainA" / "deep", home / "apart" / "trainB" / "deep"
    if kind == "odd":
        put(beside / "x.png", 1, 4, 9)
    elif kind == "tall":
        put(beside / "x.png", 1, 9, 8)
    elif kind == "text":
        (beside / "x.png").write_text("no picture")
    elif kind == "cut":
        content = bytearray((beside / "1.png").read_bytes())
        content[45] ^= 255  # in the compressed pixels
        (beside / "1.png").write_bytes(content)
    elif kind == "cut apart":
        (b / "9.png").write_bytes((b / "9.png").read_bytes()[:20])
    elif kind == "emptied":
        for path in beside.iterdir():
            path.unlink()
    elif kind == "only A":
        b.parent.rename(b.parent.with_name("trianB"))
    elif kind == "nothing":
        (home / "void").mkdir()
    elif kind == "same":  # all that are not about partners
        (a / "5.bmp").unlink()
        put(b / "7.png", 1, 5, 6)
    elif kind == "alone in A":
        put(a / "4.png", 1)
    elif kind == "alone in B":
        (a / "5.bmp").unlink()
        put(b / "x.png", 1)
    elif kind == "twice":
        put(a / "9.jpg", 1)


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (
            "odd",
            {},
            "1 of 4 pictures in beside train A .* x.png: it is 9 pixels wide, and a pair .* two halves of one size",
        ),
        ("tall", {}, "pictures in beside train A .*, the first x.png: it is 9x8, taller than two pictures side by side"),
        ("text", {}, "pictures in beside train A .*, the first x.png: no picture that Pillow can read"),
        ("cut", {}, "1 of 3 pictures in beside train A cannot be used, the first 1.png: .*; remove them$"),
        (
            "cut apart",
            {"dir": "apart"},
            "1 of 4 pictures in apart trainB cannot .*, the first deep/9.png: .*; remove them$",
        ),
        ("emptied", {}, "'{}/beside/train' holds no pictures"),
        ("", {"dir": ""}, "say where the pictures are: --config.data.dir=FOLDER, with train/ with A|B"),
        ("", {"dir": "besides"}, "there is no folder '{}/besides'; did you mean '{}/beside'?"),
        ("", {"dir": "elsewhere"}, "there is no folder '{}/elsewhere'$"),
        (
            "only A",
            {"dir": "apart"},
            "'{}/apart' has no train/ with A|B side by side, or trainA/ and trainB/; it has the folders trainA, trianB$",
        ),
        ("", {"dir": "apart", "split": "test"}, "has no test/ .*, or testA/ and testB/; it has the folders trainA, trainB$"),
        ("nothing", {"dir": "void"}, "'{}/void' has no train/ .*; it has no folders$"),
        (
            "same",
            {"dir": "apart", "paired": True},
            "in apart trainA .*, the first deep/7.bmp: its size is 9x8, and that of its counterpart 7.png 5x6",
        ),
        (
            "alone in A",
            {"dir": "apart", "paired": True},
            "'{}/apart/trainA/deep/4.png' has no counterpart deep/4.* in '{}/apart/trainB' (the first of 2)$",
        ),
        (
            "alone in B",
            {"dir": "apart", "paired": True},
            "'{}/apart/trainB/deep/x.png' has no counterpart deep/x.* in '{}/apart/trainA'$",
        ),
        ("twice", {"dir": "apart", "paired": True}, "trainA/deep/9.bmp' and '.*trainA/deep/9.jpg' have one name"),
        ("", {"size": ()}, "pictures of many sizes need one for the networks: --config.data.size=SIDE"),
        ("", {"size": (), "jitter": 3}, "data.jitter=3 is beyond a size: --config.data.size=SIDE"),
    ],
)
def test_mistakes(kind, fields, message, home):
    change(home, kind)
    name = fields.get("dir", "beside")
    fields = {"size": (4,), "cache": str(home / "cache")} | fields | {"dir": str(home / name) if name else ""}
    for plain in "|()":
        message = message.replace(plain, f"\\{plain}")
    with pytest.raises(UserError, match=message.replace("{}", str(home))):
        ImagePairs(**fields).open()
