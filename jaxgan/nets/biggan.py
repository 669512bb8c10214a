"""BigGAN's networks (Brock et al. 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis", appendix B),
and with other fields SAGAN's (Zhang et al. 2019, "Self-Attention Generative Adversarial Networks").

Residual blocks with spectral norm in both networks, self-attention at one resolution, conditional BatchNorm in the
generator, a projection in the discriminator. Sums over the last pixels are the discriminator's features.
"""

from functools import partial
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.nets import labels, layers
from jaxgan.nets.dcgan import halvings
from jaxgan.nets.resnet import Block

INITS = {
    "orthogonal": nn.initializers.orthogonal(),
    "normal": nn.initializers.normal(0.02),
    "glorot": nn.initializers.xavier_uniform(),
}
# Widths of a generator's blocks, as multiples of `width`, by the number of halvings: 28, 32, 64, 128 and 256 pixels.
GEN_WIDTHS = {2: (4, 4), 3: (4, 4, 4), 4: (16, 8, 4, 2), 5: (16, 8, 4, 2, 1), 6: (16, 8, 8, 4, 2, 1)}
# And of a discriminator's, of which the last do not halve: two up to 32 pixels, else one.
DISC_WIDTHS = {
    2: (4, 4, 4, 4),
    3: (4, 4, 4, 4),
    4: (1, 2, 4, 8, 16),
    5: (1, 2, 4, 8, 16, 16),
    6: (1, 2, 4, 8, 8, 16, 16),
}


