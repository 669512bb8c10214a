"""Every metric by its name in `eval.metrics`; `scores.metric` says what one is."""

from collections.abc import Iterable

from jaxgan.errors import UserError, nearest
from jaxgan.scores import metrics_of_images, metrics_of_runs
from jaxgan.scores.metric import Metric

METRICS = {**metrics_of_images.METRICS, **metrics_of_runs.METRICS}

# Protocols of metrics of what a network reads in real images: no samples are made.
OF_REAL = {"Predicts", "Detects", "Matches"}


def find_scores(names: Iterable[str]) -> dict[str, Metric]:
    """The metrics of these names. Raises UserError with the nearest name that there is."""
    out = {}
    for name in names:
        if name not in METRICS:
            raise UserError(f"unknown metric '{name}' in eval.metrics; {nearest(name, METRICS)}")
        out[name] = METRICS[name]
    if not out:
        raise UserError(f"eval.metrics is empty; there are {', '.join(METRICS)}")
    return out
