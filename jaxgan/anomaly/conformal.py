"""From scores to verdicts, by normal pictures alone: split-conformal p-values (Vovk et al. 2005; Bates et al. 2023, "Testing
for outliers with conformal p-values").

If a new normal picture is exchangeable with M calibration pictures, which nothing was trained on, its p-value is at most
`rate` with a probability of at most `rate`, whatever the scores are. So calling pictures abnormal whose p-value is at most
`rate` calls no more than that share of normal pictures abnormal, on average over calibration sets.
"""

import math

import numpy as np

from jaxgan.errors import UserError


def p_values(calibration: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The share of M + 1 normal pictures, a new one among them, that score as high: (1 + #{calibration >= score}) / (M + 1).

    calibration: [M], scores of held-out normal pictures. scores: [N]. Returns [N] in [1 / (M + 1), 1].
    """
    ordered = np.sort(calibration)
    return (1 + len(ordered) - np.searchsorted(ordered, scores, "left")) / (len(ordered) + 1)


def threshold(calibration: np.ndarray, rate: float) -> float:
    """The score above which pictures are abnormal: p <= rate there, and p > rate at it and below. Raises UserError as
    `check_rate`."""
    check_rate(len(calibration), rate)
    p = np.arange(1, len(calibration) + 2) / (len(calibration) + 1)
    return float(np.sort(calibration)[::-1][np.searchsorted(p, rate, "right") - 1]) if rate < 1 else -math.inf


def check_rate(count: int, rate: float, where: str = "") -> None:
    """Refuses a false positive rate that no p-value of `count` calibration pictures can fall to. where: the name of those.
    Raises UserError."""
    if not 0 < rate <= 1:
        raise UserError(f"a false positive rate lies above 0 and at most at 1, and this is {rate:g}")
    if 1 / (count + 1) > rate:
        need = math.ceil(1 / rate - 1e-9) - 1
        of = f" of {where}" if where else ""
        raise UserError(
            f"a false positive rate of {rate:g} needs {need:,} held-out normal pictures, and there are {count:,}{of}; "
            f"take more, or a rate of at least {1 / (count + 1):.3g}"
        )
