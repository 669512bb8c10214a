"""Bicubic interpolation as a network equals that of whole pictures in numpy."""

import jax
import numpy as np
import pytest

from jaxgan.data import bicubic
from jaxgan.nets.bicubic import Generator


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_is_what_numpy_makes(scale):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 10, 3), dtype=np.uint8)
    net = Generator((28, 40, 3), "float64", scale)
    with jax.enable_x64(True):
        made = net.apply({}, pixels[None].astype(np.float64), train=False)
    expected = bicubic.resize(pixels, 7 * scale, 10 * scale)
    np.testing.assert_allclose(np.asarray(made)[0], expected, atol=1e-9)
