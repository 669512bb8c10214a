"""What a search has found: a table of its best trials with overrides to copy, and how the best grows with the budget."""

import csv
import io
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.ablation.results import Result
from jaxgan.console import say
from jaxgan.files import write_text
from jaxgan.search.search import Search
from jaxgan.search.study import WORST
from jaxgan.search.trials import Trial, spelled

SHOWN = 10  # trials in the report
DRAWS = 1000  # of the bootstrap


def write(search: Search) -> Path:
    """Writes report.md, trials.csv and best_of.png; returns the first's path."""
    study = search.study()
    found = [(trial, trial.result) for trial in search.trials(study)]
    scores = {trial.number: score_of(result, search.asked.score) for trial, result in found}
    ranked = sorted(found, key=lambda one: _order(scores[one[0].number], search.asked.better))
    write_text(search.folder / "trials.csv", _csv(found, search.asked.score))
    known = np.array([x for x in scores.values() if x is not None])
    if len(known):
        _best_of(known, search).savefig(search.folder / "best_of.png", dpi=100)
    write_text(search.folder / "report.md", _page(search, ranked, scores))
    best = ranked[0][0].number if ranked else -1
    told = f"best: trial {best}, {search.asked.score} {scores[best]:.4g}" if _sound(scores.get(best)) else "none has a score"
    say(f"{len(found)} trials, {told}\n{search.folder / 'report.md'}")
    return search.folder / "report.md"


def score_of(result: Result, score: str) -> float | None:
    """A trial's score; not finite where it diverged; None where there is none yet, or it crashed."""
    if result.state == "diverged":
        return np.nan
    return result.numbers.get(score, np.nan) if result.state == "done" else None


def best_of(scores: np.ndarray, better: str, counts: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Quantiles .025, .5 and .975 of the best of k trials, [3, K], for each k of `counts` (Lucic et al. 2018, figure 2).

    scores: of trials of equal budget that were drawn independently; what is not finite is the worst. Trials are drawn from
    them with replacement, `draws` times.
    """
    worst = WORST[better]
    finite = np.where(np.isfinite(scores), scores, worst)
    chosen = np.random.default_rng(seed).integers(len(scores), size=(draws, max(counts)))
    running = (np.minimum if better == "lower" else np.maximum).accumulate(finite[chosen], 1)
    return np.quantile(running[:, counts - 1], (0.025, 0.5, 0.975), axis=0, method="closest_observation")


def _order(score: float | None, better: str) -> tuple[bool, float]:
    if score is None or not np.isfinite(score):
        return True, 0.0
    return False, score if better == "lower" else -score


def _sound(score: float | None) -> bool:
    return score is not None and bool(np.isfinite(score))


def _drawn(search: Search, trial: Trial) -> list[tuple[str, str]]:
    """Its overrides but for those that all trials have."""
    common = spelled(dict(search.space.fixed)) + search.asked.overrides
    return [pair for pair in trial.overrides if pair not in common]


def _csv(found: list[tuple[Trial, Result]], score: str) -> str:
    paths = list(dict.fromkeys(path for trial, _ in found for path, _ in trial.overrides))
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["trial", "state", score, *paths])
    for trial, result in found:
        own = dict(trial.overrides)
        lines.writerow([trial.number, result.state, result.numbers.get(score, ""), *(own.get(path, "") for path in paths)])
    return text.getvalue()


def _page(search: Search, ranked: list[tuple[Trial, Result]], scores: dict[int, Any]) -> str:
    asked = search.asked
    states = [result.state for _, result in ranked]
    counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    lines = [f"# A search of {asked.space} for {asked.config}", ""]
    lines += [f"{len(ranked)} trials ({counted}), {asked.score} {asked.better} is better, sampler {asked.sampler}. ", ""]
    paths = list(dict.fromkeys(path for trial, _ in ranked for path, _ in _drawn(search, trial)))
    lines += [f"| trial | {asked.score} | {' | '.join(f'`{path}`' for path in paths)} |", "|---" * (2 + len(paths)) + "|"]
    for trial, result in ranked[:SHOWN]:
        own, score = dict(_drawn(search, trial)), scores[trial.number]
        told = f"{score:.4g}" if _sound(score) else result.state
        name = "0, the config" if trial.number == 0 else str(trial.number)
        lines.append(f"| {name} | {told} | {' | '.join(_short(own.get(path, '')) for path in paths)} |")
    if ranked and _sound(scores[ranked[0][0].number]):
        given = shlex.join(f"--config.{path}={value}" for path, value in ranked[0][0].overrides)
        lines += ["", "The best:", "", "```", f"python launch.py --config={asked.config} {given}", "```", ""]
        lines += [
            "Its score was chosen among those of all trials, so it is too good: what the setting is worth, new seeds "
            "say, on pictures that chose nothing.",
            "", "![best of k trials](best_of.png)",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _short(value: str) -> str:
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value


def _best_of(scores: np.ndarray, search: Search) -> Any:
    """The best of k trials over k: of random draws with the band that holds 95 % of what other draws would give; of a
    sampler that learns, the best so far."""
    from matplotlib.figure import Figure

    asked, counts = search.asked, np.arange(1, len(scores) + 1)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    if asked.sampler == "random":
        low, middle, high = best_of(scores, asked.better, counts)
        sound = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(counts[sound], low[sound], high[sound], color="C0", alpha=0.2, label="95 %")
    else:  # its trials depend on each other
        best = np.minimum if asked.better == "lower" else np.maximum
        middle = best.accumulate(np.where(np.isfinite(scores), scores, WORST[asked.better]))
    shown = np.isfinite(middle)
    axes.plot(counts[shown], middle[shown], color="C0", label="median" if asked.sampler == "random" else "so far")
    axes.set(xlabel="trials", ylabel=f"best {asked.score}")
    axes.legend(fontsize=8)
    return figure
