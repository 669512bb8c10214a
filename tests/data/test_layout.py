"""What the folders and archives of other tools mean: classes, splits, dataset.json, names, and what is passed over."""

import io
import json
import os
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from jaxgan.data import archives, listing
from jaxgan.data.folder import ImageFolder
from jaxgan.errors import UserError


def png(level):
    content = io.BytesIO()
    Image.fromarray(np.full((4, 4), level, np.uint8)).save(content, "PNG")
    return content.getvalue()


def make(root, files, kind):
    """A folder, zip or tar file of grey pictures {name: level} and texts {name: text}; tar and zip as they are."""
    contents = {name: png(x) if isinstance(x, int) else x.encode() for name, x in files.items()}
    if kind == "folder":
        for name, content in contents.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        return root
    path = root.with_name(f"{root.name}.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as out:
            for name, content in contents.items():
                out.writestr(name, content)
    else:
        with tarfile.open(path, "w") as out:
            for name, content in contents.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                out.addfile(info, io.BytesIO(content))
    return path


def read(where, **fields):
    fields = {"size": (4,), "channels": 1, "split": "all", "cache": str(where.parent / "cache")} | fields
    return ImageFolder(dir=str(where), **fields).open()


def classes(images):
    """{grey level: the name of its class}; {level: ""} without classes."""
    loaded = images.load()
    names = images.features["label"].names if images.num_classes else ()
    labels = loaded["label"].tolist() if names else [0] * len(images)
    return dict(zip(loaded["image"][:, 0, 0, 0].tolist(), [names[i] if names else "" for i in labels]))


KINDS = pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
SHARDS = {"00000/img00000000.png": 10, "00000/img00000001.png": 20, "00001/img00000002.png": 30}


def index(labels):
    return {"dataset.json": json.dumps({"labels": labels})}


@KINDS
def test_the_labels_of_stylegan(kind, tmp_path):
    labels = [[name, label] for name, label in zip(SHARDS, (6, 10, 6))] + [["gone.png", 3]]
    images = read(make(tmp_path / "sg", SHARDS | index(labels), kind))
    assert classes(images) == {10: "6", 20: "10", 30: "6"} and images.num_classes == 2
    assert classes(read(make(tmp_path / "sg", {}, "folder"), labels="none") if kind == "folder" else images)
    deep = read(make(tmp_path / "deep", {f"top/{name}": x for name, x in (SHARDS | index(labels)).items()}, kind))
    assert classes(deep) == classes(images)


@KINDS
@pytest.mark.parametrize("content", ['{"labels": null}', "{}"])
def test_a_stylegan_archive_without_labels_has_no_classes(kind, content, tmp_path):
    where = make(tmp_path / "sg", SHARDS | {"dataset.json": content}, kind)
    assert read(where).num_classes == 0 and len(read(where)) == 3
    with pytest.raises(UserError, match="has no labels: 00000/img00000000.png is in no sub-folder"):
        read(where, labels="folders")


@KINDS
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"labels": [["00000/img00000000.png", 1]]}', "dataset.json' has no label of 00000/img00000001.png; mend it, or"),
        (
            '{"labels": [["00000/img00000000.png", [0.5, 1]]]}',
            "has labels that are no classes, the first of 00000/img00000000",
        ),
        ('{"labels": [["00000/img0', "dataset.json' is damaged, or not StyleGAN's"),
        ('{"labels": 3}', "dataset.json' is damaged, or not StyleGAN's"),
        ("[]", "dataset.json' is damaged, or not StyleGAN's"),
        ("[" * 100000, "dataset.json' is damaged, or not StyleGAN's"),
    ],
)
def test_a_dataset_json_that_says_no_classes(kind, content, message, tmp_path):
    where = make(tmp_path / "sg", SHARDS | {"dataset.json": content}, kind)
    with pytest.raises(UserError, match=message) as caught:
        read(where)
    assert "--config.data.labels=none" in str(caught.value) and "\n" not in str(caught.value)
    assert read(where, labels="none").num_classes == 0


