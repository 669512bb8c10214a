"""How well captions fit pictures, and the losses that teach it: the deep attentional multimodal similarity model of AttnGAN
(Xu et al. 2018, section 3.2).

Shapes: N pictures with regions [N, R, D] and whole codes [N, D]; M captions with words [M, T, D], sentences [M, D], and a
mask bool [M, T] of the words that are there.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class Gammas(NamedTuple):
    """How sharply a word looks at its regions, how much the best words count in a caption's score, and how much scores count
    in the loss: equations 9, 10 and 11."""

    attend: float
    words: float
    loss: float


def attention(words: jax.Array, mask: jax.Array, regions: jax.Array, sharpness: float) -> jax.Array:
    """How much each word looks at each region, [N, M, T, R], 1 in total (equations 8 and 9): a softmax over the caption's
    words in each region, and then one over the regions. Words that are not there count in neither."""
    similarity = jnp.einsum("mtd,nrd->nmtr", words, regions)
    similarity = jnp.where(mask[None, :, :, None], similarity, -jnp.inf)
    return jax.nn.softmax(sharpness * jax.nn.softmax(similarity, 2), 3)


def word_scores(words: jax.Array, mask: jax.Array, regions: jax.Array, gammas: Gammas) -> jax.Array:
    """R(Q, D) of each picture with each caption, [N, M], but for the power 1 / gamma2, which the authors' code leaves out
    (equation 10): log sum over words of exp(gamma2 cos(what the word sees, the word))."""
    seen = jnp.einsum("nmtr,nrd->nmtd", attention(words, mask, regions, gammas.attend), regions)
    near = cosine(seen, words[None])
    return jax.nn.logsumexp(jnp.where(mask[None], gammas.words * near, -jnp.inf), -1)


def cosine(a: jax.Array, b: jax.Array) -> jax.Array:
    """The cosine of the angle between vectors along the last axis; 0 where one has no length."""
    lengths = jnp.sqrt(jnp.maximum(jnp.sum(a * a, -1) * jnp.sum(b * b, -1), 1e-16))
    return jnp.sum(a * b, -1) / lengths


def contrast(scores: jax.Array, excluded: jax.Array) -> jax.Array:
    """Cross-entropy that picture i of [N, N] has caption i among all captions, plus that caption i has picture i among all
    pictures (equations 11 to 13). excluded: bool [N, N], pairs that are no mistake."""
    scores = jnp.where(excluded, -jnp.inf, scores)
    own = jnp.arange(len(scores))
    both = (optax.softmax_cross_entropy_with_integer_labels(x, own) for x in (scores, scores.T))
    return sum(map(jnp.mean, both), jnp.zeros(()))


def no_mistakes(tokens: jax.Array, mask_equal: bool) -> jax.Array:
    """`contrast`'s excluded pairs, bool [N, N]: pictures of the same caption, of captions [N, T]; none without `mask_equal`.
    No caption is its own twin."""
    same = jnp.all(tokens[:, None] == tokens[None], -1)
    return same & ~jnp.eye(len(tokens), dtype=bool) & mask_equal
