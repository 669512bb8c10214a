"""Fully connected networks, as in the first GAN (Goodfellow et al. 2014)."""

import functools
import math
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets import labels, layers


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C] in [-1, 1], or points [N, D].

    widths: hidden layers. epsilon: of norms. output: "tanh", or "linear" for points without bounds. init_std: of normal
    initial weights; 0: Glorot and Bengio's. cond: how it is told labels, where there are some (`labels.beside`).
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int
    widths: tuple[int, ...] = bounded((128,), least=1)
    activation: str = among(layers.ACTIVATIONS, "relu")
    norm: str = among(("none", "batch", "layer"), "none")
    epsilon: float = bounded(1e-5, below=1)
    output: str = among(("tanh", "linear"), "tanh")
    init_std: float = bounded(0.0)
    cond: str = among(("concat", "embed", "norm"), "concat")
    tiny: ClassVar = {"widths": (4,)}

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        told = labels.of_norms(cond, self.cond, self.num_classes, self.norm, self.dtype)
        x = labels.beside(self, z, cond, self.cond, self.num_classes)
        init = initializer(self.init_std)
        for width in self.widths:
            x = layers.Dense(width, dtype=self.dtype, kernel_init=init, use_bias=self.norm == "none")(x)
            x = layers.Norm(self.norm, self.dtype, self.epsilon)(x, train, told)
            x = layers.ACTIVATIONS[self.activation](x)
        x = layers.Dense(math.prod(self.image_shape), dtype=self.dtype, kernel_init=init)(x)
        x = x.astype(layers.wide(self.dtype)).reshape(-1, *self.image_shape)
        return nn.tanh(x) if self.output == "tanh" else x


class Discriminator(nn.Module):
    """Images [N, H, W, C] or points [N, D] -> `Out` with logits [N].

    widths: hidden layers. maxout: each hidden unit is the largest of this many linear ones (Goodfellow et al. 2013), to be
    used with activation "none". epsilon, init_std: as the generator's. head: how labels enter, where there are some
    (`labels.head`, `labels.planes`).
    """

    dtype: Any
    num_classes: int
    widths: tuple[int, ...] = bounded((128,), least=1)
    activation: str = among(layers.ACTIVATIONS, "leaky_relu")
    norm: str = among(layers.NORMS, "none")
    epsilon: float = bounded(1e-5, below=1)
    maxout: int = bounded(1, least=1)
    init_std: float = bounded(0.0)
    head: str = among(labels.HEADS, "concat")
    tiny: ClassVar = {"widths": (4,)}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        x = labels.planes(image.reshape(len(image), -1), cond, self.head, self.num_classes)
        dense = {
            "dtype": self.dtype,
            "kernel_init": initializer(self.init_std),
            "spectral": self.norm == "spectral",
        }
        for width in self.widths:
            x = layers.Dense(width * self.maxout, **dense)(x)
            x = functools.reduce(jnp.maximum, jnp.split(x, self.maxout, -1))  # twice as fast as a reduction over pieces
            x = layers.Norm(self.norm, self.dtype, self.epsilon)(x, train)
            x = layers.ACTIVATIONS[self.activation](x)
        linear = functools.partial(layers.Dense, **{**dense, "dtype": layers.wide(self.dtype)})
        return labels.head(self.head, x, cond, self.num_classes, linear)


def initializer(std: float) -> Any:
    """Normal weights of this standard deviation; 0: Glorot and Bengio's (2010)."""
    return nn.initializers.normal(std) if std else nn.initializers.xavier_normal()
