"""The training loop: steps are dispatched ahead of the host, records follow; a run stops and resumes without a trace."""

import collections
import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan import budget, evaluate, interrupt, program, screen, workdir
from jaxgan import images as pictures
from jaxgan.build import Blueprint
from jaxgan.checkpoint import Checkpoints
from jaxgan.data import order
from jaxgan.data.source import Images
from jaxgan.parallel import Placement
from jaxgan.sample import make_generate, variables
from jaxgan.state import NEVER, GanState
from jaxgan.writer import Writer, write_json

AHEAD = 8  # steps that the host may run ahead of the devices; without a bound XLA:CPU's collectives time out


class DivergedError(Exception):
    """A param became NaN or infinite."""


def train(plan: Blueprint, images: Images, folder: Path, source: str = "", overrides: Any = ()) -> None:
    """Trains a run to its end, from its newest checkpoint if it has one. SIGTERM and Ctrl-C save and return.

    Args:
      plan: what to train. images: on what. folder: the workdir, which may be new.
      source, overrides: where the config came from, for the record.

    Raises UserError, DivergedError, checkpoint.DamagedError.
    """
    config = plan.config
    placement = Placement(config.parallel)
    check(plan, placement, folder)
    workdir.check_data(folder, images)
    budget.check(plan, images, placement)
    with workdir.claimed(folder):
        _train(plan, images, placement, folder, source, overrides)


def check(plan: Blueprint, placement: Placement, folder: Path) -> None:
    """Refuses what can be known to fail before the data are there. Raises UserError."""
    budget.check_batch(plan, placement)
    workdir.check(folder, plan.config)
    if plan.config.eval.every:
        evaluate.check(plan)
    if plan.config.init_from.workdir and not (folder / "checkpoints").exists():
        workdir.check_donor(plan)
    if folder.exists():
        with workdir.claimed(folder):
            pass


def _train(plan: Blueprint, images: Images, placement: Placement, folder: Path, source: str, overrides: Any) -> None:
    config = plan.config
    checkpoints = Checkpoints(folder / "checkpoints", config.checkpoint.keep)
    try:
        state = workdir.start(plan, placement, checkpoints)
        first = int(placement.local(state.step))
        screen.say(screen.summary(plan, images, placement, folder, first))
        if first > config.steps or (first == config.steps and (folder / "DONE").exists()):
            screen.say(f"already at step {first}; --config.steps=N with a larger N trains on")
            return
        evaluator = evaluate.RunEvaluator(plan, images, placement) if config.eval.every else None
        if jax.process_index() == 0:
            (folder / "DONE").unlink(missing_ok=True)
            workdir.record(folder, config, images, source, overrides, first)
            _show_data(images, config.sample.num, folder / "samples" / "real.png")
        writer = Writer(folder, first, config.log.tensorboard)
        try:
            with interrupt.stop_signal() as stop, screen.progress(first, config.steps) as progress:
                step = Loop(plan, images, placement, checkpoints, writer, progress, evaluator).run(state, first, stop)
        finally:
            writer.close()
    finally:
        checkpoints.close()
    if step < config.steps:
        screen.say(f"stopped and saved at step {step}; the same command goes on from there")
        return
    if jax.process_index() == 0:
        write_json(folder / "DONE", {"step": step})
    screen.say(f"done. Samples: {folder}/samples/step_{step:08d}.png")


def _show_data(images: Images, num: int, path: Path) -> None:
    """The first real images as the networks see them: a wrong crop or colour shows before an hour is lost."""
    real = images.gather(np.arange(min(num, len(images))))["image"]
    pictures.save_png(path, pictures.sheet(real))


