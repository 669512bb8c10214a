"""Pictures of a search: how the best grows with the budget, how scores are spread, and which fields matter."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from jaxgan.ablation.figures import COLOURS, STYLES
from jaxgan.search.peeking import DRAWS, Price
from jaxgan.search.study import WORST


def best_of(scores: np.ndarray, better: str, counts: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Quantiles .025, .5 and .975 of the best of k trials, [3, K], for each k of `counts` (Lucic et al. 2018, figure 2).

    scores: of trials of equal budget that were drawn independently; what is not finite is the worst. Trials are drawn from
    them with replacement, `draws` times.
    """
    finite = np.where(np.isfinite(scores), scores, WORST[better])
    chosen = np.random.default_rng(seed).integers(len(scores), size=(draws, max(counts)))
    running = (np.minimum if better == "lower" else np.maximum).accumulate(finite[chosen], 1)
    return np.quantile(running[:, counts - 1], (0.025, 0.5, 0.975), axis=0, method="closest_observation")


def overview(
    scores: Mapping[str, np.ndarray], score: str, better: str, are_random: bool, fields: Mapping[str, float]
) -> Figure:
    """The best of k trials over k, the distribution of scores, and the importance of fields, where any is known.

    scores: of trials, by method; not finite where one diverged. are_random: whether trials were drawn independently; then
    bands hold 95 % of what other draws would give, else the line is the best so far.
    """
    figure = Figure(figsize=(5 * (2 + bool(fields)), 4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, 2 + bool(fields)))
    for i, (name, values) in enumerate(scores.items()):
        line = {"color": COLOURS[i % len(COLOURS)], "linestyle": STYLES[i // len(COLOURS) % len(STYLES)]}
        _draw_best(panels[0], values, better, are_random, name, line)
        finite = np.sort(values[np.isfinite(values)])
        if better == "higher":
            finite = finite[::-1]
        panels[1].step(finite, np.arange(1, len(finite) + 1) / len(values), where="post", label=name, **line)
    panels[0].set(xlabel="trials", ylabel=f"best {score}", title="best of k trials")
    panels[1].set(xlabel=score, ylabel="share of trials that are as good", title="distribution", ylim=(0, 1))
    if better == "higher":
        panels[1].invert_xaxis()
    if fields:
        names = list(fields)[::-1]
        panels[2].barh(range(len(names)), [fields[name] for name in names], color=COLOURS[0])
        panels[2].set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
        panels[2].set(title="importance of fields", xlim=(0, 1))
    for panel in panels:
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    if len(scores) > 1:
        panels[0].legend(fontsize=8)
    return figure


def _draw_best(axes: Any, values: np.ndarray, better: str, are_random: bool, name: str, line: dict[str, Any]) -> None:
    if not len(values):
        return
    counts = np.arange(1, len(values) + 1)
    if are_random:
        low, middle, high = best_of(values, better, counts)
        sound = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(counts[sound], low[sound], high[sound], color=line["color"], alpha=0.15, linewidth=0)
    else:  # its trials depend on each other
        best = np.minimum if better == "lower" else np.maximum
        middle = best.accumulate(np.where(np.isfinite(values), values, WORST[better]))
    shown = np.isfinite(middle)
    axes.plot(counts[shown], middle[shown], label=name, **line)


def peeking(prices: Mapping[str, Price], score: str) -> Figure:
    """What is reported of the best of k trials: where other pictures chose it, and where the same ones did."""
    across = min(3, len(prices))
    down = -(-len(prices) // across)
    figure = Figure(figsize=(4.2 * across, 3.2 * down), layout="constrained")
    panels = np.atleast_1d(figure.subplots(down, across)).ravel()
    for panel in panels[len(prices) :]:
        panel.set_visible(False)
    for panel, (name, one) in zip(panels, prices.items()):
        panel.plot(one.counts, one.honest, color=COLOURS[0], label="chosen by other pictures")
        panel.plot(one.counts, one.peeked, color=COLOURS[1], linestyle="--", label="chosen by the same")
        panel.set(xlabel="trials", ylabel=f"reported {score}")
        panel.set_title(name, fontsize=10, parse_math=False)
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(fontsize=8)
    return figure
