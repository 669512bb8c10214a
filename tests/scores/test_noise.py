"""Gaussian noise that has a data set's mean and covariance."""

import numpy as np
import pytest
from helpers import noise_images

from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.placement import Placement
from jaxgan.scores import noise as module
from jaxgan.scores.noise import make_noise


def of(examples) -> Images:
    x = np.asarray(examples)
    return Images("some", Arrays(x, None, np.arange(len(x))), features_of(x.shape[1:]), True)


def drawn(images, seed=0, count=20_000, size=4096) -> np.ndarray:
    noise = make_noise(images, Placement(), size)
    return np.concatenate([np.asarray(x)[:counted] for x, counted in noise(seed, count)])


def assert_moments(got, x, more=0.0):
    """Mean and covariance of got [M, D] are those of x [N, D] within five standard errors. more: variance beside theirs."""
    wanted, m = np.cov(x.T, bias=True) + more * np.eye(x.shape[1]), len(got)
    variances = np.diag(wanted)
    assert np.all(np.abs(got.mean(0) - x.mean(0)) < 5 * np.sqrt(variances / m))
    errors = np.sqrt((wanted**2 + np.outer(variances, variances)) / m)  # of a Gaussian's sample covariance
    assert np.all(np.abs(np.cov(got.T) - wanted) < 5 * errors)


def points(n=300):
    """Two clumps, far from any Gaussian, stretched and turned."""
    rng = np.random.default_rng(0)
    x = rng.choice([-1, 1], (n, 1)) * [3.0, 1.0, 0.5] + rng.normal(0, 0.1, (n, 3))
    return (x + [5, 0, -100]).astype(np.float32)


def test_the_moments_of_points_and_of_pictures():
    assert_moments(drawn(of(points())), points())
    pictures = np.random.default_rng(1).integers(110, 145, (9, 2, 2, 1)).astype(np.uint8)  # far from 0 and 255
    got = drawn(of(pictures))
    assert got.dtype == np.uint8 and got.shape == (20_000, 2, 2, 1)
    assert_moments(got.reshape(-1, 4).astype(float), pictures.reshape(-1, 4), more=1 / 12)  # of rounding


def test_pictures_are_clipped_to_8_bits():
    got = drawn(noise_images(), count=100, size=8)
    assert got.shape == (100, 12, 12, 1) and (got == 0).any() and (got == 255).any()
    black = np.zeros((3, 2, 2, 3), np.uint8)
    assert not drawn(of(black), count=10, size=4).any()


def test_a_number_of_a_seed_is_always_the_same_noise():
    whole = drawn(of(points()), count=40, size=40)
    np.testing.assert_array_equal(whole, drawn(of(points()), count=40, size=40))
    np.testing.assert_allclose(whole[:30], drawn(of(points()), count=30, size=8), rtol=1e-6)  # in other batches
    assert not np.isclose(whole, drawn(of(points()), seed=1, count=40, size=40)).any(1).all()
    assert len(np.unique(whole, axis=0)) == 40


def test_some_images_stand_for_many(monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 50)
    chosen = np.random.default_rng(0).permutation(300)[:50]
    assert_moments(drawn(of(points())), points()[chosen])
    assert np.cov(points()[chosen].T)[0, 0] != pytest.approx(np.cov(points().T)[0, 0], rel=1e-3)
