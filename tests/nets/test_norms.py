"""Norms against their definitions in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.nets import layers

AXES = {"batch": (0, 1, 2), "layer": (1, 2, 3), "instance": (1, 2)}
RNG = np.random.default_rng(0)
VALUES = {  # [N, H, W, C]
    "plain": 3 + 2 * RNG.standard_normal((4, 6, 5, 3)),
    "mean 1000 deviations": 1000 + RNG.standard_normal((4, 16, 16, 3)),
    "mean -3000 deviations": -30 + 0.01 * RNG.standard_normal((4, 16, 16, 3)),
    "low contrast": 0.5 + 1e-3 * RNG.standard_normal((4, 6, 5, 3)),
    "constant": np.full((4, 6, 5, 3), 7.0),
}


def by_hand(kind, x, epsilon):
    """(normalised, standard deviation) in float64."""
    x = np.asarray(x, np.float64)
    deviation = np.sqrt(x.var(AXES[kind], keepdims=True) + epsilon)
    return (x - x.mean(AXES[kind], keepdims=True)) / deviation, deviation


def rounding(x, deviation):
    """How far off float32 may be: means to 2e-6 of the values."""
    return 1e-5 + 2e-6 * np.abs(x).max() / deviation.min()


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("kind", AXES)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_norms_are_exact(kind, name, dtype):
    x = jnp.asarray(VALUES[name], jnp.float32).astype(dtype)
    y = layers.Norm(kind, dtype).init_with_output(jax.random.key(0), x, True)[0]
    assert y.dtype == dtype
    exact = np.asarray(x, np.float64)
    want, deviation = by_hand(kind, exact, 1e-5)  # the authors' epsilon
    step = 2**-8 if dtype == jnp.bfloat16 else 0.0  # of what is written down
    np.testing.assert_allclose(np.asarray(y, np.float64), want, rtol=step, atol=rounding(exact, deviation))


@pytest.mark.parametrize("kind", AXES)
def test_slopes_of_norms_are_exact(kind):
    """d/dx of sum(g y) is (g - mean g - y mean(g y)) / deviation."""
    x = jnp.asarray(VALUES["mean 1000 deviations"], jnp.float32)
    g = RNG.standard_normal(x.shape)
    norm = layers.Norm(kind)
    variables = norm.init(jax.random.key(0), x, True)

    def weighted(x):
        return jnp.sum(jnp.float32(g) * norm.apply(variables, x, True, mutable=["batch_stats"])[0])

    y, deviation = by_hand(kind, x, 1e-5)
    over = {"axis": AXES[kind], "keepdims": True}
    want = (g - g.mean(**over) - y * (g * y).mean(**over)) / deviation
    np.testing.assert_allclose(jax.grad(weighted)(x), want, rtol=0, atol=5 * rounding(x, deviation))


@pytest.mark.parametrize("kind", AXES)
def test_epsilon(kind):
    x = jnp.asarray(VALUES["low contrast"], jnp.float32)
    y = layers.Norm(kind, epsilon=1e-6).init_with_output(jax.random.key(0), x, True)[0]
    want, deviation = by_hand(kind, x, 1e-6)
    np.testing.assert_allclose(y, want, atol=rounding(x, deviation))
