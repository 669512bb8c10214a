"""Toy distributions: where their points lie, and runs of them."""

import numpy as np
import pytest

from jaxgan.data import toy


@pytest.mark.parametrize("name", sorted(toy.TOYS.keys() - {"dirac"}))
def test_points_are_a_function_of_seed_and_split(name):
    first, again = (toy.TOYS[name](points=500).open() for _ in range(2))
    assert first.image_shape == (2,) and first.resident and len(first) == 500
    points = first.load()["image"]
    assert points.dtype == np.float32 and points.shape == (500, 2)
    np.testing.assert_array_equal(points, again.load()["image"])
    for other in (toy.TOYS[name](points=500, split="test"), toy.TOYS[name](points=500, draw_seed=1)):
        assert not np.isin(points[:, 0], other.open().load()["image"][:, 0]).any()


def test_mixtures_are_where_the_papers_have_them():
    ring, grid = toy.Ring(), toy.Grid()
    np.testing.assert_allclose(np.linalg.norm(ring.centres(), axis=1), 1)
    assert {tuple(c) for c in grid.centres()} == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    for mixture in (ring, grid):
        data = mixture.open().load()
        away = data["image"] - mixture.centres()[data["label"]]
        assert away.std() == pytest.approx(mixture.std, rel=0.01)
        counts = np.bincount(data["label"])
        assert len(counts) == len(mixture.centres()) and counts.min() > 0.9 * counts.mean()


def test_swiss_roll_and_moons_are_thin():
    roll = toy.SwissRoll(noise=0.0, points=1000).open().load()["image"]
    radius = np.linalg.norm(roll, axis=1) * 7.5
    np.testing.assert_allclose(np.cos(radius), roll[:, 0] * 7.5 / radius, atol=1e-4)  # the angle is the radius
    assert radius.min() > 1.5 * np.pi - 1e-3 and radius.max() < 4.5 * np.pi + 1e-3
    moons = toy.Moons(noise=0.0, points=1000).open().load()
    centres = np.array([[0, 0], [1, 0.5]])[moons["label"]]
    np.testing.assert_allclose(np.linalg.norm(moons["image"] - centres, axis=1), 1, atol=1e-6)


def test_the_point_of_dirac_gan():
    images = toy.Dirac(points=7).open()
    assert images.image_shape == (1,) and images.features["image"].dtype == np.float32
    np.testing.assert_array_equal(images.load()["image"], np.zeros((7, 1)))
