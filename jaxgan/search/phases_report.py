"""What three phases have found: a line a method, from its searches to the table of new seeds."""

from pathlib import Path

import numpy as np

from jaxgan.ablation import figures
from jaxgan.ablation.cells import load_table, make_cells
from jaxgan.ablation.results import read_result
from jaxgan.console import say
from jaxgan.files import write_text
from jaxgan.search import report
from jaxgan.search.figures import DRAWS, overview, peeking
from jaxgan.search.peeking import Price
from jaxgan.search.phases import SEEDS, ThreePhases
from jaxgan.search.report import price_of, told_price
from jaxgan.search.trials import Trial, score_of

LEGEND = (
    "Images and hours are of all trials of a method: real images that the discriminator saw, in millions, and time of one "
    "worker, starts and scores included. Scores of the searches are of the split that chose; those of new seeds, mean ± "
    "standard deviation, are of the other one. In brackets: the trial."
)


def write(phases: ThreePhases) -> Path:
    """Writes report.md and its figures, and each search's own report; returns the first's path."""
    for search in phases.every:
        report.write(search)
    phases.read()
    asked, pictures = phases.asked, []
    wide = {name: _scores(parts[0][1:], asked.score) for name, parts in phases.trials.items()}  # the first drew nothing
    wide = {name: values for name, values in wide.items() if len(values)}
    if wide:
        figures.save(overview(wide, asked.score, asked.better, True, {}), phases.folder / "search.png")
        pictures.append("search.png")
    prices = {name: one for name in phases.trials if (one := _price(phases, name))}
    if prices:
        figures.save(peeking(prices, asked.score), phases.folder / "peeking.png")
        pictures.append("peeking.png")
    path = phases.folder / "report.md"
    write_text(path, _page(phases, prices, pictures))
    say(str(path))
    return path


def _scores(trials: list[Trial], score: str) -> np.ndarray:
    found = [score_of(trial.result, score) for trial in trials]
    return np.array([x for x in found if x is not None], float)


def _price(phases: ThreePhases, name: str) -> Price | None:
    """The price among a method's wide trials."""
    return price_of(phases.searches[name][0], [(trial, trial.result) for trial in phases.trials[name][0]])


def _page(phases: ThreePhases, prices: dict[str, Price], pictures: list[str]) -> str:
    asked = phases.asked
    lines = [f"# Three phases: {asked.space} for {asked.config}", ""]
    lines += [f"Searched for: {asked.score}, {asked.better} is better.", ""]
    heads = ["", "wide", "narrow", "images", "hours", "default", "best wide", "best narrow"]
    heads += ["new seeds: default", "new seeds: best", "published"]
    lines += [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    new = _new_seeds(phases)
    for name in phases.searches:
        lines.append(f"| {' | '.join(_row(phases, name, new))} |")
    lines += ["", LEGEND, ""]
    papers = {some[0].space.paper for some in phases.searches.values()} - {""}
    lines += [f"Published: {'; '.join(sorted(papers))}.", ""] if papers else []
    if (phases.folder / SEEDS / "report.md").exists():
        lines += [f"The [table of new seeds]({SEEDS}/report.md) has the claims.", ""]
    if prices:
        lines += ["## The price of peeking", ""]
        lines += [f"- {name}: {told_price(one, asked.score)}" for name, one in prices.items()]
        lines += [f"- {told}" for told in _checkpoints(phases)] + [""]
    if "search.png" in pictures:
        lines += ["## Figures", "", f"Of the wide searches; bands hold 95 % of {DRAWS:,} draws from the trials.", ""]
    lines += [f"![{Path(name).stem}]({name})\n" for name in pictures]
    for some in phases.searches.values():
        lines += [
            f"- [{one.folder.relative_to(phases.folder)}]({one.folder.relative_to(phases.folder)}/report.md)" for one in some
        ]
    return "\n".join(lines) + "\n"


def _row(phases: ThreePhases, name: str, new: dict[str, str]) -> list[str]:
    parts, asked = phases.trials[name], phases.asked
    every = sum(parts, [])
    images = sum(trial.result.numbers.get("kimg", 0.0) for trial in every) / 1000
    bests = [report.best_trial(some, asked.score, asked.better) for some in parts]
    counted = [f"{len(some)}" + _lost(some) for some in parts] + ["-"] * (2 - len(parts))
    hours = sum(trial.seconds for trial in every) / 3600
    out = [name, *counted, f"{images:.2f}", f"{hours:.2f}", _told(phases.default(name), asked.score)]
    out += [_told(best, asked.score, True) for best in bests] + ["-"] * (2 - len(bests))
    published = phases.searches[name][0].space.published.get(asked.score, "-")
    return [*out, new.get(f"{name}, default", "-"), new.get(name, "-"), published]


def _lost(trials: list[Trial]) -> str:
    states = [trial.result.state for trial in trials]
    told = [f"{states.count(kind)} {kind}" for kind in ("diverged", "crashed", "open") if kind in states]
    return f" ({', '.join(told)})" if told else ""


def _told(trial: Trial | None, score: str, is_named: bool = False) -> str:
    if trial is None:
        return "-"
    result = trial.result
    number = result.numbers.get(score) if result.state == "done" else None
    return (f"{number:.4g}" if number is not None else result.state) + (f" ({trial.number})" if is_named else "")


def _new_seeds(phases: ThreePhases) -> dict[str, str]:
    """Mean and spread of each row of the third phase, as far as it has been trained."""
    folder = phases.folder / SEEDS
    if not (folder / "table.json").exists():
        return {}
    spec, found = phases.table, dict[str, list[float]]()
    for cell in make_cells(load_table(spec), spec, folder, []):
        number = read_result(cell).numbers.get(phases.asked.score) if cell.is_done else None
        found.setdefault(cell.row, []).append(np.nan if number is None else number)
    return {row: _mean(np.array(some)) for row, some in found.items()}


def _mean(values: np.ndarray) -> str:
    """The mean and the spread of what is finite, and of how many that is where it is not all."""
    some = values[np.isfinite(values)]
    if not len(some):
        return "-"
    spread = f" ± {some.std(ddof=1):.2g}" if len(some) > 1 else ""
    return f"{some.mean():.4g}{spread}" + (f" ({len(some)} of {len(values)})" if len(some) < len(values) else "")


def _checkpoints(phases: ThreePhases) -> list[str]:
    """What the best of a run's checkpoints would have been worth, in words."""
    asked, gains = phases.asked, []
    for name in phases.trials:
        best = phases.best(name)
        numbers = best.result.numbers if best else {}
        if asked.score in numbers and f"best/{asked.score}" in numbers:
            gains.append(abs(numbers[asked.score] - numbers[f"best/{asked.score}"]))
    if not gains or not any(gains):
        return []
    return [
        f"The best checkpoint in place of the last, by the scores that are reported: {np.mean(gains):.2g} in the mean of "
        f"{len(gains)} methods' best trials."
    ]
