"""A search: trials are asked for and trained until a budget is spent, a few at a time, and told to the study.

A trial belongs to its folder. What a killed process leaves is taken up by the next start, or by another machine on the same
study that sees the folder, and goes on to the same bits.
"""

import dataclasses
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan import records
from jaxgan.ablation.command import last_line, launch
from jaxgan.ablation.pool import Job, Pool
from jaxgan.config import trust
from jaxgan.config.load import load_config
from jaxgan.config.renamed import NAMES, renamed_override
from jaxgan.config.resolve import Overrides, resolve_config
from jaxgan.console import say
from jaxgan.errors import UserError, nearest
from jaxgan.files import write_json
from jaxgan.records import STEP
from jaxgan.scores.table import find_scores
from jaxgan.search.space import check_space, defaults, load_space
from jaxgan.search.study import SAMPLERS, Study, import_optuna
from jaxgan.search.trials import TRIES, Trial, folder_of, read_trial, spelled
from jaxgan.sections import sections
from jaxgan.workdir.folder import Workdir

FILE = "search.json"
SHAPE = {
    "names": STEP, "config": str, "space": str, "overrides": [str], "score": str, "better": str, "sampler": str,
    "options": dict, "seed": STEP, "storage": str, "study": str, "budget": STEP, "id?": str,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a search was asked for. config, space: files. overrides: of every trial. score: what is sought, of the trials'
    own last evaluation, and which way is `better`. options: the sampler's, as they were when the search began. storage: a
    URL, or "" for study.db in the folder."""

    config: str
    space: str
    overrides: Overrides = dataclasses.field(default_factory=list)
    score: str = ""
    better: str = "lower"
    sampler: str = "random"
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0
    storage: str = ""
    study: str = "search"
    budget: int = 100


def remembered(folder: Path) -> Asked | None:
    """What a folder's search was asked for; None where there is none. Raises UserError where it is damaged, or names code
    that is not to be trusted."""
    found = records.read_json(folder / FILE, SHAPE, "restore it, or choose another --workdir")
    if found is None:
        return None
    trust.check(_code(found), folder, found.get("id"))
    pairs = [(path, value) for path, _, value in (one.partition("=") for one in found["overrides"])]
    pairs = pairs if found["names"] == NAMES else [new for pair in pairs for new in renamed_override(*pair)]
    names = [field.name for field in dataclasses.fields(Asked)]
    values: dict[str, Any] = {name: found[name] for name in names} | {"overrides": pairs}
    return Asked(**values)


def _code(content: dict[str, Any]) -> set[str]:
    """The files and classes outside the package that a search names."""
    files = trust.file_in(content["config"]) | trust.file_in(content["space"])
    return files | trust.classes_in([one.partition("=")[2] for one in content["overrides"]])


class Search:
    """A search in a folder. Raises UserError for a space or a score that does not fit, before anything is written."""

    def __init__(self, folder: Path, asked: Asked):
        self.folder, self.asked, self.space = folder, asked, load_space(asked.space)
        self._base = load_config(asked.config)
        check_space(self.space, asked.space, self._base)
        if asked.sampler not in SAMPLERS:
            raise UserError(f"no sampler '{asked.sampler}'; {nearest(asked.sampler, SAMPLERS)}")
        import_optuna()
        twice = [path for path, _ in asked.overrides if path in self.space.paths]
        if twice:
            raise UserError(f"--config.{twice[0]} is a field of the space {asked.space}; leave one out")
        own = spelled(dict(self.space.fixed)) + asked.overrides
        config = resolve_config(self._base, own, sections)
        parts = [one for metric in find_scores(config.eval.metrics).values() for one in metric.better.items()]
        ways = {part: way for part, way in parts if way}  # of the others no value is better
        score = asked.score or next(iter(ways), "")
        if score not in ways:
            raise UserError(f"no score '{asked.score}' among those of eval.metrics; {nearest(asked.score, ways)}")
        options = asked.options or SAMPLERS[asked.sampler]
        self.asked = dataclasses.replace(asked, score=score, better=ways[score], options=options)

    def save(self) -> None:
        """Writes `search.json`."""
        before = records.read_json(self.folder / FILE, SHAPE, "restore it") or {}
        content: dict[str, Any] = dataclasses.asdict(self.asked) | {"names": NAMES}
        content["overrides"] = [f"{path}={value}" for path, value in self.asked.overrides]
        identity = trust.note(_code(content), self.folder, before.get("id"))
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / FILE, content | ({"id": identity} if identity else {}))

    @property
    def _place(self) -> str:
        """This folder on this machine, or on all that share it."""
        return str(self.folder.absolute())

    def study(self) -> Study:
        asked = self.asked
        url = asked.storage or f"sqlite:///{(self.folder / 'study.db').absolute()}"
        values = defaults(self.space, self._base)
        return Study(url, asked.study, asked.better, asked.sampler, asked.options, asked.seed, self.space, values)

    def trial(self, number: int, study: Study) -> Trial:
        """A trial that was asked for, as its folder has it, or as it was drawn."""
        saved = read_trial(self.folder, self.asked.config, number)
        if saved is None:
            overrides = spelled(dict(self.space.fixed)) + spelled(study.drawn(number)) + self.asked.overrides
            saved = Trial(number, folder_of(self.folder, number), self.asked.config, overrides)
            saved.save()
        return saved

    def trials(self, study: Study) -> Iterator[Trial]:
        """Those of this folder."""
        for number in study.trials():
            found = read_trial(self.folder, self.asked.config, number)
            if found:
                yield found

    def train(self, workers: int) -> None:
        """Trains trials until the budget is spent. Ctrl-C and SIGTERM save and end."""
        study, mine = self.study(), set[int]()
        with Pool[Trial](workers) as pool:
            while True:
                while pool.free and (trial := self._next(study, mine)):
                    mine.add(trial.number)
                    self._begin(pool, trial)
                if not pool.running:
                    break
                for job in pool.over():
                    mine.discard(job.work.number)
                    self._end(study, job)

    def _next(self, study: Study, mine: set[int]) -> Trial | None:
        """A trial that nobody trains: one that was left, else a new one; None where the budget is spent."""
        for number in study.running(self._place):
            if number in mine:
                continue
            trial = self.trial(number, study)
            if _is_claimed(trial.folder):
                continue
            if trial.cell.is_over:
                self._tell(study, trial)  # it was killed between the two
                continue
            return trial
        if len(study.trials()) >= self.asked.budget:
            return None
        return self.trial(study.ask(self._place), study)

    def _begin(self, pool: Pool[Trial], trial: Trial) -> None:
        log = self.folder / "logs" / f"{trial.number:05d}.log"

        def start(share: dict[str, str]) -> subprocess.Popen:
            return launch(["--mode=tune", f"--workdir={self.folder}", f"--trial={trial.number}"], log, **share)

        pool.submit(trial, log, start)

    def _end(self, study: Study, job: Job[Trial]) -> None:
        """Tells what came of a trial; one whose process crashed is tried again."""
        trial, code = job.work, job.code
        if not trial.cell.is_over and code not in (0, 130) and not _is_claimed(trial.folder):
            trial = dataclasses.replace(trial, tries=trial.tries + 1)
            trial.save()
            if trial.tries < TRIES:
                say(f"trial {trial.number} crashed, and is tried again: {last_line(job.log)[:200]}")
                return
            if not trial.cell.workdir.failure:  # which its process has written, if it could
                told = f"its process ended with code {code}: {last_line(job.log)[:300]}"
                trial.cell.workdir.fail("crashed", told, str(job.log))
        if trial.cell.is_over or trial.tries >= TRIES:
            self._tell(study, trial)

    def _tell(self, study: Study, trial: Trial) -> None:
        result, score = trial.result, self.asked.score
        value = result.numbers.get(score, np.nan) if result.state in ("done", "diverged") else None
        study.tell(trial.number, value)
        told = f"{score} {value:.4g}" if value is not None and np.isfinite(value) else result.state
        if result.state == "done" and value is not None and not np.isfinite(value):
            told = f"{score} is no number"
        say(f"trial {trial.number}: {told}" + (f" ({result.message})" if result.message else ""))


def _is_claimed(folder: Path) -> bool:
    """Whether another process trains the run in a folder."""
    with suppress(UserError), Workdir(folder).claimed():
        return False
    return True
