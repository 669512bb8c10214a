"""Whether a generator looks at the word "red" where it draws the red object, of pictures of `shapes`."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.data.scenes import COLOURS, decode
from jaxgan.data.source import Images
from jaxgan.generate import make_draw, trained
from jaxgan.images import to_uint8
from jaxgan.scores.scenes import check

LEAST = 12 / 32**2  # of a picture: what a colour must cover to be an object
SCORES = ("looks", "looks_gain")
HOW = "of each word for a colour that the picture has, where the last attention to it is"

__all__ = ["HOW", "SCORES", "check", "scores"]


def scores(plan: Any, images: Images, state: Any) -> dict[str, float]:
    """ "looks": the share of words for colours whose largest attention lies on pixels of that colour. "looks_gain": how much
    more attention a word has there than at a place of the picture on average. Nothing of a generator that looks at no words,
    and nothing where no word's colour is there."""
    wanted, nets, draw = plan.run.eval, trained(plan, state, plan.run.eval.ema), make_draw(plan)
    numbers = np.arange(wanted.num_samples, dtype=np.uint32)
    tokens = images.gather_feature("tokens", numbers.astype(np.int64))
    names, (height, width) = images.features["tokens"].names, images.image_shape[:2]

    def look(nets: Any, numbers: jax.Array, tokens: jax.Array) -> tuple[jax.Array, jax.Array | None]:
        task, inputs = draw(nets, numbers)
        return task.attention(nets.players, {**inputs, "tokens": tokens})

    if jax.eval_shape(look, nets, numbers[:1], tokens[:1])[1] is None:
        return {}

    @jax.jit
    def both(nets: Any, numbers: jax.Array, tokens: jax.Array) -> jax.Array:
        image, maps = look(nets, numbers, tokens)
        assert maps is not None
        large = maps.repeat(height // maps.shape[1], 1).repeat(width // maps.shape[2], 2)
        return jnp.concatenate([image, large.astype(image.dtype)], -1)

    found = in_batches(lambda *some: np.asarray(both(nets, *some)), wanted.batch_size, numbers, tokens)
    picture, maps = found[..., :3], found[..., 3:]
    return judged(decode(to_uint8(picture)), maps, [[names[i] for i in row] for row in tokens])


def judged(classes: np.ndarray, maps: np.ndarray, words: list[list[str]]) -> dict[str, float]:
    """`SCORES` of classes of pixels int [N, H, W], attention [N, H, W, T], and words [N][T]."""
    points, gains = [], []
    for own, map_, said in zip(classes, maps, words):
        for t, word in enumerate(said):
            there = own == COLOURS.index(word) + 1 if word in COLOURS else np.zeros_like(own, bool)
            if there.mean() >= LEAST:
                points.append(bool(there.flat[map_[..., t].argmax()]))
                gains.append(map_[..., t][there].mean() / max(map_[..., t].mean(), 1e-12))
    return {"looks": float(np.mean(points)), "looks_gain": float(np.mean(gains))} if points else {}
