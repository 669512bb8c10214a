"""Shapes, norms and precisions of every network that a config can name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxgan import spectral
from jaxgan.errors import UserError
from jaxgan.nets import DISCRIMINATORS, GENERATORS, dcgan, groups, layers

SHAPE = (12, 12, 3)
NETS = sorted(GENERATORS.keys() - {"dirac", "stylegan", "r3gan", "biggan"})  # whose norms cannot be chosen


def size(name):
    return {"widths": (8,)} if name == "mlp" else {"width": 4}


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("name", NETS)
def test_generators(name, norm):
    net = GENERATORS[name](SHAPE, jnp.float32, num_classes=0, norm=norm, **size(name))
    variables = net.init(jax.random.key(0), jnp.zeros((2, 5)), train=False)
    images, changed = net.apply(variables, jnp.ones((3, 5)), train=True, mutable=["batch_stats"])
    assert images.shape == (3, *SHAPE) and float(jnp.abs(images).max()) <= 1
    assert bool(changed) == (norm == "batch")


@pytest.mark.slow
@pytest.mark.parametrize("norm", layers.NORMS)
@pytest.mark.parametrize("name", NETS)
def test_discriminators(name, norm):
    net = DISCRIMINATORS[name](jnp.float32, num_classes=0, norm=norm, **size(name))
    variables = net.init(jax.random.key(0), jnp.zeros((2, *SHAPE)), train=False)
    image = jax.random.normal(jax.random.key(1), (3, *SHAPE))
    out, changed = net.apply(variables, image, train=True, mutable=["batch_stats"])
    assert out.logits.shape == (3,) and out.features.shape[0] == 3 and out.aux is None
    assert bool(changed.get("batch_stats")) == (norm == "batch")
    kernels = {path[:-1] for path in flatten_dict(variables["params"]) if path[-1] == "kernel"}
    normalised = {path[:-1] for path in flatten_dict(variables.get("spectral", {}))}
    assert kernels and normalised == (kernels if norm == "spectral" else set())  # every layer, or none


@pytest.mark.parametrize("name", NETS)
def test_bfloat16_keeps_params_norms_and_logits_wide(name):
    net = DISCRIMINATORS[name](jnp.bfloat16, num_classes=0, norm="layer", **size(name))
    image = jax.random.normal(jax.random.key(1), (3, *SHAPE))
    variables = net.init(jax.random.key(0), image, train=False)
    assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    out = net.apply(variables, image, train=False)
    assert out.logits.dtype == jnp.float32
    exact = net.clone(dtype=jnp.float32).apply(variables, image, train=False)
    assert 0 < float(jnp.abs(out.logits - exact.logits).max()) < 0.1  # it did compute in bfloat16


def test_minibatch_stddev_is_of_groups_of_adjacent_examples():
    x = jax.random.normal(jax.random.key(0), (8, 3, 3, 5)) * jnp.arange(1, 9)[:, None, None, None]
    out = groups.minibatch_stddev(x, 4)
    assert out.shape == (8, 3, 3, 6)
    np.testing.assert_array_equal(out[..., :5], x)
    for first in (0, 4):
        np.testing.assert_allclose(out[first : first + 4, ..., 5], np.asarray(x)[first : first + 4].std(0).mean(), rtol=1e-5)
    alike = groups.minibatch_stddev(jnp.ones((4, 2)), 4)
    assert alike.shape == (4, 3) and float(alike[0, 2]) < 1e-3


def test_minibatch_discrimination_knows_how_near_the_others_are():
    net = groups.MinibatchDiscrimination(2, kernels=3, dims=2)
    x = jax.random.normal(jax.random.key(0), (4, 6))
    x = x.at[3].set(x[2])  # the second pair is one example twice
    variables = net.init(jax.random.key(1), x)
    out = np.asarray(net.apply(variables, x))
    assert out.shape == (4, 9)
    np.testing.assert_allclose(out[2:, 6:], 1, rtol=1e-6)  # exp(0), of the one other
    m = np.asarray(x @ variables["params"]["Dense_0"]["kernel"]).reshape(4, 3, 2)
    near = np.exp(-np.abs(m[0] - m[1]).sum(-1))
    np.testing.assert_allclose(out[:2, 6:], [near, near], rtol=1e-5)


@pytest.mark.parametrize("minibatch", ["stddev", "discrimination"])
def test_a_discriminator_that_knows_its_group(minibatch):
    net = dcgan.Discriminator(jnp.float32, num_classes=0, width=4, norm="none", minibatch=minibatch, group=2)
    assert net.coupled == 2 and dcgan.Discriminator(jnp.float32, num_classes=0, group=2).coupled == 1
    image = jax.random.normal(jax.random.key(1), (4, *SHAPE))
    variables = net.init(jax.random.key(0), image, train=False)
    logits = net.apply(variables, image, train=False).logits
    other = net.apply(variables, image.at[1].set(0), train=False).logits
    assert float(jnp.abs(logits - other)[0]) > 0 and float(jnp.abs(logits - other)[2:].max()) == 0


@pytest.mark.parametrize("shape", [(1,), (2,), SHAPE])
def test_dirac_gan_has_a_point_and_a_slope(shape):
    gen, disc = GENERATORS["dirac"](shape, jnp.float32, start=0.5), DISCRIMINATORS["dirac"](jnp.float32, start=2.0)
    theta = gen.init(jax.random.key(0), jnp.zeros((2, 5)), train=False)
    image = gen.apply(theta, jnp.ones((3, 5)), train=True)
    np.testing.assert_array_equal(image, np.full((3, *shape), 0.5, np.float32))
    psi = disc.init(jax.random.key(0), image, train=False)
    logits = disc.apply(psi, image, train=True).logits
    np.testing.assert_allclose(logits, np.full(3, np.prod(shape)))


@pytest.mark.parametrize(("side", "halvings"), [(8, 1), (12, 2), (20, 2), (28, 2), (32, 3), (36, 2), (64, 4), (256, 6)])
def test_dcgan_follows_the_image(side, halvings):
    assert dcgan.halvings((side, side, 3)) == halvings
    assert dcgan.halvings((side, 2 * side, 3)) == halvings


def test_dcgan_makes_what_is_not_square():
    net = dcgan.Generator((12, 20, 1), jnp.float32, num_classes=0, width=2)
    variables = net.init(jax.random.key(0), jnp.zeros((2, 3)), train=False)
    assert net.apply(variables, jnp.zeros((2, 3)), train=False).shape == (2, 12, 20, 1)


def test_a_size_that_dcgan_cannot_make():
    with pytest.raises(UserError, match="multiples of 4, 8 or more, not 30x28"):
        dcgan.halvings((30, 28, 3))


def test_spectral_norm_converges_to_the_largest_singular_value():
    layer = layers.Dense(6, spectral=True, kernel_init=jax.nn.initializers.normal(1.0), use_bias=False)
    variables = layer.init(jax.random.key(0), jnp.zeros((1, 9)))
    before = variables["spectral"]["u"]
    called = layer.apply(variables, jnp.ones((1, 9)), mutable=["spectral"])[1]
    np.testing.assert_array_equal(called["spectral"]["u"], before)  # a call moves nothing, the step does
    for _ in range(100):
        variables = {**variables, "spectral": spectral.advance(variables["params"], variables["spectral"])}
    assert not np.allclose(before, variables["spectral"]["u"])
    effective = layer.apply(variables, jnp.eye(9))
    assert np.isclose(np.linalg.norm(effective, 2), 1, atol=1e-5)
    # The gradient takes u and v as constants: d sigma / dW = v u^T.
    kernel, u = variables["params"]["kernel"], variables["spectral"]["u"]
    left, values, right = np.linalg.svd(kernel)
    grad = jax.grad(lambda k: jnp.sum(layer.apply({**variables, "params": {"kernel": k}}, jnp.eye(9)) * jnp.eye(9, 6)))(
        kernel
    )
    sigma, outer = values[0], np.outer(left[:, 0], right[0])
    want = np.eye(9, 6) / sigma - np.sum(kernel * np.eye(9, 6)) / sigma**2 * outer
    np.testing.assert_allclose(grad, want, atol=1e-4)
    assert np.isclose(abs(u @ right[0]), 1, atol=1e-5)
