"""A paper's table from one command: every cell, a row with a seed, is an ordinary run in a folder of its own.

    python launch.py --mode=ablate --config=configs/ablations/ring.py --workdir=runs/ring --workers=2

What is done is left alone, what was interrupted resumes, what diverged is a result, and what crashed is told of and tried
again by the next start. Cells that differ in seed and scalars alone train as one population. A cell that begins from other
cells' runs waits for them, and is blocked where one of them diverged or crashed. `table` says what a table is made of,
`cells` trains it, `stages` says what waits for what, `report` shows it.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from jaxgan.ablation.cell import Cell, slug
from jaxgan.ablation.cells import groups, make_cells
from jaxgan.ablation.command import PARENT, last_line, start
from jaxgan.ablation.controls import have_scored
from jaxgan.ablation.pool import Pool
from jaxgan.ablation.progress import FILE, Clock, Progress, read_table
from jaxgan.ablation.registered import register
from jaxgan.ablation.stages import divided, in_order, to_train
from jaxgan.ablation.table import Table
from jaxgan.config.resolve import Overrides
from jaxgan.console import say
from jaxgan.errors import UserError, numbers
from jaxgan.files import write_json
from jaxgan.workdir.folder import Workdir


def chosen_cells(every: list[Cell], which: str) -> list[Cell]:
    """The cells of `--cell=3` or `--cell=0-4`. Raises UserError."""
    wanted = numbers(which, "--cell")
    if max(wanted) >= len(every):
        raise UserError(f"--cell={which}, but the table has cells 0 to {len(every) - 1}")
    return [every[i] for i in dict.fromkeys(wanted)]


def note_start(table: Table, spec: str, folder: Path, overrides: Overrides, seeds: Sequence[int], every: list[Cell]) -> None:
    """Before cells are trained in this process: writes `table.json` if there is none, and registers the claims.
    Raises UserError."""
    saved = read_table(folder)
    if saved is None or not os.environ.get(PARENT):  # which has registered the claims itself
        noted = register(folder, table, every)
        if saved is None:
            folder.mkdir(parents=True, exist_ok=True)
            Clock(folder, spec, overrides, seeds, 0, noted=noted)
        elif saved | noted != saved:
            write_json(folder / FILE, saved | noted)


def train_table(
    table: Table,
    spec: str,
    folder: Path,
    overrides: Overrides,
    seeds: Sequence[int],
    workers: int,
    join: str = "",
    joined: Collection[str] = (),
) -> list[Cell]:
    """Trains all cells, groups of them in processes of their own, `workers` at a time; returns the cells. Raises UserError.

    Each start writes `table.json`, with the `seeds` if they were given; what the processes say goes to `logs/`. joined: rows
    of the report `join`, which have no cells here.
    """
    whole = make_cells(table, spec, folder, overrides)
    every = to_train(whole, joined, join)
    if not every:
        raise UserError(f"--join={join} has every row of the table; --report_only writes its report")
    with Workdir(folder).claimed():
        todo = [group for group in groups(in_order(every)) if not all(cell.is_over for cell in group)]
        over = sum(cell.is_over for cell in every)
        say(f"{table.title}: {len(every)} cells in {folder}, {over} done, {len(todo)} to train, workers: {workers}")
        noted = register(folder, table, whole, joined)
        clock = Clock(folder, spec, overrides, seeds, workers if divided(todo, [])[0] else 0, join, noted)
        have_scored(table, whole, spec, folder, overrides)
        for cell in every:
            if not cell.is_over and cell.folder.exists():
                with cell.workdir.claimed():  # or an earlier start's process, which was left alone, still trains it
                    pass
        for number in (signal.SIGTERM, signal.SIGINT):  # until the processes have saved, however long that takes
            signal.signal(number, signal.default_int_handler)
        try:
            _work(todo, every, table, spec, folder, overrides, workers, clock)
        except KeyboardInterrupt:
            say("stopped; what was training has been saved, and the same command goes on from there")
    return every


def _work(
    todo: list[list[Cell]],
    every: list[Cell],
    table: Table,
    spec: str,
    folder: Path,
    overrides: Overrides,
    workers: int,
    clock: Clock,
) -> None:
    waiting, progress = todo, Progress(every)
    size = -(-len(todo) // (4 * workers))  # groups in a process: small ones would take less time than its start
    try:
        with Pool[list[list[Cell]]](workers) as pool:
            while waiting or pool.running:
                ready, later, stuck = divided(waiting, _training(pool))
                progress.leave_out(sum(stuck, []))
                while ready and pool.free:
                    some = [group for group in ready if _flags(group) == _flags(ready[0])][:size]
                    ready = [group for group in ready if group not in some]
                    _begin(pool, some, table, spec, folder, overrides)
                waiting = ready + later
                if not pool.running:
                    break
                for job in pool.over():
                    waiting = _finish(job.work, job.process.returncode, job.log, job.began) + waiting
                clock.tick()
                progress.show(_training(pool))
    finally:
        clock.tick(at_once=True)
        progress.close()


def _training(pool: Pool) -> list[Cell]:
    return [cell for job in pool.running for cell in sum(job.work, [])]


def _begin(pool: Pool, some: list[list[Cell]], table: Table, spec: str, folder: Path, overrides: Overrides) -> None:
    """Has a process train groups."""
    log = folder / "logs" / f"{slug(some[0][0].row)}_{some[0][0].number}.log"
    which = ",".join(str(cell.number) for cell in sum(some, []))
    pool.submit(some, log, lambda share: start(f"--cell={which}", table, spec, folder, overrides, log, **share))


def end_with_parent() -> None:
    """In a process that `ablate` has started, on Linux: SIGTERM, on which it saves and ends, when the parent is killed."""
    if sys.platform == "linux" and os.environ.get(PARENT):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
        if os.getppid() != int(os.environ[PARENT]):  # it has been killed already
            sys.exit(1)


def _flags(group: list[Cell]) -> tuple[bool, bool]:
    """What holds for a whole process: groups that differ in it get processes of their own."""
    return group[0].config.dtype == "float64", group[0].config.deterministic


def _finish(some: list[list[Cell]], code: int, log: Path, began: float) -> list[list[Cell]]:
    """Says what has become of groups, and writes down what their process, which began then, could not. Returns those that it
    never came to."""
    untouched = []
    for group in some:
        left = [cell for cell in group if not cell.is_over and not cell.workdir.touched_since(began)]
        if left:  # a population is always the same; cells that train one by one need no others
            untouched.append(group if not any(cell.workdir.touched_since(began) for cell in group) else left)
    if code not in (0, 130) and untouched == some:  # it could not even begin, and would not another time
        untouched = untouched[1:]
    later = sum(untouched, [])
    for cell in (cell for group in some for cell in group if cell not in later):
        if not cell.is_over and not cell.workdir.failure and code not in (0, 130):
            cell.workdir.fail("crashed", f"its process ended with code {code}: {last_line(log)[:300]}", str(log))
        failure = cell.workdir.failure
        if failure:
            say(f"{cell.name} {failure['kind']}: {failure['message']} (log: {log})")
        elif cell.is_over:
            say(f"{cell.name} done")
    return untouched if code not in (0, 130) else []
