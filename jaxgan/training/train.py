"""Training runs to their end, alone or as a population, from where they had got to: none shows that it was stopped."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import jax

from jaxgan import guard, processes
from jaxgan.config.resolve import flat
from jaxgan.console import progress, say
from jaxgan.data.source import Images
from jaxgan.errors import Failure, UserError
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.of_run import check_metrics, check_scores, real_images
from jaxgan.state import GanState
from jaxgan.training import budget, interrupt, population
from jaxgan.training.loop import Loop
from jaxgan.training.member import DivergedError, Job, Member
from jaxgan.training.summary import summary
from jaxgan.trouble import storage_trouble
from jaxgan.workdir.checkpoint import Checkpoints, DamagedError
from jaxgan.workdir.experiment import check_config, check_data
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import check_donor, new_state, starting_state, with_other_noise


def train(plan: Plan, images: Images, folder: Path, source: str = "", overrides: Any = ()) -> None:
    """Trains a run to its end, from its newest checkpoint if it has one. SIGTERM and Ctrl-C save and return.

    Raises UserError, DivergedError, checkpoint.DamagedError.
    """
    (failure,) = train_together([Job(plan, folder, source, overrides)], images)
    if failure:
        raise failure


def train_together(runs: list[Job], images: Images) -> list[DivergedError | UserError | None]:
    """Trains runs of one `population.kind` to their end, as one population if they are several, each in a folder of its own
    and from where all of them had got to; those that have no checkpoint of a common step go on apart. Returns what became of
    each: None, or how it diverged (or could not be scored), which stops no other.

    Raises UserError, checkpoint.DamagedError.
    """
    plan = runs[0].plan
    placement = Placement(plan.run.parallel, shards=plan.run.shards)
    for run in runs:
        check_run(run.plan, placement, run.folder, len(runs))
        check_data(run.folder, images)
    if plan.run.eval.every:
        check_metrics(plan, real_images(plan.config, images))  # before a folder is made
    budget.check(plan, images, placement, len(runs))
    processes.check_alike(_common(runs, images))
    ends: dict[Path, DivergedError | UserError | None] = {}
    for part in _parts(runs, placement):
        with ExitStack() as stack:
            for run in part:
                stack.enter_context(Workdir(run.folder).claimed())
            # What is left of members that were spread may have a batch that only one device can take.
            alone = not population.spreads(len(part), placement) and plan.run.batch_size % placement.size
            where = Placement(plan.run.parallel, placement.local_devices[:1]) if alone else placement
            with _told(part):
                found = None
                while found is None:
                    found, is_stopped = _train(part, images, where)
        placement.all(True)  # until the first process has written down how it ended
        ends |= {run.folder: end for run, end in zip(part, found)}
        if is_stopped:
            break
    return [ends.get(run.folder) for run in runs]


def _common(runs: list[Job], images: Images) -> dict[str, Any]:
    """What must be alike in all processes: the runs' configs, but for where their data lie, and the data."""
    own = {"data.dir", "data.cache"}
    configs = [{path: x for path, x in flat(run.plan.config.to_dict()).items() if path not in own} for run in runs]
    return {"the data": f"{images.name}, {len(images):,} examples {images.digest}"} | {
        path: x if len(runs) == 1 else [config.get(path) for config in configs] for path, x in configs[0].items()
    }


def _parts(runs: list[Job], placement: Placement) -> list[list[Job]]:
    """Runs that can go on together, having a checkpoint of a common step or none at all; the furthest first.

    If all can, those that are over keep their places among them, so that the same operations give the same bits ("vmap", or
    members on devices of their own).
    """
    left = [run for run in runs if not run.is_over]
    parts: list[tuple[list[Job], set[int]]] = []
    for run in sorted(left, key=lambda run: -max(Workdir(run.folder).saved_steps, default=0)):
        steps = Workdir(run.folder).saved_steps
        for members, common in parts:
            if (common & steps or not common | steps) and _same_frozen(run, members[0]):
                members.append(run)
                common &= steps
                break
        else:
            parts.append(([run], set(steps)))
    if len(parts) == 1 and all(_same_frozen(run, runs[0]) for run in runs):
        keep = population.form() == "vmap" or population.spreads(len(runs), placement)
        return [runs if keep else [run for run in runs if not run.is_over]]
    return [[run for run in runs if run in members] for members, _ in parts]


@contextmanager
def _told(runs: list[Job]) -> Iterator[None]:
    """Ends with one line where files cannot be written, however many writers found that out, and where another process has
    gone. Raises Failure."""
    guard.trains(runs[0].folder)
    try:
        yield
    except (UserError, Failure):
        raise
    except Exception as error:
        trouble, lost = storage_trouble(error), processes.lost_peer(error)
        is_of_devices = isinstance(error, jax.errors.JaxRuntimeError | MemoryError)
        if not is_of_devices and any(not Workdir(run.folder).is_run for run in runs):
            trouble = "its files have been removed"
        if not trouble and not lost:
            raise
        if lost:
            processes.hear_which()
        more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        what = processes.GONE if lost else f"it cannot be written: {trouble}"
        saved = max(Workdir(runs[0].folder).saved_steps, default=None)
        good = f"last good checkpoint: {Workdir(runs[0].folder).checkpoints}/{saved}" if saved else "no checkpoint yet"
        again = "the same commands go on" if lost else "once it can, the same command goes on"
        again += " from there" if saved else ""
        raise Failure(f"{runs[0].folder}{more}: {what}; {good}; {again}") from error


