"""Own pictures: every mode and size, folders and archives, splits, the cache, and what goes wrong."""

import io
import os
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from jaxgan.data.folder import ImageFolder
from jaxgan.data.resize import Fit
from jaxgan.errors import UserError

RED, BLUE = (200, 30, 20), (10, 20, 180)


def halves(width=20, height=10):
    """Left half red, right half blue."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = RED, BLUE
    return Image.fromarray(pixels)


@pytest.fixture
def photos(tmp_path):
    """Twelve pictures of mixed sizes and formats in two sub-folders."""
    rng = np.random.default_rng(0)
    for i in range(12):
        path = tmp_path / "photos" / ("cats" if i % 3 else "dogs") / f"{i:02}.{'png' if i % 2 else 'jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9 + i, 23 - i, 3), dtype=np.uint8)).save(path)
    (tmp_path / "photos" / ".hidden.png").write_bytes(b"no picture")
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return tmp_path / "photos"


def read(where, **fields):
    fields = {"size": (8,), "split": "all", "cache": str(where.parent / "cache")} | fields
    return ImageFolder(dir=str(where), **fields).open()


def test_a_folder(photos):
    images = read(photos)
    loaded = images.load()
    assert images.image_shape == (8, 8, 3) and images.num_classes == 2 and len(images) == 12
    assert loaded["image"].dtype == np.uint8 and loaded["label"].dtype == np.int32
    np.testing.assert_array_equal(np.bincount(loaded["label"]), [8, 4])  # cats, dogs
    with Image.open(photos / "cats" / "01.png") as picture:
        np.testing.assert_array_equal(loaded["image"][0], Fit(size=(8,))(picture))


def test_the_second_time_nothing_is_decoded(photos, monkeypatch):
    first = read(photos).load()
    monkeypatch.setattr(Fit, "__call__", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(read(photos).load()["image"], first["image"])
    monkeypatch.undo()
    Image.new("RGB", (5, 5)).save(photos / "cats" / "new.png")
    assert len(read(photos)) == 13  # the folder changed, so the cache is another


def archive(photos, kind):
    path = photos.parent / f"photos.{kind}"
    files = sorted(photos.rglob("*.*"), reverse=True)  # an order of its own
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as out:
            for file in files:
                out.write(file, file.relative_to(photos.parent))
    else:
        with tarfile.open(path, "w:gz" if kind == "tar.gz" else "w") as out:
            for file in files:
                out.add(file, file.relative_to(photos.parent))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_is_the_same_data_set(photos, kind):
    folder, packed = read(photos), read(archive(photos, kind))
    assert folder.digest == packed.digest
    for key, x in folder.load().items():
        np.testing.assert_array_equal(x, packed.load()[key])


def test_webdataset_shards(tmp_path):
    rng = np.random.default_rng(0)
    for shard in range(2):
        (tmp_path / "shards").mkdir(exist_ok=True)
        with tarfile.open(tmp_path / "shards" / f"{shard:04}.tar", "w") as out:
            for i in range(4):
                png = io.BytesIO()
                Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(png, "PNG")
                for name, content in ((f"{i:06}.png", png.getvalue()), (f"{i:06}.cls", b"%d" % (10 * (i % 2)))):
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    out.addfile(info, io.BytesIO(content))
    images = read(tmp_path / "shards")
    assert len(images) == 8 and images.num_classes == 2  # 0 and 10
    np.testing.assert_array_equal(images.load()["label"], [0, 1] * 4)


def put(path, level, size=9):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size), level, np.uint8)).save(path)


def shard(path, members):
    """A tar file of grey pictures {name: level} and class files {name: text}."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as out:
        for name, content in members.items():
            file = io.BytesIO()
            if name.endswith(".cls"):
                file.write(str(content).encode())
            else:
                Image.fromarray(np.full((9, 9), content, np.uint8)).save(file, "PNG")
            info = tarfile.TarInfo(name)
            info.size = file.tell()
            file.seek(0)
            out.addfile(info, file)
    return path


def levels(images):
    """{grey level: label}."""
    loaded = images.load()
    return dict(zip(loaded["image"][:, 0, 0, 0].tolist(), loaded["label"].tolist()))


def test_shards_of_one_name_in_two_folders_keep_their_labels(tmp_path):
    shard(tmp_path / "wds" / "x" / "00.tar", {"0.png": 10, "0.cls": 0, "1.png": 20, "1.cls": 1})
    shard(tmp_path / "wds" / "y" / "00.tar", {"0.png": 30, "0.cls": 1, "1.png": 40, "1.cls": 0})
    assert levels(read(tmp_path / "wds")) == {10: 0, 20: 1, 30: 1, 40: 0}


