"""A file of captions beside pictures of a person's own."""

import json

import numpy as np
import pytest
from PIL import Image

from jaxgan.data.folder import ImageFolder
from jaxgan.data.words import decode
from jaxgan.errors import UserError


@pytest.fixture
def photos(tmp_path):
    """Six pictures of two colours, a third of them in test/, and what is said of them."""
    lines = []
    for i in range(6):
        side, colour = "test" if i % 3 == 0 else "train", "red" if i % 2 else "blue"
        path = tmp_path / "photos" / side / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), colour).save(path)
        lines.append({"file": f"{side}/{i}.png", "caption": f"A {colour} one, {side}"})
    lines.append({"file_name": "./train/1.png", "text": "it is red"})
    lines.append({"file": "train/2.png", "captions": ["it is blue", "blue"]})
    (tmp_path / "photos" / "said.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    return tmp_path / "photos"


def opened(folder, **fields):
    return ImageFolder(dir=str(folder), size=(8,), cache=str(folder.parent / "cache"), labels="none",
                       **({"captions": "said.jsonl", "words": 4} | fields)).open()  # fmt: skip


def test_captions_belong_to_their_pictures(photos, capsys):
    images = opened(photos)
    known = images.features["tokens"].names
    assert known == ("", "<unknown>", "a", "blue", "is", "it", "one", "red", "train")
    said = {}
    for i in range(len(images)):
        example = images.examples[i]
        red = bool(example["image"][0, 0, 0] > 128)
        said[i] = [decode(row, known) for row in example["tokens"]]
        assert all(("red" if red else "blue") in text for text in said[i]), said[i]
    assert sorted(map(tuple, said.values()))[:2] == [
        ("a blue one train", "a blue one train", "a blue one train"),
        ("a blue one train", "it is blue", "blue"),
    ]
    test = opened(photos, split="test", captions=str(photos / "said.jsonl"))
    assert test.features["tokens"].names == known and len(test) == 2
    assert "2 words are not in the vocabulary and count as unknown, most often 'test' (2)" in capsys.readouterr().out
    whole = opened(photos, split="all", vocabulary_split="all")
    assert len(whole) == 6 and "test" in whole.features["tokens"].names
    np.testing.assert_array_equal(np.shape(whole.examples[0]["tokens"]), (3, 4))
    bare = opened(photos, captions="")
    assert "tokens" not in bare.features and bare.digest != images.digest


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "has no line with a caption"),
        ("a red circle", r"line 1: it has to be \{\"file\": \"a.png\", \"caption\": \"a red circle\"\}"),
        ('{"file": "train/1.png"}', "line 1: it has to be"),
        ('{"file": 1, "caption": "a"}', "line 1: file and caption are texts"),
        ('{"file": "train/1.png", "captions": []}', "line 1: file and caption are texts"),
        (
            '{"file": "train/1.pgn", "caption": "a"}',
            r"names 1 pictures that are not in .*, the first of them 'train/1.pgn'; did ",
        ),
        (
            '{"file": "train/1.png", "caption": "a"}',
            r"'said.jsonl' has no caption of 3 of 4 pictures, the first of them 'train/2",
        ),
    ],
)
def test_mistakes(photos, line, told):
    (photos / "said.jsonl").write_text(line)
    with pytest.raises(UserError, match=told):
        opened(photos)


def test_mistakes_of_the_file(photos):
    with pytest.raises(UserError, match="data.captions: there is no file 'sad.jsonl'; did you mean 'said.jsonl'"):
        opened(photos, captions="sad.jsonl")
    (photos / "said.jsonl").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UserError, match="cannot be read: it is no text"):
        opened(photos)
    with pytest.raises(UserError, match="data.vocabulary_split cannot be 'trian'; did you mean 'train'"):
        opened(photos, vocabulary_split="trian")
