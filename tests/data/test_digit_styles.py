"""The two domains of `digit_styles`: their splits share no digit, and their renditions of one agree on where its ink is."""

import sys

import numpy as np
import pytest

from jaxgan.data import digit_styles, digits
from jaxgan.data.tfds import Tfds

SPLITS = ("trainA", "trainB", "testA", "testB")
LOAD = digits.load  # of all digits


@pytest.fixture(scope="module")
def mnist():
    """A tenth of the digits, in the place of all."""
    images, labels, rank = LOAD()
    chosen = (rank < 40) | ((rank >= 400) & (rank < 410))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(digits, "load", lambda: (images[chosen], labels[chosen], rank[chosen]))
        yield digits.load()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, mnist):
    """TFDS's data folder with the data set in it."""
    folder = str(tmp_path_factory.mktemp("tfds"))
    builder = digit_styles.DigitStyles(data_dir=folder, file_format="array_record")
    builder.download_and_prepare(file_format="array_record")
    return folder


@pytest.fixture(scope="module")
def prepared(folder):
    builder = digit_styles.DigitStyles(data_dir=folder, file_format="array_record")
    sources = builder.as_data_source()
    assert set(sources) == set(SPLITS)
    return {
        split: {key: np.stack([example[key] for example in sources[split]]) for key in ("image", "label", "truth")}
        for split in SPLITS
    }


def indices(images, of):
    """The places of pictures among pictures `of`, all of which differ."""
    places = {picture.tobytes(): i for i, picture in enumerate(of)}
    assert len(places) == len(of)
    return np.array([places[image.tobytes()] for image in images])


@pytest.fixture(scope="module")
def renditions(mnist):
    """Every digit in A, and in B."""
    images = mnist[0]
    return (
        np.stack([digit_styles.plain(image) for image in images]),
        np.stack([digit_styles.styled(image, i) for i, image in enumerate(images)]),
    )


