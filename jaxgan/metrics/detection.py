"""How well objects are found: mean average precision, as PASCAL VOC counts it since 2010 (Everingham et al. 2015, "The
PASCAL Visual Object Classes Challenge: A Retrospective", section 4.1).

Boxes are (top, left, bottom, right), of any unit.
"""

from typing import NamedTuple

import numpy as np


class Found(NamedTuple):
    """Detections of one class in a set of pictures. picture: int [D], its number. box: [D, 4]. score: [D], higher: surer."""

    picture: np.ndarray
    box: np.ndarray
    score: np.ndarray


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union [A, B] of boxes [A, 4] and [B, 4], in [0, 1]; 0 where both have no area."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.clip(high - low, 0, None).prod(-1)
    areas = [np.clip(x[:, 2:] - x[:, :2], 0, None).prod(-1) for x in (a, b)]
    either = areas[0][:, None] + areas[1][None] - both
    return np.divide(both, either, out=np.zeros_like(either, float), where=either > 0)


def suppressed(box: np.ndarray, score: np.ndarray, most: float) -> np.ndarray:
    """Which of boxes [D, 4] stay, the surest first, int [...]: those that share no more than `most`, as IoU, with a surer
    one that stays."""
    left, kept = np.argsort(-score, kind="stable"), []
    while len(left):
        kept.append(left[0])
        left = left[1:][iou(box[left[:1]], box[left[1:]])[0] <= most]
    return np.array(kept, int)


def average_precision(found: Found, picture: np.ndarray, box: np.ndarray, least: float) -> float:
    """The area under the precision over the recall of one class, in [0, 1].

    Detections come the surest first. One is right if the true object of its picture that it shares most with, as IoU,
    shares at least `least` and was not found before. Precision is the highest at that recall or beyond.

    Args: picture, box: of the true objects, [T] and [T, 4], at least one.
    """
    order, taken = np.argsort(-found.score, kind="stable"), np.zeros(len(picture), bool)
    right = np.zeros(len(order), bool)
    for i, at in enumerate(order):
        there = np.flatnonzero(picture == found.picture[at])
        if not len(there):
            continue
        shared = iou(found.box[at : at + 1], box[there])[0]
        nearest = there[shared.argmax()]
        right[i] = shared.max() >= least and not taken[nearest]
        taken[nearest] |= right[i]
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    highest = np.maximum.accumulate(precision[::-1])[::-1]
    return float(highest[right].sum() / len(picture))


def mean_average_precision(
    boxes: np.ndarray, scores: np.ndarray, true: np.ndarray, there: np.ndarray, least: float, most: float, floor: float
) -> float:
    """The mean of `average_precision` over the classes of which there are objects.

    Args:
      boxes, scores: of detections, [N, M, 4] and [N, M, K]; of a class, those of a score of at least `floor` count that
        `suppressed` leaves.
      true, there: of objects, [N, K, 4] and bool [N, K]; at least one is there.
      least: see `average_precision`. most: see `suppressed`.
    """
    values = []
    for k in np.flatnonzero(there.any(0)):
        parts = []
        for i in range(len(boxes)):
            sure = np.flatnonzero(scores[i, :, k] >= floor)
            kept = sure[suppressed(boxes[i, sure], scores[i, sure, k], most)]
            parts.append(Found(np.full(len(kept), i), boxes[i, kept], scores[i, kept, k]))
        pictures = np.flatnonzero(there[:, k])
        found = Found(*map(np.concatenate, zip(*parts)))
        values.append(average_precision(found, pictures, true[pictures, k], least))
    return float(np.mean(values))
