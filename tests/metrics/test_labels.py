"""Metrics of labels against the same numbers computed by hand, class by class."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.metrics import labels, neighbours
from jaxgan.metrics.moments import Moments, frechet_distance


def moments(features: np.ndarray) -> Moments:
    return Moments(len(features), features.mean(0), np.cov(features.T) * (len(features) - 1))


@pytest.fixture(scope="module")
def sets():
    """Real and generated features around a centre for each of three classes, and their labels in no order."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 4)) * 5

    def made(n):
        of = rng.permutation(np.repeat(np.arange(3), [n, 2 * n, 3 * n]))
        return centres[of] + rng.normal(size=(len(of), 4)), of

    return *made(10), *made(12)


def test_accuracy_of_crafted_labels():
    read = np.array([0, 0, 0, 1, 1, 1, 1, 2])
    asked = np.array([0, 0, 1, 1, 1, 1, 2, 2])  # the third and the seventh are not what was asked for
    out = labels.label_accuracy(np.eye(3)[read] * 0.4 + 0.2, asked, 3)
    assert out == {"label_accuracy": 6 / 8, "label_accuracy_worst": 0.5}
    np.testing.assert_array_equal(out["label_accuracy"].classes, [1, 3 / 4, 1 / 2])
    ignored = labels.label_accuracy(np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 2]), 3)
    assert ignored == {"label_accuracy": 0.75, "label_accuracy_worst": 0.5}


def test_distance_within_classes_is_the_mean_of_each_class_own(sets):
    real, of_real, fake, of_fake = sets
    found = labels.intra_fd(real, of_real, fake, of_fake, 3)["intra_fd"]
    expected = [frechet_distance(moments(real[of_real == i]), moments(fake[of_fake == i])) for i in range(3)]
    np.testing.assert_allclose(found.classes, expected, rtol=1e-10)
    assert found == pytest.approx(np.mean(expected), rel=1e-12)


def test_recall_within_classes_is_the_mean_of_each_class_own(sets):
    real, of_real, fake, of_fake = sets
    out = labels.class_recall(real, of_real, fake, of_fake, 3, k=2)
    expected = [neighbours.prdc(real[of_real == i], fake[of_fake == i], 2)["recall"] for i in range(3)]
    assert out["class_recall"].classes.tolist() == expected and 0 < min(expected) < max(expected) < 1
    assert out == {"class_recall": np.mean(expected), "class_recall_worst": min(expected)}


def test_ignored_labels_are_seen_where_the_distance_of_all_images_sees_nothing(sets):
    real, of_real, _, _ = sets
    shuffled = np.random.default_rng(1).permutation(of_real)
    assert frechet_distance(moments(real), moments(real)) == pytest.approx(0, abs=1e-9)
    assert labels.intra_fd(real, of_real, real, of_real, 3)["intra_fd"] == pytest.approx(0, abs=1e-9)
    assert labels.intra_fd(real, of_real, real, shuffled, 3)["intra_fd"] > 10
    assert labels.class_recall(real, of_real, real, of_real, 3, k=2)["class_recall"] == 1


def test_a_class_of_too_few_is_refused(sets):
    real, of_real, fake, of_fake = sets
    few = np.flatnonzero(of_fake == 1)[3:]
    fake, of_fake = np.delete(fake, few, 0), np.delete(of_fake, few)
    with pytest.raises(UserError, match="needs more than 4 images on each side, not 3"):
        labels.intra_fd(real, of_real, fake, of_fake, 3)
    assert labels.intra_fd(real, of_real, fake, of_fake, 3, allow_few=True)["intra_fd"] > 0
    with pytest.raises(UserError, match="number 3 need more than 3 images on each side, not 3"):
        labels.class_recall(real, of_real, fake, of_fake, 3, k=3)
