"""Whether translated digits keep their class, and what a classifier of one style gains by reading the other translated."""

from functools import partial
from typing import Any

import jax
import numpy as np

from jaxgan.errors import UserError
from jaxgan.extractors import digits
from jaxgan.generate import trained
from jaxgan.scores.translation import translated
from jaxgan.sections import open_data

EPOCHS = 20  # of the classifier of styled digits


def reading_scores(plan: Any, images: Any, state: Any) -> dict[str, float]:
    """Of `digit_styles`, a being plain digits and b styled ones, shares of digits that are read as what they are:

    "read_b": styled ones, by this package's classifier of plain digits, which never saw a style; "read_ba": the same ones
    translated to plain; "read_ab": plain ones translated to styled, by a classifier trained on the run's own styled pictures
    and their labels; "read_real_b": real styled ones, by that classifier.

    Raises UserError for other data.
    """
    check(plan, images)
    nets, numbers = trained(plan, state, plan.run.eval.ema), np.arange(plan.run.eval.num_samples)
    of_a, of_b = numbers[: len(images.sources)], numbers[: len(images)]
    plain, styled = images.gather_feature("source", of_a), images.gather(of_b)
    plain_labels, styled_labels = images.gather_key("label", of_a, "source"), styled["label"]
    own = open_data(plan.config).load()
    reader = digits.fit(_inner(own["image"]), own["label"], epochs=EPOCHS)
    shipped = digits.Digits().load((digits.SIDE, digits.SIDE, 1))

    def plainly(pictures: np.ndarray) -> np.ndarray:
        grey = np.rint(_inner(pictures).mean(-1, keepdims=True)).astype(np.uint8)
        return _read(partial(shipped.apply, shipped.variables), grey)

    def coloured(pictures: np.ndarray) -> np.ndarray:
        return _read(lambda x: digits.run(reader, x.astype(np.float32) / 127.5 - 1), _inner(pictures))

    return {
        "read_b": float(np.mean(plainly(styled["image"]) == styled_labels)),
        "read_ba": float(np.mean(plainly(translated(plan, nets, styled["image"], "ba")) == styled_labels)),
        "read_ab": float(np.mean(coloured(translated(plan, nets, plain, "ab")) == plain_labels)),
        "read_real_b": float(np.mean(coloured(styled["image"]) == styled_labels)),
    }


def check(plan: Any, images: Any) -> None:
    """Refuses runs that `reading_scores` is not of. Raises UserError."""
    asked = "ba" in plan.ways and images.name.startswith("digit_styles") and images.num_classes == digits.CLASSES
    if not asked or not plan.image_shape == plan.source_shape == (32, 32, 3):
        raise UserError("the metric 'reading' is of data.name=digit_styles, as it is, with task.name=unpaired")


def _inner(pictures: np.ndarray) -> np.ndarray:
    """The 28 x 28 pixels in the middle."""
    edge = (pictures.shape[1] - digits.SIDE) // 2
    return pictures[:, edge : edge + digits.SIDE, edge : edge + digits.SIDE]


def _read(network: Any, pictures: np.ndarray) -> np.ndarray:
    """The likeliest class of uint8 pictures [N, 28, 28, C], [N]."""
    with jax.default_matmul_precision("highest"):
        return np.concatenate([np.asarray(jax.jit(network)(x)[1]).argmax(-1) for x in np.array_split(pictures, 4)])
