"""A sheet of what a generator looked at: a row for each picture, beside it a column for each word of its prompt."""

from collections.abc import Sequence

import jax
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jaxgan.data.words import words_of
from jaxgan.errors import UserError
from jaxgan.generate import Trained, make_draw
from jaxgan.images import as_picture, to_uint8
from jaxgan.plan import Plan
from jaxgan.prompts import prompt_tokens
from jaxgan.verbs.heat import heated

SIDE = 96  # pixels of a picture on the sheet, at least
LINE, FONT = 18, 12  # pixels: the height of a line of words, and of its letters
SHEET = 2**26  # pixels, at most


def attended(plan: Plan, nets: Trained, prompts: Sequence[str], numbers: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 3]: for each prompt its words, and below them a row for each number [M]: the picture, then where it
    looked at each word, clear up to an even share of the words and red from three times that. Raises UserError for a
    generator that looks at no words."""
    draw, tokens = make_draw(plan), prompt_tokens(plan, prompts)

    @jax.jit
    def look(nets: Trained, numbers: jax.Array, tokens: jax.Array):
        task, inputs = draw(nets, numbers)
        return task.attention(nets.players, {**inputs, "tokens": tokens})

    if jax.eval_shape(look, nets, numbers[:1], tokens[:1])[1] is None:
        raise UserError("this run's generator looks at no words; configs/attngan.py's does")
    words = [words_of(prompt) for prompt in prompts]
    height, width = (side * max(1, -(-SIDE // min(plan.image_shape[:2]))) for side in plan.image_shape[:2])
    columns, rows = 1 + max(map(len, words)), len(prompts) * len(numbers)
    if columns * rows * height * width > SHEET:
        raise UserError(f"a sheet of {rows} pictures with {columns - 1} words each is too large; --num asks for fewer")
    canvas = np.full((len(prompts) * (LINE + len(numbers) * height), columns * width, 3), 255, np.uint8)
    for i, own in enumerate(words):
        told = np.broadcast_to(tokens[i], (len(numbers), tokens.shape[1]))
        image, maps = map(np.asarray, look(nets, numbers, told))
        top, even = i * (LINE + len(numbers) * height), 1 / len(own)
        canvas[top : top + LINE] = _line(own, width, columns)
        pictures = np.stack([_scaled(x, height, width) for x in to_uint8(image)])
        found = [pictures]
        for t in range(len(own)):
            map_ = np.stack([_scaled_map(x, height, width) for x in maps[..., t]])
            found.append(heated(pictures, map_, even, min(1.0, 3 * even)))
        for m, row in enumerate(zip(*found)):
            start = top + LINE + m * height
            canvas[start : start + height, : len(row) * width] = np.concatenate(row, 1)
    return canvas


def _line(words: Sequence[str], width: int, columns: int) -> np.ndarray:
    picture = Image.new("RGB", (width * columns, LINE), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(FONT)
    for i, word in enumerate(words, 1):
        pen.text(((i + 0.5) * width, LINE / 2), word, "black", font, anchor="mm")
    return np.asarray(picture)


def _scaled(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(as_picture(pixels).convert("RGB").resize((width, height), Image.Resampling.NEAREST))


def _scaled_map(x: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(x.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR))
