"""The training loop: steps are dispatched ahead of the host, records follow; a run stops and resumes without a trace."""

import collections
import functools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan import budget, evaluate, interrupt, plane, population, program, screen, workdir
from jaxgan import images as pictures
from jaxgan.build import Blueprint
from jaxgan.checkpoint import Checkpoints, DamagedError
from jaxgan.data import order
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.parallel import Placement
from jaxgan.sample import make_generate, variables
from jaxgan.state import NEVER, GanState
from jaxgan.writer import Writer, write_json

AHEAD = 8  # steps that the host may run ahead of the devices; without a bound XLA:CPU's collectives time out


class DivergedError(Exception):
    """A param became NaN or infinite."""


@dataclass(frozen=True)
class Run:
    """plan: what to train. folder: the workdir, which may be new. source, overrides: where the config came from, for the
    record. is_over: there is nothing left to do; its place in a population is kept. failed: called at once with what ends it
    early."""

    plan: Blueprint
    folder: Path
    source: str = ""
    overrides: Any = ()
    is_over: bool = False
    failed: Callable[[Exception], None] = lambda error: None


def train(plan: Blueprint, images: Images, folder: Path, source: str = "", overrides: Any = ()) -> None:
    """Trains a run to its end, from its newest checkpoint if it has one. SIGTERM and Ctrl-C save and return.

    Raises UserError, DivergedError, checkpoint.DamagedError.
    """
    (failure,) = train_together([Run(plan, folder, source, overrides)], images)
    if failure:
        raise failure


def train_together(runs: list[Run], images: Images) -> list[DivergedError | UserError | None]:
    """Trains runs of one `population.kind` to their end, as one population if they are several, each in a folder of its own
    and from where all of them had got to; those that have no checkpoint of a common step go on apart. Returns what became of
    each: None, or how it diverged (or could not be scored), which stops no other.

    Raises UserError, checkpoint.DamagedError.
    """
    plan = runs[0].plan
    placement = Placement(plan.config.parallel)
    for run in runs:
        check(run.plan, placement, run.folder)
        workdir.check_data(run.folder, images)
    budget.check(plan, images, placement, len(runs))
    ends: dict[Path, DivergedError | UserError | None] = {}
    for part in _parts(runs):
        with ExitStack() as stack:
            for run in part:
                stack.enter_context(workdir.claimed(run.folder))
            found, is_stopped = _train(part, images, placement)
        ends |= {run.folder: end for run, end in zip(part, found)}
        if is_stopped:
            break
    return [ends.get(run.folder) for run in runs]


def _parts(runs: list[Run]) -> list[list[Run]]:
    """Runs that can go on together, having a checkpoint of a common step or none at all; the furthest first.

    If all can, those that are over keep their places among them, so that the same operations give the same bits ("vmap").
    """
    left = [run for run in runs if not run.is_over]
    parts: list[tuple[list[Run], set[int]]] = []
    for run in sorted(left, key=lambda run: -max(workdir.saved_steps(run.folder), default=0)):
        steps = workdir.saved_steps(run.folder)
        for members, common in parts:
            if common & steps or not common | steps:
                members.append(run)
                common &= steps
                break
        else:
            parts.append(([run], set(steps)))
    if len(parts) == 1:
        return [runs if population.form() == "vmap" else [run for run in runs if not run.is_over]]
    return [[run for run in runs if run in members] for members, _ in parts]


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


