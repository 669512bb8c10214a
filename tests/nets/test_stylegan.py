"""StyleGAN's networks: modulation against one convolution an example, and every choice of their parts."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxgan.nets import resample, styled, stylegan

SHAPE = (12, 12, 3)


def naive(x, w, style, demodulate, up):
    """Karras et al. 2020, equations 1 to 3 as they are printed: a kernel an example, and a convolution each."""
    kernels = w * style[:, None, None, :, None]
    if demodulate:
        kernels = kernels / jnp.sqrt(jnp.sum(kernels**2, (1, 2, 3), keepdims=True) + 1e-8)

    def one(image, kernel):
        if up is None:
            return lax.conv_general_dilated(image[None], kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return resample.up_conv(image[None], kernel, up)  # which has a test of its own

    return jnp.concatenate([one(*each) for each in zip(x, kernels)])


@pytest.mark.slow
@pytest.mark.parametrize("up", [None, resample.FILTERS["fir"]])
@pytest.mark.parametrize("demodulate", [True, False])
def test_modulated_convolution_is_one_convolution_an_example(demodulate, up):
    """To second order: values, gradients, and gradients of the gradients' squares, by image, kernel and style."""
    with jax.enable_x64(True):
        keys = jax.random.split(jax.random.key(0), 3)
        x, w = jax.random.normal(keys[0], (3, 6, 6, 4)), jax.random.normal(keys[1], (3, 3, 4, 5))
        style = jax.random.normal(keys[2], (3, 4)) + 1

        def first(fn):
            return lambda *operands: jnp.sum(jnp.sin(fn(*operands, demodulate, up)))

        def second(fn):
            every = jax.grad(first(fn), argnums=(0, 1, 2))
            return lambda *operands: sum(jnp.sum(g**2) for g in every(*operands))

        for order in (first, second):
            ours = jax.value_and_grad(order(styled.modulated_conv), argnums=(0, 1, 2))(x, w, style)
            theirs = jax.value_and_grad(order(naive), argnums=(0, 1, 2))(x, w, style)
            for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs)):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * float(jnp.abs(b).max()))
        np.testing.assert_allclose(  # and in float32
            styled.modulated_conv(*(jnp.asarray(a, jnp.float32) for a in (x, w, style)), demodulate, up),
            naive(x, w, style, demodulate, up),
            atol=1e-5,
            rtol=1e-5,
        )


def test_demodulated_kernels_have_norm_one():
    """An image of white noise keeps its variance whatever the style."""
    x, w = jax.random.normal(jax.random.key(0), (2, 64, 64, 8)), jax.random.normal(jax.random.key(1), (3, 3, 8, 4))
    y = styled.modulated_conv(x, w, jnp.array([[0.01] * 8, [100.0] * 8]))
    np.testing.assert_allclose(jnp.std(y, (1, 2, 3)), 1, rtol=0.05)


def generator(**kwargs):
    kwargs = {"dtype": jnp.float32, "num_classes": 0, "width": 4, "max_width": 8, "w_dim": 8, "mapping": 2} | kwargs
    return stylegan.Generator(SHAPE, **kwargs)


def keys_of(seed, n=3):
    root = jax.random.key(seed)
    return lambda role: jax.vmap(lambda i: jax.random.fold_in(jax.random.fold_in(root, sum(role.encode())), i))(
        jnp.arange(n)
    )


def made(net, label=None, **kwargs):
    z = jax.random.normal(jax.random.key(0), (3, 5))
    variables = net.init(jax.random.key(1), z, label, train=False)
    params = jax.tree_util.tree_map_with_path(  # noise counts from the start, for the tests' sake
        lambda path, x: x + 0.5 if "noise" in jax.tree_util.keystr(path) else x, variables["params"]
    )
    variables = {**variables, "params": params}
    return variables, net.apply(variables, z, label, train=False, **kwargs), z


STYLES = ("modulated", "adain", "none")


@pytest.mark.slow
@pytest.mark.parametrize("style, output", [*itertools.product(STYLES, ("skip", "residual", "plain"))])
def test_generators_of_all_parts(style, output):
    net = generator(style=style, output=output, start="latent" if output == "plain" else "constant")
    variables, images, z = made(net, keys=keys_of(0))
    assert images.shape == (3, *SHAPE) and images.dtype == jnp.float32 and np.isfinite(images).all()
    assert not np.array_equal(images, net.apply(variables, z, train=False, keys=keys_of(1)))  # other noise
    silent = net.apply(variables, z, train=False)
    np.testing.assert_array_equal(silent, net.apply(variables, z, train=False))
    if style != "none" or output == "plain":
        assert float(jnp.abs(silent[0] - silent[1]).max()) > 1e-3  # the latent counts
    np.testing.assert_allclose(silent, net.apply(variables, 2 * z, train=False), atol=1e-5)  # but not its length


