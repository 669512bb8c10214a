"""Labels that a caller asks a generator for, as the arrays that it takes."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from jaxgan.data.features import Feature
from jaxgan.errors import UserError, nearest
from jaxgan.generate import takes_labels
from jaxgan.plan import Plan


def labels_of(plan: Plan, asked: Any, count: int) -> np.ndarray:
    """int32 [count], or attributes [count, K]: of one label for all, a number or "red,circle", or of so many. Raises
    UserError."""
    labels = np.asarray(asked)
    if labels.dtype.kind not in "iuU" or labels.shape not in ((), (count,)):
        raise UserError(
            f"label is a whole number, or one for each of the {count} pictures; of attributes a text, 'red,circle'"
        )
    if labels.dtype.kind == "U":
        labels = attributes_of(plan, labels.ravel().tolist())
    else:
        check_labels(plan, labels.ravel().tolist())
    return np.broadcast_to(labels.astype(np.int32), (count, *labels.shape[1:]))


def check_labels(plan: Plan, labels: Collection[int]) -> None:
    """Refuses labels that the generator is not told. Raises UserError."""
    feature = _told(plan)
    if feature.shape:
        raise UserError(
            f"this generator is told {feature.shape[0]} attributes of each picture, and not one label; "
            f"--attributes={','.join(feature.names[:2]) or '0,1'}"
        )
    for label in labels:
        if not 0 <= label < feature.classes:
            raise UserError(f"this generator knows the labels 0 to {feature.classes - 1}, and not {label}")


def attributes_of(plan: Plan, asked: Sequence[str]) -> np.ndarray:
    """int32 [N, K]: vectors of attributes from their names apart by commas, "red,circle", or their numbers; "none" is
    without any. Raises UserError for a generator that is told none, and for names that it does not know."""
    feature, out = _told(plan), []
    if not feature.shape:
        raise UserError(f"this generator is told one of {feature.classes} labels, and no attributes; --labels=0")
    known = feature.names or tuple(map(str, range(feature.shape[0])))
    for text in asked:
        given = [name.strip() for name in text.split(",")]
        lost = [name for name in given if name not in known and given != ["none"]]
        if lost:
            raise UserError(f"this generator knows no attribute '{lost[0]}'; {nearest(lost[0], known)}")
        out.append([int(name in given) for name in known])
    return np.array(out, np.int32)


def _told(plan: Plan) -> Feature:
    """The labels that the generator is told."""
    feature = plan.features["label"] if "label" in plan.features and takes_labels(plan) else None
    if feature is None or not feature.classes:
        raise UserError("this generator is told no labels (--config.task.num_classes); leave them out")
    return feature
