"""Which classes of a data set are kept: by name or number, in every split."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxgan.data.features import MAIN, Feature
from jaxgan.data.source import Images
from jaxgan.errors import UserError, nearest

MOST = 20  # classes, or shares of them, that a name lists; of more it has a digest, or it would fill a page


@dataclass(frozen=True)
class Kept:
    """Of every data set with labels: the classes that are kept, in every split that a run trains on or is scored on. Classes
    keep their numbers. Anomaly scores alone open a split whole, and what is not kept is abnormal.

    classes: the ones that are kept, by name, or by number where no name is one: "3,5"; empty: all.
    without: the ones that are not, in place of `classes`.
    """

    classes: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self):
        if self.classes and self.without:
            kept, left = ",".join(self.classes), ",".join(self.without)
            raise UserError(
                f"data.classes={kept} and data.without={left} are two ways to say one thing; leave one empty: "
                "--config.data.classes= or --config.data.without="
            )

    def mask(self, images: Images) -> np.ndarray:
        """Which of a data set's classes are kept, bool [K]. Raises UserError for unknown names, and where none is left."""
        asked = self.classes or self.without
        if not asked:
            return np.ones(images.num_classes, bool)
        field = "classes" if self.classes else "without"
        label = check_classes(images, field)
        names = names_of(label)
        numbers = {str(i): i for i in range(len(names))} if not any(name.isdecimal() for name in names) else {}
        numbers |= {name: i for i, name in enumerate(names)}
        named = np.zeros(len(names), bool)
        for one in asked:
            if one not in numbers:
                raise UserError(f"data.{field}={one}: {images.name} has no such class; {nearest(one, names)}")
            named[numbers[one]] = True
        if self.without and named.all():
            raise UserError(f"data.without leaves nothing: it names every class of {images.name}")
        return named if self.classes else ~named

    def told(self, images: Images) -> list[str]:
        """The part of a data set's name, alike for all ways to ask for the same classes; [] where all are kept."""
        mask = self.mask(images)
        if mask.all():
            return []
        few = mask.sum() <= (~mask).sum()
        names = [name for name, one in zip(names_of(images.features["label"]), mask) if one == few]
        told = hashlib.sha256(repr(names).encode()).hexdigest()[:8] if len(names) > MOST else ",".join(names)
        return [("classes " if few else "without ") + told]


def names_of(label: Feature) -> tuple[str, ...]:
    """The classes' names; their numbers where they have none."""
    return label.names or tuple(map(str, range(label.classes)))


def check_classes(images: Images, field: str) -> Feature:
    """The label of a data set, which has one class an example. field: of the section `data`, that asks for it. Raises
    UserError."""
    label = images.features.get("label")
    if label is None or label.stream != MAIN:
        raise UserError(f"data.{field} is of data with labels, and {images.name} has none")
    if label.shape:
        raise UserError(
            f"data.{field} is of classes, and the label of {images.name} is a vector of {label.classes} attributes"
        )
    return label


def kept_classes(config_data: Any, images: Images) -> np.ndarray:
    """Which classes of a data set a run keeps, bool [K]. config_data: the section `data` of its config. images: of any
    split. Raises UserError as `Kept.mask` does."""
    given = {name: config_data.get(name, ()) for name in ("classes", "without")}
    return Kept(**{name: tuple(x) for name, x in given.items() if not isinstance(x, int)}).mask(images)  # an int: `samples`
