"""Full-reference scores: closed forms, the formulas window by window, and scikit-image's numbers."""

import tracemalloc

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.pairs import l1, luminance, psnr, ssim

# Of `noisy()`, by scikit-image 0.26.0: structural_similarity(x, y, gaussian_weights=True, sigma=1.5,
# use_sample_covariance=False, data_range=255, channel_axis=-1) and peak_signal_noise_ratio(x, y, data_range=255).
SKIMAGE_SSIM = [0.9976447514278988, 0.879431829783591, 0.27849485623784614]
SKIMAGE_PSNR = [34.36541012639414, 16.81709083029104, 7.3657214488086975]


def noisy():
    """Three images and the same with a little, some and much noise."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (3, 24, 31, 3)).astype(np.uint8)
    noise = rng.normal(size=a.shape) * np.array([5.0, 40, 200])[:, None, None, None]
    return a, np.clip(np.rint(a + noise), 0, 255).astype(np.uint8)


def flat(*values, shape=(12, 13, 3)):
    return np.stack([np.full(shape, value, np.uint8) for value in values])


def ssim_by_windows(x, y):
    """Wang et al. 2004, eq. 13 to 17, of [H, W, C]: the statistics of each window about its own mean."""
    weights = np.array([[np.exp(-(i * i + j * j) / (2 * 1.5**2)) for j in range(-5, 6)] for i in range(-5, 6)])
    weights /= weights.sum()
    c1, c2, found = (0.01 * 255) ** 2, (0.03 * 255) ** 2, []
    for channel in range(x.shape[2]):
        for top in range(x.shape[0] - 10):
            for left in range(x.shape[1] - 10):
                p, q = (s[top : top + 11, left : left + 11, channel].astype(float) for s in (x, y))
                mp, mq = (weights * p).sum(), (weights * q).sum()
                vp, vq = (weights * (p - mp) ** 2).sum(), (weights * (q - mq) ** 2).sum()
                cov = (weights * (p - mp) * (q - mq)).sum()
                found.append((2 * mp * mq + c1) * (2 * cov + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    return sum(found) / len(found)


def test_constant_offsets_in_closed_form():
    a, b = flat(250, 0, 100, 7), flat(5, 255, 101, 7)  # in uint8, 5 - 250 is 11
    d = np.array([245, 255, 1])
    np.testing.assert_allclose(l1(a, b), [*d / 255, 0], rtol=1e-15)
    np.testing.assert_allclose(psnr(a, b)[:3], 20 * np.log10(255 / d), rtol=1e-14, atol=1e-14)
    p, q, c1 = a[:, 0, 0, 0].astype(float), b[:, 0, 0, 0].astype(float), 2.55**2
    np.testing.assert_allclose(ssim(a, b), (2 * p * q + c1) / (p**2 + q**2 + c1), rtol=1e-10)


def test_differences_weigh_all_pixels_and_channels_of_an_image_alike():
    a, b = flat(100, 100, shape=(4, 5, 3)), flat(100, 100, shape=(4, 5, 3))
    b[0, 3, 4, 2] = 160
    b[1, 0, 0] = 40, 100, 160
    np.testing.assert_allclose(l1(a, b), [60 / 60 / 255, 120 / 60 / 255], rtol=1e-14)
    np.testing.assert_allclose(psnr(a, b), 10 * np.log10(255**2 / np.array([3600 / 60, 7200 / 60])), rtol=1e-14)


def test_identical_images_have_the_best_score_and_a_finite_one():
    a, _ = noisy()
    assert l1(a, a).tolist() == [0, 0, 0]
    assert ssim(a, a).tolist() == [1, 1, 1]
    assert psnr(a, a.copy()).tolist() == [100, 100, 100]
    almost = a.astype(np.float64)
    almost[0] += 1e-3
    almost[1] += 2.56e-3
    np.testing.assert_allclose(psnr(a, almost), [100, 20 * np.log10(255 / 2.56e-3), 100], rtol=1e-9)  # the second: 99.97


def test_ssim_window_by_window():
    a, b = noisy()
    a, b = a[:, :14, 8:21], b[:, :14, 8:21]
    np.testing.assert_allclose(ssim(a, b), [ssim_by_windows(x, y) for x, y in zip(a, b)], rtol=1e-12)
    one = a[:, :11, :11], b[:, :11, :11]  # a single window
    np.testing.assert_allclose(ssim(*one), [ssim_by_windows(x, y) for x, y in zip(*one)], rtol=1e-12)
    x = np.random.default_rng(1).uniform(0, 255, (2, 12, 15))
    y = 0.3 * x[:, ::-1] + 50  # floats without channels
    np.testing.assert_allclose(ssim(x, y), [ssim_by_windows(p[..., None], q[..., None]) for p, q in zip(x, y)], rtol=1e-12)


def test_as_scikit_image():
    a, b = noisy()
    np.testing.assert_allclose(ssim(a, b), SKIMAGE_SSIM, rtol=0, atol=1e-13)
    np.testing.assert_allclose(psnr(a, b), SKIMAGE_PSNR, rtol=1e-13)


@pytest.mark.parametrize("score", [l1, psnr, ssim])
def test_what_does_not_change_a_score(score):
    a, b = noisy()
    value = score(a, b)
    assert value.shape == (3,) and value.dtype == np.float64 and len(set(value)) == 3
    np.testing.assert_array_equal(score(b, a), value)
    np.testing.assert_array_equal(score(a[::-1], b[::-1]), value[::-1])  # each pair by itself
    np.testing.assert_array_equal(score(a.astype(np.float32), b), value)
    np.testing.assert_allclose(score(a[:, ::-1], b[:, ::-1]), value, rtol=1e-12)
    np.testing.assert_allclose(score(a.swapaxes(1, 2), b.swapaxes(1, 2)), value, rtol=1e-12)
    np.testing.assert_allclose(score(a[..., ::-1], b[..., ::-1]), value, rtol=1e-12)
    if score is not ssim:
        np.testing.assert_allclose(score(255 - a, 255 - b), value, rtol=1e-12)
    assert score(a[:0], b[:0]).shape == (0,)
    before = a.copy(), b.copy()
    score(a, b)
    np.testing.assert_array_equal((a, b), before)


def test_luminance_of_known_colours():
    """White and black are 235 and 16 in BT.601; the primaries' shares are its 65.481, 128.553 and 24.966."""
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [51, 102, 204]], np.uint8)
    expected = [235, 16, 81.481, 144.553, 40.966, 16 + 0.2 * 65.481 + 0.4 * 128.553 + 0.8 * 24.966]
    y = luminance(colours)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, expected, rtol=1e-14)
    np.testing.assert_allclose(luminance(colours.astype(np.float32)), expected, rtol=1e-14)
    assert luminance(np.zeros((2, 5, 7, 3), np.uint8)).shape == (2, 5, 7)