def _train(runs: list[Run], images: Images, placement: Placement) -> tuple[list[DivergedError | UserError | None], bool]:
    """What became of each run, and whether a signal stopped them."""
    plan = runs[0].plan
    config, several = plan.config, len(runs) > 1
    with ExitStack() as stack:
        # What a member of a population saved last may be further than the others got to.
        keep = max(2, config.checkpoint.keep) if several else config.checkpoint.keep
        saved = [stack.enter_context(closing(Checkpoints(run.folder / "checkpoints", keep))) for run in runs]
        states, wanted = _start(runs, saved, placement)
        first = int(placement.local(states[0].step))
        where = f"{runs[0].folder}" + (f" and {len(runs) - 1} more, trained together" if several else "")
        screen.say(screen.summary(plan, images, placement, where, first))
        if first > config.steps or not any(wanted):
            screen.say(f"already at step {max(first, config.steps)}; --config.steps=N with a larger N trains on")
            return [None] * len(runs), False
        members: list[Member | None] = [None] * len(runs)
        for i, (run, checkpoints) in enumerate(zip(runs, saved)):
            if wanted[i]:
                members[i] = Member(run, images, placement, checkpoints, first)
                stack.enter_context(closing(members[i].writer))  # pyright: ignore[reportOptionalMemberAccess]
        state = placement.init(population.stack, states) if several else states[0]
        del states
        with interrupt.stop_signal() as stop, screen.progress(first, config.steps) as progress:
            loop = Loop(members, [run.plan for run in runs], images, placement, progress)
            step = loop.run(state, first, stop)
    if step < config.steps and loop.alive:
        screen.say(f"stopped and saved at step {step}; the same command goes on from there")
    for member in loop.alive if step == config.steps else ():
        if jax.process_index() == 0:
            member.animate()
            write_json(member.folder / "DONE", {"step": step})
        screen.say(f"done. Samples: {member.folder}/samples/step_{step:08d}.png")
    return [member.failure if member else None for member in members], step < config.steps and bool(loop.alive)


def _start(runs: list[Run], saved: list[Checkpoints], placement: Placement) -> tuple[list[GanState], list[bool]]:
    """Each run's state to go on from, and whether there is anything left to do. Those of a population are of one step, the
    newest that all have got to; a run that is done has a new state in its place."""
    steps = runs[0].plan.config.steps
    done = [(run.folder / "DONE").exists() for run in runs]
    if len(runs) == 1:
        state = workdir.start(runs[0].plan, placement, saved[0])
        return [state], [not done[0] or int(placement.local(state.step)) != steps]
    wanted = [not run.is_over and (not there or own.steps[-1:] != [steps]) for run, there, own in zip(runs, done, saved)]
    new = [workdir.start(run.plan, placement, own, 0) for run, own in zip(runs, saved)]
    if not any(wanted):
        return new, wanted
    common = set.intersection(*(set(own.steps) for own, more in zip(saved, wanted) if more))
    for at in sorted(common, reverse=True):
        found = [_restored(run, own, placement, at) if more else None for run, own, more in zip(runs, saved, wanted)]
        if all(state or not more for state, more in zip(found, wanted)):
            step = next(state.step for state in found if state)
            return [state or other.replace(step=step) for state, other in zip(found, new)], wanted
    return new, wanted


def _restored(run: Run, saved: Checkpoints, placement: Placement, step: int) -> GanState | None:
    """A run's state at a step that it has a checkpoint of; None if that is damaged, and set aside."""
    try:
        return workdir.start(run.plan, placement, saved, step)
    except DamagedError as error:
        saved.set_aside([(step, error)], screen.say)
        return None


