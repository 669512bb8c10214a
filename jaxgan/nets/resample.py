"""Resampling by two with a low-pass filter, alone and fused with a convolution, as StyleGAN has it (Karras et al. 2019,
section 2; 2020, figure 7), and Zhang 2019 before it, "Making Convolutional Networks Shift-Invariant Again".

Up: a zero after every pixel of both axes, then the filter with gain two an axis. Down: the filter, then every other pixel.
Outside of the image everything is zero. Filters are separable, symmetric and sum to one; they are applied as sums of
shifted images, a form that all backends compile well and that is linear, hence exact at every order of differentiation.
"""

import jax
import jax.numpy as jnp

from jaxgan.nets.conv import Padding, conv, conv_transpose

FILTERS = {
    "box": (0.5, 0.5),  # nearest neighbour up, means of 2x2 down: Karras et al. 2018
    "fir": (0.125, 0.375, 0.375, 0.125),  # bilinear up, and its transpose
}
NONE: Padding = ((0, 0), (0, 0))
Taps = tuple[float, ...]


def up(x: jax.Array, taps: Taps) -> jax.Array:
    """[N, H, W, C] -> [N, 2H, 2W, C]."""
    for axis in (1, 2):
        x = _up(x, taps, axis)
    return x


def down(x: jax.Array, taps: Taps) -> jax.Array:
    """[N, H, W, C] -> [N, H / 2, W / 2, C], of even sides."""
    for axis in (1, 2):
        x = _down(x, taps, axis)
    return x


def up_conv(x: jax.Array, w: jax.Array, taps: Taps) -> jax.Array:
    """`up` and a transposed convolution in one: zeros between pixels, w [3, 3, C, C'] turned by 180 degrees, the filter.

    [N, H, W, C] -> [N, 2H, 2W, C'] at the cost of a convolution of the small image.
    """
    y = conv_transpose(x, w.swapaxes(2, 3), 2, NONE)  # [N, 2H + 1, 2W + 1, C']
    low = (len(taps) + 1) // 2 - 1
    return 4 * _blur(y, taps, (low, len(taps) - 2 - low))


def down_conv(x: jax.Array, w: jax.Array, taps: Taps) -> jax.Array:
    """The filter, then w [3, 3, C, C'] with stride two: [N, H, W, C] -> [N, H / 2, W / 2, C'], of even sides."""
    low = (len(taps) - 1) // 2 + 1
    return conv(_blur(x, taps, (low, len(taps) - low)), w, 2, NONE)


def _shifted(x: jax.Array, by: int, size: int, axis: int) -> jax.Array:
    """`size` entries along an axis from entry `by` on, zero where there are none."""
    before, after = max(0, -by), max(0, by + size - x.shape[axis])
    pads = [(0, 0)] * x.ndim
    pads[axis] = (before, after)
    x = jnp.pad(x, pads) if before or after else x
    return jax.lax.slice_in_dim(x, by + before, by + before + size, axis=axis)


def _blur(x: jax.Array, taps: Taps, pad: tuple[int, int]) -> jax.Array:
    """The filter alone; an axis of n becomes n + low + high - len(taps) + 1."""
    for axis in (1, 2):
        size = x.shape[axis] + sum(pad) - len(taps) + 1
        x = sum(tap * _shifted(x, k - pad[0], size, axis) for k, tap in enumerate(taps))  # pyright: ignore
    return x


def _up(x: jax.Array, taps: Taps, axis: int) -> jax.Array:
    """Even and odd pixels apart, each from the taps that meet no zero."""
    n, low = x.shape[axis], (len(taps) + 1) // 2
    phases = []
    for phase in (0, 1):
        at = [(2 * tap, phase + k - low) for k, tap in enumerate(taps) if (phase + k - low) % 2 == 0]
        phases.append(sum(tap * _shifted(x, place // 2, n, axis) for tap, place in at))
    y = jnp.stack(phases, axis + 1)
    return y.reshape(*x.shape[:axis], 2 * n, *x.shape[axis + 1 :])


def _down(x: jax.Array, taps: Taps, axis: int) -> jax.Array:
    n, low = x.shape[axis] // 2, (len(taps) - 1) // 2
    phases = x.reshape(*x.shape[:axis], n, 2, *x.shape[axis + 1 :])
    even, odd = (jax.lax.index_in_dim(phases, i, axis + 1, keepdims=False) for i in (0, 1))
    places = [(tap, k - low) for k, tap in enumerate(taps)]
    return sum(tap * _shifted(odd if place % 2 else even, place // 2, n, axis) for tap, place in places)  # pyright: ignore
