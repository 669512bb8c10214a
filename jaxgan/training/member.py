"""One run of a loop: where its records go, and what has become of it."""

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from jaxgan import program
from jaxgan.config.renamed import renamed_metrics
from jaxgan.console import say
from jaxgan.data.source import Images
from jaxgan.errors import Failure, UserError
from jaxgan.files import sweep
from jaxgan.generate import takes_labels, trained
from jaxgan.images import save_gif, save_png
from jaxgan.monitor import Monitor
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.of_run import RunEvaluator
from jaxgan.state import NEVER, GanState
from jaxgan.tasks.protocols import Generates
from jaxgan.training.landscape import picture_frames
from jaxgan.training.pictures import data_picture, make_sampler
from jaxgan.workdir.checkpoint import Checkpoints
from jaxgan.workdir.experiment import record_start
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.writer import Writer


class DivergedError(Failure):
    """A loss or a param became NaN or infinite."""


@dataclass(frozen=True)
class Job:
    """A run to train. folder: the workdir, which may be new. source, overrides: where the config came from, for the record.
    is_over: there is nothing left to do; its place in a population is kept. failed: called at once with what ends it
    early."""

    plan: Plan
    folder: Path
    source: str = ""
    overrides: Any = ()
    is_over: bool = False
    failed: Callable[[Exception], None] = lambda error: None


class Member:
    """One run of a loop: where its records go, and what has become of it.

    Args: job, images, placement, checkpoints: its own. first: the step that it starts from. donors: the checkpoints of other
    runs that it starts from.
    """

    def __init__(
        self, job: Job, images: Images, placement: Placement, checkpoints: Checkpoints, first: int, donors: dict[str, Any]
    ):
        self.job, self.plan, self.workdir, self.settings = job, job.plan, Workdir(job.folder), job.plan.run
        self.placement, self.checkpoints = placement, checkpoints
        self.evaluator = RunEvaluator(job.plan, images, placement) if self.settings.eval.every else None
        self.sampler = make_sampler(job.plan, images)
        self.failure: DivergedError | UserError | None = None
        self.goes_back = len(self.workdir.rollbacks) < self.settings.rollbacks  # if it diverges
        if jax.process_index() == 0:
            self.workdir.reopen()
            for folder in (job.folder, self.workdir.samples):
                sweep(folder)
            record_start(self.plan, job.folder, images, job.source, job.overrides, first, donors)
            save_png(self.workdir.samples / "real.png", data_picture(images, self.settings.sample.num))
        self.writer = Writer(job.folder, first, self.settings.log.tensorboard)
        self.monitor = Monitor(
            self.writer.lines, lambda text: say(f"{job.folder} {text}"), self.plan.sides, chance(self.plan)
        )

    def check(self, bad: int) -> None:
        """Keeps in mind that a param is not finite, if `GanState.first_bad` says so."""
        if bad != NEVER and not self.failure:
            step, update = divmod(bad, len(self.plan.updates))
            saved = self.checkpoints.steps
            good = f"{self.checkpoints.directory}/{saved[-1]}" if saved else "none"
            made = self.plan.updates[update]
            why = f"the loss or a param of '{made.player}' is not finite after update '{made.loss}' of step {step + 1}"
            record = {"step": step + 1, "kimg": (step + 1) * self.plan.kimg_per_step}
            self.writer.scalars(record, lambda line: None, lambda line: line | {"verdict": f"diverged: {why}"})
            self.failure = DivergedError(f"{why}; last good checkpoint: {good}")
            if not self.goes_back:
                self.job.failed(self.failure)

    def fail(self, failure: UserError) -> None:
        self.failure, self.goes_back = failure, False
        self.job.failed(failure)

    def go_back(self) -> None:
        """Writes down that the run, which has diverged, goes back to its newest checkpoint, or to its beginning."""
        step, why = max(self.checkpoints.steps, default=0), str(self.failure).partition("; last good")[0]
        self.workdir.roll_back(step, why)
        say(f"{self.job.folder}: {why}; it goes back to step {step}, and on with other noise")

    def note_rollback(self, step: int, many: int) -> None:
        """The log's line of the rollback to a step, the run's so many-th; once."""
        if any(line.get("rollbacks") == many for line in self.writer.lines):
            return
        why = self.workdir.rollbacks[-1]["why"]
        record = {"step": step, "kimg": step * self.plan.kimg_per_step, "rollbacks": many}
        self.writer.scalars(record, lambda line: None, lambda line: line | {"verdict": f"went back to this step: {why}"})

    def log(self, step: int, means: Any, rate: dict[str, float], then: Callable[[dict[str, float]], None]) -> None:
        self.writer.scalars({"step": step, "kimg": step * self.plan.kimg_per_step, **rate} | means, then, self.monitor)

    def sample(self, state: GanState, step: int) -> None:
        """The sample picture of a step; nothing of a task that neither generates nor shows anything."""
        if self.sampler and jax.process_index() == 0:
            self.writer.samples(step, self.sampler(self.placement.local(trained(self.plan, state, ema=True))))

    def animate(self) -> None:
        """The pictures of points in the plane as one animation, if there are several."""
        is_plane = self.plan.image_shape == (2,) and jax.process_index() == 0
        frames = picture_frames(self.workdir.samples) if is_plane else []
        if len(frames) > 1:
            save_gif(self.workdir.samples / "training.gif", frames, per_second=5)

    def save(self, state: GanState, step: int, totals: Any) -> None:
        """A checkpoint, after the records up to its step: whoever goes on from it misses none of them."""
        if jax.process_index() == 0 and not self.workdir.is_run:  # a checkpoint would make the folder anew, without the log
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.workdir.record))
        self.writer.flush()
        if step not in self.checkpoints.steps:  # made already by a population that others of its members fell behind
            self.checkpoints.save(step, self.placement.to_global(state), program.totals_as_json(totals))

    def note(self, step: int) -> dict[str, Any] | None:
        """The metrics that were not logged yet when the checkpoint of `step` was made."""
        note = self.checkpoints.note(step)
        return renamed_metrics(note) if note else None

    def scores_due(self, step: int) -> bool:
        return self.evaluator is not None and (step == self.settings.steps or is_due(step, self.settings.eval.every))

    def evaluate(self, state: GanState, step: int) -> None:
        """Scores this step's generator: on one set of samples, and at the end of training on `eval.repeats` sets. The log
        has the first set's scores, which are of one set at every step."""
        assert self.evaluator is not None
        result = self.evaluator(state, step, self.settings.eval.repeats if step == self.settings.steps else 1)
        self.workdir.add_evaluation(result)
        record = {"step": step, "kimg": step * self.plan.kimg_per_step}
        first = {f"eval/{name}": x["values"][0] for name, x in result["scores"].items()}
        self.writer.scalars(record | first, self._say, self.monitor.scored)

    def _say(self, record: dict[str, float]) -> None:
        scores = "  ".join(f"{name.removeprefix('eval/')} {x:.4g}" for name, x in record.items() if name.startswith("eval/"))
        say(f"step {record['step']}  {scores}")


def chance(plan: Any) -> float:
    """How often a guessed label is right, of equally likely ones, or of attributes; 0 without labels."""
    label = plan.features.get("label") if plan.can(Generates) and takes_labels(plan) else None
    return 0.0 if label is None else 0.5 if label.shape else 1 / label.classes


def is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
