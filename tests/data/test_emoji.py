"""Our emoji builder, over an archive of a few pictures laid out as npm's."""

import hashlib
import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from jaxgan.data import emoji
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """TFDS's data folder with such an archive in its place for manual downloads."""
    entries, files = [], {}

    def add(name, alpha):
        png = io.BytesIO()
        Image.new("RGBA", (64, 64), (200, 0, 0, alpha)).save(png, "PNG")
        files[f"package/img/google/64/{name}.png"] = png.getvalue()
        return {"unified": name.upper(), "image": f"{name}.png"}

    for i in range(20):
        variants = {"1F3FB": add(f"{i:02}-1f3fb", 255), "1F3FD-1F3FF": add(f"{i:02}-1f3fd-1f3ff", 255)} if i == 3 else {}
        category = {"category": emoji.CATEGORIES[i % 10], "subcategory": "some"}
        entries.append(
            add(f"{i:02}", 0 if i == 3 else 255) | {"name": f"NUMBER {i}", "skin_variations": variants} | category
        )
    files["package/emoji.json"] = json.dumps(entries).encode()
    files["package/img/google/sheets/64.png"] = b"not read"
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    with tarfile.open(manual / emoji.ARCHIVE, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    monkeypatch.setattr(emoji, "DIGEST", hashlib.sha256((manual / emoji.ARCHIVE).read_bytes()).hexdigest())
    return tmp_path


def opened(folder, **fields):
    return {
        split: Tfds(**{"name": "emoji", "dir": str(folder), "split": split} | fields).open() for split in ("train", "test")
    }


def test_emoji_over_white_by_category(folder):
    splits = opened(folder)
    assert [len(images) for images in splits.values()] == [18, 2]
    images = splits["train"]
    assert images.image_shape == (64, 64, 3) and images.num_classes == 10 and images.name == "emoji/base/16.0.0, split train"
    colours = {tuple(x) for split in splits.values() for x in split.load()["image"].reshape(-1, 3)}
    assert colours == {(200, 0, 0), (255, 255, 255)}  # the transparent one is white
    labels = np.concatenate([split.load()["label"] for split in splits.values()])
    np.testing.assert_array_equal(np.bincount(labels), [2] * 10)


def test_variants_stay_with_their_emoji(folder):
    builder = emoji.Emoji(config="skin_tones", data_dir=str(folder), file_format="array_record")
    builder.download_and_prepare(file_format="array_record")
    captions = [[x["caption"].decode() for x in builder.as_data_source(split)] for split in ("train", "test")]
    assert sum(map(len, captions)) == 22
    own = {caption for caption in sum(captions, []) if caption.startswith("number 3")} - {"number 3"}
    assert own == {"number 3, light skin tone", "number 3, medium skin tone, dark skin tone"} - {"number 3"}
    assert any(own < set(split) and "number 3" in split for split in captions)


def test_an_archive_that_is_not_there_or_another(folder, tmp_path_factory):
    with pytest.raises(UserError, match=f"needs .*/downloads/manual/{emoji.ARCHIVE}: npm pack emoji-datasource-google@16"):
        opened(tmp_path_factory.mktemp("empty"))
    archive = folder / "downloads" / "manual" / emoji.ARCHIVE
    archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(UserError, match="is not the file that npm serves"):
        opened(folder)
