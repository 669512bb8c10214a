"""Three phases: a wide random search of each method, a narrow one, and a table of what was best, on new seeds (Lucic et al.
2018, section 5).

The best is chosen among the trials of both searches, by the scores of their last checkpoints on one split. The table is of
another split: no score that has chosen is reported. Every method has as many trials, and as many real images.
"""

import dataclasses
from pathlib import Path

from jaxgan.config.load import load_config, variants_of
from jaxgan.config.resolve import resolve_config
from jaxgan.errors import UserError, numbers
from jaxgan.files import write_text
from jaxgan.search import search, table_file
from jaxgan.search.asked import Asked
from jaxgan.search.report import best_trial
from jaxgan.search.search import Search
from jaxgan.search.table_file import Method
from jaxgan.search.trials import Trial
from jaxgan.sections import sections
from jaxgan.workdir.folder import Workdir

TABLE, SEEDS = "seeds.py", "seeds"  # the file of the third phase's table, and the folder of its cells


class ThreePhases:
    """Searches in a folder: METHOD/wide, METHOD/narrow, and seeds.

    Raises UserError for what does not fit, before anything is written.
    """

    def __init__(self, folder: Path, asked: Asked):
        self.folder, self.asked, self.trials = folder, asked, dict[str, list[list[Trial]]]()
        if not asked.is_independent:
            raise UserError("--protocol=three_phase draws at random and gives no trial up: leave --sampler and --pruner out")
        if asked.storage:
            raise UserError("--protocol=three_phase chooses among the trials of one folder: leave --storage out")
        if not asked.test:
            raise UserError("--protocol=three_phase wants --test=SPLIT, which chooses nothing and is what is reported")
        config = resolve_config(load_config(asked.config), asked.overrides, sections)
        if config.eval.split in ("", config.data.split):
            raise UserError(
                f"the split that is trained on, {config.data.split}, may not choose the best: --config.eval.split=..."
            )
        if config.seed in numbers(asked.seeds, "--seeds"):
            raise UserError(
                f"--seeds={asked.seeds} holds {config.seed}, with which the searches train; new ones: --seeds=1-10"
            )
        self.searches = {name: self._searches(name, spec) for name, spec in methods(asked.space).items()}
        self.asked = dataclasses.replace(
            asked, score=self.first.asked.score, better=self.first.asked.better, options=self.first.asked.options
        )

    def _searches(self, name: str, spec: str) -> list[Search]:
        one = dataclasses.replace(self.asked, space=spec, protocol="")
        phases = {"wide": ("", self.asked.budget), "narrow": ("narrow", self.asked.narrow)}
        return [
            Search(
                self.folder / name / phase,
                dataclasses.replace(one, study=f"{self.asked.study} {name} {phase}", phase=narrow, budget=budget),
            )
            for phase, (narrow, budget) in phases.items()
            if budget
        ]

    @property
    def first(self) -> Search:
        return next(iter(self.searches.values()))[0]

    def save(self) -> None:
        """Writes each `search.json`."""
        self.asked.save(self.folder)
        for one in self.every:
            one.save()

    @property
    def every(self) -> list[Search]:
        return [one for some in self.searches.values() for one in some]

    def read(self) -> None:
        """Reads the trials as their folders have them now: `trials`, by method those of each of its searches."""
        found = self.searches.items()
        self.trials = {name: [list(one.trials(one.study())) for one in some] for name, some in found}

    def best(self, method: str) -> Trial | None:
        """The trial that a method's third phase is about; None where none has a score."""
        return best_trial(sum(self.trials[method], []), self.asked.score, self.asked.better)

    def default(self, method: str) -> Trial | None:
        """The first trial, which has the method's default setting."""
        return next((trial for trial in self.trials[method][0] if trial.number == 0), None)

    @property
    def table(self) -> str:
        """The file of the third phase's table."""
        return str(self.folder / TABLE)

    def train(self, workers: int) -> None:
        """Trains all three phases. Ctrl-C and SIGTERM save and end."""
        from jaxgan.ablation import report
        from jaxgan.ablation.cells import check_crashed, load_table
        from jaxgan.ablation.engine import train_table

        with Workdir(self.folder).claimed():
            search.train(self.every, workers)
            self.read()
            self.write_table()
            table, folder = load_table(self.table), self.folder / SEEDS
            cells = train_table(table, self.table, folder, [], (), workers)
            report.write(table, cells, folder, {}, (), cells)
            check_crashed(cells)

    def write_table(self) -> None:
        """Writes the table of the third phase."""
        found = {name: Method(self.default(name), self.best(name), some[0].space) for name, some in self.searches.items()}
        write_text(Path(self.table), table_file.text(self.asked, found, self.table))


def methods(spec: str) -> dict[str, str]:
    """The spaces that a file holds, by their names: its variants, or the one that is asked for."""
    path, _, variant = spec.partition(":")
    if variant:
        return {variant: spec}
    return {name: f"{path}:{name}" for name in variants_of(path)} or {Path(path).stem: spec}
