"""Closed forms of the adversarial losses, and of their slopes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.objectives import losses

LOSSES: dict[str, tuple[Any, Any]] = dict(losses.LOSSES)
REAL, FAKE = np.array([0.5, -1.0, 2.0]), np.array([1.5, -0.25, 0.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


CLOSED = {
    "minimax": (
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
        np.log(1 - sigmoid(FAKE)).mean(),
    ),
    "nonsaturating": (
        -np.log(sigmoid(REAL)).mean() - np.log(1 - sigmoid(FAKE)).mean(),
        -np.log(sigmoid(FAKE)).mean(),
    ),
    "lsgan": (((REAL - 1) ** 2).mean() / 2 + (FAKE**2).mean() / 2, ((FAKE - 1) ** 2).mean() / 2),
    "hinge": (np.maximum(0, 1 - REAL).mean() + np.maximum(0, 1 + FAKE).mean(), -FAKE.mean()),
    "wasserstein": (FAKE.mean() - REAL.mean(), -FAKE.mean()),
    "relativistic": (-np.log(sigmoid(REAL - FAKE)).mean(), -np.log(sigmoid(FAKE - REAL)).mean()),
    "relativistic_average": (
        (-np.log(sigmoid(REAL - FAKE.mean())).mean() - np.log(1 - sigmoid(FAKE - REAL.mean())).mean()) / 2,
        (-np.log(1 - sigmoid(REAL - FAKE.mean())).mean() - np.log(sigmoid(FAKE - REAL.mean())).mean()) / 2,
    ),
}


def test_every_loss_has_a_closed_form_here():
    assert CLOSED.keys() | {"none", "bce_critic"} == LOSSES.keys() and LOSSES["none"] == (None, None)
    assert LOSSES["bce_critic"] == (LOSSES["minimax"][0], None)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    disc, gen = LOSSES[name]
    np.testing.assert_allclose([disc(REAL, FAKE), gen(REAL, FAKE)], CLOSED[name], rtol=1e-6)


@pytest.mark.parametrize("name", CLOSED)
def test_both_players_pull_the_right_way(name):
    """At 0 the discriminator raises real logits and lowers fake ones; the generator raises fake ones."""
    disc, gen = LOSSES[name]
    zero = jnp.zeros(2)
    real, fake = jax.grad(disc, (0, 1))(zero, zero)
    assert (real < 0).all() and (fake >= 0).all()
    assert (fake > 0).all() or name == "lsgan"  # whose target for fakes is 0 itself
    assert (jax.grad(gen, 1)(zero, zero) < 0).all()


@pytest.mark.parametrize("name", CLOSED)
def test_logits_far_out_stay_finite(name):
    for loss in LOSSES[name]:
        for real, fake in [(1e4, -1e4), (-1e4, 1e4)]:
            value, grads = jax.value_and_grad(loss, (0, 1))(jnp.array([real]), jnp.array([fake]))
            assert np.isfinite([value, *grads[0], *grads[1]]).all()


def test_scales_count_alike_whatever_their_size():
    disc, _ = LOSSES["wasserstein"]
    real = {"coarse": jnp.ones((2, 1)), "fine": jnp.full((2, 4, 4), 3.0)}
    assert float(disc(real, jax.tree.map(jnp.zeros_like, real))) == -2


def test_the_relativistic_average_takes_batches_of_unlike_numbers():
    disc, gen = LOSSES["relativistic_average"]
    more = np.concatenate([FAKE, FAKE])
    np.testing.assert_allclose([disc(REAL, more), gen(REAL, more)], CLOSED["relativistic_average"], rtol=1e-6)