class Attention(nn.Module):
    """x [N, H, W, C] -> x + gamma times attention over its positions (Zhang et al. 2019, section 3); gamma begins at 0.

    Queries and keys have C / 8 channels, values C / 2; keys and values are halved by the maximum of 2x2, and scores are not
    scaled, as in the authors' code. Raises UserError for odd sides.
    """

    dtype: Any
    spectral: bool = True
    kernel_init: Any = INITS["orthogonal"]

    @nn.compact
    def __call__(self, x):
        n, height, width, channels = x.shape
        if height % 2 or width % 2:
            raise UserError(f"attention halves keys, and {height}x{width} is odd; choose another side for nets.*.attention")
        conv = partial(
            layers.Conv, size=1, use_bias=False, dtype=self.dtype, spectral=self.spectral, kernel_init=self.kernel_init
        )
        inner = max(1, channels // 8)
        query = conv(inner, name="query")(x).reshape(n, height * width, inner)
        key = _halved(conv(inner, name="key")(x))
        value = _halved(conv(max(1, channels // 2), name="value")(x))
        exact = layers.wide(self.dtype)
        shares = jax.nn.softmax((query @ key.swapaxes(1, 2)).astype(exact)).astype(self.dtype)
        out = conv(channels, name="out")((shares @ value).reshape(n, height, width, -1))
        gamma = self.param("gamma", nn.initializers.zeros, (), exact)
        return x + (gamma * out).astype(x.dtype)


def _halved(x: jax.Array) -> jax.Array:
    """The maxima of 2x2 pixels, flat: [N, H W / 4, C]."""
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4)).reshape(n, -1, channels)


class Generator(nn.Module):
    """z [N, Z] -> images [N, H, W, C] in [-1, 1].

    width: channels at the image's own resolution in the papers' network for it, which decides the others.
    hierarchical: z is split, as evenly as it goes, into one part for the first layer and one for each block (Brock et al.
      2019, section 3).
    shared: entries of the label's embedding, which the norms of all blocks share; 0: each norm has gains and shifts of its
      own for each class (Miyato and Koyama 2018).
    cond: how a label enters: "norm", in the norms; or "concat", "embed", beside z, of a hierarchical one its first part.
    attention: the side of the feature maps that attend; 0: none.
    spectral: spectral norm of all kernels, but not of the shared embedding. kernel_init: "orthogonal" (Saxe et al.
      2014), "normal" of deviation 0.02, or "glorot", uniform. epsilon: of norms.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int
    width: int = bounded(32, least=1)
    hierarchical: bool = True
    shared: int = bounded(128, least=0)
    cond: str = among(("norm", "concat", "embed"), "norm")
    attention: int = bounded(0, least=0)
    spectral: bool = True
    kernel_init: str = among(INITS, "orthogonal")
    epsilon: float = bounded(1e-5, below=1)
    tiny: ClassVar = {"width": 2, "shared": 4, "attention": 0}

    @nn.compact
    def __call__(self, z, cond=None, *, train: bool, keys=None):
        n, init = halvings(self.image_shape), INITS[self.kernel_init]
        height, width, channels = self.image_shape
        widths = [self.width * x for x in _widths(GEN_WIDTHS, n)]
        first, told = self._told(z, cond, n)
        kernels = {"dtype": self.dtype, "spectral": self.spectral, "kernel_init": init}
        x = layers.Dense((height >> n) * (width >> n) * widths[0], **kernels)(first)
        x = x.reshape(-1, height >> n, width >> n, widths[0])
        # Tables of gains and shifts, which begin at 0.
        tables = self.num_classes and self.cond == "norm" and not self.shared and not self.hierarchical
        inits, attended = (init, init, nn.initializers.zeros if tables else init), not self.attention
        for features, own in zip(widths, told):
            fields = {"spectral": self.spectral, "inits": inits, "spectral_norms": self.spectral and not tables}
            x = Block(features, "up", "batch", self.epsilon, self.dtype, **fields)(x, train, own)
            if min(x.shape[1:3]) == self.attention:
                x, attended = Attention(self.dtype, self.spectral, init)(x), True
        _check_attention(self.attention, attended, [min(height, width) >> i for i in range(n)])
        x = nn.relu(layers.Norm("batch", self.dtype, self.epsilon)(x, train))
        return nn.tanh(layers.Conv(channels, **kernels)(x).astype(layers.wide(self.dtype)))

    def _told(self, z: jax.Array, cond: Any, blocks: int) -> tuple[jax.Array, list[jax.Array | None]]:
        """The first layer's part of z, and what each block's norms are told: the label, and perhaps a part of z."""
        label = None
        if self.num_classes and self.cond == "norm":
            label = labels.weights(cond, self.num_classes, z.dtype)
            if self.shared:
                shape = (self.num_classes, self.shared)
                label = label @ self.param("embed", INITS[self.kernel_init], shape, layers.wide(self.dtype))
        beside = partial(labels.beside, self, cond=cond, kind=self.cond, classes=self.num_classes)
        if not self.hierarchical:
            return beside(z), [label] * blocks
        if z.shape[-1] <= blocks:
            raise UserError(f"z is split into {blocks + 1} parts, which task.z_dim={z.shape[-1]} is too few for")
        first, *parts = jnp.array_split(z, blocks + 1, -1)
        return beside(first), [part if label is None else jnp.concatenate([label, part], -1) for part in parts]


class Discriminator(nn.Module):
    """Images [N, H, W, C] -> `Out` with logits [N].

    width, attention, kernel_init: as the generator's. norm: of kernels, "spectral" or "none". head: how labels enter, where
    there are some (`labels.head`, `labels.planes`).
    """

    dtype: Any
    num_classes: int
    width: int = bounded(32, least=1)
    attention: int = bounded(0, least=0)
    norm: str = among(("spectral", "none"), "spectral")
    kernel_init: str = among(INITS, "orthogonal")
    head: str = among(labels.HEADS, "projection")
    tiny: ClassVar = {"width": 2, "attention": 0}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        n, init, spectral = halvings(image.shape[1:]), INITS[self.kernel_init], self.norm == "spectral"
        sides = min(image.shape[1:3])
        x, attended = labels.planes(image, cond, self.head, self.num_classes), not self.attention
        halved = 2 if n <= 3 else n
        for i, times in enumerate(_widths(DISC_WIDTHS, n)):
            down = "down" if i < halved else "none"
            block = Block(self.width * times, down, self.norm, 1e-5, self.dtype, i == 0, spectral, (init, init, init))
            x = block(x, train)
            if min(x.shape[1:3]) == self.attention and not attended:
                x, attended = Attention(self.dtype, spectral, init)(x), True
        _check_attention(self.attention, attended, [sides >> i for i in range(1, halved + 1)])
        features = nn.relu(x).astype(layers.wide(self.dtype)).sum((1, 2))
        linear = partial(layers.Dense, dtype=layers.wide(self.dtype), kernel_init=init, spectral=spectral)
        return labels.head(self.head, features, cond, self.num_classes, linear)


def _widths(table: dict[int, tuple[int, ...]], halved: int) -> tuple[int, ...]:
    if halved not in table:
        raise UserError(f"biggan has networks for images that are halved {min(table)} to {max(table)} times, not {halved}")
    return table[halved]


def _check_attention(side: int, attended: bool, sides: list[int]) -> None:
    """Refuses a side that no feature map has."""
    if not attended:
        known = ", ".join(map(str, sides))
        raise UserError(f"attention={side} of biggan, and its feature maps have the sides {known}; 0 is without attention")
