"""Whether a generator looks at the word "red" where it draws the red object, of pictures of `shapes`."""

from typing import Any

import jax
import numpy as np

from jaxgan.batches import batches
from jaxgan.data.scenes import COLOURS, decode
from jaxgan.generate import make_draw, trained
from jaxgan.images import to_uint8
from jaxgan.scores.drawn import Captions

LEAST = 12 / 32**2  # of a picture: what a colour must cover to be an object
SCORES = ("looks", "looks_gain")
HOW = "of each word for a colour that the picture has, where the last attention to it is"


def scores(plan: Any, opened: Captions, state: Any) -> dict[str, float]:
    """ "looks": the share of words for colours whose largest attention lies on pixels of that colour. "looks_gain": how much
    more attention a word has there than at a place of the picture on average. Nothing of a generator that looks at no words,
    and nothing where no word's colour is there."""
    wanted, nets = plan.run.eval, trained(plan, state, plan.run.eval.ema)
    numbers, tokens = opened.tokens(wanted.num_samples)
    names, look = opened.images.features["tokens"].names, opened.once("look", lambda: _make_look(plan))
    points: list[bool] = []
    gains: list[float] = []
    for rows, count in batches(len(numbers), min(wanted.batch_size, len(numbers))):
        picture, maps = look(nets, numbers[rows], tokens[rows])
        if maps is None:
            return {}
        words = [[names[i] for i in row] for row in tokens[rows[:count]]]
        more = judged(decode(to_uint8(np.asarray(picture)))[:count], np.asarray(maps)[:count], words)
        points, gains = points + more[0], gains + more[1]
    return {"looks": float(np.mean(points)), "looks_gain": float(np.mean(gains))} if points else {}


def _make_look(plan: Any) -> Any:
    """`(nets, numbers [N], tokens [N, T]) -> (images [N, H, W, C], attention [N, H, W, T] at their size, or None)`."""
    draw, (height, width) = make_draw(plan), plan.image_shape[:2]

    def look(nets: Any, numbers: jax.Array, tokens: jax.Array) -> tuple[jax.Array, jax.Array | None]:
        task, inputs = draw(nets, numbers)
        image, maps = task.attention(nets.players, {**inputs, "tokens": tokens})
        large = None if maps is None else maps.repeat(height // maps.shape[1], 1).repeat(width // maps.shape[2], 2)
        return image, large

    return look


def judged(classes: np.ndarray, maps: np.ndarray, words: list[list[str]]) -> tuple[list[bool], list[float]]:
    """Of each word for a colour that is there: whether its largest attention lies on it, and how much more it has there than
    on average. classes: of pixels, int [N, H, W]. maps: attention [N, H, W, T]. words: [N][T]."""
    points, gains = [], []
    for own, map_, said in zip(classes, maps, words):
        for t, word in enumerate(said):
            there = own == COLOURS.index(word) + 1 if word in COLOURS else np.zeros_like(own, bool)
            if there.mean() >= LEAST:
                points.append(bool(there.flat[map_[..., t].argmax()]))
                gains.append(float(map_[..., t][there].mean() / max(map_[..., t].mean(), 1e-12)))
    return points, gains
