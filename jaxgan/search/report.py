"""What a search has found: a table of its best trials with overrides to copy, and how the best grows with the budget."""

import csv
import io
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.ablation import figures
from jaxgan.ablation.results import Result, read_result
from jaxgan.console import say
from jaxgan.files import write_text
from jaxgan.search.asked import Asked
from jaxgan.search.figures import DRAWS, overview
from jaxgan.search.peeking import Price, price
from jaxgan.search.search import Search
from jaxgan.search.trials import Trial, score_of

SHOWN = 10  # trials in the report


def write(search: Search) -> Path:
    """Writes report.md, trials.csv, search.png and coordinates.png; returns the first's path."""
    study, asked = search.study(), search.asked
    found = [(trial, trial.result) for trial in search.trials(study)]
    scores = {trial.number: score_of(result, asked.score) for trial, result in found}
    ranked = sorted(found, key=lambda one: _order(scores[one[0].number], asked.better))
    write_text(search.folder / "trials.csv", _csv(found, asked))
    drew = [x for number, x in scores.items() if number or asked.phase or not asked.is_independent]  # 0 is the default
    known = np.array([x for x in drew if x is not None], float)
    pictures, fields = [], study.importance()
    if len(known):
        drawing = overview({"": known}, asked.score, asked.better, asked.is_independent, fields)
        figures.save(drawing, search.folder / "search.png")
        pictures.append("search.png")
    if np.isfinite(known).sum() > 1 and study.varied():
        study.coordinates(asked.score).savefig(search.folder / "coordinates.png", dpi=100, bbox_inches="tight")
        pictures.append("coordinates.png")
    prices = price_of(search, found)
    write_text(search.folder / "report.md", _page(search, ranked, scores, pictures, prices))
    best = ranked[0][0].number if ranked else -1
    told = f"best: trial {best}, {asked.score} {scores[best]:.4g}" if _sound(scores.get(best)) else "none has a score"
    say(f"{len(found)} trials, {told}\n{search.folder / 'report.md'}")
    return search.folder / "report.md"


def best_trial(trials: list[Trial], score: str, better: str) -> Trial | None:
    """The trial with the best finite score, the first of those that have it; None where none has one."""
    ranked = sorted(trials, key=lambda trial: _order(score_of(trial.result, score), better))
    return ranked[0] if ranked and _sound(score_of(ranked[0].result, score)) else None


def price_of(search: Search, found: list[tuple[Trial, Result]]) -> Price | None:
    """The price of peeking, of trials that were drawn independently and scored on two splits."""
    asked = search.asked
    if not asked.test or not asked.is_independent:
        return None
    ends = [(trial, result) for trial, result in found if result.state in ("done", "diverged")]
    ends = [(trial, result) for trial, result in ends if trial.number or asked.phase]  # the default was not drawn
    first = [result.numbers.get(asked.score, np.nan) if result.state == "done" else np.nan for _, result in ends]
    second = [read_result(trial.tested).numbers.get(asked.score, np.nan) for trial, _ in ends]
    return price(np.array(first, float), np.array(second, float), asked.better)


def told_price(one: Price, score: str) -> str:
    """A price in words."""
    honest, peeked = one.honest[-1], one.peeked[-1]
    return (
        f"The best of {one.counts[-1]} trials has a {score} of {honest:.4g} on the split that chose nothing, and of "
        f"{peeked:.4g} where that split chooses it: peeking is worth {abs(honest - peeked):.2g} (means over draws)."
    )


def _order(score: float | None, better: str) -> tuple[bool, float]:
    if score is None or not np.isfinite(score):
        return True, 0.0
    return False, score if better == "lower" else -score


def _sound(score: float | None) -> bool:
    return score is not None and bool(np.isfinite(score))


def _csv(found: list[tuple[Trial, Result]], asked: Asked) -> str:
    paths = list(dict.fromkeys(path for trial, _ in found for path, _ in trial.overrides))
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    tests = [f"{asked.score}, {asked.test}"] if asked.test else []
    lines.writerow(["trial", "state", asked.score, *tests, "seconds", *paths])
    for trial, result in found:
        own = dict(trial.overrides)
        numbers = [result.numbers.get(asked.score, "")]
        numbers += [read_result(trial.tested).numbers.get(asked.score, "")] * len(tests)
        lines.writerow([trial.number, result.state, *numbers, trial.seconds, *(own.get(path, "") for path in paths)])
    return text.getvalue()


def _page(
    search: Search,
    ranked: list[tuple[Trial, Result]],
    scores: dict[int, Any],
    pictures: Sequence[str] = (),
    worth: Price | None = None,
) -> str:
    asked = search.asked
    states = [result.state for _, result in ranked]
    counted = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    lines = [f"# A search of {asked.space} for {asked.config}", ""]
    lines += [f"{len(ranked)} trials ({counted}), {asked.score} {asked.better} is better, sampler {asked.sampler}.", ""]
    paths = search.space.drawn_paths
    lines += [f"| trial | {asked.score} | {' | '.join(f'`{path}`' for path in paths)} |", "|---" * (2 + len(paths)) + "|"]
    for trial, result in ranked[:SHOWN]:
        own, score = dict(trial.overrides), scores[trial.number]
        told = f"{score:.4g}" if _sound(score) else result.state
        name = "0, the default" if trial.number == 0 and not asked.phase else str(trial.number)
        lines.append(f"| {name} | {told} | {' | '.join(_short(own.get(path, '')) for path in paths)} |")
    if ranked and _sound(scores[ranked[0][0].number]):
        given = shlex.join(f"--config.{path}={value}" for path, value in dict(ranked[0][0].overrides).items())
        lines += ["", "The best:", "", "```", f"python launch.py --config={asked.config} {given}", "```", ""]
        lines += [
            "Its score was chosen among those of all trials, so it is too good: what the setting is worth, new seeds "
            "say, on pictures that chose nothing.", "",
        ]  # fmt: skip
    if worth:
        lines += [told_price(worth, asked.score), ""]
    if "search.png" in pictures and asked.is_independent:
        lines += [f"Bands hold 95 % of {DRAWS:,} draws from the trials.", ""]
    lines += [f"![{Path(name).stem}]({name})\n" for name in pictures]
    return "\n".join(lines) + "\n"


def _short(value: str) -> str:
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value
