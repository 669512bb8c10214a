"""BigGAN's and SAGAN's networks: sizes of the published ones, and attention against a reference by hand."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import ROOT

from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.nets import biggan
from jaxgan.plan import Plan
from jaxgan.sections import sections


def shapes(net, *inputs):
    return jax.eval_shape(lambda: net.init(jax.random.key(0), *inputs, train=False))["params"]


def count(params):
    return sum(math.prod(x.shape) for x in jax.tree.leaves(params))


@pytest.mark.parametrize(
    ("spec", "side", "changes", "gen", "disc"),
    [  # the tests of google/compare_gan; by hand, see below; ajbrock/BigGAN-PyTorch, "ch 64, no tricks", attention at 64 px
        ("biggan.py:imagenet128", 128, {}, 70_433_988, 87_982_370),
        ("biggan.py:cifar10", 32, {}, 4_304_387, 4_207_361),
        ("sagan.py:imagenet128", 128, {}, 42_078_852, 39_463_618),  # at 32 px, as in the paper: wider maps attend
        ("sagan.py:imagenet128", 128, {"nets.gen.attention": 64, "nets.disc.attention": 64}, 42_017_412, 39_448_258),
    ],
)
def test_the_published_configs_have_the_published_sizes(spec, side, changes, gen, disc):
    config = resolve_config(load_config(f"{ROOT}/configs/{spec}"), [(k, str(x)) for k, x in changes.items()], sections)
    plan = Plan(config, features_of((side, side, 3), config.task.num_classes))
    params = {player: count(plan.shapes().params[player]) for player in ("gen", "disc")}
    assert params == {"gen": gen, "disc": disc}

    def generate(variables):
        return plan.task().generate({"gen": variables}, plan.task().draw(jax.random.split(jax.random.key(0), 2)))

    made = jax.eval_shape(generate, plan.shapes().variables("gen"))
    assert made.shape == (2, side, side, 3)


def test_the_networks_of_imagenet_at_128_pixels_have_the_published_sizes():
    """70,433,988 and 87,982,370 params: the tests of google/compare_gan, resnet_biggan_test.py."""
    gen = biggan.Generator((128, 128, 3), jnp.float32, 1000, width=96, attention=64)
    disc = biggan.Discriminator(jnp.float32, 1000, width=96, attention=64)
    z, label, image = jnp.zeros((2, 120)), jnp.zeros(2, int), jnp.zeros((2, 128, 128, 3))
    params = shapes(gen, z, label)
    assert count(params) == 70_433_988 and params["embed"].shape == (1000, 128)
    assert params["Block_0"]["Norm_0"]["gain"]["kernel"].shape == (148, 1536)  # the embedding, and 20 entries of z
    assert count(shapes(disc, image, label)) == 87_982_370
    assert jax.eval_shape(lambda: gen.init_with_output(jax.random.key(0), z, label, train=False))[0].shape == image.shape


def test_the_networks_of_cifar_have_the_sizes_of_the_authors_code():
    """By hand, from the layers of ajbrock/BigGAN-PyTorch with its settings for CIFAR-10; its authors say "about 4.3M"."""
    width, conv = 256, 9 * 256**2 + 256
    dense, tables, shortcut = 128 * 16 * width + 16 * width, 4 * 10 * width, width**2 + width
    last = 2 * width + 27 * width + 3
    gen = biggan.Generator((32, 32, 3), jnp.float32, 10, width=64, hierarchical=False, shared=0, kernel_init="normal")
    assert count(shapes(gen, jnp.zeros((2, 128)), jnp.zeros(2, int))) == dense + 3 * (2 * conv + tables + shortcut) + last
    first = (27 * width + width) + conv + (3 * width + width)
    disc = biggan.Discriminator(jnp.float32, 10, width=64, kernel_init="normal")
    want = first + (2 * conv + shortcut) + 2 * (2 * conv) + (width + 1) + 10 * width
    assert count(shapes(disc, jnp.zeros((2, 32, 32, 3)), jnp.zeros(2, int))) == want


@pytest.mark.parametrize("fields", [{}, {"hierarchical": False, "shared": 0}, {"attention": 6}])
def test_images_of_any_size_that_can_be_halved(fields):
    gen = biggan.Generator((12, 12, 1), jnp.float32, 3, **{**biggan.Generator.tiny, **fields})
    variables = gen.init(jax.random.key(0), jnp.zeros((2, 6)), jnp.zeros(2, int), train=False)
    image = gen.apply(variables, jax.random.normal(jax.random.key(1), (2, 6)), jnp.arange(2), train=False)
    assert image.shape == (2, 12, 12, 1) and float(jnp.abs(image).max()) <= 1


def test_attention_is_the_reference():
    with jax.enable_x64(True):
        x = jax.random.normal(jax.random.key(0), (2, 4, 6, 16), jnp.float64)
        net = biggan.Attention(jnp.float64, spectral=False, kernel_init=jax.nn.initializers.normal(1.0))
        variables = net.init(jax.random.key(1), x)
        np.testing.assert_array_equal(net.apply(variables, x), x)  # gamma begins at 0
        params = {**variables["params"], "gamma": jnp.float64(0.7)}
        out = np.asarray(net.apply({"params": params}, x))
        kernel = {name: np.asarray(params[name]["kernel"])[0, 0] for name in ("query", "key", "value", "out")}

        def halved(y):
            return np.stack([y[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]).max(0).reshape(2, 6, -1)

        own = np.asarray(x)
        for n in range(2):
            keys, values = halved(own @ kernel["key"])[n], halved(own @ kernel["value"])[n]
            for i in range(4):
                for j in range(6):
                    scores = keys @ (own[n, i, j] @ kernel["query"])
                    shares = np.exp(scores - scores.max())
                    seen = (shares / shares.sum()) @ values
                    np.testing.assert_allclose(out[n, i, j], own[n, i, j] + 0.7 * seen @ kernel["out"], atol=1e-9)


def test_what_cannot_be_built_is_refused():
    z, label = jnp.zeros((2, 7)), jnp.zeros(2, int)

    def gen(shape=(12, 12, 1), **fields):
        return biggan.Generator(shape, jnp.float32, 3, **{**biggan.Generator.tiny, **fields})

    with pytest.raises(UserError, match=r"z is split into 3 parts, which task.z_dim=2 is too few for"):
        gen().init(jax.random.key(0), z[:, :2], label, train=False)
    with pytest.raises(UserError, match=r"attention=7 of biggan, and its feature maps have the sides 12, 6"):
        gen(attention=7).init(jax.random.key(0), z[:, :6], label, train=False)
    with pytest.raises(UserError, match="halved 2 to 6 times, not 1"):
        gen((8, 8, 1)).init(jax.random.key(0), z[:, :6], label, train=False)
    with pytest.raises(UserError, match="attention halves keys, and 3x3 is odd"):
        biggan.Attention(jnp.float32).init(jax.random.key(0), jnp.zeros((1, 3, 3, 8)))
