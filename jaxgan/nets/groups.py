"""Adjacent examples that a critic takes together: packs that it judges as one, and what an example is told of its group."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.nets.layers import Dense, wide


def packed(image: jax.Array, n: int) -> jax.Array:
    """Images [N, H, W, C] -> packs [N / n, H, W, n C] of n adjacent ones, their channels side by side."""
    packs = image.reshape(-1, n, *image.shape[1:])
    return jnp.moveaxis(packs, 1, -2).reshape(len(packs), *image.shape[1:-1], -1)


def unpacked(packs: jax.Array, n: int) -> jax.Array:
    """The inverse of `packed`."""
    images = packs.reshape(*packs.shape[:-1], n, -1)
    return jnp.moveaxis(images, -2, 1).reshape(len(packs) * n, *packs.shape[1:-1], packs.shape[-1] // n)


def minibatch_stddev(x: jax.Array, group: int) -> jax.Array:
    """x [N, ..., C] with one more channel, the same for each `group` of adjacent examples: their standard deviation, its
    mean over everything else (Karras et al. 2018, "Progressive Growing of GANs", section 3; in groups as StyleGAN's code).
    """
    exact = wide(x.dtype)
    groups = x.astype(exact).reshape(-1, min(group, len(x)), *x.shape[1:])
    spread = jnp.sqrt(jnp.var(groups, 1) + 1e-8).mean(tuple(range(1, x.ndim)))
    each = jnp.repeat(spread, groups.shape[1]).reshape(-1, *[1] * (x.ndim - 1))
    return jnp.concatenate([x, jnp.broadcast_to(each, (*x.shape[:-1], 1)).astype(x.dtype)], -1)


class MinibatchDiscrimination(nn.Module):
    """x [N, F] -> [N, F + kernels]: how near an example is to the others of its group of adjacent ones, the sum of
    exp(-|M_i - M_j|_1) over them, M a learned matrix [kernels, dims] of each (Salimans et al. 2016, section 3.2, where the
    group is the batch)."""

    group: int
    kernels: int = 50
    dims: int = 5
    dtype: Any = jnp.float32
    spectral: bool = False

    @nn.compact
    def __call__(self, x):
        exact, n = wide(self.dtype), min(self.group, len(x))
        dense = Dense(self.kernels * self.dims, dtype=self.dtype, use_bias=False, spectral=self.spectral)
        matrices = dense(x).astype(exact)
        groups = matrices.reshape(-1, n, self.kernels, self.dims)
        distances = jnp.abs(groups[:, :, None] - groups[:, None]).sum(-1)
        near = jnp.exp(-distances).sum(2) - 1  # all but itself
        return jnp.concatenate([x.astype(exact), near.reshape(len(x), self.kernels)], -1)
