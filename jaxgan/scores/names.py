"""What scores are called, fd_digits5k, and what their names say: which way is better, and which values can be."""

import re

from jaxgan.scores.metric import ANY
from jaxgan.scores.table import METRICS


def better_way(name: str) -> str:
    """ "lower" or "higher", for a score's name, fd_digits5k or fid50k."""
    return _ways()[score_part(name)]


def score_part(name: str) -> str:
    """What a score's name begins with: "fd" of fd_digits5k, and of fid50k."""
    matches = [part for part in _ways() if re.match(rf"{part}(_|\d|$)", name)]
    return matches[-1] if matches else "fd"  # the last: kid_error is no kid; none: FID


def _ways() -> dict[str, str]:
    return {part: way for metric in METRICS.values() for part, way in metric.better.items()}


def score_range(part: str) -> tuple[float, float]:
    """The least and the largest value that a score can have, by what its name begins with; of anything else, any number."""
    return next((metric.within[part] for metric in METRICS.values() if part in metric.within), ANY)
