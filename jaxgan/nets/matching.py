"""Networks that bring captions and pictures into one space, in which what belongs together is near (Xu et al. 2018).

A text encoder is called `(tokens, *, train, keys)` and returns codes of the words [N, T, dims] and of the whole caption
[N, dims]. An image encoder is called `(image, *, train, keys)` and returns codes of regions [N, R, dims], row by row, and of
the whole picture [N, dims].
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import among, bounded
from jaxgan.data.words import PAD
from jaxgan.nets.layers import Conv, Dense, Dropout, Norm, wide


def _uniform(key: jax.Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    return jax.random.uniform(key, shape, dtype, -0.1, 0.1)


class Lstm(nn.Module):
    """A bidirectional LSTM over embedded words. A word's code is both directions' states there, the caption's both last
    states, so that half of `dims` belongs to each direction.

    embedding: entries of a word's embedding. dropout: what share of them a training example is seen without.
    """

    dims: int
    vocabulary: int
    dtype: Any
    embedding: int = bounded(300, least=1)
    dropout: float = bounded(0.5, below=1)

    tiny = {"embedding": 4}

    @nn.compact
    def __call__(self, tokens: jax.Array, *, train: bool, keys: Any = None) -> tuple[jax.Array, jax.Array]:
        exact = wide(self.dtype)
        x = nn.Embed(self.vocabulary, self.embedding, exact, exact, embedding_init=_uniform, name="embed")(tokens)
        x = Dropout(self.dropout, "dropout")(x, keys if train else None)
        cell = partial(nn.OptimizedLSTMCell, self.dims // 2, dtype=exact, param_dtype=exact)
        lengths = jnp.sum(tokens != PAD, -1)
        states, words = [], []
        for name, back in (("forward", False), ("backward", True)):
            rnn = nn.RNN(cell(name=name), return_carry=True, reverse=back, keep_order=back)
            (_, last), every = rnn(x, seq_lengths=lengths)
            states.append(last)
            words.append(every)
        return jnp.concatenate(words, -1), jnp.concatenate(states, -1)


class Regions(nn.Module):
    """Convolutions of 3x3 with ReLU, two a level, each of which halves the sides, down to regions of `grid` pixels a side;
    then two more for the whole picture.

    width: features of the first level, twice as many at each further one. grid: the largest side that regions may have.
    norm: of the convolutions.
    """

    dims: int
    dtype: Any
    width: int = bounded(32, least=1)
    grid: int = bounded(8, least=1)
    norm: str = among(("batch", "none"), "batch")

    tiny = {"width": 2, "grid": 3}

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool, keys: Any = None) -> tuple[jax.Array, jax.Array]:
        def layer(x: jax.Array, features: int, stride: int) -> jax.Array:
            x = Conv(features, stride=stride, use_bias=self.norm == "none", dtype=self.dtype,
                     kernel_init=nn.initializers.he_normal())(x)  # fmt: skip
            return nn.relu(Norm(self.norm, self.dtype)(x, train))

        features = self.width
        while max(x.shape[1:3]) > self.grid:
            x = layer(layer(x, features, 2), features, 1)
            features *= 2
        code = partial(Dense, self.dims, dtype=wide(self.dtype), kernel_init=_uniform)
        regions = code(name="regions")(x.reshape(len(x), -1, x.shape[-1]))
        for _ in range(2):
            x = layer(x, features, 2)
        return regions, code(name="whole")(jnp.mean(x, (1, 2)))


TEXT_ENCODERS = {"lstm": Lstm}
IMAGE_ENCODERS = {"regions": Regions}
