"""A trial of a search: a run in a folder of its own, whose state is that of the folder."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan import records
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.cells import text, train_cells
from jaxgan.ablation.results import Result, read_result
from jaxgan.config.load import load_config
from jaxgan.config.resolve import Overrides, resolve_config
from jaxgan.files import write_json
from jaxgan.records import STEP
from jaxgan.scores.names import score_part
from jaxgan.scores.of_folder import scores_of
from jaxgan.sections import sections

FILE = "trial.json"
SHAPE = {"number": STEP, "overrides": [str], "tries": STEP, "kills?": STEP, "pruned?": STEP, "seconds?": float}
TRIES, KILLS = 2, 10  # of a trial: how often its process may crash, and be killed by a signal


@dataclass(frozen=True)
class Trial:
    """number: in its study. overrides: of the config `spec`. tries: how often its process has crashed; kills: how often a
    signal has killed it. pruned: the step after which it was given up; 0 where it was not. seconds: its share of the time
    of the processes that trained it, their starts and scores included. test: a split on which it is scored too."""

    number: int
    folder: Path
    spec: str
    overrides: Overrides
    tries: int = 0
    kills: int = 0
    pruned: int = 0
    seconds: float = 0.0
    test: str = ""

    @cached_property
    def cell(self) -> Cell:
        """It as a run that is trained."""
        base, own = load_config(self.spec), self.overrides
        config = resolve_config(base, own, sections)
        if not config.eval.every:  # it is scored at its end
            own = [*own, ("eval.every", str(max(1, config.steps)))]
            config = resolve_config(base, own, sections)
        return Cell(f"trial {self.number}", config.seed, self.number, self.folder, self.spec, own, config)

    @property
    def is_given_up(self) -> bool:
        """Whether its processes have crashed or been killed too often."""
        return self.tries >= TRIES or self.kills >= KILLS

    @property
    def tested(self) -> Cell:
        """It as a run that is scored on `test`."""
        cell = self.cell
        own = [*cell.overrides, ("eval.split", self.test)]
        return dataclasses.replace(cell, overrides=own, config=resolve_config(load_config(self.spec), own, sections))

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to train or to score."""
        if self.pruned or not self.cell.is_over:
            return bool(self.pruned)
        return not (self.test and self.cell.is_done) or read_result(self.tested).state == "done"

    @property
    def result(self) -> Result:
        """What has become of it; `state` may be "pruned", too. One that could not be scored on `test` has crashed."""
        found = read_result(self.cell)
        if self.pruned:
            return dataclasses.replace(found, state="pruned")
        if self.is_given_up and not self.is_over:
            why = (self.cell.workdir.failure or {}).get("message", "")
            return dataclasses.replace(found, state="crashed", message=found.message or why)
        return found

    def scores(self, score: str) -> list[tuple[int, float]]:
        """(step, value) of each evaluation in its log; NaN where one is no number."""
        out = []
        for line in self.cell.workdir.metrics():
            for name, x in line.items():
                if name.startswith("eval/") and score_part(name.removeprefix("eval/")) == score:
                    out.append((line["step"], np.nan if x is None else x))
        return out

    def save(self) -> None:
        """Writes `trial.json`, the last thing before it may be trained."""
        self.folder.mkdir(parents=True, exist_ok=True)
        given = [f"{path}={value}" for path, value in self.overrides]
        content: dict[str, Any] = {"number": self.number, "overrides": given, "tries": self.tries}
        content |= {"kills": self.kills, "pruned": self.pruned, "seconds": round(self.seconds, 1)}
        write_json(self.folder / FILE, content)


def folder_of(search: Path, number: int) -> Path:
    return search / "trials" / f"{number:05d}"


def read_trial(search: Path, spec: str, number: int, test: str = "") -> Trial | None:
    """A trial that was saved; None where there is none. Raises UserError for a damaged one."""
    folder = folder_of(search, number)
    found = records.read_json(folder / FILE, SHAPE, "remove its folder, and the trial begins anew")
    if found is None:
        return None
    pairs = [(path, value) for path, _, value in (one.partition("=") for one in found["overrides"])]
    more = {name: found[name] for name in ("kills", "pruned", "seconds") if name in found}
    return Trial(number, folder, spec, pairs, found["tries"], test=test, **more)


def train_trials(some: list[Trial]) -> None:
    """Trains trials in this process, as populations where they differ in scalars alone, and scores each on its `test`.
    Raises CrashedError."""
    train_cells([trial.cell for trial in some if not trial.cell.is_over])
    for trial in some:
        if not trial.is_over and trial.cell.is_done:
            trial.cell.workdir.add_evaluation(scores_of(trial.folder, [("eval.split", trial.test)]))


def score_of(result: Result, score: str) -> float | None:
    """A trial's score; not finite where it diverged or was given up; None where there is none yet, or it crashed."""
    if result.state in ("diverged", "pruned"):
        return np.nan
    return result.numbers.get(score, np.nan) if result.state == "done" else None


def spelled(values: dict[str, Any]) -> Overrides:
    """Values by path as overrides."""
    return [(path, text(x)) for path, x in values.items()]
