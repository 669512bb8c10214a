"""How well label maps agree: Long et al. 2015, "Fully Convolutional Networks for Semantic Segmentation", section 5.

A confusion n, whose n_ij pixels are of class i and were made j, is counted over a whole set and scored once. Confusions of
parts of a set add up to that of the set; their scores do not average to its.
"""

import numpy as np

from jaxgan.errors import UserError


def confusion(true: np.ndarray, made: np.ndarray, num_classes: int) -> np.ndarray:
    """int64 [K, K], rows true and columns made, of two stacks of label maps [N, H, W], integers in 0..K-1.

    Raises UserError for stacks of unlike shapes, for other than integers and for classes out of range, a "void" one too.
    """
    if true.shape != made.shape or true.ndim != 3:
        raise UserError(f"label maps need two stacks of one shape, [N, H, W], not {list(true.shape)} and {list(made.shape)}")
    for labels in (true, made):
        if not np.issubdtype(labels.dtype, np.integer):
            raise UserError(f"label maps are of integers, not {labels.dtype}")
        if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
            raise UserError(
                f"label maps of {num_classes} classes are in 0..{num_classes - 1}, not {labels.min()}..{labels.max()}"
            )
    out = np.zeros(num_classes**2, np.int64)
    for i, j in zip(true, made):  # map by map: an index of the whole set is eight times uint8 maps
        cells = i.astype(np.int64) * num_classes + j.astype(np.int64)
        out += np.bincount(cells.ravel(), minlength=num_classes**2)
    return out.reshape(num_classes, num_classes)


def scores(confusion: np.ndarray) -> dict[str, float]:
    """{"pixel_accuracy", "class_accuracy", "iou"}, each in [0, 1], of a confusion [K, K]; t_i = sum_j n_ij.

    pixel_accuracy: sum_i n_ii / sum_i t_i. class_accuracy: the mean of n_ii / t_i over the classes that are true somewhere.
    iou: the mean of n_ii / (t_i + sum_j n_ji - n_ii) over the classes that are true or made somewhere, so a class that is
    made and never true counts as 0. The paper's means are over all classes, which on its sets all occur.

    Raises UserError for a confusion of no pixels.
    """
    hits, true, made = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    if not true.sum():
        raise UserError("a confusion of no pixels has no scores")
    either = true + made - hits
    return {
        "pixel_accuracy": float(hits.sum() / true.sum()),
        "class_accuracy": float((hits[true > 0] / true[true > 0]).mean()),
        "iou": float((hits[either > 0] / either[either > 0]).mean()),
    }
