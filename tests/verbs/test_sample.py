"""What `--mode=sample` writes, and that the same order gives the same bytes."""

import jax
import numpy as np
import pytest
from helpers import noise_images, plan_of, tiny
from PIL import Image

from jaxgan.errors import UserError
from jaxgan.plan import Plan
from jaxgan.sections import open_data
from jaxgan.training.train import train
from jaxgan.verbs.sample_request import sample_request
from jaxgan.verbs.sampling import STRIP, sample


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "wgan"
    train(plan_of("wgan.py"), noise_images(), folder)
    return folder


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "ring"
    config = tiny("toy.py:ring")
    images = open_data(config)
    train(Plan(config, images.features), images, folder)
    return folder


def order(**flags):
    return sample_request(**flags)


def array(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize(
    ("flags", "count", "columns"),
    [
        ({}, 64, None),
        ({"num": 5}, 5, None),
        ({"grid": "8x4"}, 32, 8),
        ({"seeds": "0-3,9"}, 5, None),
        ({"interpolate": 4}, 8, None),
    ],
)
def test_orders(flags, count, columns):
    made = order(**flags)
    assert len(made.seeds) == count and made.columns == columns
    assert order(seeds="0-3,9").seeds == (0, 1, 2, 3, 9)


@pytest.mark.slow
def test_a_grid_has_columns_and_rows(run):
    picture = array(sample(run, order(grid="4x2")))
    assert picture.shape == (2 * 12, 4 * 12)


def test_the_same_number_is_the_same_image_everywhere(run, tmp_path):
    grid = array(sample(run, order(num=6, out=str(tmp_path / "g.png"), grid="6x1")))
    with np.load(sample(run, order(seeds="5,2", out=str(tmp_path / "a.npz")))) as saved:
        arrays = saved["images"]
    folder = sample(run, order(seeds="2,5", out=str(tmp_path / "each")))
    for at, seed in enumerate((5, 2)):
        tile = grid[:, 12 * seed : 12 * (seed + 1)]
        np.testing.assert_array_equal(tile, arrays[at, ..., 0])
        np.testing.assert_array_equal(tile, array(folder / f"seed{seed:08d}.png"))


def test_twice_is_the_same_and_raw_is_another(run, tmp_path):
    content = [sample(run, order(num=3, out=str(tmp_path / f"{i}.npz"))).read_bytes() for i in range(2)]
    assert content[0] == content[1]
    raw, mean = (array(sample(run, order(num=3, ema=ema))) for ema in (False, True))
    assert (raw != mean).any()


def test_interpolation(run, tmp_path):
    path = sample(run, order(seeds="0-2", interpolate=4, out=str(tmp_path / "walk.gif")))
    with Image.open(path) as animation:
        assert animation.n_frames == 3 * 4 and animation.size == (12, 12)
    strip, ends = array(tmp_path / "walk_strip.png"), array(sample(run, order(seeds="0-2", grid="3x1")))
    assert strip.shape == (2 * 12, STRIP * 12)
    np.testing.assert_array_equal(strip[:12, :12], ends[:, :12])  # the first row goes from 0 ...
    np.testing.assert_array_equal(strip[:12, -12:], ends[:, 12:24])  # ... to 1, the second from there
    np.testing.assert_array_equal(strip[12:, :12], ends[:, 12:24])


def test_interpolated_latents_keep_their_norm():
    task = plan_of("wgan.py", task__z_dim=512).task()
    a, b = (task.draw(jax.random.split(jax.random.key(i), 16)) for i in range(2))
    for t in (0.0, 0.3, 0.5, 1.0):
        z = task.blend(a, b, np.full(16, t, np.float32))["z"]
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), np.sqrt(512), rtol=0.15)
    np.testing.assert_allclose(task.blend(a, b, np.zeros(16, np.float32))["z"], a["z"], atol=1e-5)
    np.testing.assert_allclose(task.blend(a, a, np.full(16, 0.5, np.float32))["z"], a["z"], atol=1e-5)


@pytest.mark.slow
def test_points_are_a_scatter_plot_or_arrays(points, tmp_path):
    assert array(sample(points, order(num=100))).shape == (480, 480, 3)
    with np.load(sample(points, order(num=100, out=str(tmp_path / "p.npz")))) as saved:
        assert saved["images"].shape == (100, 2) and saved["images"].dtype == np.float32
    for flags in ({"out": str(tmp_path / "each")}, {"interpolate": 3}):
        with pytest.raises(UserError, match="points have no pictures of their own"):
            sample(points, order(**flags))
