"""How networks enlarge pictures by a whole factor: in steps, by pixel shuffle, nearest or bilinear enlargement.

Each of them looks at a pixel and its neighbours alone, and takes any size. So a part of a picture is enlarged as it is
within the whole, but for pixels near the cut.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.errors import UserError
from jaxgan.nets import layers

STEPS = {2: (2,), 3: (3,), 4: (2, 2)}  # scale: factors, one after the other
UPSAMPLINGS = ("pixel_shuffle", "nearest")
ACTIVATIONS = ("prelu", "leaky_relu")
HE = nn.initializers.variance_scaling(2.0, "fan_in", "normal")  # He et al. 2015
SMALL = nn.initializers.variance_scaling(2.0 * 0.1**2, "fan_in", "normal")  # a tenth of it


class PRelu(nn.Module):
    """max(x, 0) + slope min(x, 0), a learned slope for each channel, .25 at first (He et al. 2015, equation 1)."""

    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x):
        slope = self.param("slope", nn.initializers.constant(0.25), (x.shape[-1],), layers.wide(self.dtype))
        return jnp.where(x >= 0, x, slope.astype(x.dtype) * x)


def activation(name: str, dtype: Any) -> Callable[[jax.Array], jax.Array]:
    """A new activation of `ACTIVATIONS`, in the scope of the network that calls it."""
    return PRelu(dtype) if name == "prelu" else layers.ACTIVATIONS[name]


def check_scale(facts: Any, scale: int, enlarged: bool) -> None:
    """Refuses data by which a network of this file cannot be trained. enlarged: whether it adds the enlarged source to what
    it makes. facts: `objectives.context.Facts`. Raises UserError."""
    if scale not in STEPS:
        found = f"{scale} times as large as" if scale > 1 else "no larger than"
        raise UserError(
            f"this generator enlarges its sources 2, 3 or 4 times, and images of these data are {found} their sources; "
            "--config.data.source=down4, or --config.nets.gen.name=unet for sources of the images' size"
        )
    channels = [facts.data[name].shape[-1] for name in ("source", "image") if name in facts.data]
    if enlarged and channels[0] not in (1, channels[-1]):
        raise UserError(
            f"nets.gen.enlarged adds the source to the image, and they have {channels[0]} and {channels[-1]} channels; "
            "--config.nets.gen.enlarged=false"
        )


def enlarge_step(x: jax.Array, features: int, factor: int, upsampling: str, **conv: Any) -> jax.Array:
    """[N, H, W, C] -> [N, factor H, factor W, features] with one 3x3 convolution, in the scope of the network that calls it.

    upsampling: "pixel_shuffle" of factor^2 times as many features (Shi et al. 2016), or "nearest" before the convolution
    (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts"). conv: fields of `layers.Conv`.
    """
    if upsampling == "pixel_shuffle":
        return pixel_shuffle(layers.Conv(features * factor**2, **conv)(x), factor)
    if factor == 2:
        return layers.Conv(features, resample="up", **conv)(x)
    return layers.Conv(features, **conv)(nearest(x, factor))


def pixel_shuffle(x: jax.Array, factor: int) -> jax.Array:
    """[N, H, W, factor^2 C] -> [N, factor H, factor W, C]: the first C channels become the upper left pixels, the next those
    to the right of them (Shi et al. 2016, equation 4, up to the order of channels)."""
    n, height, width, channels = x.shape
    x = x.reshape(n, height, width, factor, factor, channels // factor**2)
    return x.transpose(0, 1, 3, 2, 4, 5).reshape(n, height * factor, width * factor, -1)


def nearest(x: jax.Array, factor: int) -> jax.Array:
    """[N, H, W, C] -> [N, factor H, factor W, C], each pixel repeated."""
    return jnp.repeat(jnp.repeat(x, factor, 1), factor, 2)


def bilinear(x: jax.Array, factor: int) -> jax.Array:
    """[N, H, W, C] -> [N, factor H, factor W, C] with half-pixel centres; beyond the border the edge repeats."""
    for axis in (1, 2):
        n = x.shape[axis]
        first, last = (jax.lax.slice_in_dim(x, i, i + 1, axis=axis) for i in (0, n - 1))
        before = jnp.concatenate([first, jax.lax.slice_in_dim(x, 0, n - 1, axis=axis)], axis)
        after = jnp.concatenate([jax.lax.slice_in_dim(x, 1, n, axis=axis), last], axis)
        phases = []
        for i in range(factor):
            share = (i + 0.5) / factor - 0.5  # from this pixel's centre to the next one's
            beside = after if share > 0 else before
            phases.append((1 - abs(share)) * x + abs(share) * beside if share else x)
        shape = list(x.shape)
        shape[axis] *= factor
        x = jnp.stack(phases, axis + 1).reshape(shape)
    return x
