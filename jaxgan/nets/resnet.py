"""The small residual networks of WGAN-GP (Gulrajani et al. 2017, appendix F) and SNGAN (Miyato et al. 2018, table 4).

Generator: a dense layer, then blocks that double the image (norm, ReLU, nearest upsampling, 3x3, norm, ReLU, 3x3).
Discriminator: a first block that takes the raw image, one more block that halves it, two that keep it, ReLU, pooling.
The papers' CIFAR-10 settings: width 128 and mean pooling without a norm in WGAN-GP's critic; width 256 and 128 and
*sum* pooling with spectral norm in SNGAN. Encoder: blocks that halve the image, down to where the generator begins, as in
the critic of f-AnoGAN's and WGAN-GP's code for 64 px, norm, ReLU, a linear layer.
"""

from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets import labels, layers
from jaxgan.nets.dcgan import halvings

RESIDUAL = nn.initializers.variance_scaling(2.0, "fan_avg", "uniform")  # Xavier with gain sqrt(2)
LINEAR = nn.initializers.xavier_uniform()


def _up(x):
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def _down(x):
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).mean((2, 4))


class Block(nn.Module):
    """[N, H, W, C] -> [N, H', W', features]; resample: "up", "down" or "none"; `first`: no activation on the image.

    spectral: whether kernels are; None: as `norm` says. inits: of the kernels of 3x3, of the shortcut, and of those by which
    norms follow what they are told (`layers.Norm`). spectral_norms: whether these are spectral.
    """

    features: int
    resample: str
    norm: str
    epsilon: float
    dtype: Any
    first: bool = False
    spectral: bool | None = None
    inits: tuple[Any, Any, Any] = (RESIDUAL, LINEAR, nn.initializers.zeros)
    spectral_norms: bool = False

    @nn.compact
    def __call__(self, x, train: bool, cond=None):
        spectral = self.norm == "spectral" if self.spectral is None else self.spectral
        residual, linear, follows = self.inits
        conv = {"dtype": self.dtype, "spectral": spectral}
        up, first = (_up, "up") if self.resample == "up" else (lambda x: x, "none")
        down, second = (_down, "down") if self.resample == "down" else (lambda x: x, "none")

        def norm(x):
            return layers.Norm(self.norm, self.dtype, self.epsilon, self.spectral_norms, follows)(x, train, cond)

        h = x if self.first else nn.relu(norm(x))
        h = layers.Conv(self.features, kernel_init=residual, resample=first, **conv)(h)
        # The first block has no norm: its input is the image, and WGAN-GP's and SNGAN's code leave it bare.
        h = h if self.first else norm(h)
        h = layers.Conv(self.features, kernel_init=residual, resample=second, **conv)(nn.relu(h))
        if self.resample != "none" or x.shape[-1] != self.features:
            # A 1x1 convolution commutes with both resamplings, so it runs on the smaller image.
            small = down(x)
            x = up(layers.Conv(self.features, size=1, kernel_init=linear, **conv)(small))
        return x + h


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C] in [-1, 1]. width: channels of each layer. epsilon: of norms.

    cond: how it is told labels, where there are some (`labels.beside`): "norm" is conditional BatchNorm, but for the last.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int
    width: int = bounded(128, least=1)
    norm: str = among(("none", "batch", "layer"), "batch")
    epsilon: float = bounded(1e-5, below=1)
    cond: str = among(("norm", "concat", "embed"), "norm")
    tiny: ClassVar = {"width": 4}

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        n = halvings(self.image_shape)
        height, width, channels = self.image_shape
        told = labels.of_norms(cond, self.cond, self.num_classes, self.norm, self.dtype)
        z = labels.beside(self, z, cond, self.cond, self.num_classes)
        x = layers.Dense((height >> n) * (width >> n) * self.width, dtype=self.dtype, kernel_init=LINEAR)(z)
        x = x.reshape(-1, height >> n, width >> n, self.width)
        for _ in range(n):
            x = Block(self.width, "up", self.norm, self.epsilon, self.dtype)(x, train, told)
        x = nn.relu(layers.Norm(self.norm, self.dtype, self.epsilon)(x, train))
        x = layers.Conv(channels, dtype=self.dtype, kernel_init=LINEAR)(x)
        return nn.tanh(x.astype(layers.wide(self.dtype)))


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N].

    width: channels of each layer. epsilon: of norms. pool: mean or sum over the last pixels. head: how labels enter, where
    there are some (`labels.head`, `labels.planes`).
    """

    dtype: Any
    num_classes: int
    width: int = bounded(128, least=1)
    norm: str = among(layers.NORMS, "none")
    epsilon: float = bounded(1e-5, below=1)
    pool: str = among(("mean", "sum"), "mean")
    head: str = among(labels.HEADS, "projection")
    tiny: ClassVar = {"width": 4}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        halvings(image.shape[1:])  # refuses sizes that it cannot halve
        x = labels.planes(image, cond, self.head, self.num_classes)
        x = Block(self.width, "down", self.norm, self.epsilon, self.dtype, first=True)(x, train)
        for resample in ("down", "none", "none"):
            x = Block(self.width, resample, self.norm, self.epsilon, self.dtype)(x, train)
        x = nn.relu(x).astype(layers.wide(self.dtype))
        features = x.mean((1, 2)) if self.pool == "mean" else x.sum((1, 2))
        spectral = self.norm == "spectral"
        linear = partial(layers.Dense, dtype=layers.wide(self.dtype), kernel_init=LINEAR, spectral=spectral)
        return labels.head(self.head, features, cond, self.num_classes, linear)


class Encoder(nn.Module):
    """Images [N, H, W, C] -> z [N, z_dim].

    width: channels of the first block, doubled at each further one, up to eight times. epsilon: of norms. output: "tanh" for
    a z in [-1, 1], or "linear".
    """

    z_dim: int
    dtype: Any
    width: int = bounded(64, least=1)
    norm: str = among(("none", "batch", "layer"), "batch")
    epsilon: float = bounded(1e-5, below=1)
    output: str = among(("tanh", "linear"), "linear")
    tiny: ClassVar = {"width": 4}

    @nn.compact
    def __call__(self, image, *, train: bool):
        x = image
        for i in range(halvings(image.shape[1:])):
            x = Block(self.width << min(i, 3), "down", self.norm, self.epsilon, self.dtype, first=i == 0)(x, train)
        x = nn.relu(layers.Norm(self.norm, self.dtype, self.epsilon)(x, train))
        return layers.encoded(x, self.z_dim, self.output, self.dtype)
