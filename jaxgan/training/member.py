"""One run of a loop: where its records go, and what has become of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan import program
from jaxgan.config.renamed import renamed_metrics
from jaxgan.console import say
from jaxgan.data.source import Images
from jaxgan.errors import Failure, UserError
from jaxgan.generate import make_generate, source_inputs, variables
from jaxgan.images import grid_picture, save_gif, save_png, sheet_picture, to_uint8
from jaxgan.monitor import Monitor
from jaxgan.parallel import Placement
from jaxgan.plan import Plan
from jaxgan.scores.of_run import RunEvaluator
from jaxgan.state import NEVER, GanState
from jaxgan.training.landscape import Landscape, draw_points, make_landscape, picture_frames
from jaxgan.workdir.checkpoint import Checkpoints
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import record_start
from jaxgan.workdir.writer import Writer


class DivergedError(Failure):
    """A param became NaN or infinite."""


@dataclass(frozen=True)
class Run:
    """plan: what to train. folder: the workdir, which may be new. source, overrides: where the config came from, for the
    record. is_over: there is nothing left to do; its place in a population is kept. failed: called at once with what ends it
    early."""

    plan: Plan
    folder: Path
    source: str = ""
    overrides: Any = ()
    is_over: bool = False
    failed: Callable[[Exception], None] = lambda error: None


class Member:
    """One run of a loop: where its records go, and what has become of it.

    Args: run, images, placement, checkpoints: its own. first: the step that it starts from. donors: the checkpoints of other
    runs that it starts from.
    """

    def __init__(
        self, run: Run, images: Images, placement: Placement, checkpoints: Checkpoints, first: int, donors: dict[str, Any]
    ):
        self.run, self.plan, self.workdir, self.config = run, run.plan, Workdir(run.folder), run.plan.config
        self.placement, self.checkpoints, self.real = placement, checkpoints, images.reference()
        self.numbers = np.arange(run.plan.config.sample.num)
        self.given = source_inputs(run.plan, images, self.numbers)
        self.images = images.gather(self.numbers % len(images))["image"] if self.given else None
        self.evaluator = RunEvaluator(run.plan, images, placement) if self.config.eval.every else None
        self.generate = jax.jit(make_generate(run.plan))
        self.back = jax.jit(make_generate(run.plan, "ba")) if "ba" in run.plan.ways else None
        self.landscape = make_landscape(run.plan, images.reference()) if images.image_shape == (2,) else None  # pyright: ignore
        self.failure: DivergedError | UserError | None = None
        if jax.process_index() == 0:
            self.workdir.reopen()
            record_start(run.folder, self.config, images, run.source, run.overrides, first, donors)
            _show_data(images, self.config.sample.num, self.workdir.samples / "real.png")
        self.writer = Writer(run.folder, first, self.config.log.tensorboard)
        self.monitor = Monitor(self.writer.lines, lambda text: say(f"{run.folder} {text}"))

    def check(self, bad: int) -> None:
        """Keeps in mind that a param is not finite, if `GanState.first_bad` says so."""
        if bad != NEVER and not self.failure:
            step, update = divmod(bad, len(self.plan.updates))
            saved = self.checkpoints.steps
            good = f"{self.checkpoints.directory}/{saved[-1]}" if saved else "none"
            why = (
                f"a param of '{self.plan.updates[update].player}' is not finite after update "
                f"'{self.plan.updates[update].loss}' of step {step + 1}"
            )
            record = {"step": step + 1, "kimg": (step + 1) * self.plan.kimg_per_step}
            self.writer.scalars(record, lambda line: None, lambda line: line | {"verdict": f"diverged: {why}"})
            self.fail(DivergedError(f"{why}; last good checkpoint: {good}"))

    def fail(self, failure: DivergedError | UserError) -> None:
        self.failure = failure
        self.run.failed(failure)

    def log(self, step: int, means: Any, rate: dict[str, float], then: Callable[[dict[str, float]], None]) -> None:
        self.writer.scalars({"step": step, "kimg": step * self.plan.kimg_per_step, **rate} | means, then, self.monitor)

    def sample(self, state: GanState, step: int) -> None:
        if jax.process_index() == 0:
            nets = self.placement.local(variables(state, ema=True))
            made = self.generate(nets, self.numbers, **self.given)
            back = self.back(nets, self.numbers, source=self.images) if self.back else None
            landscape = self.landscape(nets, made) if self.landscape else None
            self.writer.samples(step, lambda: self._picture(made, back, landscape))

    def _picture(self, made: Any, back: Any, landscape: Landscape | None) -> np.ndarray:
        """Of a translator: sources, what it makes of them, then the true images, or those of the other domain and what it
        makes of them."""
        if self.images is None:
            return _picture(np.asarray(made), self.real, landscape)
        columns = [self.given["source"], to_uint8(made), self.images]
        columns += [] if back is None else [to_uint8(back)]
        return sheet_picture(*columns, most=self.config.sample.num)

    def animate(self) -> None:
        """The pictures of points in the plane as one animation, if there are several."""
        frames = picture_frames(self.workdir.samples) if self.landscape and jax.process_index() == 0 else []
        if len(frames) > 1:
            save_gif(self.workdir.samples / "training.gif", frames, per_second=5)

    def save(self, state: GanState, step: int, totals: Any) -> None:
        if step not in self.checkpoints.steps:  # made already by a population that others of its members fell behind
            self.checkpoints.save(step, self.placement.to_global(state), program.totals_as_json(totals))

    def note(self, step: int) -> dict[str, Any] | None:
        """The metrics that were not logged yet when the checkpoint of `step` was made."""
        note = self.checkpoints.note(step)
        return renamed_metrics(note) if note else None

    def scores_due(self, step: int) -> bool:
        return self.evaluator is not None and (step == self.config.steps or is_due(step, self.config.eval.every))

    def evaluate(self, state: GanState, step: int) -> None:
        """Scores this step's generator."""
        assert self.evaluator is not None
        result = self.evaluator(state, step)
        self.workdir.add_evaluation(result)
        record = {"step": step, "kimg": step * self.plan.kimg_per_step}
        self.writer.scalars(record | {f"eval/{name}": x["value"] for name, x in result["scores"].items()}, self._say)

    def _say(self, record: dict[str, float]) -> None:
        scores = "  ".join(f"{name.removeprefix('eval/')} {x:.4g}" for name, x in record.items() if name.startswith("eval/"))
        say(f"step {record['step']}  {scores}")


def _show_data(images: Images, num: int, path: Path) -> None:
    """The first real images as the networks see them: a wrong crop or colour shows before an hour is lost."""
    real = images.gather(np.arange(min(num, len(images))))["image"]
    save_png(path, _picture(real))


def _picture(made: np.ndarray, real: np.ndarray | None = None, landscape: Landscape | None = None) -> np.ndarray:
    """One picture of images [N, H, W, C], uint8 or in [-1, 1], as a grid, or of points [N, D]."""
    if made.ndim == 2:
        return draw_points(made, real, landscape)
    return grid_picture(made if made.dtype == np.uint8 else to_uint8(made))


def is_due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