def test_shards_in_class_folders(tmp_path):
    shard(tmp_path / "s" / "cat" / "a.tar", {"0.png": 10})
    shard(tmp_path / "s" / "dog" / "a.tar", {"0.png": 20})
    assert levels(read(tmp_path / "s")) == {10: 0, 20: 1}


def test_numbered_classes_keep_their_order(tmp_path):
    for label in range(12):
        put(tmp_path / "n" / str(label) / "x.png", 20 * label)
    assert levels(read(tmp_path / "n")) == {20 * label: label for label in range(12)}


def test_labels_are_the_same_in_every_split(photos):
    labels = {s: read(photos, split=s, test_share=0.4) for s in ("all", "train", "test")}
    whole = {x.tobytes(): n for x, n in zip(*labels["all"].load().values())}
    for split in ("train", "test"):
        assert all(whole[x.tobytes()] == n for x, n in zip(*labels[split].load().values()))


@pytest.mark.parametrize("kind", ["header", "cut"])
def test_a_damaged_tar_loses_nothing_in_silence(kind, tmp_path):
    path = shard(tmp_path / "t.tar", {f"{i}.png": 10 * i for i in range(8)})
    with tarfile.open(path) as opened:
        fifth = opened.getmember("5.png").offset
    content = path.read_bytes()
    path.write_bytes(content[:fifth] if kind == "cut" else content[:fifth] + bytes([255] * 40) + content[fifth + 40 :])
    with pytest.raises(UserError, match="t.tar' is damaged or cut short after 5 files"):
        read(path)
    assert len(read(path, corrupt="skip")) == 5


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.xz", "tar.bz2"])
def test_a_damaged_compressed_archive_is_told_in_one_answer(suffix, tmp_path):
    path = tmp_path / f"t.{suffix}"
    with tarfile.open(path, f"w:{suffix.partition('.')[2]}") as out:
        put(tmp_path / "a.png", 7, size=300)
        out.add(tmp_path / "a.png", "a.png")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read|cannot be used"):
        read(path)


def test_a_name_twice_in_an_archive_is_two_pictures(tmp_path):
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as out, pytest.warns(UserWarning, match="Duplicate name"):
        for level in (10, 20):
            put(tmp_path / "a.png", level)
            out.write(tmp_path / "a.png", "a.png")
        out.writestr("folder.png/", b"")
    assert sorted(read(tmp_path / "z.zip").load()["image"][:, 0, 0, 0]) == [10, 20]


def test_names_that_are_no_utf8(tmp_path):
    put(tmp_path / "odd" / "b.png", 1)
    (tmp_path / "odd" / "b.png").rename(tmp_path / "odd" / "caf\udce9.png")
    assert len(read(tmp_path / "odd", split="train", test_share=0.0)) == 1


def test_a_new_class_folder_moves_no_picture_to_the_other_side(tmp_path):
    for i in range(40):
        put(tmp_path / "p" / "cats" / f"{i}.png", 3 * i)
    before = set(read(tmp_path / "p", split="test", test_share=0.3).load()["image"][:, 0, 0, 0])
    put(tmp_path / "p" / "dogs" / "x.png", 200)
    after = set(read(tmp_path / "p", split="test", test_share=0.3).load()["image"][:, 0, 0, 0])
    assert after - {200} == before


def test_a_damaged_cache_is_made_anew(photos):
    first = read(photos).load()["image"]
    [home] = (photos.parent / "cache").iterdir()
    for damage in ("{}", "[]", '{"names": ['):
        (home / "index.json").write_text(damage)
        np.testing.assert_array_equal(read(photos).load()["image"], first)


def test_splits_follow_from_names(photos):
    sides = {}
    for split in ("train", "test"):
        images = read(photos, split=split, test_share=0.4)
        sides[split] = {x.tobytes() for x in images.load()["image"]}
    assert sides["train"] and sides["test"] and not sides["train"] & sides["test"]
    for i in range(50):
        Image.fromarray(np.full((9, 9, 3), 4 * i, np.uint8)).save(photos / "cats" / f"more{i}.png")
    more = {x.tobytes() for x in read(photos, split="test", test_share=0.4).load()["image"]}
    assert sides["test"] <= more and 12 < len(more) < 38  # nobody changed sides