class Member:
    """One run of a loop: where its records go, and what has become of it.

    Args: run, images, placement, checkpoints: its own. first: the step that it starts from.
    """

    def __init__(self, run: Run, images: Images, placement: Placement, checkpoints: Checkpoints, first: int):
        self.run, self.plan, self.folder, self.config = run, run.plan, run.folder, run.plan.config
        self.placement, self.checkpoints, self.real = placement, checkpoints, images.reference()
        self.evaluator = evaluate.RunEvaluator(run.plan, images, placement) if self.config.eval.every else None
        self.generate = jax.jit(make_generate(run.plan))
        self.landscape = plane.make_landscape(run.plan, images.reference()) if images.image_shape == (2,) else None  # pyright: ignore
        self.failure: DivergedError | UserError | None = None
        if jax.process_index() == 0:
            (run.folder / "DONE").unlink(missing_ok=True)
            workdir.record(run.folder, self.config, images, run.source, run.overrides, first)
            _show_data(images, self.config.sample.num, run.folder / "samples" / "real.png")
        self.writer = Writer(run.folder, first, self.config.log.tensorboard)

    def check(self, bad: int) -> None:
        """Keeps in mind that a param is not finite, if `GanState.first_bad` says so."""
        if bad != NEVER and not self.failure:
            step, update = divmod(bad, len(self.plan.updates))
            saved = self.checkpoints.steps
            good = f"{self.checkpoints.directory}/{saved[-1]}" if saved else "none"
            self.fail(
                DivergedError(
                    f"a param of '{self.plan.updates[update].player}' is not finite after update "
                    f"'{self.plan.updates[update].loss}' of step {step + 1}; last good checkpoint: {good}"
                )
            )

    def fail(self, failure: DivergedError | UserError) -> None:
        self.failure = failure
        self.run.failed(failure)

    def log(self, step: int, means: Any, rate: dict[str, float], then: Callable[[dict[str, float]], None]) -> None:
        self.writer.scalars({"step": step, "kimg": step * self.plan.kimg_per_step, **rate} | means, then)

    def sample(self, state: GanState, step: int) -> None:
        if jax.process_index() == 0:
            nets, numbers = self.placement.local(variables(state, ema=True)), np.arange(self.config.sample.num)
            made = self.generate(nets, numbers)
            landscape = self.landscape(nets, made) if self.landscape else None
            self.writer.samples(step, lambda: _picture(np.asarray(made), self.real, landscape))

    def animate(self) -> None:
        """The pictures of points in the plane as one animation, if there are several."""
        frames = plane.frames(self.folder / "samples") if self.landscape and jax.process_index() == 0 else []
        if len(frames) > 1:
            pictures.save_gif(self.folder / "samples" / "training.gif", frames, per_second=5)

    def save(self, state: GanState, step: int) -> None:
        if step not in self.checkpoints.steps:  # made already by a population that others of its members fell behind
            self.checkpoints.save(step, self.placement.to_global(state))

    def scores_due(self, step: int) -> bool:
        return self.evaluator is not None and (step == self.config.steps or _due(step, self.config.eval.every))

    def evaluate(self, state: GanState, step: int) -> None:
        """Scores this step's generator."""
        assert self.evaluator is not None
        result = self.evaluator(state, step)
        evaluate.append(self.folder, result)
        record = {"step": step, "kimg": step * self.plan.kimg_per_step}
        self.writer.scalars(record | {f"eval/{name}": x["value"] for name, x in result["scores"].items()}, self._say)

    def _say(self, record: dict[str, float]) -> None:
        scores = "  ".join(f"{name.removeprefix('eval/')} {x:.4g}" for name, x in record.items() if name.startswith("eval/"))
        screen.say(f"step {record['step']}  {scores}")


def _show_data(images: Images, num: int, path: Path) -> None:
    """The first real images as the networks see them: a wrong crop or colour shows before an hour is lost."""
    real = images.gather(np.arange(min(num, len(images))))["image"]
    pictures.save_png(path, _picture(real))


def _picture(made: np.ndarray, real: np.ndarray | None = None, landscape: plane.Landscape | None = None) -> np.ndarray:
    """One picture of images [N, H, W, C], uint8 or in [-1, 1], as a grid, or of points [N, D]."""
    if made.ndim == 2:
        return plane.draw(made, real, landscape)
    return pictures.grid(made if made.dtype == np.uint8 else pictures.to_uint8(made))


