"""What a metric is, what a score is called, and which values it can have. `scores.table` has them all.

A metric sees statistics of images, never a run, so that anybody's samples can be scored; unless it needs a run's state.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from jaxgan.extractors.base import Network


class Metric(NamedTuple):
    """needs: what a `Statistics` must hold beside moments; with "labels" it is a `scores.labelled.Labelled`.
    fn: (real, fake, allow_few) -> {part of a score's name: value}. One that needs "state" is of a run and not of images:
    fn: (plan, images, state). It names what else it needs: "extractor", and protocols of `tasks.protocols` that the run's
    task must satisfy. All others need `Generates`.
    opens: (plan, images) -> what fn is given in place of images, once a run: an `anomaly.Opened`, or another with `protocol`
    and `measured`, which are noted beside the scores. No samples are made for it.
    better: of each value, "lower" or "higher", or "" where neither is; the values that a perfect generator has are in
    `docs/evaluation.md`. detail: what else belongs to the protocol. check: (plan, images) -> nothing, or a UserError for a
    run that cannot be scored.
    least: the fewest images, generated and real, of which its values are defined, in each class where it needs labels;
    `check_enough` and `scores.labelled` refuse fewer. within: the least and the largest value that can be; what is not named
    can be any number."""

    needs: tuple[str, ...]
    fn: Callable[[Any, Any, Any], dict[str, float]]
    better: dict[str, str]
    detail: str = ""
    check: Callable[[Any, Any], None] | None = None
    least: tuple[int, int] = (1, 1)
    within: Mapping[str, tuple[float, float]] = MappingProxyType({})
    opens: Callable[[Any, Any], Any] | None = None


ANY, POSITIVE, SHARE = (-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0)  # ranges of values


def score_name(part: str, network: Network, count: int) -> str:
    """The name that a score goes by: `fd_digits5k`. The 2015 Inception's Fréchet distance alone is called FID, `fid50k`."""
    size = f"{count // 1000}k" if count % 1000 == 0 else str(count)
    if network.is_fid:
        return {"fd": "fid"}.get(part, part) + size
    between = "_" if network.name[-1:].isdigit() else ""
    return f"{part}_{network.name}{between}{size}"