def _same_frozen(a: Job, b: Job) -> bool:
    """Whether two runs read the same frozen networks: one donor may have trained on between their starts."""
    ours, theirs = ({name: one.record["taken"]["digest"] for name, one in run.plan.frozen.items()} for run in (a, b))
    return ours == theirs


def check_run(plan: Plan, placement: Placement, folder: Path, members: int = 1) -> None:
    """Refuses what can be known to fail before the data are there. Raises UserError."""
    budget.check_share(plan, 1 if population.spreads(members, placement) else placement.size)
    check_config(folder, plan.config)
    if plan.run.eval.every:
        check_scores(plan)
    if plan.run.init_from.workdir and not Workdir(folder).checkpoints.exists():
        check_donor(plan)
    if folder.exists():
        with Workdir(folder).claimed():
            pass


def _train(
    runs: list[Job], images: Images, placement: Placement
) -> tuple[Sequence[DivergedError | UserError | None] | None, bool]:
    """What became of each run, and whether a signal stopped them; None where one goes back to a checkpoint, to go on."""
    plan = runs[0].plan
    config, several = plan.config, len(runs) > 1
    with ExitStack() as last, ExitStack() as stack:
        # What a member of a population saved last may be further than the others got to.
        keep = max(2, config.checkpoint.keep) if several else config.checkpoint.keep
        saved = [stack.enter_context(closing(Checkpoints(Workdir(run.folder).checkpoints, keep))) for run in runs]
        states, wanted, donors = _start(runs, saved, placement)
        first, went_back = int(placement.local(states[0].step)), 0
        if not several:
            states[0], went_back = with_other_noise(states[0], Workdir(runs[0].folder).rollbacks, placement)
        where = f"{runs[0].folder}" + (f" and {len(runs) - 1} more, trained together" if several else "")
        say(summary(plan, images, placement, where, first, len(runs)))
        if first > config.steps or not any(wanted):
            say(f"already at step {max(first, config.steps)}; --config.steps=N with a larger N trains on")
            return [None] * len(runs), False
        members: list[Member | None] = [None] * len(runs)
        for i, (run, checkpoints) in enumerate(zip(runs, saved)):
            if wanted[i]:
                members[i] = Member(run, images, placement, checkpoints, first, donors[i])
                stack.enter_context(closing(members[i].writer))  # pyright: ignore[reportOptionalMemberAccess]
        if went_back and members[0]:
            members[0].note_rollback(first, went_back)
        state = placement.init(population.stack, states) if several else states[0]
        del states
        stop = last.enter_context(interrupt.stop_signal())  # until what the last step left is written, too
        with progress(first, config.steps) as shown:
            loop = Loop(members, [run.plan for run in runs], images, placement, shown)
            step = loop.run(state, first, stop)
        if members[0] and members[0].failure and members[0].goes_back:
            members[0].go_back()
            placement.all(True)  # until the first process has written it down
            return None, False
    if step < config.steps and loop.alive:
        say(f"stopped and saved at step {step}; the same command goes on from there")
    for member in loop.alive if step == config.steps else ():
        if jax.process_index() == 0:
            member.animate()
            member.workdir.finish(step)
        shown = f"Samples: {member.workdir.samples}/step_{step:08d}.png" if member.sampler else f"Run: {member.workdir.path}"
        say(f"done. {shown}")
    return [member.failure if member else None for member in members], step < config.steps and bool(loop.alive)


def _start(
    runs: list[Job], saved: list[Checkpoints], placement: Placement
) -> tuple[list[GanState], list[bool], list[dict[str, Any]]]:
    """Each run's state to go on from, whether there is anything left to do, and the checkpoints of other runs that the state
    has params of. Those of a population are of one step, the newest that all have got to; a run that is done has a new state
    in its place."""
    steps, none = runs[0].plan.run.steps, [{} for _ in runs]
    done = [Workdir(run.folder).done_step is not None for run in runs]
    if len(runs) == 1:
        state, donors = starting_state(runs[0].plan, placement, saved[0])
        return [state], [not done[0] or int(placement.local(state.step)) != steps], [donors]
    wanted = [not run.is_over and (not there or own.steps[-1:] != [steps]) for run, there, own in zip(runs, done, saved)]
    if not any(wanted):
        return [new_state(run.plan, placement) for run in runs], wanted, none
    common = set.intersection(*(set(own.steps) for own, more in zip(saved, wanted) if more))
    for at in sorted(common, reverse=True):
        found = [_restored(run, own, placement, at) if more else None for run, own, more in zip(runs, saved, wanted)]
        if all(state or not more for state, more in zip(found, wanted)):
            step = next(state.step for state in found if state)
            states = [state or new_state(run.plan, placement).replace(step=step) for state, run in zip(found, runs)]
            return states, wanted, none
    states, donors = zip(*[starting_state(run.plan, placement, own, 0) for run, own in zip(runs, saved)])
    return list(states), wanted, list(donors)


def _restored(run: Job, saved: Checkpoints, placement: Placement, step: int) -> GanState | None:
    """A run's state at a step that it has a checkpoint of; None if that is damaged, and set aside."""
    try:
        return starting_state(run.plan, placement, saved, step)[0]
    except DamagedError as error:
        saved.set_aside([(step, error)], say)
        return None
