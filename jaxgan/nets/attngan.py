"""AttnGAN's networks (Xu et al. 2018, "AttnGAN: Fine-Grained Text to Image Generation with Attentional Generative
Adversarial Networks", section 3.1): a generator of several stages, each twice as large, that looks at the words between
them, and the discriminator of one stage.

Both are told a `TextCodes`. Equation numbers are the paper's.
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.nets.dcgan import even_halvings
from jaxgan.nets.layers import ACTIVATIONS, Conv, Dense, Made, Norm, Out, wide

DEEP = 4  # halvings after which a discriminator has its widest maps
MASKS = ("own", "shuffled", "none")
_leaky = ACTIVATIONS["leaky_relu"]


def attention(hidden: jax.Array, words: jax.Array, mask: jax.Array, kind: str) -> jax.Array:
    """How much each place looks at each word, [N, H, W, T], 1 in total (equation 7). hidden: [N, H, W, D]. words: [N, T, D].
    mask: bool [N, T], the words that are there. kind: one of `MASKS`."""
    n, height, width, _ = hidden.shape
    scores = jnp.einsum("nhwd,ntd->nhwt", hidden, words)
    if kind == "own":
        scores = jnp.where(mask[:, None, None], scores, -jnp.inf)
    elif kind == "shuffled":  # row r, of example r // places, has the mask of example r % n
        masks = jnp.tile(mask, (height * width, 1)).reshape(n, height, width, -1)
        scores = jnp.where(masks, scores, -jnp.inf)
    return jax.nn.softmax(scores, -1)


class UpBlock(nn.Module):
    """Pixels repeated to twice the sides, a convolution, BatchNorm and a gated linear unit: half of the channels times the
    sigmoid of the others (Dauphin et al. 2017)."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        x = Conv(2 * self.features, use_bias=False, dtype=self.dtype)(x.repeat(2, 1).repeat(2, 2))
        return nn.glu(Norm("batch", self.dtype)(x, train))


class Residual(nn.Module):
    """Convolution, BatchNorm, gated linear unit, convolution, BatchNorm; plus x."""

    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        conv, norm = partial(Conv, use_bias=False, dtype=self.dtype), partial(Norm, "batch", self.dtype)
        y = nn.glu(norm()(conv(2 * x.shape[-1])(x), train))
        return x + norm()(conv(x.shape[-1])(y), train)


