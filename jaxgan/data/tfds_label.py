"""The label of a TFDS data set: one class, or a vector of yes-or-no answers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Label(NamedTuple):
    """A label of a data set. key: the feature that it is made of. names: of its classes or attributes. vector: whether it is
    a vector of attributes. of: makes it of the feature."""

    key: str
    names: tuple[str, ...]
    of: Callable[[Any], Any] = int
    vector: bool = True


def label_of(name: str, kind: Any) -> Label | None:
    """The label that a feature of TFDS is: a class, or a dict or a sequence of yes-or-no answers; None for others."""
    import tensorflow_datasets as tfds

    if isinstance(kind, tfds.features.ClassLabel):
        return Label(name, tuple(kind.names), vector=False)
    if isinstance(kind, tfds.features.FeaturesDict) and all(x.shape == () and x.np_dtype == np.bool_ for x in kind.values()):
        names = tuple(kind)
        return Label(name, names, lambda answers: np.array([answers[one] for one in names], np.int32))
    shape = getattr(kind, "shape", ())
    if isinstance(shape, tuple) and len(shape) == 1 and shape[0] and getattr(kind, "np_dtype", None) == np.bool_:
        return Label(name, tuple(map(str, range(shape[0]))), lambda answers: np.asarray(answers, np.int32))
    return None
