"""How well scores tell abnormal pictures, or pixels, from normal ones. Scores are larger for what is more abnormal."""

import numpy as np

BITS = 20  # of a float32's 32, sign and exponent first, that pixels' scores keep: neighbours differ by 1 part in 2048
LIMIT = 0.3  # the false positive rate up to which AUPRO looks
DRAWS, LEVEL = 1000, 0.95  # of the bootstrap


def auroc(scores: np.ndarray, abnormal: np.ndarray) -> float:
    """How often an abnormal example scores higher than a normal one, in [0, 1]: the area under the ROC curve. Equal scores
    count half. scores: [N]. abnormal: bool [N], with both kinds among them."""
    normal = np.sort(scores[~abnormal])
    below = (np.searchsorted(normal, scores[abnormal], side) for side in ("left", "right"))
    return float(sum(x.sum(dtype=np.int64) for x in below)) / (2 * len(normal) * int(abnormal.sum()))


def average_precision(scores: np.ndarray, abnormal: np.ndarray) -> float:
    """The mean precision over the abnormal examples, each at its own score as the threshold, in [0, 1]. Chance is the share
    of abnormal examples. Arguments as of `auroc`."""
    order = np.argsort(-scores, kind="stable")
    true, last = np.cumsum(abnormal[order]), np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    found = true[last]  # at each distinct score, with all examples of that score
    return float(np.sum(np.diff(found, prepend=0) * found / (last + 1)) / found[-1])


def verdict_scores(called: np.ndarray, abnormal: np.ndarray) -> dict[str, float]:
    """ "f1", and "tpr" and "fpr", the shares of abnormal and of normal examples that are called abnormal; all in [0, 1].
    called, abnormal: bool [N]."""
    right = int((called & abnormal).sum())
    return {
        "f1": 2 * right / (int(called.sum()) + int(abnormal.sum())),
        "tpr": right / int(abnormal.sum()),
        "fpr": int((called & ~abnormal).sum()) / int((~abnormal).sum()),
    }


def auroc_interval(scores: np.ndarray, abnormal: np.ndarray, groups: np.ndarray | None = None) -> tuple[float, float] | None:
    """The middle 95 % of the AUROC over 1,000 bootstrap draws, with seed 0; None where it cannot be known, of one group.

    A draw takes as many groups as there are, with replacement, and all examples of each; without groups each example is one.
    Draws without a normal or an abnormal example are made again. groups: int [N].
    """
    _, own = np.unique(np.arange(len(scores)) if groups is None else groups, return_inverse=True)
    count = int(own.max()) + 1
    holds = [np.bincount(own[which], minlength=count) > 0 for which in (abnormal, ~abnormal)]
    if count < 2:
        return None
    order, rng, found = np.argsort(scores, kind="stable"), np.random.default_rng(0), []
    own, wrong = own[order], abnormal[order]
    first = np.flatnonzero(np.append(True, np.diff(scores[order]) != 0))  # of each distinct score
    while len(found) < DRAWS:
        times = np.bincount(rng.integers(count, size=count), minlength=count)
        if all(times[some].any() for some in holds):
            weights = times[own]
            bad, good = (np.add.reduceat(weights * which, first) for which in (wrong, ~wrong))
            found.append(float(bad @ (np.cumsum(good) - good / 2)) / (float(bad.sum()) * float(good.sum())))
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


class PixelScores:
    """AUROC and AUPRO of pixels, in memory that does not grow with the pictures.

    Scores are rounded to `BITS` leading bits of a float32, which keep their order, and counted in 2^20 bins; scores of one
    bin count as equal. So the AUROC is off by no more than half the share of pairs that fall into one bin, `error`.

    Regions are the connected parts of a mask, corners included. AUPRO (Bergmann et al. 2021, "The MVTec Anomaly Detection
    Dataset") is the area under the mean share of a region that is found, over the false positive rate of normal pixels of
    all pictures, from 0 to `LIMIT`, divided by `LIMIT`.
    """

    def __init__(self):
        self._normal, self._abnormal = np.zeros(1 << BITS, np.int64), np.zeros(1 << BITS, np.int64)
        self._shares, self._regions = np.zeros(1 << BITS), 0

    def add(self, scores: np.ndarray, masks: np.ndarray) -> None:
        """Counts pixels. scores: float32 [N, H, W]. masks: bool [N, H, W], true where abnormal."""
        bins = _bins(scores)
        for counts, which in ((self._normal, ~masks), (self._abnormal, masks)):
            np.add.at(counts, bins[which], 1)
        for own, mask in zip(bins, masks):
            labels, count = _regions(mask)
            sizes = np.bincount(labels.ravel(), minlength=count + 1)
            np.add.at(self._shares, own[mask], 1 / sizes[labels[mask]])
            self._regions += count

    def scores(self) -> dict[str, float]:
        """ "pixel_auroc" and "aupro", in [0, 1]; {} where all pixels, or none, are abnormal."""
        if not self._normal.any() or not self._abnormal.any():
            return {}
        before = np.cumsum(self._normal) - self._normal / 2
        pairs = float(self._normal.sum()) * float(self._abnormal.sum())
        return {"pixel_auroc": float(self._abnormal @ before) / pairs, "aupro": self._aupro()}

    @property
    def error(self) -> float:
        """By how much "pixel_auroc" may differ from that of the scores as they were."""
        pairs = float(self._normal.sum()) * float(self._abnormal.sum())
        return float(self._abnormal @ self._normal.astype(float)) / (2 * pairs)

    def _aupro(self) -> float:
        used = np.flatnonzero(self._normal | self._abnormal)[::-1]  # from the highest score down
        false = np.append(0, np.cumsum(self._normal[used]) / self._normal.sum())
        found = np.append(0, np.cumsum(self._shares[used]) / self._regions)
        inside = false <= LIMIT
        x, y = np.append(false[inside], LIMIT), np.append(found[inside], np.interp(LIMIT, false, found))
        return float(np.trapezoid(y, x) / LIMIT)


def _bins(scores: np.ndarray) -> np.ndarray:
    """The bins of float32 scores, which are in the scores' order."""
    bits = np.ascontiguousarray(scores + np.float32(0), np.float32).view(np.uint32)  # -0 becomes 0
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (ordered >> (32 - BITS)).astype(np.int64)


def _regions(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """(which connected part of a mask each pixel belongs to, 1 and up, int [H, W]; how many parts there are)."""
    from scipy import ndimage  # takes half a second

    return ndimage.label(mask, np.ones((3, 3)))  # pyright: ignore[reportReturnType]