class Condition(nn.Module):
    """Conditioning augmentation (Zhang et al. 2017, section 3.2): a sentence [N, D] -> the mean and the log variance
    [N, features] of a Gaussian that the generator's condition is drawn of."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, sentence: jax.Array) -> tuple[jax.Array, jax.Array]:
        both = nn.glu(Dense(4 * self.features, dtype=wide(self.dtype))(sentence))
        return both[:, : self.features], both[:, self.features :]


class Generator(nn.Module):
    """z [N, Z] and a `TextCodes` -> a `Made`: images [N, H, W, C] in [-1, 1]; "stages", the smaller images, smallest first;
    "mean" and "log_variance" of the condition; "attention", [N, h, w, T] of each stage after the first.

    width: channels of each stage's hidden maps, the paper's N_g. stages: images, each twice as large as the one before.
    condition: entries of the condition. residuals: blocks of each stage after the first.
    attention: whether these stages look at the words; otherwise they have the maps of the stage before alone.
    mask: which words there are to look at: "own", those of the example's caption; "shuffled", as the authors' released code
      has it, where the examples of a batch have each other's masks, so that a picture depends on its batch; "none", all,
      padding too.
    """

    image_shape: tuple[int, int, int]
    dtype: Any
    width: int = bounded(32, least=1)
    stages: int = bounded(3, least=1, most=3)
    condition: int = bounded(100, least=1)
    residuals: int = bounded(2, least=0)
    attention: bool = True
    mask: str = among(MASKS, "own")

    tiny = {"width": 2, "condition": 3, "residuals": 1, "stages": 2}

    @nn.compact
    def __call__(self, z: jax.Array, cond: Any, *, train: bool, keys: Any = None) -> Made:
        height, width, channels = self.image_shape
        first = height >> (self.stages - 1), width >> (self.stages - 1), channels
        n, exact = even_halvings(first), wide(self.dtype)
        mean, log_variance = Condition(self.condition, self.dtype, name="condition")(cond.sentence.astype(exact))
        told = mean
        if keys is not None:
            noise = jax.vmap(lambda key: jax.random.normal(key, (self.condition,), exact))(keys("condition"))
            told = mean + jnp.exp(log_variance / 2) * noise
        features = self.width << n
        x = Dense(2 * features * (first[0] >> n) * (first[1] >> n), use_bias=False, dtype=self.dtype)(
            jnp.concatenate([z, told.astype(z.dtype)], -1)
        )
        x = nn.glu(Norm("batch", self.dtype)(x, train)).reshape(len(x), first[0] >> n, first[1] >> n, features)
        for i in range(n):
            x = UpBlock(self.width << (n - 1 - i), self.dtype)(x, train)
        images, seen = [self._image(x, 0)], []
        for stage in range(1, self.stages):
            if self.attention:
                words = Dense(self.width, use_bias=False, dtype=exact, name=f"words_{stage}")(cond.words)
                seen.append(attention(x.astype(exact), words, cond.mask, self.mask))
                x = jnp.concatenate([x, jnp.einsum("nhwt,ntd->nhwd", seen[-1], words).astype(x.dtype)], -1)
            for _ in range(self.residuals):
                x = Residual(self.dtype)(x, train)
            x = UpBlock(self.width, self.dtype)(x, train)
            images.append(self._image(x, stage))
        aux = {"stages": tuple(images[:-1]), "mean": mean, "log_variance": log_variance, "attention": tuple(seen)}
        return Made(images[-1], aux)

    def _image(self, x: jax.Array, stage: int) -> jax.Array:
        made = Conv(self.image_shape[-1], use_bias=False, dtype=self.dtype, name=f"image_{stage}")(x)
        return nn.tanh(made.astype(wide(self.dtype)))


class Discriminator(nn.Module):
    """Images [N, H, W, C] and a `TextCodes` -> `Out`, its logits {"picture": [N], "caption": [N]}: whether the picture looks
    real, and whether it does and fits its sentence (equation 5).

    width: channels after the first halving, twice as many after each further one.
    """

    dtype: Any
    width: int = bounded(64, least=1)

    tiny = {"width": 2}

    @nn.compact
    def __call__(self, image: jax.Array, cond: Any, *, train: bool, keys: Any = None) -> Out:
        norm, x, n = partial(Norm, "batch", self.dtype), image, even_halvings(image.shape[1:])
        for i in range(n):
            x = Conv(self.width << i, size=4, stride=2, pad=1, use_bias=False, dtype=self.dtype)(x)
            x = _leaky(norm()(x, train) if i else x)
        for i in range(n - 1, DEEP - 1, -1):
            x = _leaky(norm()(Conv(self.width << (i - 1), use_bias=False, dtype=self.dtype)(x), train))
        sentence = jnp.broadcast_to(cond.sentence[:, None, None].astype(x.dtype), (*x.shape[:3], cond.sentence.shape[-1]))
        joint = Conv(x.shape[-1], use_bias=False, dtype=self.dtype, name="joint")(jnp.concatenate([x, sentence], -1))
        joint = _leaky(norm(name="joint_norm")(joint, train))

        def logit(x: jax.Array, name: str) -> jax.Array:
            return Dense(1, dtype=wide(self.dtype), name=name)(x.reshape(len(x), -1))[:, 0]

        features = x.astype(wide(self.dtype)).mean((1, 2))
        return Out({"picture": logit(x, "picture"), "caption": logit(joint, "caption")}, features)
