"""Bicubic resizing against values from the kernel by hand, and against two other implementations inside the border."""

import jax
import numpy as np
import pytest
from PIL import Image

from jaxgan.data import bicubic

NEAR = np.array([-9, 111, 29, -3]) / 128  # the kernel at 1.25, .25, .75, 1.75, by Keys' polynomials
HALVED = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256  # the same eight distances of a halved side, normalised


def column(values) -> np.ndarray:
    return np.asarray(values)[:, None, None]


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """A picture without overshoots, so that another library's rounding between the passes is all that differs."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(y / 7 + c) + np.cos(x / (5 + c)) + np.sin((x + y) / 11) for c in range(3)]
    return np.rint(127 + 40 * np.stack(waves, -1)).astype(np.uint8)


def test_the_kernel_by_hand():
    np.testing.assert_array_equal(bicubic.kernel(np.arange(-3.0, 4)), [0, 0, 0, 1, 0, 0, 0])
    np.testing.assert_array_equal(bicubic.kernel(np.array([0.5, -0.5, 1.5])), [9 / 16, 9 / 16, -1 / 16])
    np.testing.assert_array_equal(bicubic.kernel(np.array([1.25, 0.25, -0.75, -1.75])), NEAR)


def test_doubling_by_hand():
    """Centres fall a quarter before and behind each pixel; beyond the border the last pixels come again, mirrored."""
    index, weights = bicubic.taps(6, 12)
    inside = [weights[6] @ (np.arange(6) == index[6][:, None]), weights[7] @ (np.arange(6) == index[7][:, None])]
    np.testing.assert_allclose(inside, [[0, -3 / 128, 29 / 128, 111 / 128, -9 / 128, 0], [0, 0, *NEAR]], atol=1e-15)
    first = weights[0] @ (np.arange(6) == index[0][:, None])  # of the places -2, -1, 0, 1: 1, 0, 0, 1
    np.testing.assert_allclose(first, [(29 + 111) / 128, (-3 - 9) / 128, 0, 0, 0, 0], atol=1e-15)


def test_halving_by_hand():
    index, weights = bicubic.taps(16, 8)
    np.testing.assert_allclose(weights, np.tile(HALVED, (8, 1)), atol=1e-15)
    np.testing.assert_array_equal(index[3], np.arange(3, 11))
    np.testing.assert_array_equal(index[0], [2, 1, 0, 0, 1, 2, 3, 4])
    np.testing.assert_array_equal(index[7], [11, 12, 13, 14, 15, 15, 14, 13])


@pytest.mark.parametrize("given, wanted", [(24, 8), (32, 8), (8, 32), (20, 13), (13, 20), (1, 3), (3, 1)])
def test_ramps_stay_ramps_and_flat_pictures_flat(given, wanted):
    ratio = wanted / given
    centres = (np.arange(wanted) + 0.5) / ratio - 0.5
    border = 2 / min(ratio, 1) + 1
    inside = (centres > border - 0.5) & (centres < given - 0.5 - border)
    found = bicubic.resize(column(3 * np.arange(given) + 5.0), wanted, 1)[:, 0, 0]
    np.testing.assert_allclose(found[inside], 3 * centres[inside] + 5, atol=0.05 if ratio < 1 else 1e-12)
    np.testing.assert_allclose(bicubic.resize(column(np.full(given, 77.0)), wanted, 1), 77, atol=1e-12)


def test_an_impulse():
    """Its response, enlarged and shrunk, clipped and rounded; one at the border is mirrored, and so brighter."""
    impulse = np.zeros((16, 16, 1), np.uint8)
    impulse[8, 8] = 128
    doubled = bicubic.resize(impulse, 32, 32)[..., 0]
    response = np.array([-3, -9, 29, 111, 111, 29, -9, -3])
    np.testing.assert_allclose(doubled[13:21, 13:21], np.outer(response, response) / 128, atol=1e-12)
    assert np.abs(doubled).sum() == pytest.approx(np.abs(np.outer(response, response)).sum() / 128)
    eight = bicubic.enlarge(impulse, 2)[..., 0]
    np.testing.assert_array_equal(eight[16, 13:21], np.clip(np.floor(111 * response / 128 + 0.5), 0, 255))
    assert eight.min() == 0
    corner = np.zeros((16, 16, 1), np.uint8)
    corner[0, 0] = 255
    np.testing.assert_allclose(bicubic.resize(corner, 8, 8)[0, 0, 0], 255 * ((111 + 29) / 256) ** 2)


def test_rounding_is_half_up_and_clipped():
    halves = np.repeat(np.array([[[10], [11]]], np.uint8), 2, 1)  # the same pair four wide: 10, 10, 11, 11
    middle = bicubic.resize(np.tile(halves, (4, 1, 1)).astype(float), 4, 3)[0, 1, 0]
    assert middle == pytest.approx(10.5)
    assert bicubic._eight_bits(np.tile(halves, (4, 1, 1)), 4, 3)[0, 1, 0] == 11
    edge = np.zeros((8, 16, 1), np.uint8)
    edge[:, 8:] = 255
    rings = bicubic.resize(edge, 32, 64)
    assert rings.min() < -5 and rings.max() > 260
    np.testing.assert_array_equal(bicubic.enlarge(edge, 4), np.floor(np.clip(rings, 0, 255) + 0.5))


@pytest.mark.parametrize("k", [2, 3, 4])
def test_pillow_is_equal_inside(k):
    """In floats to its float32; in 8 bits within one level, as Pillow rounds between the passes too."""
    pixels, inside = noise(60, 84), np.s_[2:-2, 2:-2]
    ours = bicubic.resize(pixels, 60 // k, 84 // k)
    theirs = [
        np.asarray(Image.fromarray(x.astype(np.float32)).resize((84 // k, 60 // k), Image.Resampling.BICUBIC))
        for x in np.moveaxis(pixels, -1, 0)
    ]
    np.testing.assert_allclose(ours[inside], np.stack(theirs, -1)[inside], atol=1e-4)
    assert np.abs(ours - np.stack(theirs, -1)).max() > 1  # the border is another
    waves = smooth(60, 84)
    eight = np.asarray(Image.fromarray(waves).resize((84 // k, 60 // k), Image.Resampling.BICUBIC)).astype(int)
    difference = np.abs(bicubic.shrink(waves, k) - eight)[inside]
    assert difference.max() <= 1 and difference.mean() < 0.2
    large = np.asarray(Image.fromarray(waves).resize((84 * k, 60 * k), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(bicubic.enlarge(waves, k) - large)[2 * k : -2 * k, 2 * k : -2 * k].max() <= 1


@pytest.mark.parametrize("height, width", [(15, 21), (20, 28), (30, 42), (120, 168), (43, 90)])
def test_jax_is_equal_inside(height, width):
    pixels = noise(60, 84).astype(np.float32)
    theirs = jax.image.resize(pixels, (height, width, 3), "cubic", antialias=True, precision="highest")
    down, across = (2 * max(1, -(-wanted // given)) for wanted, given in ((height, 60), (width, 84)))
    inside = np.s_[down:-down, across:-across]
    np.testing.assert_allclose(bicubic.resize(pixels, height, width)[inside], np.asarray(theirs)[inside], atol=2e-3)


def test_strips_change_no_pixel(monkeypatch):
    pixels = noise(48, 60)
    whole = [bicubic.shrink(pixels, 4), bicubic.enlarge(pixels, 3), bicubic.resize(pixels, 31, 100)]
    monkeypatch.setattr(bicubic, "STRIP", 1)
    for one, other in zip(whole, [bicubic.shrink(pixels, 4), bicubic.enlarge(pixels, 3), bicubic.resize(pixels, 31, 100)]):
        np.testing.assert_array_equal(one, other)


def test_what_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="48x61, which is no multiple of 4"):
        bicubic.shrink(noise(48, 61), 4)
