"""A trial of a search: a run in a folder of its own, whose state is that of the folder."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jaxgan import records
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.cells import text
from jaxgan.ablation.results import Result, read_result
from jaxgan.config.load import load_config
from jaxgan.config.resolve import Overrides, resolve_config
from jaxgan.files import write_json
from jaxgan.records import STEP
from jaxgan.sections import sections

FILE = "trial.json"
SHAPE = {"number": STEP, "overrides": [str], "tries": STEP}
TRIES = 2  # of a trial whose process crashes


@dataclass(frozen=True)
class Trial:
    """number: in its study. overrides: of the config `spec`. tries: how often a process has ended without it being over."""

    number: int
    folder: Path
    spec: str
    overrides: Overrides
    tries: int = 0

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
    def result(self) -> Result:
        return read_result(self.cell)

    def save(self) -> None:
        """Writes `trial.json`, the last thing before it may be trained."""
        self.folder.mkdir(parents=True, exist_ok=True)
        given = [f"{path}={value}" for path, value in self.overrides]
        write_json(self.folder / FILE, {"number": self.number, "overrides": given, "tries": self.tries})


def folder_of(search: Path, number: int) -> Path:
    return search / "trials" / f"{number:05d}"


def read_trial(search: Path, spec: str, number: int) -> Trial | None:
    """A trial that was saved; None where there is none. Raises UserError for a damaged one."""
    folder = folder_of(search, number)
    found = records.read_json(folder / FILE, SHAPE, "remove its folder, and the trial begins anew")
    if found is None:
        return None
    pairs = [(path, value) for path, _, value in (one.partition("=") for one in found["overrides"])]
    return Trial(number, folder, spec, pairs, found["tries"])


def spelled(values: dict[str, Any]) -> Overrides:
    """Values by path as overrides."""
    return [(path, text(x)) for path, x in values.items()]