SPLITS = {  # 11 to 14, 21 to 24, 31 to 34
    f"{split}/{cls}/{i}.png": 10 * n + i + 2 * (cls == "dogs")
    for n, split in enumerate(("train", "test", "val"), 1)
    for cls in ("cats", "dogs")
    for i in (1, 2)
}


@KINDS
@pytest.mark.parametrize("above", ["", "data/"])
def test_folders_that_are_splits(kind, above, tmp_path):
    files = {above + name: x for name, x in SPLITS.items()}
    where = make(tmp_path / "s", files, kind)
    for split, start in (("train", 10), ("test", 20)):
        truth = {start + i: "cats" if i < 3 else "dogs" for i in (1, 2, 3, 4)}
        assert classes(read(where, split=split)) == truth
    assert len(read(where)) == 12
    files = {name.replace("val", "Validation"): x for name, x in files.items() if "test" not in name}
    without = make(tmp_path / "v", files, kind)
    assert set(classes(read(without, split="test"))) == {31, 32, 33, 34}


def test_a_test_folder_without_classes_and_pictures_beside(tmp_path):
    files = {"train/cats/1.png": 1, "train/dogs/2.png": 2, "test/3.png": 3}
    where = make(tmp_path / "s", files, "folder")
    assert classes(read(where, split="train")) == {1: "cats", 2: "dogs"}
    assert classes(read(where, split="test")) == {3: ""}
    make(where, {"more/x.png": 4}, "folder")
    with pytest.raises(UserError, match="a folder for each split, and beside them 1 pictures, the first more/x.png: move"):
        read(where)
    assert len(read(where, labels="none")) == 4  # all, whatever they are
    bus = make(tmp_path / "t", {"train/1.png": 1, "bus/2.png": 2}, "folder")
    assert classes(read(bus)) == {1: "train", 2: "bus"}  # a train


@KINDS
def test_one_class_folder(kind, tmp_path):
    for name, files in (("a", {"cats/1.png": 1, "cats/2.png": 2}), ("b", {"deep/cats/1.png": 1, "deep/cats/sub/2.png": 2})):
        where = make(tmp_path / name, files, kind)
        assert classes(read(where)) == {1: "", 2: ""}
        assert classes(read(where, labels="folders")) == {1: "cats", 2: "cats"}


NAMES = [
    ("photos\\cats\\1.png", "photos\\dogs\\2.png"),  # as .NET Framework wrote them
    ("./cats/1.png", "./dogs/2.png"),
    ("photos/./cats//1.png", "photos/dogs/2.png"),
    ("cats/1.png", "dogs/2.png"),  # without entries for the folders
]


@pytest.mark.parametrize("names", NAMES)
def test_zips_of_other_systems_keep_their_folders(names, tmp_path):
    where = make(tmp_path / "z", dict(zip(names, (1, 2))), "zip")
    assert classes(read(where)) == {1: "cats", 2: "dogs"}
    assert [item.name for item in listing.found(where, True).items] == ["cats/1.png", "dogs/2.png"]


def raw_names(path, names):
    """A zip whose names are these bytes, not said to be UTF-8."""
    with zipfile.ZipFile(path, "w") as out:
        for i, name in enumerate(names):
            out.writestr(str(i) * len(name), png(i + 1))
    content = path.read_bytes()
    for i, name in enumerate(names):
        content = content.replace(str(i).encode() * len(name), name)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["café/1.png".encode(), "naïf/2.png".encode()], ["café", "naïf"]),  # macOS
        (
            ["表/1.png".encode("shift-jis"), "能/2.png".encode("shift-jis")],
            ["\u00f2\\", "\u00f6\\"],
        ),  # whose second byte is "\"
        (["café/1.png".encode("cp437"), b"na/2.png"], ["café", "na"]),
    ],
)
def test_names_in_other_encodings(names, folders, tmp_path):
    where = raw_names(tmp_path / "z.zip", names)
    found = classes(read(where))
    assert len(set(found.values())) == 2
    if "\\" not in folders[0]:
        assert list(found.values()) == folders


