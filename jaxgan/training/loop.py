"""The steps of a run, or of a population's, and what happens between them: records, pictures, checkpoints, scores.

Steps are dispatched ahead of the host, records follow.
"""

import collections
import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from jaxgan import program
from jaxgan.console import Progress
from jaxgan.data import order
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.state import GanState
from jaxgan.training import population
from jaxgan.training.member import Member, is_due

AHEAD = 8  # steps that the host may run ahead of the devices; without a bound XLA:CPU's collectives time out


class Loop:
    """The steps of one run, or of a population's, and what happens between them.

    Args:
      members: the runs; None for one that is done already, whose place in the population is kept.
      plans: of all members. images, placement, progress: of all.
    """

    def __init__(
        self,
        members: list[Member | None],
        plans: list[Plan],
        images: Images,
        placement: Placement,
        progress: Progress,
    ):
        self.members, self.images, self.placement, self.progress = members, images, placement, progress
        self.plan, self.settings = plans[0], plans[0].run
        n = len(members)
        if n > 1:
            make = functools.partial(population.make_program, form=population.form())
            inputs = population.stack_inputs(plans)
            self.cut = jax.jit(lambda tree: population.cut(tree, n))
        else:
            make, inputs, self.cut = program.make_program, self.plan.inputs, lambda tree: [tree]
        self.inputs, run = placement.replicate(inputs), make(self.plan, images)
        self.place = self.whole = lambda state: state
        if population.spreads(n, placement):
            self.program = placement.wrap_members(run, population.AXES, population.INPUT_AXES)
            self.place = lambda state: placement.divide(state, population.AXES)
            self.whole = jax.jit(lambda state: state, out_shardings=placement.replicated)
        else:
            self.program = placement.wrap(run, not images.resident, self.plan.shapes())
            if placement.shards > 1:
                self.place = lambda state: jax.device_put(state, placement.shardings(state), donate=True)
                self.whole = jax.jit(lambda state: state, out_shardings=placement.replicated)
        self.count = functools.cache(lambda n: placement.replicate(np.int32(n)))
        self.per_dispatch = program.steps_per_dispatch(self.settings, images, n)
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
        config, data, done, state = self.settings, self._data(first), first, self.place(state)
        notes = [member.note(first) if member else None for member in self.members]
        self.totals = program.totals_from_json(notes)
        for member, own in self._each(self.whole(state)):
            # Saved, and then stopped before the scores.
            if first and member.scores_due(first) and not self.placement.all(member.writer.has_scores):
                self._score(member, own, first)
        if not config.steps:  # networks as they begin are saved and scored all the same
            scored = self.placement.all(all(member.writer.has_scores for member in self.alive))
            self._record(state, 0, sampling=True, saving=True, scoring=not scored)
        for step in program.dispatches(config, self.per_dispatch, first):
            state, report = self.program(state, self.inputs, next(data), self.count(step - done))
            self._watch(step, report)
            if done == first:
                jax.block_until_ready(report)
                self.progress.compiled(step)
                self.clock, self.clock_step = time.monotonic(), step
            done, last = step, step == config.steps
            if last or is_due(step, config.log.every):
                self._log(state, step)
            stopping = stop(step)
            sampling, saving = (last or is_due(step, getattr(config, what).every) for what in ("sample", "checkpoint"))
            if sampling or saving or stopping or is_due(step, config.eval.every):
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
            resident = self.placement.replicate(program.resident(self.images))
            while True:
                yield resident
        rows = self.placement.local_rows(self.settings.batch_size)
        key = order.seed_key(self.settings.seed)
        for batch in self.images.batches(first, self.plan.rounds, self.settings.batch_size, rows, key):
            yield self.placement.put(batch)

    def _watch(self, step: int, report: dict[str, Any]) -> None:
        """Adds up the metrics on the device, and waits for the step of about `AHEAD` steps back, whose params it checks."""
        report = self.placement.local(report)
        known = self.totals is not None and self.totals.keys() == report["totals"].keys()
        self.totals = program.combine(self.totals, report["totals"]) if known else report["totals"]
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
        if self.settings.log.params:
            numbers |= program.single_params(self.placement.local(self.whole(state)))
        for member, means in self._each(numbers):
            member.log(step, means, rate, shown)
            shown = _silent
        self.totals = None

    def _record(self, state: GanState, step: int, sampling: bool, saving: bool, scoring: bool) -> None:
        """Pictures, checkpoints and scores, in this order, of params that are finite. A checkpoint comes after the records
        of its steps, which nobody writes again, and before scores: what evaluating may run into costs no step."""
        state = self.whole(state)
        self._check(self.placement.local(state.first_bad))
        began, scored = time.monotonic(), False
        totals = self.cut(self.totals) if self.totals else [None] * len(self.members)
        for member, own in self._each(state):
            if sampling:
                member.sample(own, step)
            if saving:
                member.save(own, step, totals[self.members.index(member)])
            if scoring and member.scores_due(step):
                scored = True
                self._score(member, own, step)
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
