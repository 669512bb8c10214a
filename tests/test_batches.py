"""Batches of one size: nothing is left out or counted twice."""

import numpy as np
import pytest

from jaxgan.batches import batches, in_batches


@pytest.mark.parametrize(("n", "size"), [(10, 4), (8, 4), (3, 4), (1, 1)])
def test_each_example_counts_once(n, size):
    found = list(batches(n, size))
    assert all(rows.shape == (size,) and rows.max() < n for rows, _ in found)
    assert np.concatenate([rows[:count] for rows, count in found]).tolist() == list(range(n))


def test_a_function_sees_one_shape_and_its_answers_stay_in_order():
    shapes = set()

    def double(x, y):
        shapes.add(x.shape)
        return 2 * x + y

    x = np.arange(10)
    np.testing.assert_array_equal(in_batches(double, 4, x, y=10 * x), 12 * x)
    assert shapes == {(4,)}
    assert in_batches(double, 64, x, y=x).tolist() == (3 * x).tolist() and shapes == {(4,), (10,)}
