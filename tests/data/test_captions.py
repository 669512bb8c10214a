"""Captions as tokens: words, vocabularies, and what a batch has of them."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest
from helpers import tiny

from jaxgan import program
from jaxgan.data import order
from jaxgan.data.captions import has_words, with_tokens
from jaxgan.data.features import features_of, from_json
from jaxgan.data.source import Arrays, Images
from jaxgan.data.tfds import Tfds
from jaxgan.data.words import PAD, UNKNOWN, decode, encode, vocabulary, words_of
from jaxgan.errors import UserError
from jaxgan.training import budget

TEXTS = [("A red circle.", "the circle is red"), ("one blue-ish square",), ("don't", "two words", "three more words")]


def made(texts=None, length=4, **fields):
    texts = TEXTS if texts is None else texts
    examples = Arrays(np.zeros((len(texts), 8, 8, 1), np.uint8), None, np.arange(len(texts)))
    return with_tokens(examples, texts, fields.pop("words_from", texts), length, "toys", **fields)


def test_words():
    assert words_of("A red-ish  circle, isn't it? ΑΒΓ 3_4") == ["a", "red-ish", "circle", "isn't", "it", "αβγ", "3", "4"]
    known = vocabulary(["b a", "c"])
    assert known == ("", "<unknown>", "a", "b", "c")
    rows = encode(["c, a!", "a b c", "zebra <unknown> a", ""], known, 2)
    np.testing.assert_array_equal(rows, [[4, 2], [2, 3], [UNKNOWN, UNKNOWN], [PAD, PAD]])
    assert decode(rows[0], known) == "c a" and decode(rows[3], known) == ""


def test_fewer_captions_come_again_and_the_record_is_kept(capsys):
    examples, feature = made()
    assert (feature.choices, feature.shape, feature.classes) == (3, (4,), len(feature.names))
    told = [[decode(row, feature.names) for row in examples[i]["tokens"]] for i in range(3)]
    assert told[0] == ["a red circle", "the circle is red", "a red circle"]
    assert told[1] == ["one blue-ish square"] * 3 and told[2][0] == "don't"
    assert from_json(feature.as_json()) == feature
    assert not capsys.readouterr().out


def test_what_is_lost_is_said(capsys):
    examples, feature = made(length=2, words_from=TEXTS[:1])
    told = capsys.readouterr().out.splitlines()
    assert "toys: 4 of 6 captions have more than 2 words, and the rest of them is cut off; the longest has 4" in told[0]
    assert told[1] == "toys: 9 words are not in the vocabulary and count as unknown, most often 'words' (2)"
    assert decode(examples[2]["tokens"][0], feature.names) == "<unknown>"


def test_unseen_words_leave_examples_out(capsys):
    examples, feature = made(unseen=("circle is", "Two words."))
    assert len(examples) == 1 and "circle" in feature.names, "the words are known all the same"
    assert decode(examples[0]["tokens"][0], feature.names) == "one blue-ish square"
    assert "toys: 2 of 3 examples have words of data.unseen and are left out" in capsys.readouterr().out
    np.testing.assert_array_equal(has_words(TEXTS, ["red circle", "blue"]), [True, False, False])  # whole words
    with pytest.raises(UserError, match="data.unseen is of captions, and data.captions names none"):
        Tfds(unseen=("red circle",))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"unseen": ("zebra",)}, "toys: no example has one of zebra, the words of data.unseen, in a caption"),
        ({"unseen": ("red", "square", "three more")}, "toys: every example has one of red, square, three more"),
        ({"texts": [("a",), ("...", "")]}, "toys: 1 of 2 examples have no caption, the first of them number 1"),
        ({"texts": [("left of it",)], "flip": True}, "makes captions with 'left' untrue; --config.data.flip=false"),
    ],
)
def test_mistakes(fields, told):
    with pytest.raises(UserError, match=told):
        made(**fields)
    made(flip=True)  # no caption of these names a side


@pytest.mark.parametrize("resident", [True, False])
def test_a_batch_has_one_caption_of_each_example(resident):
    """Each of them comes as often, the same ones from memory and read ahead; scores have the first."""
    rows = np.arange(10 * 5 * 3, dtype=np.int32).reshape(10, 5, 3)
    examples, feature = made([(f"a{i}",) for i in range(10)])
    examples.tokens = rows
    features = features_of((8, 8, 1)) | {"tokens": feature.__class__("tokens", (3,), np.int32, 150, choices=5)}
    images = Images("toys", examples, features, resident)
    config, key = tiny("dcgan.py", batch_size=8), order.seed_key(0)
    make = jax.jit(program.make_batch(SimpleNamespace(config=config, run=config, rounds=1), images))
    held, ahead = images.load(), images.batches(0, 1, 8, np.arange(8), key)
    assert held["tokens"].shape == (10, 5, 3)
    batches = [make(step, held if resident else next(ahead), np.uint32(key))["tokens"] for step in range(200)]
    seen = np.concatenate([np.asarray(x)[0] for x in batches])
    assert seen.shape == (1600, 3) and seen.dtype == np.int32
    positions = np.arange(1600)
    index, choice = order.example_index(positions, 10, key), order.choice(positions, key, 5)
    np.testing.assert_array_equal(seen, rows[index, choice])
    assert np.abs(np.bincount(choice, minlength=5) / 1600 - 0.2).max() < 0.05
    np.testing.assert_array_equal(images.gather(np.array([3, 1]))["tokens"], rows[[3, 1], 0])
    np.testing.assert_array_equal(images.gather_feature("tokens", np.array([12])), rows[[2], 0])
    assert budget.data_size(images) == (sum(x.nbytes for x in held.values()) if resident else 0)


def test_the_captions_of_a_data_set():
    own = {"name": "shapes/32", "label": "none", "words": 30}
    train, test = (Tfds(captions="captions", split=split, **own).open() for split in ("train[:50]", "test[:20]"))
    feature = train.features["tokens"]
    assert feature == test.features["tokens"] and feature.choices == 5, "of one vocabulary, whatever the split"
    assert decode(train.examples[1]["tokens"][4], feature.names) == "the yellow cross is below the red cross"
    first = Tfds(captions="caption", split="train[:50]", **own).open()
    assert first.features["tokens"].choices == 1
    assert decode(first.examples[1]["tokens"][0], first.features["tokens"].names) == decode(
        train.examples[1]["tokens"][0], feature.names
    )
    with pytest.raises(UserError, match="data.corrupt=skip would part pictures from their captions"):
        Tfds(captions="captions", corrupt="skip", size=(16,), **own).open()
    with pytest.raises(UserError, match="shapes has no captions 'captain'; did you mean 'caption'"):
        Tfds(captions="captain", **own).open()
    with pytest.raises(UserError, match="digits has no captions 'text'; it has no texts"):
        Tfds(captions="text").open()
