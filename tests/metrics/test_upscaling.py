"""Scores of enlarged pictures: which colours, which border, and scikit-image's numbers where it has the same conventions."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics import pairs
from jaxgan.metrics.upscaling import LEAST, bootstrap_interval, of_picture


def pictures(side=40, channels=3):
    rng = np.random.default_rng(0)
    true = rng.integers(0, 256, (side, side + 4, channels), dtype=np.uint8)
    return true, np.clip(true.astype(int) + rng.integers(-9, 10, true.shape), 0, 255).astype(np.uint8)


def test_the_border_counts_for_nothing():
    true, made = pictures()
    found = of_picture(true, made, 4)
    spoiled = made.copy()
    spoiled[:4], spoiled[-4:], spoiled[:, :4], spoiled[:, -4:] = 0, 0, 0, 0
    assert of_picture(true, spoiled, 4) == found
    assert of_picture(true, spoiled, 3)["psnr_y"] < found["psnr_y"]
    assert of_picture(true, made, 0) != found


def test_luminance_is_above_the_colours_by_its_range_and_more_where_channels_err_apart():
    found = of_picture(*pictures(), 0)
    grey, other = (np.repeat(x, 3, -1) for x in pictures(channels=1))
    alike = of_picture(grey, other, 0)  # channels err alike: what is left is the range of 219 levels
    assert alike["psnr_y"] - alike["psnr_rgb"] == pytest.approx(20 * np.log10(255 / 219), abs=1e-9)
    assert found["psnr_y"] > found["psnr_rgb"] + 2 and 0 < found["ssim_rgb"] < 1


def test_grey_pictures():
    found = of_picture(*pictures(channels=1), 2)
    assert found["psnr_y"] == found["psnr_rgb"] and found["ssim_y"] == found["ssim_rgb"]


def test_the_numbers_of_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    true, made = pictures()
    found = of_picture(true, made, 4)
    inside = (slice(4, -4), slice(4, -4))
    a, b = true[inside], made[inside]
    assert found["psnr_rgb"] == pytest.approx(metrics.peak_signal_noise_ratio(a, b, data_range=255), abs=1e-9)
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    theirs = metrics.structural_similarity(a.astype(float), b.astype(float), channel_axis=-1, **how)
    assert found["ssim_rgb"] == pytest.approx(theirs, abs=1e-9)
    y = [pairs.luminance(x) for x in (a, b)]
    assert found["psnr_y"] == pytest.approx(metrics.peak_signal_noise_ratio(*y, data_range=255), abs=1e-9)
    assert found["ssim_y"] == pytest.approx(metrics.structural_similarity(*y, **how), abs=1e-9)


def test_what_cannot_be_compared_is_refused():
    true, made = pictures(LEAST + 8)
    of_picture(true, made, 4)
    with pytest.raises(UserError, match="a picture of 19x23 is too small to score: without 5 pixels at each edge, 11 are"):
        of_picture(true, made, 5)
    with pytest.raises(UserError, match=r"unlike shapes, \[19, 23, 3\] and \[18, 23, 3\]"):
        of_picture(true, made[1:], 0)


def test_an_interval_over_pictures():
    low, high = bootstrap_interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert 1 < low < 2.5 and 3.5 < high < 5 and bootstrap_interval(np.full(4, 0.5)) == (0.5, 0.5)
