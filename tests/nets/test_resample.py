"""Resampling against explicit zero insertion and filtering, in plain numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.nets import resample

TAPS = sorted(resample.FILTERS)


def zeros_between(x):
    out = np.zeros((x.shape[0], 2 * x.shape[1], 2 * x.shape[2], x.shape[3]))
    out[:, ::2, ::2] = x
    return out


def filtered(x, kernel, low):
    """x [N, H, W, C] under a kernel [h, w, C, C'], the window of pixel (i, j) beginning `low` before it; as large as x."""
    (kh, kw), (_, height, width, _) = kernel.shape[:2], x.shape
    x = np.pad(x, ((0, 0), (low, kh), (low, kw), (0, 0)))
    return sum(x[:, i : i + height, j : j + width] @ kernel[i, j] for i in range(kh) for j in range(kw))


def separable(name, channels):
    taps = np.array(resample.FILTERS[name])
    return np.outer(taps, taps)[..., None, None] * np.eye(channels)


def of(shape, seed=0):
    return np.asarray(jax.random.normal(jax.random.key(seed), shape), np.float64)


@pytest.mark.parametrize("name", TAPS)
@pytest.mark.parametrize("sides", [(4, 6), (7, 7), (14, 8)])
def test_up_and_down_are_zero_insertion_and_filtering(name, sides):
    taps = resample.FILTERS[name]
    x, kernel = of((2, *sides, 3)), separable(name, 3)
    wanted = filtered(zeros_between(x), 4 * kernel, (len(taps) + 1) // 2)
    np.testing.assert_allclose(resample.up(jnp.asarray(x, jnp.float32), taps), wanted, atol=1e-5)
    x = of((2, 2 * sides[0], 2 * sides[1], 3))
    wanted = filtered(x, kernel, (len(taps) - 1) // 2)[:, ::2, ::2]
    np.testing.assert_allclose(resample.down(jnp.asarray(x, jnp.float32), taps), wanted, atol=1e-5)


@pytest.mark.parametrize("name", TAPS)
@pytest.mark.parametrize("sides", [(4, 6), (7, 7), (14, 14)])
def test_convolutions_that_resample(name, sides):
    """Zeros between the pixels, the whole of the turned kernel, the whole of the filter, and then the middle."""
    taps, w = resample.FILTERS[name], of((3, 3, 2, 5), 1)
    x, kernel, low = of((2, *sides, 2)), separable(name, 5), (len(taps) + 1) // 2
    big = np.pad(zeros_between(x), ((0, 0), (4, 4), (4, 4), (0, 0)))  # room for what lies beyond the edge
    wanted = filtered(filtered(big, w[::-1, ::-1], 1), 4 * kernel, low)[:, 4:-4, 4:-4]
    ours = resample.up_conv(jnp.asarray(x, jnp.float32), jnp.asarray(w, jnp.float32), taps)
    np.testing.assert_allclose(ours, wanted, atol=1e-5)
    x, kernel = of((2, 2 * sides[0], 2 * sides[1], 2)), separable(name, 2)
    big = np.pad(x, ((0, 0), (4, 4), (4, 4), (0, 0)))
    wanted = filtered(filtered(big, kernel, (len(taps) - 1) // 2), w, 1)[:, 4:-4, 4:-4][:, ::2, ::2]
    ours = resample.down_conv(jnp.asarray(x, jnp.float32), jnp.asarray(w, jnp.float32), taps)
    np.testing.assert_allclose(ours, wanted, atol=1e-5)


@pytest.mark.parametrize("name", TAPS)
def test_flat_images_stay_flat_inside(name):
    taps, x = resample.FILTERS[name], jnp.ones((1, 8, 8, 1))
    for y in (resample.up(x, taps), resample.down(x, taps)):
        np.testing.assert_allclose(y[:, 1:-1, 1:-1], 1, rtol=1e-6)


@pytest.mark.parametrize("name", TAPS)
def test_neither_moves_the_image(name):
    taps, x = resample.FILTERS[name], jnp.asarray(of((2, 6, 8, 3)), jnp.float32)
    for turned in (lambda x: x[:, ::-1], lambda x: x[:, :, ::-1]):
        for operation in (resample.up, resample.down):
            np.testing.assert_allclose(operation(turned(x), taps), turned(operation(x, taps)), atol=1e-6)


@pytest.mark.parametrize("name", TAPS)
def test_down_is_the_transpose_of_up(name):
    """<up x, y> = 4 <x, down y>."""
    taps, x, y = resample.FILTERS[name], jnp.asarray(of((2, 6, 6, 3))), jnp.asarray(of((2, 12, 12, 3), 1))
    left, right = jnp.vdot(resample.up(x, taps), y), 4 * jnp.vdot(x, resample.down(y, taps))
    np.testing.assert_allclose(left, right, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", TAPS)
@pytest.mark.parametrize("operation", ["up", "down", "up_conv", "down_conv"])
def test_derivatives_are_those_of_plain_slices(name, operation):
    """Of the second order, of `lax`'s own operations; under vmap; and forward mode."""
    taps, keys = resample.FILTERS[name], jax.random.split(jax.random.key(0), 2)
    with jax.enable_x64(True):
        x, w = jax.random.normal(keys[0], (2, 6, 8, 3)), jax.random.normal(keys[1], (3, 3, 3, 2))

        def first(x, w):
            operands = (x, w) if "conv" in operation else (x,)
            return jnp.sum(jnp.sin(getattr(resample, operation)(*operands, taps)))

        def second(x, w):
            return sum(jnp.sum(g**2) for g in jax.grad(first, (0, 1))(x, w))

        ours = [jax.grad(fn, (0, 1))(x, w) for fn in (first, second)]
        forward = jax.jvp(first, (x, w), (x, w))[1]
        bind = lambda x, **params: resample._apply(x, **params)  # noqa: E731
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(resample.fir_p, "bind", bind)
            theirs = [jax.grad(fn, (0, 1))(x, w) for fn in (first, second)]
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs)):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(forward, sum(jnp.vdot(g, v) for g, v in zip(ours[0], (x, w))), rtol=1e-9)
        each = jax.vmap(first)(x[:, None], jnp.stack([w, 2 * w]))
        np.testing.assert_allclose(each, [first(x[:1], w), first(x[1:], 2 * w)], rtol=1e-9)
