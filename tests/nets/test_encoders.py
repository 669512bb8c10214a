"""Encoders: the shape and range of what they return, and that one was made of layers that a discriminator has."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxgan.errors import UserError
from jaxgan.nets import DISCRIMINATORS, ENCODERS


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (64, 64, 1)])
@pytest.mark.parametrize("name", ENCODERS)
def test_the_code_of_every_size(name, shape):
    net = ENCODERS[name](z_dim=5, dtype=jnp.float32, width=2)
    made = jax.eval_shape(
        lambda key, x: net.init_with_output(key, x, train=True)[0], jax.random.key(0), jnp.zeros((3, *shape))
    )
    assert made.shape == (3, 5) and made.dtype == jnp.float32


@pytest.mark.parametrize("name", ENCODERS)
def test_tanh_is_of_the_same_code(name):
    nets = [ENCODERS[name](z_dim=5, dtype=jnp.float32, width=2, norm="layer", output=out) for out in ("linear", "tanh")]
    image = jax.random.normal(jax.random.key(1), (3, 12, 12, 1))
    variables = nets[0].init(jax.random.key(0), image, train=False)
    variables["params"]["z"]["kernel"] *= 100
    free, held = (net.apply(variables, image, train=True) for net in nets)
    assert float(jnp.abs(free).max()) > 1
    np.testing.assert_allclose(held, jnp.tanh(free), atol=1e-6)


@pytest.mark.parametrize("name", ENCODERS)
def test_how_far_it_halves(name):
    """28 px: down to 4 (dcgan, as its discriminator) or to 7 (resnet, as its generator)."""
    net, image = ENCODERS[name](z_dim=5, dtype=jnp.float32, width=2), jnp.zeros((2, 28, 28, 1))
    params = jax.eval_shape(lambda key: net.init(key, image, train=False), jax.random.key(0))["params"]
    assert params["z"]["kernel"].shape == {"dcgan": (4 * 4 * 8, 5), "resnet": (7 * 7 * 4, 5)}[name]


def test_a_dcgan_s_encoder_is_its_discriminator_with_another_head():
    image = jnp.zeros((2, 28, 28, 1))
    enc = ENCODERS["dcgan"](z_dim=5, dtype=jnp.float32, width=2)
    disc = DISCRIMINATORS["dcgan"](dtype=jnp.float32, num_classes=0, width=2)
    made = [jax.eval_shape(lambda key, net=net: net.init(key, image, train=False), jax.random.key(0)) for net in (enc, disc)]
    ours, theirs = (flatten_dict(x["params"]) for x in made)
    bodies = [{path: x.shape for path, x in own.items() if path[0] not in ("z", "Dense_0")} for own in (ours, theirs)]
    assert bodies[0] == bodies[1] and ("z", "kernel") in ours and ("Dense_0", "kernel") in theirs


@pytest.mark.parametrize("name", ENCODERS)
def test_points_and_odd_sides_are_refused(name):
    net = ENCODERS[name](z_dim=5, dtype=jnp.float32)
    with pytest.raises(UserError, match="convolutions want images"):
        net.init(jax.random.key(0), jnp.zeros((2, 2)), train=False)
    with pytest.raises(UserError, match="multiples of 4"):
        net.init(jax.random.key(0), jnp.zeros((2, 30, 30, 1)), train=False)
