"""The features of a data set's examples."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

MAIN = "main"  # the stream of images
NUMBERS = ("label", "tokens")  # kinds of whole numbers, which reach networks as they are


@dataclass(frozen=True)
class Feature:
    """One feature of an example in a batch.

    kind: "picture" (uint8, to networks in [-1, 1]), "points" (float32), "label" (int32), "tokens" (int32, the numbers of a
      caption's words, 0 behind the last) or "mask" (uint8, above 127 where a picture is abnormal, for scores). shape: of one
      example in a batch; of a label () is one class, and (K,) a vector of `classes` = K attributes, each 0 or 1.
    classes: of a label; of tokens the size of the vocabulary, whose words are `names`. stream: features of one stream belong
      to one example: they are drawn, cut and flipped together. Another stream has its own length and order. names: of the
      classes, in their order, where they are known. shares: of one class, the share of each in the split, where it is known
      without decoding pictures.
    scale: how many pixels of the stream's largest picture one pixel here covers, on a side.
    choices: how many rows of tokens are stored for an example, of which a batch has one.
    """

    kind: str
    shape: tuple[int, ...]
    dtype: Any
    classes: int = 0
    stream: str = MAIN
    names: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    scale: int = 1
    choices: int = 1

    def as_json(self) -> dict[str, Any]:
        """For the record of a run; `from_json` is the inverse."""
        record = {**vars(self), "shape": list(self.shape), "dtype": np.dtype(self.dtype).name}
        for name in ("names", "shares"):
            value = list(record.pop(name))
            record |= {name: value} if value else {}
        for name in ("scale", "choices"):
            value = record.pop(name)
            record |= {name: value} if value > 1 else {}
        return record


def from_json(record: dict[str, Any]) -> Feature:
    """See `Feature.as_json`."""
    shape, dtype = tuple(record["shape"]), np.dtype(record["dtype"]).type
    lists = {name: tuple(record.get(name, ())) for name in ("names", "shares")}
    return Feature(**{**record, "shape": shape, "dtype": dtype, **lists})


def image_of(shape: tuple[int, ...], stream: str = MAIN) -> Feature:
    """Pictures [H, W, C], or points [D]."""
    kind, dtype = ("picture", np.uint8) if len(shape) == 3 else ("points", np.float32)
    return Feature(kind, tuple(shape), dtype, stream=stream)


def features_of(
    image_shape: tuple[int, ...],
    classes: int = 0,
    source_shape: tuple[int, ...] = (),
    apart: bool = False,
    names: Iterable[str] = (),
    vector: bool = False,
) -> dict[str, Feature]:
    """ "image", "label" where there are classes, and "source" where it has a shape; a stream of its own if `apart`. A source
    of the image's own stream has the scale that its sides say.

    names: of the classes. vector: they are attributes, of which an example may have several.
    """
    out = {"image": image_of(image_shape)}
    shape = (classes,) if vector else ()
    out |= {"label": Feature("label", shape, np.int32, classes, names=tuple(names))} if classes else {}
    if not source_shape:
        return out
    source = image_of(source_shape, "source" if apart else MAIN)
    return out | {"source": source if apart else replace(source, scale=_scale(image_shape, source_shape))}


def _scale(image_shape: tuple[int, ...], source_shape: tuple[int, ...]) -> int:
    """How many times a source fits into its image on both sides; 1 where it does not."""
    scale = max(1, image_shape[0] // source_shape[0])
    return scale if all(scale * small == large for small, large in zip(source_shape[:2], image_shape[:2])) else 1