class Loop:
    """One run's steps and what happens between them."""

    def __init__(
        self,
        plan: Blueprint,
        images: Images,
        placement: Placement,
        checkpoints: Checkpoints,
        writer: Writer,
        progress: screen.Progress,
        evaluator: evaluate.RunEvaluator | None = None,
    ):
        self.plan, self.config, self.images, self.placement = plan, plan.config, images, placement
        self.checkpoints, self.writer, self.progress = checkpoints, writer, progress
        self.hparams = placement.replicate(plan.hparams)
        self.program = placement.wrap(program.make_program(plan, images), batch_is_split=not images.resident)
        self.count = functools.cache(lambda n: placement.replicate(np.int32(n)))
        self.ahead = max(1, AHEAD // program.steps_per_dispatch(self.config, images))  # in dispatches
        self.generate, self.real = jax.jit(make_generate(plan)), images.reference()
        self.evaluator = evaluator
        self.waiting: collections.deque = collections.deque()
        self.totals: Any = None
        self.finished = self.clock_step = 0  # the last step known to be done, and that of the last log
        self.clock = 0.0

    def run(self, state: GanState, first: int, stop: Callable[[int], bool]) -> int:
        """Trains from step `first`; returns the step that it got to."""
        config, data, done = self.config, self._data(first), first
        if first and self._scores_due(first) and not self.placement.all(self.writer.has_scores):  # saved, and then stopped
            self._evaluate(state, first)
        for step in program.dispatches(config, self.images, first):
            state, report = self.program(state, self.hparams, next(data), self.count(step - done))
            self._watch(step, report)
            if done == first:
                jax.block_until_ready(report)
                self.progress.compiled(step)
                self.clock, self.clock_step = time.monotonic(), step
            done, last = step, step == config.steps
            if last or _due(step, config.log.every):
                self._log(step)
            if last or _due(step, config.sample.every):
                self._sample(state, step)
            stopping = stop(step)
            if last or stopping or _due(step, config.checkpoint.every):
                self._save(state, step)  # first: what evaluating may run into costs no step
            if not stopping and self._scores_due(step):
                self._evaluate(state, step)
            self.progress.step(step)
            if stopping:
                return step
        return config.steps

    def _data(self, first: int) -> Iterator[Any]:
        """What the program wants at each dispatch: the resident data set, or this process' rows of a batch, read ahead."""
        if self.images.resident:
            resident = self.placement.replicate(self.images.load())
            while True:
                yield resident
        rows = self.placement.local_rows(self.config.batch_size)
        key = order.seed_key(self.config.seed)
        for batch in self.images.batches(first, self.plan.rounds, self.config.batch_size, rows, key):
            yield self.placement.put(batch)

    def _watch(self, step: int, report: dict[str, Any]) -> None:
        """Adds up the metrics on the device, and waits for the step of about `AHEAD` steps back, whose params it checks."""
        report = self.placement.local(report)
        self.totals = report["totals"] if self.totals is None else program.combine(self.totals, report["totals"])
        self.waiting.append((step, report["first_bad"]))
        if len(self.waiting) > self.ahead:
            self.finished, first_bad = self.waiting.popleft()
            self._check(first_bad)

    def _check(self, first_bad: jax.Array) -> None:
        bad = int(first_bad)
        if bad != NEVER:
            step, update = divmod(bad, len(self.plan.updates))
            saved = self.checkpoints.steps
            good = f"{self.checkpoints.directory}/{saved[-1]}" if saved else "none"
            raise DivergedError(
                f"a param of '{self.plan.updates[update].player}' is not finite after update "
                f"'{self.plan.updates[update].loss}' of step {step + 1}; last good checkpoint: {good}"
            )

    def _log(self, step: int) -> None:
        record: dict[str, Any] = {"step": step, "kimg": step * self.plan.kimg_per_step}
        if self.finished > self.clock_step:
            images = (self.finished - self.clock_step) * 1000 * self.plan.kimg_per_step
            record["img_per_sec"] = images / (time.monotonic() - self.clock)
            self.clock, self.clock_step = time.monotonic(), self.finished
        self.writer.scalars(record | program.means(self.totals), self.progress.log)
        self.totals = None

    def _sample(self, state: GanState, step: int) -> None:
        if jax.process_index() == 0:
            nets = self.placement.local(variables(state, ema=True))
            self.writer.samples(step, self.generate(nets, np.arange(self.config.sample.num)), self.real)

    def _scores_due(self, step: int) -> bool:
        return self.evaluator is not None and (step == self.config.steps or _due(step, self.config.eval.every))

    def _evaluate(self, state: GanState, step: int) -> None:
        """Scores this step's generator; the time that it takes is not the training's."""
        assert self.evaluator is not None
        self._check(self.placement.local(state.first_bad))
        began, result = time.monotonic(), self.evaluator(state, step)
        evaluate.append(self.writer.workdir, result)
        record = {"step": step, "kimg": step * self.plan.kimg_per_step}
        self.writer.scalars(record | {f"eval/{name}": x["value"] for name, x in result["scores"].items()}, self._say)
        self.clock += time.monotonic() - began

    def _say(self, record: dict[str, float]) -> None:
        scores = "  ".join(f"{name.removeprefix('eval/')} {x:.4g}" for name, x in record.items() if name.startswith("eval/"))
        screen.say(f"step {record['step']}  {scores}")

    def _save(self, state: GanState, step: int) -> None:
        """Saves, if every param is finite. The means start anew, so that a resumed run logs the same ones."""
        self._check(self.placement.local(state.first_bad))
        self.checkpoints.save(step, self.placement.to_global(state))
        self.totals = None


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
