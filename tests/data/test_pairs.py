"""Sources beside images, and sources that belong to none: the batches that training sees, and TFDS's data sets as both."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import tiny
from PIL import Image

from jaxgan import program
from jaxgan.data import digits, order, shapes
from jaxgan.data.features import features_of
from jaxgan.data.pairs import AsSource, Beside, Grey, unpaired
from jaxgan.data.source import Arrays, Images
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError
from jaxgan.sections import open_data

SIDE, JITTER, ROUNDS, BATCH, STEPS = 5, 3, 2, 8, 40
KEY = order.seed_key(0)


def told(n, jitter=0):
    """Pictures whose pixels say which one it is, their row and their column."""
    side = SIDE + jitter
    pixels = np.empty((n, side, side, 3), np.uint8)
    pixels[..., 0] = np.arange(n)[:, None, None]
    pixels[..., 1], pixels[..., 2] = np.indices((side, side))
    return Arrays(pixels, None, np.arange(n))


def pairs(**fields):
    both = told(20, fields.get("jitter", 0))
    return Images("pairs", Beside(both, both), features_of((SIDE, SIDE, 3), 0, (SIDE, SIDE, 3)), True, **fields)


def apart(n=20, sources=14, **fields):
    images, others = told(n, fields.get("jitter", 0)), AsSource(told(sources, fields.get("jitter", 0)))
    return Images(
        "apart", images, features_of((SIDE, SIDE, 3), 0, (SIDE, SIDE, 3), True), True, {"source": others}, **fields
    )


def seen(images, resident, key=KEY):
    """{name: uint8 [examples, H, W, C]} of the batches of some steps, in the order of training."""
    images = replace(images, resident=resident)
    config = tiny("pix2pix.py", batch_size=BATCH)
    plan = SimpleNamespace(config=config, run=config, rounds=ROUNDS)
    make, held = jax.jit(program.make_batch(plan, images)), images.load()
    ahead = images.batches(0, ROUNDS, BATCH, np.arange(BATCH), key)
    batches = [make(step, held if resident else next(ahead), np.uint32(key)) for step in range(STEPS)]
    floats = {name: np.concatenate([np.asarray(x[name]) for x in batches]) for name in ("image", "source")}
    assert all(np.abs(x).max() <= 1 for x in floats.values())
    return {name: np.rint((x + 1) * 127.5).astype(np.uint8).reshape(-1, *x.shape[2:]) for name, x in floats.items()}


def read(x):
    """What `told` pictures tell after training's cut and mirror: (which, top, left, mirrored)."""
    which, top, columns = x[:, 0, 0, 0], x[:, 0, 0, 1], x[:, 0, :, 2].astype(int)
    mirrored, left = columns[:, 0] > columns[:, 1], columns.min(1)
    plain = np.where(mirrored[:, None, None, None], x[:, :, ::-1], x)
    for i, picture in enumerate(plain):  # a whole part of one picture
        expected = np.indices((SIDE, SIDE)) + [[[top[i]]], [[left[i]]]]
        np.testing.assert_array_equal(picture[..., 1:], np.moveaxis(expected, 0, -1))
        assert np.ptp(picture[..., 0]) == 0
    return which, top, left, mirrored


def torn(**fields):
    return unpaired(pairs(**fields))


@pytest.mark.parametrize("make", [pairs, apart, torn])
def test_batches_do_not_depend_on_where_the_data_live(make):
    images = make(flip=True, jitter=JITTER)
    resident, ahead = seen(images, True), seen(images, False)
    for name in resident:
        assert resident[name].tobytes() == ahead[name].tobytes()


@pytest.mark.parametrize("resident", [True, False])
def test_a_source_stays_beside_its_image(resident):
    """Cut out at the same place, and mirrored together."""
    batch = seen(pairs(flip=True, jitter=JITTER), resident)
    np.testing.assert_array_equal(batch["image"], batch["source"])
    which, top, left, mirrored = read(batch["image"])
    assert len(set(which)) == 20 and 0.4 < mirrored.mean() < 0.6
    assert len(set(zip(top, left))) == (JITTER + 1) ** 2


@pytest.mark.parametrize("resident", [True, False])
def test_sources_of_their_own_have_an_order_of_their_own(resident):
    batch = seen(apart(), resident)
    for name, n in (("image", 20), ("source", 14)):
        which = read(batch[name])[0]
        epochs = [which[i : i + n].tolist() for i in range(0, len(which) - n, n)]
        assert len(epochs) > 30 and all(sorted(epoch) == list(range(n)) for epoch in epochs)  # each once
        assert len(set(map(tuple, epochs))) == len(epochs)


