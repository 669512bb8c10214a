"""Fully connected networks, as in the first GAN (Goodfellow et al. 2014)."""

import math
from dataclasses import field
from typing import Any

import flax.linen as nn

from jaxgan.nets import layers


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C] in [-1, 1].

    widths: hidden layers. norm: none or batch or layer.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    widths: tuple[int, ...] = (128,)
    activation: str = field(default="relu", metadata={"choices": tuple(layers.ACTIVATIONS)})
    norm: str = field(default="none", metadata={"choices": ("none", "batch", "layer")})

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        x = z
        init = nn.initializers.xavier_normal()
        for width in self.widths:
            x = layers.Dense(width, dtype=self.dtype, kernel_init=init, use_bias=self.norm == "none")(x)
            x = layers.Norm(self.norm, self.dtype)(x, train)
            x = layers.ACTIVATIONS[self.activation](x)
        x = layers.Dense(math.prod(self.image_shape), dtype=self.dtype, kernel_init=init)(x)
        return nn.tanh(x.astype(layers.wide(self.dtype))).reshape(-1, *self.image_shape)


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N]. widths: hidden layers."""

    dtype: Any
    widths: tuple[int, ...] = (128,)
    activation: str = field(default="leaky_relu", metadata={"choices": tuple(layers.ACTIVATIONS)})
    norm: str = field(default="none", metadata={"choices": layers.NORMS})

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        x = image.reshape(len(image), -1)
        dense = {
            "dtype": self.dtype,
            "kernel_init": nn.initializers.xavier_normal(),
            "spectral": self.norm == "spectral",
        }
        for width in self.widths:
            x = layers.Dense(width, **dense)(x)
            x = layers.Norm(self.norm, self.dtype)(x, train)
            x = layers.ACTIVATIONS[self.activation](x)
        logits = layers.Dense(1, **{**dense, "dtype": layers.wide(self.dtype)})(x)[:, 0]
        return layers.Out(logits, x)
