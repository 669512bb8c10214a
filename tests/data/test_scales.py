"""Features of unlike scales in one stream: parts that belong together, turned and mirrored together, of whole pixels."""

import json
from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import tiny

from jaxgan import program
from jaxgan.data import order
from jaxgan.data.features import MAIN, Feature, features_of, from_json
from jaxgan.data.pairs import Beside
from jaxgan.data.source import Arrays, Images
from jaxgan.training import budget

SIDE, JITTER, N = 8, 12, 10
KEY = order.seed_key(0)


def told(scale: int, side: int) -> Arrays:
    """Pictures whose pixels say which one it is, and their row and column in units of 1 / `scale`."""
    pixels = np.empty((N, side, side, 3), np.uint8)
    pixels[..., 0] = np.arange(N)[:, None, None]
    pixels[..., 1], pixels[..., 2] = np.indices((side, side)) * scale
    return Arrays(pixels, None, np.arange(N))


def enlarging(scale: int = 4, jitter: int = JITTER, **fields) -> Images:
    """Images with a source that has each `scale`-th pixel of theirs."""
    examples = Beside(told(1, SIDE + jitter), told(scale, (SIDE + jitter) // scale))
    features = features_of((SIDE, SIDE, 3), 0, (SIDE // scale, SIDE // scale, 3))
    return Images("enlarging", examples, features, True, jitter=jitter, **fields)


def seen(images: Images, resident: bool, steps: int = 40) -> dict[str, np.ndarray]:
    """{name: uint8 [examples, H, W, C]} of the batches of some steps."""
    images = replace(images, resident=resident)
    config = tiny("pix2pix.py", batch_size=8)
    make, held = jax.jit(program.make_batch(SimpleNamespace(config=config, run=config, rounds=2), images)), images.load()
    ahead = images.batches(0, 2, 8, np.arange(8), KEY)
    batches = [make(step, held if resident else next(ahead), np.uint32(KEY)) for step in range(steps)]
    floats = {name: np.concatenate([np.asarray(x[name]) for x in batches]) for name in batches[0]}
    return {name: np.rint((x + 1) * 127.5).astype(np.uint8).reshape(-1, *x.shape[2:]) for name, x in floats.items()}


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("resident", [True, False])
def test_a_source_of_another_scale_is_the_same_part(scale, resident):
    """Turned and mirrored in all eight ways, every pixel of it says the same place as the image's."""
    batch = seen(enlarging(scale, flip=True, turns=True), resident)
    image, source = batch["image"].astype(int), batch["source"].astype(int)
    assert image.shape[1:] == (SIDE, SIDE, 3) and source.shape[1:] == (SIDE // scale, SIDE // scale, 3)
    corners = np.minimum(image[:, ::scale, ::scale], image[:, scale - 1 :: scale, scale - 1 :: scale])
    np.testing.assert_array_equal(corners, source)  # of each block the least row and column, whichever way it is turned
    places = {(int(rows.min()), int(columns.min())) for rows, columns in zip(image[..., 1], image[..., 2])}
    assert places == {(i, j) for i in range(0, JITTER + 1, scale) for j in range(0, JITTER + 1, scale)}


def test_turns_are_quarters_and_each_comes_alike():
    """The same batches without turns, turned by numpy, with the mirror after the turn."""
    plain, turned = (seen(enlarging(flip=False, turns=turns), True) for turns in (False, True))
    at = np.concatenate([order.positions(step, 2, 8, np.arange(8)).reshape(-1) for step in range(40)])
    quarters = order.turn(at, KEY)
    for name in plain:
        expected = np.stack([np.rot90(x, k) for x, k in zip(plain[name], quarters)])
        np.testing.assert_array_equal(turned[name], expected)
    both, heads = seen(enlarging(flip=True, turns=True), True), order.coin(at, KEY)
    expected = np.where(heads[:, None, None, None], turned["image"][:, :, ::-1], turned["image"])
    np.testing.assert_array_equal(both["image"], expected)
    assert len(set(zip(quarters.tolist(), heads.tolist()))) == 8


def test_the_number_of_quarters_is_fair_and_independent_of_other_draws():
    at = np.arange(60_000, dtype=np.uint32)
    quarters = order.turn(at, KEY)
    counts = np.bincount(quarters, minlength=4)
    assert quarters.dtype == np.int32 and np.abs(counts / len(at) - 0.25).max() < 0.01
    others = [order.coin(at, KEY), *order.places(at, KEY, 31), order.example_index(at, 60_000, KEY)]
    for bit in (quarters & 1, quarters >> 1):
        assert max(abs(np.corrcoef(bit, other)[0, 1]) for other in others) < 0.02
        assert abs(np.corrcoef(bit[:-1], bit[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(quarters, order.turn(at, order.seed_key(1)))[0, 1]) < 0.02
    np.testing.assert_array_equal(jax.jit(lambda at: order.turn(at, KEY, jnp))(at), quarters)


@pytest.mark.parametrize("jitter, top", [(12, 4), (4, 0), (8, 4), (0, 0)])
def test_evaluation_takes_the_middle_at_a_whole_pixel_of_the_source(jitter, top):
    images = enlarging(4, jitter)
    image, source = (images.gather(np.arange(N))[name] for name in ("image", "source"))
    assert image.shape == (N, SIDE, SIDE, 3) and source.shape == (N, SIDE // 4, SIDE // 4, 3)
    assert image[0, 0, 0].tolist() == source[0, 0, 0].tolist() == [0, top, top]
    np.testing.assert_array_equal(image[:, ::4, ::4], source)
    np.testing.assert_array_equal(images.gather_feature("source", np.arange(2)), source[:2])


def test_the_scale_follows_from_the_shapes_and_is_kept_in_the_record():
    features = features_of((24, 32, 3), 0, (6, 8, 3))
    assert features["source"].scale == 4 and features["image"].scale == 1
    assert enlarging().unit(MAIN) == 4 and Images("x", [], features_of((8, 8, 3), 5), True).unit(MAIN) == 1
    assert features_of((24, 32, 3), 0, (6, 8, 3), apart=True)["source"].scale == 1
    for other in ((24, 32, 1), (6, 32, 3), (5, 8, 3), (48, 64, 3)):
        assert features_of((24, 32, 3), 0, other)["source"].scale == 1
    for feature in features.values():
        assert from_json(json.loads(json.dumps(feature.as_json()))) == feature
    assert "scale" not in features["image"].as_json()  # records of pictures of one size are as they were
    assert from_json(features["image"].as_json()) == Feature("picture", (24, 32, 3), np.uint8)


def test_the_memory_that_is_foretold_is_what_is_loaded():
    images = enlarging()
    assert budget.data_size(images) == sum(x.nbytes for x in images.load().values())