def test_the_orders_of_sources_and_images_are_independent():
    for make in (partial(apart, 20, 20), torn):
        batch = seen(make(flip=True, jitter=JITTER), True)
        one, other = read(batch["image"]), read(batch["source"])
        for a, b in zip(one, other):  # which, where cut, mirrored
            assert abs(np.corrcoef(a, b)[0, 1]) < 0.12  # three standard deviations of 640
    again = read(seen(apart(20, 20), True, order.seed_key(1))["source"])[0]
    assert not np.array_equal(again, other[0])


def test_torn_pairs_know_what_belongs_together():
    images, numbers = torn(jitter=JITTER), np.arange(20)
    assert not images.paired and images.known.truth and images.lengths()["source"] == 20
    whole = pairs(jitter=JITTER).gather(numbers)
    np.testing.assert_array_equal(images.gather_key("truth", numbers), whole["source"])
    np.testing.assert_array_equal(images.gather_key("truth", numbers, "source"), whole["image"])
    assert images.gather(numbers).keys() == {"image"}


@pytest.mark.slow
def test_an_unpaired_task_tears_pairs_apart():
    apart = {"data__source_split": "", "data__truth": "", "data__split": "train"}
    for config in ("cyclegan.py", "pix2pix.py"):
        own = apart if config == "cyclegan.py" else {}
        images = open_data(tiny(config, data__name="shapes/32", data__source="labels", **own))
        assert images.paired == (config == "pix2pix.py") and images.lengths() == {"main": len(images)} | (
            {} if images.paired else {"source": len(images)}
        )


def test_the_second_key_is_another_and_the_same_everywhere():
    keys = [order.seed_key(seed) for seed in range(200)]
    others = [int(order.stream_key("source", key)) for key in keys]
    assert len({*keys, *others}) == 400
    jitted = jax.jit(lambda key: order.stream_key("source", key, jnp))
    assert others == [int(jitted(np.uint32(key))) for key in keys]


@pytest.mark.parametrize("choices", [2, 31, 1024])
def test_cuts_hit_every_place_alike(choices):
    at = np.arange(60_000, dtype=np.uint32)
    top, left = order.places(at, KEY, choices)
    for x in (top, left):
        assert x.dtype == np.int32 and x.min() == 0 and x.max() == choices - 1
        counts, expected = np.bincount(x, minlength=choices), len(at) / choices
        assert ((counts - expected) ** 2 / expected).sum() < choices + 5 * np.sqrt(2 * choices)
        assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 0.02 and abs(np.corrcoef(x, order.coin(at, KEY))[0, 1]) < 0.02
    assert abs(np.corrcoef(top, left)[0, 1]) < 0.02
    jitted = jax.jit(lambda at: order.places(at, KEY, choices, jnp))(at)
    np.testing.assert_array_equal(np.stack(jitted), np.stack([top, left]))


