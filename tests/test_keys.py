import jax
import numpy as np

from jaxgan.keys import Keys


def data(keys):
    return np.asarray(jax.random.key_data(keys))


def test_each_coordinate_draws_anew():
    root = jax.random.key(0)
    coordinates = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    keys = [data(Keys(root, *at, 4)(role)) for at in coordinates for role in ("z", "alpha")]
    assert len(np.unique(np.concatenate(keys), axis=0)) == len(keys) * 4


def test_a_row_has_the_same_key_in_any_batch():
    root = jax.random.key(7)
    np.testing.assert_array_equal(data(Keys(root, 3, 1, 2, 8)("z"))[:4], data(Keys(root, 3, 1, 2, 4)("z")))


def test_shared_keys_are_one():
    assert Keys(jax.random.key(0), 0, 0, 0, 4).shared("path").shape == ()
