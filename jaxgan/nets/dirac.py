"""The networks of Dirac-GAN (Mescheder et al. 2018, section 2): one number each, so that training can be seen whole."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.nets import layers


class Generator(nn.Module):
    """Any z [N, Z] -> the same point theta [N, D] (or picture). start: of each of its coordinates."""

    image_shape: tuple[int, ...]
    dtype: Any
    start: float = 1.0

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        dtype = layers.wide(self.dtype)
        theta = self.param("theta", nn.initializers.constant(self.start), self.image_shape, dtype)
        return jnp.broadcast_to(theta, (len(z), *self.image_shape))


class Discriminator(nn.Module):
    """Points x [N, D] (or pictures) -> logits psi . x. start: of each entry of psi."""

    dtype: Any
    start: float = 1.0

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        dtype = layers.wide(self.dtype)
        psi = self.param("psi", nn.initializers.constant(self.start), image.shape[1:], dtype)
        return layers.Out(jnp.sum(image * psi, tuple(range(1, image.ndim))), image)