def test_cuts_of_training_are_all_there_and_gather_takes_the_middle():
    images = pairs(jitter=JITTER)
    _, top, left, _ = read(seen(images, True)["image"])
    counts = np.bincount(top * (JITTER + 1) + left, minlength=16)
    assert counts.min() > 0.4 * counts.mean() and counts.max() < 1.8 * counts.mean()
    _, top, left, _ = read(images.gather(np.arange(20))["image"])
    assert set(top) == set(left) == {JITTER // 2}


def test_grey_is_that_of_pillow():
    """Its own weights are those of ITU-R 601 in 65536ths: a level is another where a half is rounded."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), dtype=np.uint8)
    pixels[0, 0, :4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
    grey = Grey(Arrays(pixels, None, np.arange(4)))
    assert len(grey) == 4 and grey[0]["image"][0, :4, 0].tolist() == [76, 150, 29, 255]
    for i in range(4):
        ours, theirs = grey[i]["image"], np.asarray(Image.fromarray(pixels[i]).convert("L"))
        assert ours.dtype == np.uint8 and ours.shape == (64, 64, 1)
        off = ours[..., 0].astype(int) - theirs
        assert abs(off).max() <= 1 and np.mean(off != 0) < 0.01


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_of_grey_and_of_what_has_an_alpha(channels):
    pixels = np.full((1, 2, 2, channels), 90, np.uint8)
    pixels[..., 3:] = 7
    assert Grey(Arrays(pixels, None, np.arange(1)))[0]["image"].tolist() == [[[90]] * 2] * 2


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """`Tfds` with a few of the scenes and a tenth of the digits, and a cache of its own."""
    folder, (images, labels, rank) = tmp_path_factory.mktemp("tfds"), digits.load()
    chosen = (rank < 6) | ((rank >= 400) & (rank < 403))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(digits, "load", lambda: (images[chosen], labels[chosen], rank[chosen]))
        patched.setattr(shapes, "SPLITS", {"train": 12, "validation": 2, "test": 7})
        yield lambda name, **fields: Tfds(name=name, dir=str(folder / "t"), cache=str(folder / "c"), **fields).open()


@pytest.mark.parametrize(("source", "channels"), [("labels", 3), ("outline", 1), ("grey", 1)])
def test_a_feature_as_source(source, channels, small):
    images = small("shapes/32", source=source, split="test")
    assert images.paired and images.source_shape == (32, 32, channels) and len(images) == 7
    assert images.name == f"shapes/32/1.0.0, split test, from {source}"
    batch = images.gather(np.arange(7))
    rendered = [shapes.render(shapes.scene("test", i), 32) for i in range(7)]
    np.testing.assert_array_equal(batch["image"], np.stack([x["image"] for x in rendered]))
    assert batch["label"].shape == (7,) and batch["source"].dtype == np.uint8
    if source == "grey":
        theirs = np.stack([np.asarray(Image.fromarray(x["image"]).convert("L"))[..., None] for x in rendered])
        np.testing.assert_allclose(batch["source"].astype(int), theirs, atol=1)
    else:
        np.testing.assert_array_equal(batch["source"], np.stack([x[source] for x in rendered]))
    np.testing.assert_array_equal(images.gather_feature("source", np.arange(9))[7:], batch["source"][:2])


def test_a_source_is_fitted_as_its_image_is(small):
    images = small("shapes/32", source="labels", size=(16,), jitter=4, filter="nearest")
    assert images.image_shape == images.source_shape == (16, 16, 3) and images.digest
    loaded = images.load()
    assert loaded["image"].shape == loaded["source"].shape == (12, 20, 20, 3)
    np.testing.assert_array_equal(shapes.decode(loaded["image"]), shapes.decode_labels(loaded["source"]))
    outlines = small("shapes/32", source="outline", size=(16,), jitter=4, filter="nearest")
    assert outlines.digest != images.digest  # of both
    grey = small("shapes/32", source="grey", size=(16,), jitter=4).gather(np.arange(2))["source"]
    assert grey.shape == (2, 16, 16, 1)


def test_a_split_as_sources(small):
    images = small("digit_styles", split="trainB", source_split="testA")
    assert not images.paired and len(images) == 30 and len(images.sources) == 20
    assert images.source_shape == (32, 32, 3) and images.name.endswith("split trainB, from testA")
    alone = small("digit_styles", split="testA").load()["image"]
    np.testing.assert_array_equal(images.load()["source"], alone)
    np.testing.assert_array_equal(images.gather_feature("source", np.arange(len(alone) + 1))[-1], alone[0])


@pytest.mark.parametrize(("resident", "is_resident"), [("auto", True), ("off", False)])
def test_resident(resident, is_resident, small):
    assert small("shapes/32", source="labels", resident=resident).resident == is_resident


def test_auto_counts_the_sources_too(small, monkeypatch):
    one = 12 * 32 * 32 * 3
    monkeypatch.setattr("jaxgan.data.source.RESIDENT_BYTES", 2 * one)
    assert small("shapes/32").resident and small("shapes/32", source="labels").resident
    monkeypatch.setattr("jaxgan.data.source.RESIDENT_BYTES", 2 * one - 1)
    assert small("shapes/32").resident and not small("shapes/32", source="labels").resident


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("shapes/32", {"source": "lables"}, "data set shapes/32 has no feature 'lables'; did you mean 'labels'"),
        ("shapes/32", {"source": "caption"}, r"feature 'caption' of data set shapes/32 has shape \(\): no image"),
        ("shapes/32", {"source": "labels", "source_split": "test"}, "data.source, or a split, data.source_split: not both"),
    ],
)
def test_mistakes_that_are_told_before_anything_is_prepared(name, fields, message, tmp_path):
    with pytest.raises(UserError, match=message):
        Tfds(name=name, dir=str(tmp_path), **fields).open()
    assert not list(tmp_path.iterdir())


def test_no_such_split(small):
    with pytest.raises(UserError, match="data set shapes/32 has no split 'tset'; did you mean 'test'"):
        small("shapes/32", source_split="tset")