@pytest.mark.parametrize("style", ["modulated", "adain"])
def test_a_style_reaches_its_own_layer_and_what_follows(style):
    """Another w of one layer leaves everything before it as it was, and each w is of some use."""
    net = generator(noise=False, style=style, output="skip" if style == "modulated" else "plain")
    variables, _, z = made(net)
    w = jnp.broadcast_to(net.apply(variables, z, method="styles")[:, None], (3, net.num_styles, 8))
    blocks = [f"block{i}_conv{j}" for i in range(net.num_styles // 2) for j in ((0, 1) if i else (1,))]
    order = ["opening", *blocks] if style == "adain" else blocks

    def painted(w):
        image, kept = net.apply(variables, w, method="paint", capture_intermediates=True, mutable=["intermediates"])
        return image, [kept["intermediates"][name]["__call__"][0] for name in order]

    base, layers = painted(w)
    for k in range(net.num_styles):
        other, moved = painted(w.at[:, k].add(1.0))
        assert float(jnp.abs(other - base).max()) > 1e-4, k
        changed = [float(jnp.abs(a - b).max()) > 1e-4 for a, b in zip(layers, moved)]
        assert changed == [i >= k for i in range(len(order))], k  # the last of a "modulated" one is the colours' alone


def test_without_styles_w_is_the_input_alone():
    net = generator(noise=False, style="none")
    variables = net.init(jax.random.key(1), jnp.zeros((3, 8)), train=False)
    w = jax.random.normal(jax.random.key(2), (3, net.num_styles, 8))
    np.testing.assert_array_equal(*(net.apply(variables, x, method="paint") for x in (w, w.at[:, 1:].add(1.0))))


@pytest.mark.parametrize("start", ["constant", "latent"])
def test_adain_by_hand(start):
    """What the first convolution of StyleGAN sees: bias, leaky ReLU, then each map's mean and spread are the style's."""
    net = generator(noise=False, style="adain", output="plain", start=start)
    variables, _, z = made(net)
    w = jax.random.normal(jax.random.key(3), (3, net.num_styles, 8))
    _, kept = net.apply(variables, w, method="paint", capture_intermediates=True, mutable=["intermediates"])
    opening, params = kept["intermediates"]["opening"]["__call__"][0], variables["params"]
    if start == "constant":
        x = jnp.broadcast_to(params["constant"], opening.shape)
    else:
        x = (w[:, 0] @ params["dense"]["kernel"] / 8**0.5 + params["dense"]["bias"]).reshape(opening.shape)
    x = jnp.where(x > 0, x, 0.2 * x) * 2**0.5
    x = (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True)
    scale, shift = jnp.split(w[:, 0] @ params["opening"]["style"]["kernel"] / 8**0.5, 2, -1)
    np.testing.assert_allclose(opening, (1 + scale)[:, None, None] * x + shift[:, None, None], atol=1e-3)


def test_the_mean_of_w_is_tracked_in_training_alone():
    net = generator(w_avg_decay=0.75)
    variables, _, z = made(net)
    w = net.apply(variables, z, method="styles")
    _, changed = net.apply(variables, z, train=True, mutable=["batch_stats"])
    np.testing.assert_allclose(changed["batch_stats"]["w_avg"], 0.25 * w.mean(0), rtol=1e-5)
    _, changed = net.apply(variables, z, train=False, mutable=["batch_stats"])
    np.testing.assert_array_equal(changed["batch_stats"]["w_avg"], 0)


@pytest.mark.slow
def test_labels():
    net, label = generator(num_classes=3), jnp.array([0, 1, 2])
    variables, images, z = made(net, label)
    assert float(jnp.abs(images - net.apply(variables, z, label[::-1], train=False)).max()) > 1e-3
    disc = stylegan.Discriminator(jnp.float32, 3, width=4, max_width=8, group=1)
    variables = disc.init(jax.random.key(2), images, label, train=False)
    embedding, at = variables["params"]["embed"], lambda label: disc.apply(variables, images, label, train=False)
    features, logits = at(label).features, at(label).logits
    np.testing.assert_allclose(  # Miyato and Koyama 2018, equation 3: linear in the embedding
        logits - at(label[::-1]).logits,
        jnp.sum(features * (embedding[label] - embedding[label[::-1]]), 1) / 8**0.5,
        atol=1e-5,
    )


@pytest.mark.parametrize("kind", ["residual", "skip", "plain"])
def test_discriminators_of_all_parts(kind):
    net = stylegan.Discriminator(jnp.float32, 0, width=4, max_width=8, input=kind, group=2)
    image = jax.random.normal(jax.random.key(0), (4, *SHAPE))
    variables = net.init(jax.random.key(1), image, train=False)
    out = net.apply(variables, image, train=True)
    assert out.logits.shape == (4,) and out.features.shape == (4, 8) and net.coupled == 2
    other = net.apply(variables, image.at[1].multiply(3), train=True).logits
    assert (np.abs(other - out.logits) > 1e-6).tolist() == [True, True, False, False]  # the neighbour in its group


def test_equalised_kernels():
    """Two fan-ins, one scale: outputs of unit variance from N(0, 1) params, and a multiplier that changes steps, not
    values."""
    for fan_in in (16, 1024):
        x = jax.random.normal(jax.random.key(0), (64, fan_in))
        for lr_mul in (1.0, 0.01):
            net = styled.Scaled((fan_in, 256), jnp.float32, lr_mul)
            variables = net.init(jax.random.key(1), x)
            np.testing.assert_allclose(jnp.std(net.apply(variables, x)), 1, rtol=0.1)
            np.testing.assert_allclose(jnp.std(variables["params"]["kernel"]), 1 / lr_mul, rtol=0.1)


@pytest.mark.slow
def test_bfloat16_at_the_top_alone_and_clamped():
    image = jax.random.normal(jax.random.key(1), (4, *SHAPE))
    for blocks, is_exact in ((1, False), (9, True)):
        net = stylegan.Discriminator(jnp.bfloat16, 0, width=4, max_width=8, wide_blocks=blocks)
        variables = net.init(jax.random.key(2), image, train=False)
        assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
        logits = net.apply(variables, image, train=False).logits
        assert logits.dtype == jnp.float32
        exact = net.clone(dtype=jnp.float32).apply(variables, image, train=False).logits
        assert np.array_equal(logits, exact) == is_exact and float(jnp.abs(logits - exact).max()) < 0.1
    net = generator(dtype=jnp.bfloat16, clamp=0.01, wide_blocks=0, output="plain", noise=False)
    _, images, _ = made(net)
    assert images.dtype == jnp.float32 and float(jnp.abs(images).max()) <= 0.0101
