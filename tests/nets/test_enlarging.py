"""Networks that enlarge: sizes, parameter counts as published, and their parts by other means."""

import math
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.nets import TRANSLATORS, enlarging, layers, rrdb, srgan, srresnet

RGB = (96, 96, 3)


def shapes_of(net, shape):
    """(The shape of what a network returns for zeros, how many params it has)."""
    made, variables = jax.eval_shape(
        lambda x: net.init_with_output(jax.random.key(0), x, train=False), jax.ShapeDtypeStruct(shape, jnp.float32)
    )
    return made, sum(math.prod(x.shape) for x in jax.tree.leaves(variables["params"]))


def enlarger(name, scale=2, channels=3, **fields):
    cls = TRANSLATORS[name]
    return cls((8 * scale, 12 * scale, channels), jnp.float32, scale, **{**cls.tiny, **fields})


@pytest.mark.parametrize("upsampling", enlarging.UPSAMPLINGS)
@pytest.mark.parametrize("scale", enlarging.STEPS)
@pytest.mark.parametrize("name", ["srresnet", "rrdb"])
def test_any_size_becomes_so_many_times_as_large(name, scale, upsampling):
    net = enlarger(name, scale, upsampling=upsampling)
    for sides in ((8, 12), (5, 1)):
        assert shapes_of(net, (2, *sides, 3))[0].shape == (2, scale * sides[0], scale * sides[1], 3)


def test_params_are_as_many_as_the_papers_have():
    """SRResNet-16 for x4 by the layers of the paper's figure 4; without norms, with small outer kernels and leaky ReLUs as
    many as MSRResNet has, 1,517,571; RRDB-23 as many as the authors' file, 16,697,987; the discriminator by figure 4."""
    conv = lambda of, to, size=3: size**2 * of * to + to  # noqa: E731
    block = 2 * (conv(64, 64) + 2 * 64) + 64
    paper = conv(3, 64, 9) + 64 + 16 * block + conv(64, 64) + 2 * 64 + 2 * (conv(64, 256) + 64) + conv(64, 3, 9)
    assert shapes_of(srresnet.Generator(RGB, jnp.float32, 4, norm="batch"), (1, 24, 24, 3))[1] == paper == 1_550_659
    later = srresnet.Generator(RGB, jnp.float32, 4, activation="leaky_relu", outer=3)
    assert shapes_of(later, (1, 24, 24, 3))[1] == 1_517_571
    assert shapes_of(rrdb.Generator(RGB, jnp.float32, 4, blocks=23), (1, 24, 24, 3))[1] == 16_697_987
    widths = (3, 64, 64, 128, 128, 256, 256, 512, 512)
    convs = sum(conv(of, to) + 2 * to * (of != 3) for of, to in zip(widths, widths[1:]))
    disc, params = shapes_of(srgan.Discriminator(jnp.float32), (2, *RGB))
    assert disc.logits.shape == (2,) and params == convs + 6 * 6 * 512 * 1024 + 1024 + 1024 + 1


