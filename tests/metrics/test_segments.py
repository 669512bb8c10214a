"""Scores of label maps, by hand and pixel by pixel."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics.segments import confusion, scores


def maps(shape=(3, 7, 9), num_classes=5, dtype: type = np.int32):
    """Truth, and a prediction that is right half of the time."""
    rng = np.random.default_rng(0)
    true, other = rng.integers(0, num_classes, (2, *shape))
    return true.astype(dtype), np.where(rng.random(shape) < 0.5, true, other).astype(dtype)


def by_pixels(true, made, num_classes):
    """Accuracies and IoU as sets of pixels."""
    pairs = list(zip(true.ravel().tolist(), made.ravel().tolist()))
    accuracies, ious = [], []
    for k in range(num_classes):
        both = sum(t == k and m == k for t, m in pairs)
        truth, either = sum(t == k for t, _ in pairs), sum(t == k or m == k for t, m in pairs)
        accuracies += [both / truth] if truth else []
        ious += [both / either] if either else []
    right = sum(t == m for t, m in pairs) / len(pairs)
    return {
        "pixel_accuracy": right,
        "class_accuracy": sum(accuracies) / len(accuracies),
        "iou": sum(ious) / len(ious),
    }


def test_confusion_by_hand():
    true = np.array([[[0, 0, 1], [1, 1, 2]], [[2, 2, 0], [0, 1, 1]]])
    made = np.array([[[0, 1, 1], [1, 0, 2]], [[2, 0, 0], [0, 1, 2]]])
    n = confusion(true, made, 4)
    assert n.dtype == np.int64
    assert n.tolist() == [[3, 1, 0, 0], [1, 3, 1, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert scores(n) == {
        "pixel_accuracy": pytest.approx(8 / 12),
        "class_accuracy": pytest.approx((3 / 4 + 3 / 5 + 2 / 3) / 3),
        "iou": pytest.approx((3 / 6 + 3 / 6 + 2 / 4) / 3),
    }


def test_classes_that_do_not_occur():
    """Of four, class 1 is true and never made, class 2 made and never true, class 3 neither."""
    n = np.array([[6, 0, 2, 0], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert scores(n) == {
        "pixel_accuracy": pytest.approx(6 / 10),
        "class_accuracy": pytest.approx((6 / 8 + 0) / 2),
        "iou": pytest.approx((6 / 10 + 0 + 0) / 3),
    }


def test_pixel_by_pixel():
    true, made = maps()
    true[true == 3], made[made == 4] = 0, 1  # 3 is made alone, 4 true alone
    assert scores(confusion(true, made, 7)) == pytest.approx(by_pixels(true, made, 7), rel=1e-13)


def test_perfect_and_hopeless_maps():
    true, _ = maps()
    assert scores(confusion(true, true, 5)) == {"pixel_accuracy": 1, "class_accuracy": 1, "iou": 1}
    assert scores(confusion(true, (true + 1) % 5, 5)) == {"pixel_accuracy": 0, "class_accuracy": 0, "iou": 0}


def test_accuracies_are_of_the_truth_and_iou_of_both_sides():
    true, made = maps()
    true[:, :5] = 0
    one, other = scores(confusion(true, made, 5)), scores(confusion(made, true, 5))
    np.testing.assert_array_equal(confusion(true, made, 5).T, confusion(made, true, 5))
    assert one["pixel_accuracy"] == other["pixel_accuracy"] and one["iou"] == pytest.approx(other["iou"])
    assert abs(one["class_accuracy"] - other["class_accuracy"]) > 0.05


def test_names_of_classes_do_not_matter():
    true, made = maps()
    renamed = np.array([3, 0, 6, 1, 5])
    assert scores(confusion(renamed[true], renamed[made], 8)) == pytest.approx(scores(confusion(true, made, 5)))


def test_confusions_add_up_and_scores_are_of_the_whole_set():
    true, made = maps(shape=(6, 4, 4))
    true[:3] = made[:3] = 0  # three images of one class, all right
    parts = [confusion(true[i : i + 1], made[i : i + 1], 5) for i in range(6)]
    whole = confusion(true, made, 5)
    np.testing.assert_array_equal(sum(parts), whole)
    assert abs(scores(whole)["iou"] - np.mean([scores(n)["iou"] for n in parts])) > 0.05


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64])
def test_integers_of_any_width(dtype):
    wide = maps(num_classes=100, dtype=np.int64)
    narrow = maps(num_classes=100, dtype=dtype)
    np.testing.assert_array_equal(confusion(*narrow, 100), confusion(*wide, 100))  # cells up to 9999
    assert confusion(*narrow, 100).sum() == wide[0].size


def test_mistakes_are_told():
    true, made = maps()
    with pytest.raises(UserError, match=r"one shape, \[N, H, W\], not \[3, 7, 9\] and \[1, 7, 9\]$"):
        confusion(true, made[:1], 5)
    with pytest.raises(UserError, match=r"not \[7, 9\] and \[7, 9\]$"):
        confusion(true[0], made[0], 5)
    with pytest.raises(UserError, match="are of integers, not float64"):
        confusion(true, made + 0.5, 5)
    void = true.copy()
    void[0, 0, 0] = 255
    for sides in ((void, made), (true, void)):
        with pytest.raises(UserError, match=r"of 5 classes are in 0\.\.4, not 0\.\.255"):
            confusion(*sides, 5)
    with pytest.raises(UserError, match=r"are in 0\.\.4, not -1\.\.3"):
        confusion(true - 1, made, 5)
    with pytest.raises(UserError, match="no pixels"):
        scores(confusion(true[:0], made[:0], 5))
