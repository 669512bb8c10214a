"""A search: trials are asked for and trained until a budget is spent, a few at a time, and told to the study.

A trial belongs to its folder. What a killed process leaves is taken up by the next start, and goes on to the same bits. A
study may have several folders, each on a machine of its own; each trains the trials that it has asked for.
"""

import dataclasses
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from jaxgan.ablation.cells import CrashedError
from jaxgan.ablation.command import last_line, launch
from jaxgan.ablation.pool import Job, Pool
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.console import say
from jaxgan.errors import UserError, nearest
from jaxgan.scores.table import find_scores
from jaxgan.search.asked import Asked
from jaxgan.search.equal import equal_images
from jaxgan.search.space import check_space, defaults, load_space
from jaxgan.search.study import PRUNERS, SAMPLERS, Study, import_optuna
from jaxgan.search.trials import Trial, folder_of, read_trial, score_of, spelled
from jaxgan.sections import sections
from jaxgan.workdir.data import open_split
from jaxgan.workdir.folder import Workdir

ALIKE = 3  # trials that crash for one reason, and nothing but that has happened: the search ends
TOGETHER = 8  # trials in a process, of samplers that learn nothing: those that differ in scalars alone are a population


class Search:
    """A search in a folder. Raises UserError for a space or a score that does not fit, before anything is written."""

    def __init__(self, folder: Path, asked: Asked):
        self.folder, self.asked, self._ends = folder, asked, list[str]()
        space, self._base = load_space(asked.space), load_config(asked.config)
        if asked.phase == "narrow":
            if not space.narrow:
                raise UserError(
                    f"{asked.space} has no narrow space, Space(..., narrow=Space(...)); --narrow=0 leaves it out"
                )
            space = space.narrow
        self.space = space
        check_space(self.space, asked.space, self._base, asked.overrides)
        for flag, name, known in (("sampler", asked.sampler, SAMPLERS), ("pruner", asked.pruner, PRUNERS)):
            if name not in known:
                raise UserError(f"no {flag} '{name}'; {nearest(name, known)}")
        import_optuna()
        twice = [path for path, _ in asked.overrides if path in self.space.paths]
        if twice:
            raise UserError(f"--config.{twice[0]} is a field of the space {asked.space}; leave one out")
        config = resolve_config(self._base, self._common, sections)
        parts = [one for metric in find_scores(config.eval.metrics).values() for one in metric.better.items()]
        ways = {part: way for part, way in parts if way}  # of the others no value is better
        score = asked.score or next(iter(ways), "")
        if score not in ways:
            raise UserError(f"no score '{asked.score}' among those of eval.metrics; {nearest(asked.score, ways)}")
        if asked.test and asked.test in (config.eval.split, config.data.split):
            does = "chooses among the trials" if asked.test == config.eval.split else "is trained on"
            raise UserError(f"the split {asked.test} {does}, so --test wants another one")
        if asked.pruner != "none" and not 0 < config.eval.every < config.steps:
            raise UserError(f"--pruner={asked.pruner} goes by scores before the end: --config.eval.every=... below steps")
        options = asked.options or SAMPLERS[asked.sampler]
        pruning = asked.pruner_options or PRUNERS[asked.pruner]
        self.asked = dataclasses.replace(asked, score=score, better=ways[score], options=options, pruner_options=pruning)

    @property
    def _common(self) -> list[tuple[str, str]]:
        """Overrides of every trial."""
        return spelled(dict(self.space.fixed)) + self.asked.overrides

    def together(self, workers: int) -> int:
        """Trials that a process is given: those of a sampler that learns are asked for one by one."""
        if not self.asked.is_independent:
            return 1
        return min(TOGETHER, -(-self.asked.budget // (2 * workers)))  # and each worker has two turns

    def study(self) -> Study:
        url = self.asked.storage or f"sqlite:///{(self.folder / 'study.db').absolute()}"
        known = None if self.asked.phase else defaults(self.space, self._base, self.asked.overrides)
        return Study(url, self.asked, self.space, known)

    def save(self) -> None:
        """Writes `search.json`."""
        self.asked.save(self.folder)

    def train(self, workers: int) -> None:
        """Trains what is left of the budget. Ctrl-C and SIGTERM save and end. Raises UserError, CrashedError."""
        with Workdir(self.folder).claimed():
            train([self], workers)

    def check_test(self) -> None:
        """Opens the split `test`. Raises UserError where there is none."""
        if self.asked.test:
            open_split(resolve_config(self._base, self._common, sections), self.asked.test)

    def trial(self, number: int, study: Study) -> Trial:
        """A trial that was asked for, as its folder has it, or as it was drawn."""
        saved = self.read(number)
        if saved is None:
            own = spelled(study.drawn(number))
            length = equal_images(self._base, self._common, own) if self.space.equal_images else []
            overrides = spelled(dict(self.space.fixed)) + own + self.asked.overrides + length
            saved = Trial(number, folder_of(self.folder, number), self.asked.config, overrides, test=self.asked.test)
            saved.save()
        return saved

    def read(self, number: int) -> Trial | None:
        return read_trial(self.folder, self.asked.config, number, self.asked.test)

    def trials(self, study: Study) -> Iterator[Trial]:
        """Those of this folder."""
        for number in study.trials():
            found = self.read(number)
            if found:
                yield found

    def take(self, study: Study, mine: set[int], workers: int = 1) -> list[Trial]:
        """Trials that nobody trains, for one process: those that were left, then new ones; none where all are trained."""
        out: list[Trial] = []
        for number in study.running(self.asked.place):
            if number in mine:
                continue
            trial = self.trial(number, study)
            if is_claimed(trial.folder):
                continue
            trial = self.pruned(study, trial)
            if trial.is_over or trial.is_given_up:
                self.tell(study, trial)  # a kill came between its end and this
            elif trial.tries or trial.kills:  # what has crashed shall take no others with it
                return [trial]
            else:
                out.append(trial)
        most = self.together(workers)
        while len(out) < most and (number := study.ask(self.asked.place)) is not None:
            out.append(self.trial(number, study))
        return out[:most]

    def begin(self, pool: Pool, trials: list[Trial]) -> None:
        log = self.folder / "logs" / f"{trials[0].number:05d}.log"
        which = ",".join(str(trial.number) for trial in trials)

        def start(share: dict[str, str]) -> subprocess.Popen:
            return launch(["--mode=tune", f"--workdir={self.folder}", f"--trial={which}"], log, **share)

        pool.submit((self, trials), log, start)

    def pruned(self, study: Study, trial: Trial) -> Trial:
        """A trial after the pruner has seen its scores so far."""
        if self.asked.pruner == "none" or trial.pruned:
            return trial
        scores = trial.scores(self.asked.score)
        after = study.given_up(trial.number, [x for _, x in scores])
        if not after or scores[after - 1][0] >= trial.cell.config.steps:
            return trial
        trial = dataclasses.replace(trial, pruned=scores[after - 1][0])
        trial.save()
        return trial

    def end(self, study: Study, job: Job) -> None:
        """Tells what came of a process' trials; one that crashed is tried again. Raises CrashedError where all that came to
        an end so far, `ALIKE` at the least, crashed alike."""
        code = job.code or 0
        for trial in self.account(job):
            trial = self.pruned(study, trial)
            crashed = not trial.is_over and code not in (0, 130) and not is_claimed(trial.folder)
            killed = crashed and code < 0
            trial = dataclasses.replace(trial, tries=trial.tries + (crashed and not killed), kills=trial.kills + killed)
            trial.save()
            if killed and not trial.is_given_up:
                say(f"{self._name(trial)} was killed by signal {-code}, and is taken up again")
            elif crashed and not trial.is_given_up:
                say(f"{self._name(trial)} crashed, and is tried again: {last_line(job.log)[:200]}")
            elif crashed and not trial.cell.workdir.failure:  # which its process has written, if it could
                told = f"its process ended with code {code}: {last_line(job.log)[:300]}"
                trial.cell.workdir.fail("crashed", told, str(job.log))
            if trial.is_over or trial.is_given_up:
                self.tell(study, trial)

    def account(self, job: Job) -> list[Trial]:
        """A process' trials, with their shares of its time."""
        seconds, out = (time.time() - job.began) / len(job.work[1]), []
        for one in job.work[1]:
            trial = self.read(one.number) or one
            out.append(dataclasses.replace(trial, seconds=trial.seconds + seconds))
            out[-1].save()
        return out

    def tell(self, study: Study, trial: Trial) -> None:
        result, score = trial.result, self.asked.score
        value = None if trial.pruned else score_of(result, score)
        study.tell(trial.number, value, bool(trial.pruned))
        told = f"{score} {value:.4g}" if value is not None and np.isfinite(value) else result.state
        if result.state == "done" and value is not None and not np.isfinite(value):
            told = f"{score} is no number"
        say(f"{self._name(trial)}: {told}" + (f" ({result.message})" if result.message else ""))
        self._ends.append(result.message if result.state == "crashed" else "")
        if len(self._ends) >= ALIKE and self._ends[0] and len(set(self._ends)) == 1:
            raise CrashedError(f"{len(self._ends)} trials have crashed alike, and no other has ended: {self._ends[0]}")

    def _name(self, trial: Trial) -> str:
        return f"{self.asked.study.removeprefix('search').strip()} trial {trial.number}".strip()


def train(searches: Sequence[Search], workers: int) -> None:
    """Trains the searches' trials until their budgets are spent. Ctrl-C and SIGTERM save and end."""
    for search in searches:
        search.check_test()
    studies = {search: search.study() for search in searches}
    mine: dict[Search, set[int]] = {search: set() for search in searches}
    with Pool[tuple[Search, list[Trial]]](workers) as pool:
        try:
            while True:
                for search in searches:
                    while pool.free and (trials := search.take(studies[search], mine[search], workers)):
                        mine[search] |= {trial.number for trial in trials}
                        search.begin(pool, trials)
                if not pool.running and not any(studies[one].running(one.asked.place) for one in searches):
                    break  # else a dying process still saves
                ended = pool.over()
                for job in pool.running:
                    search, trials = job.work
                    if any(search.pruned(studies[search], trial).pruned for trial in trials):
                        job.process.terminate()
                for job in ended:
                    search, trials = job.work
                    mine[search] -= {trial.number for trial in trials}
                    search.end(studies[search], job)
        except KeyboardInterrupt:
            for job in pool.running:
                job.work[0].account(job)
            raise


def is_claimed(folder: Path) -> bool:
    """Whether another process trains the run in a folder. Raises UserError where that cannot be known."""
    try:
        with Workdir(folder).claimed():
            return False
    except UserError as error:
        if "in use" in str(error):
            return True
        raise
