"""Spectral norms of any player's networks advance in its main updates, and reach the largest singular values."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_images, plan_of

from jaxgan import program, spectral
from jaxgan.nets.layers import ConvTranspose, Dense


class Painter(nn.Module):
    """A generator of a user's own, under spectral norm."""

    image_shape: tuple[int, int, int]
    dtype: Any

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        x = nn.relu(Dense(6 * 6 * 4, dtype=self.dtype, spectral=True)(z)).reshape(-1, 6, 6, 4)
        return jnp.tanh(ConvTranspose(self.image_shape[2], dtype=self.dtype, spectral=True)(x))


OVERRIDES = {
    "nets__gen__name": f"{__name__}:Painter",
    "nets__disc__norm": "spectral",
    "objective__loss": "hinge",
    "optim__gen__lr": 0,  # kernels stand still, and the vectors converge
    "optim__disc__lr": 0,
}


def layers(state, player):
    """{layer: (kernel as a matrix, u)}."""
    out, params = {}, state.params[player]
    for path, u in jax.tree_util.tree_leaves_with_path(state.model_state[player]["spectral"]):
        layer = params
        for key in path[:-1]:
            layer = layer[key.key]
        kernel = np.asarray(layer["kernel"], np.float64)
        out[jax.tree_util.keystr(path[:-1])] = kernel.reshape(-1, kernel.shape[-1]), np.asarray(u, np.float64)
    return out


def after(state, plan, steps):
    images = noise_images()
    return jax.jit(program.make_program(plan, images))(state, plan.inputs, images.load(), np.int32(steps))[0]


@pytest.fixture(scope="module")
def run():
    plan = plan_of("dcgan.py", **OVERRIDES)
    return plan, plan.init(jax.random.key(0))


@pytest.mark.parametrize("player", ["gen", "disc"])
def test_sigma_is_the_true_one_after_convergence(run, player):
    plan, start = run
    end = after(start, plan, 300)
    found = layers(end, player)
    assert len(found) >= 2
    for name, (matrix, u) in found.items():
        v = matrix @ u / np.linalg.norm(matrix @ u)
        assert v @ matrix @ u == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0], rel=1e-3), name
        assert len(u) == 1 or np.abs(u - layers(start, player)[name][1]).max() > 1e-3, "the vectors moved"


@pytest.mark.parametrize("player", ["gen", "disc"])
def test_a_step_is_one_power_iteration(run, player):
    plan, start = run
    expected = spectral.advance(start.params[player], start.model_state[player]["spectral"])
    found = after(start, plan, 1).model_state[player]["spectral"]
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "fields, steps, iterations",
    [
        ({"objective__terms__r1__weight": 1, "objective__terms__r1__every": 2}, 2, 2),  # R1's own update, at step 0, is none
        ({"rounds__disc": 3}, 1, 3),
    ],
)
def test_main_rounds_advance_and_lazy_terms_do_not(fields, steps, iterations):
    plan = plan_of("dcgan.py", **OVERRIDES, **fields)
    start = plan.init(jax.random.key(0))
    expected = start.model_state["disc"]["spectral"]
    for _ in range(iterations):
        expected = spectral.advance(start.params["disc"], expected)
    found = after(start, plan, steps).model_state["disc"]["spectral"]
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