def test_colours_survive_every_mode(tmp_path):
    """Red | blue in every mode that Pillow writes comes out as red | blue."""
    picture, folder = halves(), tmp_path / "modes"
    folder.mkdir()
    picture.save(folder / "rgb.png")
    picture.convert("P", palette=Image.Palette.ADAPTIVE).save(folder / "palette.png")
    picture.convert("CMYK").save(folder / "cmyk.tif")
    picture.convert("RGBA").save(folder / "rgba.png")
    picture.transpose(Image.Transpose.ROTATE_90).save(folder / "exif.png", exif=orientation(6))
    for image in read(folder, size=(10, 20)).load()["image"]:
        np.testing.assert_allclose(image[:, :9], np.broadcast_to(RED, (10, 9, 3)), atol=2)
        np.testing.assert_allclose(image[:, 11:], np.broadcast_to(BLUE, (10, 9, 3)), atol=2)


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_transparency_shows_the_background(mode):
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert(mode if mode != "PA" else "RGBA")
    if mode == "PA":
        clear = clear.convert("P")
        clear.info["transparency"] = clear.getpixel((0, 0))
    np.testing.assert_array_equal(Fit(channels=3, background=(7, 8, 9))(clear), np.broadcast_to((7, 8, 9), (4, 4, 3)))
    assert Fit(channels=3)(clear).min() == 255


def test_sixteen_bits_keep_their_scale():
    levels = np.array([[0, 257, 257 * 128, 65535]], np.uint16)
    np.testing.assert_array_equal(Fit(channels=1)(Image.fromarray(levels))[0, :, 0], [0, 1, 128, 255])
    with pytest.raises(ValueError, match="floating-point"):
        Fit(channels=1)(Image.fromarray(np.zeros((2, 2), np.float32)))


def test_sixteen_bit_transparency_and_grey_padding():
    picture = Image.fromarray(np.array([[0, 65535]], np.uint16))
    picture.info["transparency"] = 0
    np.testing.assert_array_equal(Fit(channels=1, background=(99,))(picture)[0, :, 0], [99, 255])
    padded = Fit(channels=1, size=(4,), fit="pad", background=(255, 0, 0))(Image.new("L", (8, 4), 0))
    assert padded[0, 0, 0] == 76  # the luminance of red


@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_and_its_damaged_neighbours(value):
    upright = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    turned = {1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1]}
    turned |= {5: upright.T, 6: upright.T[::-1], 7: upright[::-1, ::-1].T, 8: upright.T[:, ::-1]}
    picture = Image.fromarray(np.ascontiguousarray(turned[value]))
    picture.getexif()[0x0112] = value
    picture.getexif()[0x011A] = "no resolution"
    np.testing.assert_array_equal(Fit(channels=1)(picture)[..., 0], upright)


def test_grey_and_bilevel():
    assert Fit(channels=3)(Image.new("1", (3, 2), 1)).tolist() == [[[255] * 3] * 3] * 2
    assert Fit(channels=1)(halves()).shape == (10, 20, 1)
    assert Fit(channels=4)(Image.new("L", (3, 2), 9)).shape == (2, 3, 4)


@pytest.mark.parametrize(("fit", "left", "edge"), [("crop", RED, RED), ("stretch", RED, RED), ("pad", RED, (255,) * 3)])
def test_policies(fit, left, edge):
    """Of a picture twice as wide as high, a square: "crop" loses the sides, "stretch" none, "pad" adds a border."""
    out = Fit(size=(10,), fit=fit, filter="box")(halves(40, 20))
    assert out.shape == (10, 10, 3)
    np.testing.assert_array_equal(out[5, 1], left)
    np.testing.assert_array_equal(out[0, 1], edge)
    np.testing.assert_array_equal(out[5, 8], BLUE)
    marked = halves(40, 20)
    marked.paste((0, 255, 0), (0, 0, 4, 20))  # the far left
    green = (Fit(size=(10,), fit=fit, filter="box")(marked) == (0, 255, 0)).all(-1).any()
    assert green == (fit != "crop")


def test_crop_takes_the_centre_first():
    picture = halves(40, 20)
    picture.paste((0, 255, 0), (18, 8, 22, 12))
    np.testing.assert_array_equal(Fit(crop=(4,))(picture), np.broadcast_to((0, 255, 0), (4, 4, 3)))


def test_filters_are_antialiased():
    checkers = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    assert np.ptp(Fit(size=(8,), filter="lanczos")(checkers).astype(int)) < 10
    assert np.ptp(Fit(size=(9,), filter="nearest")(checkers).astype(int)) == 255


