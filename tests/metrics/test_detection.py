"""Mean average precision, by hand and in another way."""

import numpy as np
import pytest

from jaxgan.metrics.detection import Found, average_precision, iou, mean_average_precision, suppressed

UNIT = [0, 0, 1, 1]


def found(*detections: tuple[int, list, float]) -> Found:
    """Of (picture, box, score)."""
    picture, box, score = zip(*detections)
    return Found(np.array(picture), np.array(box, float), np.array(score))


def test_overlaps_by_hand():
    boxes = np.array([UNIT, [0, 0.5, 1, 1.5], [0.25, 0.25, 0.75, 0.75], [2, 2, 3, 3], [1, 0, 2, 1], [0, 0, 0, 0]], float)
    np.testing.assert_allclose(iou(boxes[:1], boxes)[0], [1, 1 / 3, 1 / 4, 0, 0, 0])
    np.testing.assert_allclose(iou(boxes, boxes), iou(boxes, boxes).T)
    assert iou(boxes[5:], boxes[5:]) == 0  # and no NaN


def test_of_boxes_that_share_much_the_surest_stays():
    boxes = np.array([[0, 0, 1, 1], [0, 0.2, 1, 1.2], [0, 0.4, 1, 1.4], [3, 3, 4, 4]])  # IoU 2/3 with the next, 3/7 over two
    np.testing.assert_array_equal(suppressed(boxes, np.array([0.9, 0.8, 0.7, 0.95]), 0.5), [3, 0, 2])
    np.testing.assert_array_equal(suppressed(boxes, np.array([0.5, 0.8, 0.7, 0.1]), 0.5), [1, 3])
    np.testing.assert_array_equal(suppressed(boxes[:0], np.array([]), 0.5), [])


def test_average_precision_by_hand():
    truth = np.array([0, 0, 1]), np.array([UNIT, [2, 2, 3, 3], UNIT], float)
    hit, second, third, miss = (0, UNIT, 0.9), (0, [2, 2, 3, 3], 0.7), (1, UNIT, 0.5), (1, [5, 5, 6, 6], 0.8)
    assert average_precision(found(hit, second, third), *truth, 0.5) == pytest.approx(1)
    # right, wrong, right, right: precisions 1, 1/2, 2/3, 3/4, of which the highest from there on are 1, 3/4, 3/4
    assert average_precision(found(third, second, miss, hit), *truth, 0.5) == pytest.approx((1 + 3 / 4 + 3 / 4) / 3)
    assert average_precision(found(hit, miss), *truth, 0.5) == pytest.approx(1 / 3)  # two are never found
    twice = (0, [0, 0.1, 1, 1.1], 0.8)  # the same object again: wrong; one that no one asked for costs nothing at the end
    assert average_precision(found(hit, twice, second), *truth, 0.5) == pytest.approx((1 + 2 / 3) / 3)
    assert average_precision(found(hit, (2, UNIT, 0.1)), *truth, 0.5) == pytest.approx(1 / 3)
    nothing = Found(np.zeros(0, int), np.zeros((0, 4)), np.zeros(0))
    assert average_precision(nothing, *truth, 0.5) == 0


def test_it_takes_an_overlap_of_so_much():
    truth = np.array([0]), np.array([UNIT], float)
    for high, value in ((0.5, 1), (0.49, 0)):  # an IoU of exactly a half is enough
        assert average_precision(found((0, [0, 0, 1, high], 1)), *truth, 0.5) == value


def test_the_area_is_that_under_the_curve():
    """Of detections at random: the integral of the highest precision at a recall or beyond, on a fine grid."""
    rng = np.random.default_rng(0)
    corner = rng.integers(0, 3, (60, 2)) * 2.0
    some = Found(rng.integers(0, 8, 60), np.concatenate([corner, corner + 1], 1), rng.random(60))
    picture, at = np.unravel_index(rng.permutation(8 * 9)[:30], (8, 9))
    low = np.stack([at // 3, at % 3], 1) * 2.0
    box = np.concatenate([low, low + 1], 1)
    left, points = {(p, *b) for p, b in zip(picture, box.tolist()) for b in [tuple(b)]}, []
    for n, i in enumerate(np.argsort(-some.score), 1):
        left.discard((some.picture[i], *some.box[i]))
        points.append(((30 - len(left)) / 30, (30 - len(left)) / n))
    grid = (np.arange(30_000) + 0.5) / 30_000
    area = np.mean([max((p for r, p in points if r >= x - 1e-9), default=0) for x in grid[::50]])
    assert average_precision(some, picture, box, 0.5) == pytest.approx(area, abs=2e-3)


def test_the_mean_is_over_classes_that_are_there():
    boxes = np.array([[UNIT, [2, 2, 3, 3]], [UNIT, [2, 2, 3, 3]]], float)
    true, there = np.zeros((2, 3, 4)), np.zeros((2, 3), bool)
    true[0, 0], there[0, 0] = UNIT, True
    true[1, 1], there[1, 1] = [2, 2, 3, 3], True
    scores = np.zeros((2, 2, 3))
    scores[0, 0, 0], scores[:, :, 2] = 0.9, 0.9  # class 2 is nowhere: what is said of it does not count
    assert mean_average_precision(boxes, scores, true, there, 0.5, 0.5, 0.01) == pytest.approx(1 / 2)
    scores[1, 1, 1], scores[0, 1, 1] = 0.5, 0.6  # after a wrong one
    assert mean_average_precision(boxes, scores, true, there, 0.5, 0.5, 0.01) == pytest.approx((1 + 1 / 2) / 2)
    assert mean_average_precision(boxes, scores, true, there, 0.5, 0.5, 0.55) == pytest.approx(1 / 2)  # not sure enough