def test_scores_of_luminance():
    a, b = noisy()
    y, made = luminance(a), luminance(b)
    np.testing.assert_allclose(psnr(y, made), 10 * np.log10(255**2 / ((y - made) ** 2).mean((1, 2))), rtol=1e-12)
    np.testing.assert_array_equal(ssim(y, made), ssim(y[..., None], made[..., None]))
    grey, lighter = flat(100), flat(110)
    assert psnr(luminance(grey), luminance(lighter))[0] == pytest.approx(20 * np.log10(255 / (10 * 219 / 255)))


@pytest.mark.parametrize("score", [l1, psnr, ssim])
def test_unlike_stacks_are_refused(score):
    a = np.zeros((2, 12, 12, 3), np.uint8)
    with pytest.raises(UserError, match=r"one shape, .* not \[2, 12, 12, 3\] and \[1, 12, 12, 3\]$"):
        score(a, a[:1])  # which numpy would broadcast
    with pytest.raises(UserError, match=r"not \[2, 12, 12, 3\] and \[2, 12, 12, 1\]$"):
        score(a, a[..., :1])
    with pytest.raises(UserError, match=r"not \[12, 12\] and \[12, 12\]$"):
        score(a[0, ..., 0], a[0, ..., 0])
    with pytest.raises(UserError, match=r"not \[2\] and \[2\]$"):
        score(a[:, 0, 0, 0], a[:, 0, 0, 0])


def test_small_images_and_other_channels_are_refused():
    for shape, told in (((2, 10, 40, 3), "10x40"), ((2, 40, 10), "40x10")):
        a = np.zeros(shape, np.uint8)
        with pytest.raises(UserError, match=f"window of 11x11 pixels, so images of {told} are too small"):
            ssim(a, a)
    for shape in ((2, 8, 8, 4), (2, 8, 8, 1), ()):
        with pytest.raises(UserError, match=r"luminance is of pixels \[\.\.\., 3\], not of"):
            luminance(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("score", [l1, psnr, ssim])
def test_memory_is_that_of_a_few_images(score):
    a, b = np.zeros((2, 100, 32, 32, 3), np.uint8)
    tracemalloc.start()
    try:
        score(a, b)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30 * 8 * a[0].size  # the float64 copy of one stack has 100 images
