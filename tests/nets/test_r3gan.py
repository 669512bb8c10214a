"""R3GAN's networks: shapes, what the initialisation promises, and what each field changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.nets import layers, r3gan
from jaxgan.nets.dcgan import halvings

SHAPE = (16, 16, 3)
FIELDS = [{}, {"block": "plain"}, {"group_width": 0}, {"blocks": 1, "expansion": 0.5}, {"filter": "box"}]


def generator(dtype=jnp.float32, num_classes=0, width=8, **fields):
    net = r3gan.Generator(SHAPE, dtype, num_classes, width=width, max_width=16, **fields)
    label = jnp.zeros(2, int) if num_classes else None
    return net, net.init(jax.random.key(0), jnp.zeros((2, 6)), label, train=False)


def discriminator(dtype=jnp.float32, num_classes=0, width=8, **fields):
    net = r3gan.Discriminator(dtype, num_classes, width=width, max_width=16, **fields)
    label = jnp.zeros(2, int) if num_classes else None
    return net, net.init(jax.random.key(0), jnp.zeros((2, *SHAPE)), label, train=False)


@pytest.mark.slow
@pytest.mark.parametrize("fields", [*FIELDS, {"skip": True}])
def test_generators(fields):
    net, variables = generator(**fields)
    z = jax.random.normal(jax.random.key(1), (3, 6))
    images = net.apply(variables, z, train=True)
    assert images.shape == (3, *SHAPE) and images.dtype == jnp.float32 and bool(jnp.isfinite(images).all())
    alone = net.apply(variables, z[1:2], train=True)
    np.testing.assert_allclose(alone, images[1:2], atol=1e-5)  # no example knows of another


@pytest.mark.parametrize("fields", FIELDS)
def test_discriminators(fields):
    net, variables = discriminator(**fields)
    image = jax.random.normal(jax.random.key(1), (3, *SHAPE))
    out = net.apply(variables, image, train=True)
    assert out.logits.shape == (3,) and out.features.shape == (3, 16)
    np.testing.assert_allclose(net.apply(variables, image[1:2], train=True).logits, out.logits[1:2], atol=1e-5)


def test_blocks_begin_as_the_identity():
    x = jax.random.normal(jax.random.key(1), (2, 4, 4, 8))
    block = r3gan.Block("residual", 2.0, 4, 8, jnp.float32)
    variables = block.init(jax.random.key(0), x)
    np.testing.assert_array_equal(block.apply(variables, x), x)
    kernels = [p["kernel"] for p in variables["params"].values()]
    assert [k.shape for k in kernels] == [(1, 1, 8, 16), (3, 3, 4, 16), (1, 1, 16, 8)]  # four groups of four


def test_spread_of_the_initial_kernels():
    gain = r3gan.GAIN * 16**-0.25
    for groups, fan_in in ((1, 576), (8, 72)):
        conv = r3gan.Conv(64, jnp.float32, 3, gain, groups)
        kernel = conv.init(jax.random.key(0), jnp.zeros((1, 4, 4, 64)))["params"]["kernel"]
        assert float(kernel.std()) == pytest.approx(gain / fan_in**0.5, rel=0.05)


def test_leaky_layers_keep_the_second_moment():
    x = jax.random.normal(jax.random.key(1), (64, 8, 8, 64))
    conv = r3gan.Conv(64, jnp.float32, 1, r3gan.GAIN)
    y = r3gan.leaky(conv.apply(conv.init(jax.random.key(0), x), x))
    assert float(jnp.mean(y**2)) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("make, shape", [(generator, (3, 6)), (discriminator, (3, *SHAPE))])
def test_classes(make, shape):
    net, variables = make(num_classes=4)
    x = jnp.broadcast_to(jax.random.normal(jax.random.key(1), shape[1:]), shape)
    out = net.apply(variables, x, jnp.array([0, 1, 1]), train=True)
    answers = out.logits if isinstance(out, layers.Out) else out
    assert float(jnp.abs(answers[0] - answers[1]).max()) > 1e-3
    np.testing.assert_allclose(answers[1], answers[2], atol=1e-6)


@pytest.mark.slow
def test_bfloat16_keeps_params_and_logits_wide():
    net, variables = discriminator(jnp.bfloat16)
    variables = jax.tree.map(lambda x: x + 0.1, variables)  # the residual branches begin at 0
    image = jax.random.normal(jax.random.key(1), (3, *SHAPE))
    assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
    logits, exact = (
        net.apply(variables, image, train=True).logits,
        net.clone(dtype=jnp.float32).apply(variables, image, train=True).logits,
    )
    assert logits.dtype == jnp.float32 and 0 < float(jnp.abs(logits - exact).max()) < 0.1 * float(jnp.abs(exact).max())


@pytest.mark.parametrize(("variant", "stages", "wide"), [
    ("cifar10", 4, 1), ("ffhq64", 5, 1), ("ffhq256", 7, 3), ("imagenet32", 4, 1), ("imagenet64", 5, 1),
])  # fmt: skip
def test_the_authors_presets_have_their_float32_stages(variant, stages, wide):
    """In the authors' code all stages but the last three of four, or four of five or seven, are in float32."""
    from configs.r3gan import get_config

    config = get_config(variant)
    side = {"cifar10": 32}.get(variant) or int(variant[-2:] if variant != "ffhq256" else 256)
    assert halvings((side, side, 3)) + 1 == stages
    assert [net["wide_blocks"] for net in config.nets.values()] == [wide, wide] and config.dtype == "bfloat16"
