"""The edges of CycleGAN's and pix2pix' networks, which its authors pad with one pixel on every side."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets import layers, patch, translator

SHAPE = (2, 12, 8, 3)


def padded_by_hand(x, w, stride, pad):
    """A convolution of [N, H, W, C] as sums over its taps, in float64."""
    x = np.pad(np.asarray(x, np.float64), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    size, rest = w.shape[0], [(n - w.shape[0]) // stride * stride + 1 for n in x.shape[1:3]]
    taps = [(i, j) for i in range(size) for j in range(size)]
    return sum(x[:, i : i + rest[0] : stride, j : j + rest[1] : stride] @ np.asarray(w[i, j], np.float64) for i, j in taps)


def transposed_by_hand(x, w, stride, pad):
    """Every pixel adds its kernel to an image that is then cut to `stride` times the sides; in float64."""
    n, height, width, _ = x.shape
    size, out = w.shape[0], np.zeros((n, stride * height + w.shape[0], stride * width + w.shape[0], w.shape[3]))
    for i in range(size):
        for j in range(size):
            rows, columns = slice(i, i + stride * height, stride), slice(j, j + stride * width, stride)
            out[:, rows, columns] += np.asarray(x, np.float64) @ np.asarray(w[i, j], np.float64)
    return out[:, pad : pad + stride * height, pad : pad + stride * width]


@pytest.mark.parametrize(("cls", "size", "stride", "by_hand"), [
    (layers.Conv, 3, 2, padded_by_hand),
    (layers.Conv, 4, 1, padded_by_hand),
    (layers.Conv, 4, 2, padded_by_hand),
    (layers.ConvTranspose, 3, 2, transposed_by_hand),
    (layers.ConvTranspose, 4, 2, transposed_by_hand),
])  # fmt: skip
def test_layers_with_a_pixel_at_each_edge(cls, size, stride, by_hand):
    x = jax.random.normal(jax.random.key(0), SHAPE)
    layer = cls(5, size=size, stride=stride, pad=1, kernel_init=jax.nn.initializers.normal(1.0))
    y, variables = layer.init_with_output(jax.random.key(1), x)
    want = by_hand(x, variables["params"]["kernel"], stride, 1)
    assert y.shape == want.shape
    np.testing.assert_allclose(y, want, atol=1e-4)
    if size == 4 and stride == 2:  # a U-Net's: SAME is the same
        np.testing.assert_array_equal(y, cls(5, size=4, stride=2).apply(variables, x))


def scores_of(disc, shape):
    out = jax.eval_shape(lambda x: disc.init_with_output(jax.random.key(0), x, train=False)[0], jnp.zeros(shape))
    return out.logits.shape


@pytest.mark.parametrize(("side", "field", "scores"), [
    (256, 70, 30), (128, 70, 14), (64, 70, 6), (24, 70, 1), (256, 16, 126), (32, 16, 14), (32, 34, 6), (256, 286, 6),
    (32, 1, 32), (30, 70, 1),
])  # fmt: skip
def test_as_many_scores_as_the_authors_have(side, field, scores):
    assert scores_of(patch.Discriminator(jnp.float32, field=field, width=1), (1, side, side, 3)) == (1, scores, scores)


def test_same_padding_has_two_scores_more_a_side():
    assert scores_of(patch.Discriminator(jnp.float32, width=1, padding="same"), (1, 256, 256, 3)) == (1, 32, 32)


def test_images_that_are_too_small_for_their_patches():
    message = r"70 px want images of 24 px or more, not 16x28; --config.nets.disc.field=34"
    with pytest.raises(UserError, match=message):
        scores_of(patch.Discriminator(jnp.float32), (1, 16, 28, 3))


@pytest.mark.slow
@pytest.mark.parametrize("field, strided", patch.FIELDS.items())
def test_where_each_score_sees(field, strided):
    """Score i of n sees `field` pixels, as far beyond the left edge as score n - 1 - i sees beyond the right."""
    side = -(-2 * field // (2 << strided)) * (2 << strided)
    disc = patch.Discriminator(jnp.float32, field=field, width=1, norm="none")
    image = jax.random.normal(jax.random.key(0), (1, side, side, 1))
    variables = disc.init(jax.random.key(1), image, train=False)
    variables = jax.tree.map(lambda x: jnp.abs(x) + 0.1, variables)  # no path is lost
    logits, slope = jax.vjp(lambda x: disc.apply(variables, x, train=False).logits, image)
    n, step = logits.shape[1], 1 << strided
    assert n == (side >> strided) - (2 if strided else 0)
    beyond = (field - step) // 2 - (step if strided else 0)  # of the first score: (70 - 8) / 2 - 8 = 23 pixels

    def seen(i):
        return np.flatnonzero(np.abs(slope(jnp.zeros_like(logits).at[0, i, i].set(1))[0][0, :, :, 0]).sum(0))

    for i in {0, 1, n // 2, n - 1}:
        first, last = max(0, i * step - beyond), min(side, i * step - beyond + field) - 1
        assert (seen(i)[0], seen(i)[-1]) == (first, last)


def flipped(x):
    return x[:, ::-1, ::-1]


def test_a_mirrored_image_has_mirrored_scores():
    """No edge is another than the one opposite: with mirrored kernels the same scores come out, mirrored."""
    image = jax.random.normal(jax.random.key(0), (2, 32, 32, 3))
    for padding, alike in (("one", True), ("same", False)):
        disc = patch.Discriminator(jnp.float32, field=34, width=2, norm="instance", padding=padding)
        variables = jax.tree.map(lambda x: 20 * x, disc.init(jax.random.key(1), image, train=False))
        mirrored = jax.tree.map(lambda x: x[::-1, ::-1] if x.ndim == 4 else x, variables)
        a, b = (disc.apply(v, x, train=False).logits for v, x in ((variables, image), (mirrored, flipped(image))))
        assert np.allclose(flipped(a), b, atol=1e-4) == alike


def test_a_translator_s_layers_by_hand():
    """Every layer of CycleGAN's generator as its authors have it, without norms."""
    net = translator.Generator((16, 12, 1), jnp.float32, width=2, blocks=1, norm="none")
    image = jax.random.normal(jax.random.key(0), (2, 16, 12, 3))
    variables = jax.tree.map(lambda x: 20 * x, net.init(jax.random.key(1), image, train=False))
    w = {name: layer["kernel"] for name, layer in variables["params"].items()}  # biases are 0

    def mirrored(x, w):
        n = w.shape[0] // 2
        return padded_by_hand(np.pad(x, ((0, 0), (n, n), (n, n), (0, 0)), mode="reflect"), w, 1, 0)

    def relu(x):
        return np.maximum(x, 0)

    x = relu(mirrored(image, w["Conv_0"]))
    for i in (1, 2):
        x = relu(padded_by_hand(x, w[f"Conv_{i}"], 2, 1))
    x = x + mirrored(relu(mirrored(x, w["Conv_3"])), w["Conv_4"])
    for i in (0, 1):
        x = relu(transposed_by_hand(x, w[f"ConvTranspose_{i}"], 2, 1))
    want = np.tanh(mirrored(x, w["Conv_5"]) / 100)
    scaled = {**variables["params"], "Conv_5": {**variables["params"]["Conv_5"], "kernel": w["Conv_5"] / 100}}
    made = net.apply({"params": scaled}, image, train=False)
    np.testing.assert_allclose(made, want, atol=1e-4)
    assert 0.05 < np.abs(want).mean() < 0.9
    assert np.abs(net.clone(padding="same").apply({"params": scaled}, image, train=False) - want).max() > 0.01


@pytest.mark.parametrize(
    "net", [translator.Generator((16, 16, 1), jnp.float32, width=2, blocks=1), patch.Discriminator(jnp.float32, 16, 2)]
)
def test_edges_and_epsilon_leave_the_start_as_it_is(net):
    image = jnp.zeros((1, 16, 16, 1))
    a, b = (one.init(jax.random.key(0), image, train=False) for one in (net, net.clone(padding="same", epsilon=1e-6)))
    assert jax.tree.structure(a) == jax.tree.structure(b)
    assert all(map(np.array_equal, jax.tree.leaves(a), jax.tree.leaves(b)))
