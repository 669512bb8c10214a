"""Scores of anomalies against scikit-learn, by hand, and against slow direct computations."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn import metrics

from jaxgan.metrics import anomaly

RNG = np.random.default_rng(0)
ABNORMAL = RNG.random(400) < 0.2
FINE = (RNG.normal(size=400) + ABNORMAL).astype(np.float32)
TIED = np.round(FINE)  # a handful of values


@pytest.mark.parametrize("scores", [FINE, TIED, -FINE, np.zeros(400)], ids=["fine", "tied", "upside down", "all equal"])
def test_against_scikit_learn(scores):
    assert anomaly.auroc(scores, ABNORMAL) == pytest.approx(metrics.roc_auc_score(ABNORMAL, scores), abs=1e-12)
    wanted = metrics.average_precision_score(ABNORMAL, scores)
    assert anomaly.average_precision(scores, ABNORMAL) == pytest.approx(wanted, abs=1e-12)
    called = scores > 0.5
    found = anomaly.verdict_scores(called, ABNORMAL)
    assert found["f1"] == pytest.approx(metrics.f1_score(ABNORMAL, called, zero_division=0), abs=1e-12)
    assert found["tpr"] == called[ABNORMAL].mean() and found["fpr"] == called[~ABNORMAL].mean()


def test_by_hand():
    scores, abnormal = np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True])
    assert anomaly.auroc(scores, abnormal) == (1 + 0.5 + 1 + 1) / 4
    assert anomaly.average_precision(scores, abnormal) == pytest.approx((1 + 2 / 3) / 2)
    assert anomaly.verdict_scores(scores > 1.5, abnormal) == {"f1": 0.8, "tpr": 1, "fpr": 0.5}


def test_the_interval_holds_the_truth_about_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(anomaly, "DRAWS", 200)
    truth, inside = 0.7602, 0  # P(N(1, 1) > N(0, 1)) = Phi(1 / sqrt(2))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        abnormal = np.arange(120) < 40
        low, high = anomaly.auroc_interval(rng.normal(size=120) + abnormal, abnormal)
        inside += low < truth < high
    assert 51 <= inside <= 60  # of 57 expected, within three deviations below


def test_an_interval_over_groups_is_wider_where_a_group_is_alike():
    group, rng = np.repeat(np.arange(20), 20), np.random.default_rng(0)
    abnormal = group % 2 == 0
    scores = abnormal + 2 * rng.normal(size=20)[group] + 0.1 * rng.normal(size=400)
    (low, high), (inner, outer) = anomaly.auroc_interval(scores, abnormal, group), anomaly.auroc_interval(scores, abnormal)
    assert high - low > 2 * (outer - inner)
    assert anomaly.auroc_interval(scores, abnormal, group) == (low, high)  # the same draws each time
    assert anomaly.auroc_interval(scores, abnormal, 0 * group) is None


def test_one_draw_is_the_auroc_of_its_examples(monkeypatch):
    monkeypatch.setattr(anomaly, "DRAWS", 1)
    group = np.arange(400) // 10
    low, high = anomaly.auroc_interval(TIED, ABNORMAL, group)
    taken = np.concatenate([np.flatnonzero(group == g) for g in np.random.default_rng(0).integers(40, size=40)])
    assert low == high == pytest.approx(metrics.roc_auc_score(ABNORMAL[taken], TIED[taken]), abs=1e-12)


def blobs(n: int = 12, side: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Masks of several regions, and maps that see them, some better than others."""
    rng = np.random.default_rng(1)
    masks = ndimage.gaussian_filter(rng.normal(size=(n, side, side)), (0, 2, 2)) > 0.18
    masks[:3] = False
    seen = masks * rng.uniform(0, 2, (n, side, side)) + rng.normal(size=(n, side, side))
    return seen.astype(np.float32), masks


def direct_aupro(scores: np.ndarray, masks: np.ndarray) -> float:
    """The area, by a threshold at each distinct score and the share of each region above it."""
    regions = []
    for score, mask in zip(scores, masks):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        regions += [score[labels == i] for i in range(1, count + 1)]
    normal, x, y = scores[~masks], [0.0], [0.0]
    for threshold in np.unique(scores)[::-1]:
        x.append((normal >= threshold).mean())
        y.append(np.mean([(region >= threshold).mean() for region in regions]))
    grid = np.append([value for value in x if value < 0.3], 0.3)
    heights = np.append([b for a, b in zip(x, y) if a < 0.3], np.interp(0.3, x, y))
    return np.trapezoid(heights, grid) / 0.3


def pixel_scores(scores, masks, parts=1):
    out = anomaly.PixelScores()
    for part in np.array_split(np.arange(len(scores)), parts):
        out.add(scores[part], masks[part])
    return out


def test_pixels_against_scikit_learn_and_a_direct_aupro():
    scores, masks = blobs()
    found = pixel_scores(scores, masks, parts=5)
    assert found.scores() == pixel_scores(scores, masks).scores()
    wanted = metrics.roc_auc_score(masks.ravel(), scores.ravel())
    assert abs(found.scores()["pixel_auroc"] - wanted) <= found.error < 1e-3
    assert found.scores()["aupro"] == pytest.approx(direct_aupro(scores, masks), abs=1e-3)
    rounded = np.round(scores)  # which no bin rounds further: then both are exact
    exact = pixel_scores(rounded, masks).scores()
    assert exact["pixel_auroc"] == pytest.approx(metrics.roc_auc_score(masks.ravel(), rounded.ravel()), abs=1e-12)
    assert exact["aupro"] == pytest.approx(direct_aupro(rounded, masks), abs=1e-12)


def test_a_perfect_map_chance_and_masks_that_say_nothing():
    _, masks = blobs()
    perfect = pixel_scores(masks.astype(np.float32), masks).scores()
    assert perfect == pytest.approx({"pixel_auroc": 1, "aupro": 1})
    flat = pixel_scores(np.zeros(masks.shape, np.float32), masks).scores()
    assert flat["pixel_auroc"] == 0.5 and flat["aupro"] == pytest.approx(0.15)  # the diagonal's area up to .3, over .3
    assert pixel_scores(np.zeros(masks.shape, np.float32), np.zeros_like(masks)).scores() == {}


def test_a_large_region_counts_as_much_as_a_small_one():
    masks = np.zeros((1, 10, 10), bool)
    masks[0, :4, :], masks[0, 9, 9] = True, True
    scores = np.zeros((1, 10, 10), np.float32)
    scores[0, 9, 9] = 1  # the small one alone is found
    assert pixel_scores(scores, masks).scores()["aupro"] == pytest.approx((0.5 + (0.5 + 0.5 * 0.3)) / 2)


def test_bins_keep_the_order_of_scores():
    scores = np.array([-np.inf, -3e38, -1.0, -1e-30, 0.0, 1e-30, 0.999, 1.0, 1.001, 3e38, np.inf], np.float32)
    bins = anomaly._bins(scores)
    assert (np.diff(bins) > 0).all() and bins[0] >= 0 and bins[-1] < 1 << anomaly.BITS
    assert anomaly._bins(np.float32([-0.0])) == anomaly._bins(np.float32([0.0]))