class Loop:
    """The steps of one run, or of a population's, and what happens between them.

    Args:
      members: the runs; None for one that is done already, whose place in the population is kept.
      plans: of all members. images, placement, progress: of all.
    """

    def __init__(
        self,
        members: list[Member | None],
        plans: list[Blueprint],
        images: Images,
        placement: Placement,
        progress: screen.Progress,
    ):
        self.members, self.images, self.placement, self.progress = members, images, placement, progress
        self.plan, self.config = plans[0], plans[0].config
        n = len(members)
        if n > 1:
            make, hparams = (
                functools.partial(population.make_program, form=population.form()),
                population.stack_hparams(plans),
            )
            self.cut = jax.jit(lambda tree: population.cut(tree, n))
        else:
            make, hparams, self.cut = program.make_program, self.plan.hparams, lambda tree: [tree]
        self.hparams = placement.replicate(hparams)
        self.program = placement.wrap(make(self.plan, images), batch_is_split=not images.resident)
        self.count = functools.cache(lambda n: placement.replicate(np.int32(n)))
        self.per_dispatch = program.steps_per_dispatch(self.config, images, n)
        self.ahead = max(1, AHEAD // self.per_dispatch)  # in dispatches
        self.waiting: collections.deque = collections.deque()
        self.totals: Any = None
        self.finished = self.clock_step = 0  # the last step known to be done, and that of the last log
        self.clock = 0.0

    @property
    def alive(self) -> list[Member]:
        """Members that train and have not diverged."""
        return [member for member in self.members if member and not member.failure]

    def run(self, state: GanState, first: int, stop: Callable[[int], bool]) -> int:
        """Trains from step `first`; returns the step that it got to, or stopped at because all members have diverged."""
        config, data, done = self.config, self._data(first), first
        for member, own in self._each(state):
            # Saved, and then stopped before the scores.
            if first and member.scores_due(first) and not self.placement.all(member.writer.has_scores):
                self._score(member, own, first)
        for step in program.dispatches(config, self.per_dispatch, first):
            state, report = self.program(state, self.hparams, next(data), self.count(step - done))
            self._watch(step, report)
            if done == first:
                jax.block_until_ready(report)
                self.progress.compiled(step)
                self.clock, self.clock_step = time.monotonic(), step
            done, last = step, step == config.steps
            if last or _due(step, config.log.every):
                self._log(state, step)
            stopping = stop(step)
            sampling, saving = (last or _due(step, config[what].every) for what in ("sample", "checkpoint"))
            if sampling or saving or stopping or _due(step, config.eval.every):
                self._record(state, step, sampling, saving or stopping, last or not stopping)
            self.progress.step(step)
            if stopping or not self.alive:
                return step
        return config.steps

    def _each(self, state: Any) -> Iterator[tuple[Member, Any]]:
        """Members that are alive, each with its own part of a state or of a report."""
        yield from ((m, own) for m, own in zip(self.members, self.cut(state), strict=True) if m and not m.failure)

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
        """Marks members that have diverged."""
        for member, bad in zip(self.members, np.atleast_1d(np.asarray(first_bad)), strict=True):
            if member:
                member.check(int(bad))

    def _log(self, state: GanState, step: int) -> None:
        rate = {}
        if self.finished > self.clock_step:
            images = (self.finished - self.clock_step) * 1000 * self.plan.kimg_per_step
            rate["img_per_sec"] = images / (time.monotonic() - self.clock)
            self.clock, self.clock_step = time.monotonic(), self.finished
        shown = self.progress.log
        numbers = program.means(self.totals)
        if self.config.log.params:
            numbers |= program.single_params(state)
        for member, means in self._each(numbers):
            member.log(step, means, rate, shown)
            shown = _silent
        self.totals = None

    def _record(self, state: GanState, step: int, sampling: bool, saving: bool, scoring: bool) -> None:
        """Pictures, checkpoints and scores, of params that are finite. Checkpoints before scores: what evaluating may run
        into costs no step. The metrics' means start anew, so that a resumed run logs the same ones."""
        self._check(self.placement.local(state.first_bad))
        began, scored = time.monotonic(), False
        for member, own in self._each(state):
            if saving:
                member.save(own, step)
            if sampling:
                member.sample(own, step)
            if scoring and member.scores_due(step):
                scored = True
                self._score(member, own, step)
        if saving:
            self.totals = None
        if scored:
            self.clock += time.monotonic() - began  # which is not the training's

    def _score(self, member: Member, state: GanState, step: int) -> None:
        """Scores one member; samples that are not finite end it, and no other."""
        try:
            member.evaluate(state, step)
        except UserError as error:
            if len(self.members) == 1:
                raise
            member.fail(error)


def _silent(record: dict[str, float]) -> None:
    """In place of a line on the screen."""


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