def test_what_is_passed_over_is_told(tmp_path, capsys):
    files = {"a.png": 1, "b.HEIC": "x", "c.heic": "x", "d.psd": "x", "notes.txt": "x", ".hidden.psd": "x", "e": "x"}
    where = make(tmp_path / "p", files, "folder")
    (where / "gone.png").symlink_to(where / "nothing.png")
    (where / "b.jfif").write_bytes(jpeg())
    assert len(read(where)) == 2  # the .jfif is a JPEG
    assert (
        "passed over in p, as no pictures: .heic 2, .psd 1, links to nothing 1, without an ending 1\n"
        in capsys.readouterr().out
    )
    for name in ("a.png", "b.jfif"):
        (where / name).unlink()
    with pytest.raises(UserError, match=r"p' holds no pictures \(.png .*; it holds .heic 2, .psd 1, links to nothing 1"):
        read(where)


def jpeg():
    content = io.BytesIO()
    Image.new("L", (4, 4), 99).save(content, "JPEG")
    return content.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_links_in_tar_files(mode, tmp_path, capsys):
    path = tmp_path / ("l.tar" if mode == "w" else "l.tar.gz")
    with tarfile.open(path, mode) as out:
        info = tarfile.TarInfo("a/1.png")
        info.size = len(png(1))
        out.addfile(info, io.BytesIO(png(1)))
        for name, kind, target in (
            ("b/2.png", tarfile.LNKTYPE, "a/1.png"),  # a second name
            ("b/3.png", tarfile.LNKTYPE, "b/2.png"),
            ("b/4.png", tarfile.LNKTYPE, "nothing.png"),
            ("b/5.png", tarfile.LNKTYPE, "b/5.png"),
            ("b/6.png", tarfile.SYMTYPE, "../a/1.png"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            out.addfile(info)
    images = read(path)
    assert len(images) == 3 and set(images.load()["image"].ravel()) == {1}
    assert "passed over in l.tar" in (told := capsys.readouterr().out)
    assert "links in tar files 1, links to nothing 2" in told


def test_no_picture_is_read_for_its_ending_alone(tmp_path, monkeypatch):
    """Half a GiB of zeros, as a.png, takes half a MB in a zip file and nothing here."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as out:
        for i in range(3):
            out.writestr(f"{i}.png", bytes(2**20))
        out.writestr("3.png", png(3))
    most = []
    plain = zipfile.ZipExtFile.read
    monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda self, n=-1: most.append(len(out := plain(self, n))) or out)
    with pytest.raises(UserError, match="3 of 4 pictures in z.zip cannot be used, the first 0.png: no picture that Pillow"):
        read(tmp_path / "z.zip")
    assert max(most) < 1000
    monkeypatch.setattr(archives, "LARGEST", 50)
    with pytest.raises(UserError, match="the first 0.png: 0.0 GiB of one file, perhaps a decompression bomb"):
        read(tmp_path / "z.zip")


def test_a_header_that_asks_for_all_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 2**16)
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 2**20
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as out:
        out.addfile(info, io.BytesIO(bytes(2**20)))
    with pytest.raises(UserError, match="t.tar.gz' cannot be read: a header of 0.0 GiB, perhaps a decompression bomb"):
        read(tmp_path / "t.tar.gz")


def flip(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    stamp = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1))


@pytest.mark.parametrize("damage", ["pixels", "short", "long", "label"])
def test_a_damaged_cache_is_told_and_made_anew(damage, tmp_path, capsys):
    where = make(tmp_path / "p", {"cats/1.png": 1, "dogs/2.png": 2}, "folder")
    first = read(where).load()
    read(where)
    assert "damaged" not in capsys.readouterr().out
    [home] = (tmp_path / "cache").iterdir()
    pixels, names = home / "pixels.bin", home / "index.json"
    if damage == "pixels":
        flip(pixels, 17)
    elif damage == "label":
        names.write_text(names.read_text().replace('"dogs"', '"cats"'))
    else:
        pixels.write_bytes(pixels.read_bytes()[:-1] if damage == "short" else pixels.read_bytes() + b"x")
    again = read(where).load()
    for name, x in first.items():
        np.testing.assert_array_equal(again[name], x)
    told = capsys.readouterr().out.splitlines()
    assert len([line for line in told if line.startswith("the fitted pictures of p in ") and "are damaged" in line]) == 1
    read(where)
    assert "damaged" not in capsys.readouterr().out