def damage(photos, kind):
    path = photos / "cats" / "bad.png"
    if kind == "truncated":
        path.write_bytes((photos / "cats" / "11.png").read_bytes()[:200])
    elif kind == "text":
        path.write_text("this is no picture")
    else:
        from struct import pack
        from zlib import crc32

        def chunk(kind, body):
            return pack(">I", len(body)) + kind + body + pack(">I", crc32(kind + body))

        header = pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("truncated", ""), ("text", "no picture that Pillow can read"), ("bomb", "pixels, perhaps a decompression bomb")],
)
def test_a_bad_picture_is_named(photos, kind, reason):
    damage(photos, kind)
    with pytest.raises(UserError, match=f"1 of 13 pictures in photos cannot be used, the first cats/bad.png: .*{reason}"):
        read(photos)
    assert not list((photos.parent / "cache").iterdir())  # nothing half-written
    assert len(read(photos, corrupt="skip")) == 12


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dir": ""}, "say where the pictures are: --config.data.dir=FOLDER"),
        ({"dir": "{}/fotos"}, "there is no '.*fotos'; did you mean '.*photos'"),
        ({"dir": "{}/empty"}, "'.*empty' holds no pictures"),
        ({"dir": "{}/photos/notes.txt"}, "neither a folder nor an archive"),
        ({"dir": "{}/broken.zip"}, "broken.zip' cannot be read: File is not a zip file"),
        ({"dir": "{}/photos/cats", "labels": "folders"}, "has no labels: .* is in no sub-folder"),
        ({"size": ()}, "pictures of many sizes need one"),
        ({"size": (1, 2, 3)}, "data.size must be 1 or 2 numbers"),
        ({"split": "test", "test_share": 0.0}, "split test of .* is empty: 12 pictures, test_share=0"),
    ],
)
def test_mistakes(fields, message, photos):
    (photos.parent / "empty").mkdir()
    (photos.parent / "broken.zip").write_bytes(b"PK no zip")
    fields = {"dir": str(photos)} | {k: v.format(photos.parent) if isinstance(v, str) else v for k, v in fields.items()}
    with pytest.raises(UserError, match=message):
        ImageFolder(cache=str(photos.parent / "cache"), **fields).open()


def test_links_in_circles_end(photos):
    (photos / "cats" / "again").symlink_to(photos)
    assert len(read(photos)) == 12


def test_what_killed_passes_left_is_swept_and_nothing_else(photos):
    cache = photos.parent / "cache"
    killed, fresh = (cache / f".photos-{'a' * 16}.{c * 32}" for c in "bc")
    theirs = [cache / ".config-of.mine", cache / ".ssh", cache / f".x-{'a' * 16}.{'d' * 32}"]
    for folder in (killed, fresh, *theirs):
        folder.mkdir(parents=True)
        (folder / ("pixels.bin" if folder in (killed, fresh) else "precious")).write_bytes(b"x")
        if folder != fresh:
            os.utime(folder, (0, 0))
    read(photos)
    assert not killed.exists() and fresh.exists() and all((folder / "precious").exists() for folder in theirs)


def test_labels_only_where_every_picture_has_one(photos, capsys):
    assert read(photos / "cats").num_classes == 0
    shutil.copy(photos / "cats" / "01.png", photos / "loose.png")
    with pytest.raises(UserError, match="1 of 13 pictures of '.*photos', the first loose.png, .* --config.data.labels=none"):
        read(photos)
    assert read(photos, labels="none").num_classes == 0
    for i in range(12):  # no longer a few
        shutil.copy(photos / "cats" / "01.png", photos / f"loose{i}.png")
    assert read(photos).num_classes == 0
    assert "no labels: 13 of 25 pictures of" in capsys.readouterr().out


def test_groups_stay_on_one_side(tmp_path):
    for i in range(40):
        path = tmp_path / "scans" / f"patient{i // 4:02}_{i:03}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (8, 8), i).save(path)
    train, test = (
        read(tmp_path / "scans", split=split, group=r"patient(\d+)", test_share=0.3) for split in ("train", "test")
    )
    assert len(train) + len(test) == 40 and not set(train.examples.all_groups()) & set(test.examples.all_groups())
    numbers = test.load()["image"][:, 0, 0, 0] // 4
    np.testing.assert_array_equal(numbers, test.examples.all_groups())
    assert all((numbers == one).sum() == 4 for one in set(numbers)) and test.name.startswith("scans, split test by 'patient")
    assert read(tmp_path / "scans").examples.all_groups() is None
    with pytest.raises(UserError, match=r"data.group='scan\(' is no regular expression"):
        read(tmp_path / "scans", group="scan(")
    with pytest.raises(UserError, match="data.group='p0' finds nothing in the names of 40 pictures, the first patient00_"):
        read(tmp_path / "scans", group="p0")
