"""Real-ESRGAN's degradation: a function of pixels and numbers; its kernels against closed forms and SciPy."""

import numpy as np
import pytest
from scipy.ndimage import convolve

from jaxgan.data import degrade


def noise(height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("scale", [2, 4])
def test_any_example_can_be_made_anew(scale):
    """In any order, and another number or seed is another example."""
    pixels = noise()
    first = [degrade.degraded(pixels, scale, i, 0) for i in range(12)]
    for i in reversed(range(12)):
        np.testing.assert_array_equal(degrade.degraded(pixels.copy(), scale, i, 0), first[i])
        assert first[i].dtype == np.uint8 and first[i].shape == (48 // scale, 64 // scale, 3)
    assert len({x.tobytes() for x in first} | {degrade.degraded(pixels, scale, 0, 1).tobytes()}) == 13
    np.testing.assert_array_equal(pixels, noise())


def test_what_comes_out_is_still_the_picture():
    """Of a step from dark to bright every degradation keeps which side is bright, and they differ in what they do to it."""
    pixels = np.random.default_rng(0).integers(30, 51, (64, 64, 3), dtype=np.uint8)  # levels, so that photons are many
    pixels[:, 32:] += 170
    found = np.stack([degrade.degraded(pixels, 4, i, 3).astype(float) for i in range(60)])
    dark, bright = found[:, :, :5].mean((1, 2, 3)), found[:, :, -5:].mean((1, 2, 3))
    off = np.abs(np.stack([dark - 40, bright - 210]))
    assert np.median(off) < 5 and off.max() < 60  # what strong noise loses where it is clipped
    noises = found[:, 4:-4, 1:6].std((1, 2, 3))
    assert noises.min() < 2 and noises.max() > 6 and np.ptp(noises) > 5


def test_tiny_pictures_do_not_break_it():
    for number in range(30):
        assert degrade.degraded(noise(4, 8), 4, number, 0).shape == (1, 2, 3)


@pytest.mark.parametrize("kind", degrade.KINDS)
def test_kernels_of_blurs(kind):
    """They sum to one, are the same turned by half a circle, and have the form that their name says."""
    for side in (7, 21):
        kernel = degrade.gaussian_kernel(kind, side, (2.0, 1.0), 0.5, 1.5)
        assert kernel.shape == (side, side) and kernel.sum() == pytest.approx(1) and kernel.min() >= 0
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-15)
    isotropic = np.allclose(kernel, kernel.T) and np.allclose(kernel, kernel[::-1])
    assert isotropic == (not kind.endswith("aniso"))
    plain = degrade.gaussian_kernel(kind.split()[-1], 21, (2.0, 1.0), 0.5, 1.0)
    gaussian = degrade.gaussian_kernel(kind, 21, (2.0, 1.0), 0.5, 1.0)
    assert np.allclose(gaussian, plain) == (not kind.startswith("plateau"))  # generalised ones of 1


def test_the_gaussian_has_the_axes_that_it_is_asked_for():
    """Its covariance, of a kernel wide enough to hold it: 3 pixels along 30 degrees, and 1.5 across."""
    kernel = degrade.gaussian_kernel("aniso", 41, (3.0, 1.5), np.pi / 6, 1.0)
    at = np.stack(np.mgrid[:41, :41][::-1] - 20, -1).reshape(-1, 2)
    covariance = (at[:, :, None] * at[:, None]).T @ kernel.ravel()
    axis = np.array([np.cos(np.pi / 6), np.sin(np.pi / 6)])
    expected = 9 * np.outer(axis, axis) + 2.25 * (np.eye(2) - np.outer(axis, axis))
    np.testing.assert_allclose(covariance, expected, atol=0.01)


@pytest.mark.parametrize("cutoff", [np.pi / 3, np.pi / 2])
def test_the_sinc_filter_passes_what_is_below_its_cutoff(cutoff):
    kernel = degrade.sinc_kernel(cutoff, 21)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-15)
    waves = np.arange(21) - 10
    responses = {share: (kernel * np.cos(share * cutoff * waves)).sum() for share in (0.4, 0.7, 1.4, 1.7)}
    assert abs(responses[0.4] - 1) < 0.1 and abs(responses[0.7] - 1) < 0.15
    assert abs(responses[1.4]) < 0.15 and abs(responses[1.7]) < 0.1
    edge = np.zeros((60, 60, 1))
    edge[:, 30:] = 1
    assert degrade.blurred(edge, kernel).max() > 1.03  # it rings


def test_blurring_is_a_convolution_with_mirrored_borders():
    x, kernel = noise(30, 40) / 255, np.random.default_rng(1).random((9, 9))
    expected = np.stack([convolve(plane, kernel, mode="reflect") for plane in np.moveaxis(x, -1, 0)], -1)
    np.testing.assert_allclose(degrade.blurred(x, kernel), expected, atol=1e-10)


@pytest.mark.parametrize("settings", [degrade.FIRST, degrade.SECOND])
def test_noise_and_sizes_are_those_of_the_settings(settings):
    rng, flat = np.random.default_rng(0), np.full((64, 64, 3), 0.5)
    deviations, greys = [], 0
    for _ in range(400):
        noise = degrade._noisy(flat, settings, rng) - flat
        deviations.append(noise.std() * 255)
        greys += np.ptp(noise, axis=-1).max() == 0
    assert min(deviations) < 3 and settings.gaussian[1] < max(deviations) < 128  # photon noise is the strongest
    assert 0.33 < greys / 400 < 0.47
    factors = np.array([degrade._sides(rng, settings, (1000, 1000)) for _ in range(2000)])[:, 0] / 1000
    shares = [(factors > 1).mean(), (factors < 1).mean(), (factors == 1).mean()]
    np.testing.assert_allclose(shares, settings.ways, atol=0.04)
    assert settings.sides[0] <= factors.min() < settings.sides[0] + 0.02
    assert settings.sides[1] - 0.02 < factors.max() <= settings.sides[1]