@pytest.mark.slow
def test_splits_are_disjoint_and_stratified(prepared, renditions, mnist):
    _, labels, rank = mnist
    found = {split: indices(prepared[split]["image"], renditions[split[-1] == "B"]) for split in SPLITS}
    assert [len(found[split]) for split in SPLITS] == [200, 200, 50, 50]
    assert sorted(np.concatenate(list(found.values()))) == list(range(500))
    for split, at in found.items():
        np.testing.assert_array_equal(prepared[split]["label"], labels[at])
        np.testing.assert_array_equal(np.bincount(labels[at]), [len(at) // 10] * 10)
        assert np.all((rank[at] < 400) == split.startswith("train"))
    assert "tensorflow" not in sys.modules


def test_the_test_splits_are_of_the_test_digits(prepared, renditions, mnist, tmp_path):
    own = digits.Digits(data_dir=str(tmp_path), file_format="array_record")._split_generators(None)
    for part, examples in own.items():
        found = [indices(prepared[part + domain]["image"], renditions[domain == "B"]) for domain in "AB"]
        assert sorted(np.concatenate(found)) == [i for i, _ in examples]


def test_truth_is_the_same_digit_in_the_other_domain(prepared, renditions):
    plain, styled = renditions
    for split, own, other in (("testA", plain, styled), ("testB", styled, plain)):
        at = indices(prepared[split]["image"], own)
        np.testing.assert_array_equal(prepared[split]["truth"], other[at])


def test_nothing_of_the_truth_is_in_training_splits(prepared):
    for split in ("trainA", "trainB"):
        assert not prepared[split]["truth"].any()
        assert prepared[split]["image"].any((1, 2, 3)).all()


def luminance(pixels):
    x = pixels / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def test_both_renditions_have_their_ink_in_the_same_places(prepared):
    """In B the full strokes have one colour, and all that is no stroke in A is far from it."""
    for plain, styled in zip(prepared["testA"]["image"], prepared["testA"]["truth"]):
        ink = styled[plain[..., 0] == 255].astype(float)
        if len(ink) == 0:  # a faint digit
            continue
        assert np.ptp(ink, axis=0).max() == 0
        ground = styled[plain[..., 0] == 0]
        one, other = luminance(ink[0]) + 0.05, luminance(ground) + 0.05
        ratio = np.maximum(one, other) / np.minimum(one, other)
        assert ratio.min() > 3 * 0.97  # rounding to bytes
        assert np.all(one > other) or np.all(one < other)
        assert len(np.unique(ground, axis=0)) > 1  # textured


def test_strokes_fade_into_the_background_as_they_do_in_a(renditions):
    """The lighter A is, the nearer B comes to its ink."""
    plain, styled = renditions
    for a, b in zip(plain, styled):
        if not np.any(a == 255):
            continue
        off = abs(b.astype(float) - b[a[..., 0] == 255][0]).sum(-1)
        parts = [off[(a[..., 0] >= low) & (a[..., 0] <= high)] for low, high in ((255, 255), (150, 254), (1, 100), (0, 0))]
        means = [part.mean() for part in parts if len(part)]
        assert means == sorted(means)


def test_domain_a_is_white_on_black(prepared, mnist):
    images = prepared["trainA"]["image"]
    assert images.shape[1:] == (32, 32, 3) and images.dtype == np.uint8
    assert np.all(images == images[..., :1])
    inner = images[:, 2:-2, 2:-2]
    assert inner.sum() == images.sum() and inner.max() == 255


def test_domain_b_is_varied(renditions):
    """Light on dark and dark on light, all hues of ink, and four textures."""
    plain, styled = renditions
    full = [(a[..., 0] == 255, a[..., 0] == 0, b) for a, b in zip(plain, styled) if np.any(a == 255)]
    inks = np.array([b[ink][0] for ink, _, b in full]) / 255
    light = np.array([luminance(b[ink]).mean() > luminance(b[ground]).mean() for ink, ground, b in full])
    assert 0.2 < light.mean() < 0.9
    assert np.all(inks.max(1) - inks.min(1) > 0.3)  # saturated
    brightest = np.bincount(inks.argmax(1), minlength=3) / len(inks)
    assert np.all(brightest > 0.15)
    grounds = np.array([np.median(b[ground], 0) for _, ground, b in full]) / 255
    assert len(np.unique(np.concatenate([inks, grounds], 1).round(2), axis=0)) > 0.99 * len(inks)
    rng = np.random.default_rng(0)
    for texture in digit_styles.TEXTURES:
        weights = [texture(rng) for _ in range(20)]
        assert all(x.shape == (32, 32) and 0 <= x.min() and x.max() <= 1 and np.ptp(x) > 0.5 for x in weights)
        assert not any(np.array_equal(weights[0], x) for x in weights[1:])


def test_a_style_is_a_function_of_the_index(mnist, renditions):
    images = mnist[0]
    for i in (0, 499):
        np.testing.assert_array_equal(digit_styles.styled(images[i], i), renditions[1][i])
    assert not np.array_equal(digit_styles.styled(images[0], 1), digit_styles.styled(images[0], 0))


def test_by_name(folder):
    images = Tfds(name="digit_styles", split="testB", dir=folder).open()
    assert images.image_shape == (32, 32, 3) and images.num_classes == 10 and len(images) == 50
    truth = Tfds(name="digit_styles", split="testB", image="truth", dir=folder).open()
    one, other = images.load(), truth.load()
    np.testing.assert_array_equal(one["label"], other["label"])
    assert np.all(other["image"] == other["image"][..., :1]) and not np.all(one["image"] == one["image"][..., :1])


@pytest.mark.slow
def test_sizes_of_the_whole_set(tmp_path, monkeypatch):
    monkeypatch.setattr(digits, "load", LOAD)
    monkeypatch.setattr(digit_styles, "styled", lambda digit, index: np.full((32, 32, 3), index % 256, np.uint8))
    splits = digit_styles.DigitStyles(data_dir=str(tmp_path), file_format="array_record")._split_generators(None)
    keys = {split: [i for i, _ in examples] for split, examples in splits.items()}
    assert {split: len(own) for split, own in keys.items()} == dict(zip(SPLITS, (2000, 2000, 500, 500)))
    assert sorted(sum(keys.values(), [])) == list(range(5000))