@pytest.mark.parametrize("sides", [(16, 16), (12, 20), (7, 33)])
@pytest.mark.parametrize("norm", ["none", "batch", "spectral"])
def test_a_discriminator_of_any_size(sides, norm):
    net = srgan.Discriminator(jnp.float32, norm=norm, **srgan.Discriminator.tiny)
    made, params = shapes_of(net, (3, *sides, 3))
    places = math.prod(-(-side // 16) for side in sides)
    assert made.logits.shape == (3,) and made.features.shape == (3, 8)
    assert params - shapes_of(net, (3, 16, 16, 3))[1] == (places - 1) * 32 * 8


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bilinear_is_jax_s(factor):
    x = jax.random.normal(jax.random.key(0), (2, 5, 7, 3))
    want = jax.image.resize(x, (2, 5 * factor, 7 * factor, 3), "bilinear")
    np.testing.assert_allclose(enlarging.bilinear(x, factor), want, atol=1e-5)


def test_pixels_are_shuffled_as_the_paper_has_it():
    x = jax.random.normal(jax.random.key(0), (2, 3, 4, 9 * 5))
    made = enlarging.pixel_shuffle(x, 3)
    assert made.shape == (2, 9, 12, 5)
    for i, j in ((0, 0), (0, 2), (2, 1)):
        np.testing.assert_array_equal(made[:, i::3, j::3], x[..., (3 * i + j) * 5 : (3 * i + j + 1) * 5])


@pytest.mark.parametrize("factor", [2, 3])
def test_nearest_is_followed_by_a_convolution_of_the_large_picture(factor):
    class Step(layers.nn.Module):
        @layers.nn.compact
        def __call__(self, x):
            return enlarging.enlarge_step(x, 4, factor, "nearest", kernel_init=enlarging.HE)

    x = jax.random.normal(jax.random.key(0), (2, 3, 5, 2))
    variables = Step().init(jax.random.key(1), x)
    large = layers.Conv(4).apply({"params": variables["params"]["Conv_0"]}, np.repeat(np.repeat(x, factor, 1), factor, 2))
    np.testing.assert_allclose(Step().apply(variables, x), large, atol=1e-5)


def test_slopes_below_zero_are_each_channel_s_own():
    x = jnp.array([[[[-2.0, -2.0, 3.0]]]])
    made = enlarging.PRelu().apply({"params": {"slope": jnp.array([0.5, -1.0, 9.0])}}, x)
    np.testing.assert_array_equal(made[0, 0, 0], [-1, 2, 3])


@pytest.mark.parametrize("name", ["srresnet", "rrdb"])
def test_a_new_network_with_the_enlarged_input_is_near_it(name):
    image = jax.random.uniform(jax.random.key(0), (1, 8, 12, 3), minval=-1)
    for enlarged in (True, False):
        net = enlarger(name, 4, enlarged=enlarged, width=16)
        made = net.apply(net.init(jax.random.key(1), image, train=False), image, train=False)
        gap = float(jnp.sqrt(jnp.mean((made - enlarging.bilinear(image, 4)) ** 2)))
        assert gap < 0.25 if enlarged else gap > 0.25


def test_grey_sources_are_added_to_every_channel():
    net = enlarger("srresnet", enlarged=True)
    image = jax.random.uniform(jax.random.key(0), (1, 4, 4, 1))
    variables = jax.tree.map(jnp.zeros_like, net.init(jax.random.key(1), image, train=False))
    made = net.apply(variables, image, train=False)
    np.testing.assert_array_equal(made, np.repeat(enlarging.bilinear(image, 2), 3, -1))


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("upsampling", enlarging.UPSAMPLINGS)
def test_a_part_is_enlarged_as_it_is_within_the_whole(norm, upsampling):
    """But for pixels that see the cut: the networks have no global part, and pad with zeros at the border alone."""
    whole = jax.random.normal(jax.random.key(0), (1, 30, 24, 3))
    net = enlarger("srresnet", 3, norm=norm, upsampling=upsampling, enlarged=True)
    variables = net.init(jax.random.key(1), whole, train=False)
    made = net.apply(variables, whole, train=False)
    part = net.apply(variables, whole[:, :20], train=False)
    radius = 7  # first kernel, block, convolution behind it, step, last kernel
    np.testing.assert_allclose(part[:, : 3 * (20 - radius)], made[:, : 3 * (20 - radius)], atol=1e-5)
    assert float(jnp.abs(part[:, -1] - made[:, 3 * 20 - 1]).max()) > 1e-4


@pytest.mark.parametrize("name", ["srresnet", "rrdb"])
def test_data_that_fit_no_enlarging(name):
    same = SimpleNamespace(data=features_of((8, 8, 3), source_shape=(8, 8, 3)))
    with pytest.raises(
        UserError, match="sources 2, 3 or 4 times, and images of these data are no larger than their sources; --config"
    ):
        enlarger(name, 2).clone(scale=1).check(same)
    grey = SimpleNamespace(data=features_of((8, 8, 1), source_shape=(4, 4, 3)))
    with pytest.raises(UserError, match=r"have 3 and 1 channels; --config.nets.gen.enlarged=false"):
        enlarger(name, 2, enlarged=True).check(grey)
    enlarger(name, 2).check(grey)
