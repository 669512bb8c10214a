import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.optim import Adam, Ema, RmsProp, Sgd, frozen

PARAMS = {"Dense_0": {"kernel": jnp.array([[1.0, -2.0], [0.5, 3.0]]), "bias": jnp.array([0.1, -0.1])}}
GRADS = {"Dense_0": {"kernel": jnp.array([[0.3, 0.1], [-0.2, 5.0]]), "bias": jnp.array([1.0, -1.0])}}


def steps(tx, n=3):
    params, state = PARAMS, tx.init(PARAMS)
    for _ in range(n):
        changes, state = tx.update(GRADS, state, params)
        params = optax.apply_updates(params, changes)
    return params


def assert_close(a, b):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-6), a, b)


def test_adam_is_optax_adam_with_traced_scalars():
    traced = jax.jit(lambda lr, b1: steps(Adam(lr=lr, b1=b1, b2=0.9).make(PARAMS)))(1e-2, 0.5)
    assert_close(traced, steps(optax.adam(1e-2, 0.5, 0.9)))


def test_rmsprop_is_pytorchs():
    """v <- .99 v + .01 g^2; p <- p - lr g / (sqrt(v) + eps)."""
    v, p, g = 0.0, np.float64(3.0), 5.0
    for _ in range(3):
        v = 0.99 * v + 0.01 * g * g
        p -= 1e-2 * g / (np.sqrt(v) + 1e-8)
    assert np.isclose(steps(RmsProp(lr=1e-2).make(PARAMS))["Dense_0"]["kernel"][1, 1], p, rtol=1e-6)


def test_sgd_with_momentum():
    assert_close(steps(Sgd(lr=0.1, momentum=0.9).make(PARAMS)), steps(optax.sgd(0.1, 0.9)))


def test_weight_clipping_and_gradient_clipping():
    clipped = steps(Sgd(lr=0.1, clip_weights=0.3).make(PARAMS))
    assert max(float(jnp.abs(x).max()) for x in jax.tree.leaves(clipped)) <= 0.3 + 1e-7
    one = steps(Sgd(lr=1.0, max_grad_norm=0.5).make(PARAMS), n=1)
    assert np.isclose(optax.tree.norm(jax.tree.map(jnp.subtract, one, PARAMS)), 0.5, rtol=1e-6)


def test_frozen_params_stay_and_have_no_say():
    tx = Sgd(lr=1.0, max_grad_norm=0.5, freeze="kernel").make(PARAMS)
    one = steps(tx, n=1)
    np.testing.assert_array_equal(one["Dense_0"]["kernel"], PARAMS["Dense_0"]["kernel"])
    moved = jnp.linalg.norm(one["Dense_0"]["bias"] - PARAMS["Dense_0"]["bias"])
    assert np.isclose(moved, 0.5, rtol=1e-6)
    with pytest.raises(ValueError, match="finds no param"):
        frozen(PARAMS, "Conv")


def test_the_correction_for_a_lazy_update():
    c = 16 / 17
    corrected = Adam(lr=0.02, b1=0.5, b2=0.99, clip_weights=1.0).corrected(c)
    assert np.allclose([corrected.lr, corrected.b1, corrected.b2], [0.02 * c, 0.5**c, 0.99**c])
    assert corrected.clip_weights == 1.0
    assert RmsProp(lr=0.02, decay=0.9).corrected(0.5) == RmsProp(lr=0.01, decay=0.9**0.5)
    assert Sgd(lr=1.0).corrected(c) == Sgd(lr=1.0)


def test_half_life_of_the_averages():
    ema = Ema(half_life_kimg=10.0, rampup=0.0)
    assert np.isclose(ema.decay(jnp.float32(0), 0.1) ** 100, 0.5, rtol=1e-5)
    ramped = Ema(half_life_kimg=10.0, rampup=0.05)
    assert np.isclose(ramped.decay(jnp.float32(20), 1.0), 0.5)  # half-life min(10, 5% of 20)
    assert np.isclose(ramped.decay(jnp.float32(1e6), 1.0), 0.5**0.1)
    assert float(ramped.decay(jnp.float32(0), 1.0)) == 0  # at the start, the average is the weights
    late = Ema(half_life_kimg=10.0, rampup=0.0, start_kimg=5.0)
    assert float(late.decay(jnp.float32(4.9), 1.0)) == 0 and np.isclose(late.decay(jnp.float32(5), 1.0), 0.5**0.1)
