import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.config import schedules


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("linear(2, 0, 10, 20)", [2, 2, 1.5, 1, 0, 0]),
        ("cosine(2, 1, 10, 20)", [2, 2, 1.5 + 8**-0.5, 1.5, 1, 1]),
        ("geometric(4, 1, 10, 20)", [4, 4, 8**0.5, 2, 1, 1]),
    ],
)
def test_shapes(text, values):
    schedule = schedules.parse(text)
    np.testing.assert_allclose([schedule(jnp.float32(k)) for k in (0, 10, 12.5, 15, 20, 99)], values, rtol=1e-6)


def test_shares_of_the_run():
    schedule = schedules.parse("linear(2, 0, 50%, 100.0 %)", run=20)
    np.testing.assert_allclose([schedule(jnp.float32(k)) for k in (0, 10, 15, 20, 99)], [2, 2, 1, 0, 0], rtol=1e-6)


def test_constants_and_evaluate():
    hparams = {"a": schedules.parse(0.25), "b": schedules.parse("linear(0, 1, 0, 4)")}
    assert schedules.evaluate(hparams, jnp.float32(1)) == {"a": 0.25, "b": 0.25}


def test_a_jump_where_the_ends_coincide():
    jump = schedules.parse("linear(1, 3, 5, 5)")
    assert [float(jump(jnp.float32(k))) for k in (4.9, 5.1)] == [1, 3]


@pytest.mark.parametrize(
    "text",
    ["linear(1, 2, 3)", "linea(1, 2, 3, 4)", "fast", "linear(a, 2, 3, 4)", "linear(1, 2, %, 4)"],
)
def test_what_is_no_schedule(text):
    with pytest.raises(ValueError, match="no number and no schedule"):
        schedules.parse(text)
