"""Pictures of points in the plane: what they show is where it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import tiny
from PIL import Image

from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import features_of
from jaxgan.generate import trained
from jaxgan.plan import Plan
from jaxgan.sections import open_data, sections
from jaxgan.training.landscape import LEVELS, draw_points, make_landscape
from jaxgan.training.train import train

REAL = np.array([[-1.0, -1], [1, 1]])


def is_blue(picture):
    return picture[..., 2].astype(int) > picture[..., 0].astype(int) + 50


def test_a_scatter_plot_shows_points_over_real_ones_in_a_steady_frame():
    empty = draw_points(np.full((1, 2), 99.0), REAL)  # outside of the frame
    shown = draw_points(np.zeros((50, 2)), REAL)
    assert empty.shape == shown.shape == (480, 480, 3) and empty.dtype == np.uint8
    middle = (slice(200, 280), slice(200, 280))
    assert is_blue(shown[middle]).sum() > 4 and not is_blue(empty[middle]).any()
    assert draw_points(np.zeros((50, 1)), np.ones((4, 1))).shape == (480, 480, 3)


@pytest.mark.parametrize("loss", ["nonsaturating", "wasserstein", "relativistic"])
@pytest.mark.parametrize("pack", [1, 3])
def test_the_landscape_is_the_discriminators_and_the_field_the_losses(loss, pack):
    """A discriminator w . x: logits rise along w, and every loss pushes samples that way."""
    config = tiny("toy.py:ring", batch_size=12, critic__pack=pack, objective__loss=loss)
    config = resolve_config(config, [(f"nets.disc.{k}", v) for k, v in (("name", "dirac"), ("start", "0.5"))], sections)
    plan = Plan(config, features_of((2,)))
    nets = trained(plan, plan.init(jax.random.key(0)), ema=False)
    landscape = make_landscape(plan, np.array([[-1.0, -1], [1, 1]] * 20, np.float32))
    assert landscape
    found = landscape(nets, jnp.zeros((40, 2)))
    left, right, bottom, top = found.frame
    x, y = np.meshgrid(np.linspace(left, right, LEVELS), np.linspace(bottom, top, LEVELS))
    np.testing.assert_allclose(found.logits, (x + y) / 2, atol=1e-5)  # the other fakes of a pack lie at 0
    slopes = np.asarray(found.slopes)
    assert (slopes > 0).all() and np.allclose(slopes[..., 0], slopes[..., 1])
    if loss == "wasserstein":
        np.testing.assert_allclose(slopes, 0.5, rtol=1e-5)
    else:  # where the discriminator is fooled already, there is less to gain
        assert slopes[0, 0, 0] > slopes[-1, -1, 0]
    flat = draw_points(np.zeros((5, 2)), REAL, found)
    assert flat.shape == (480, 960, 3)


@pytest.mark.slow
def test_a_run_in_the_plane_leaves_an_animation(tmp_path):
    config = tiny("toy.py:grid", steps=4, sample__every=2, data__points=200)
    images = open_data(config)
    train(Plan(config, images.features), images, tmp_path / "run")
    with Image.open(tmp_path / "run" / "samples" / "training.gif") as animation:
        assert animation.n_frames == 2 and animation.size == (960, 480)
