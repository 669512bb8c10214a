"""A paper's table from one command: every cell, a row with a seed, is an ordinary run in a folder of its own.

    python launch.py --mode=ablate --config=configs/ablations/ring.py --workdir=runs/ring --workers=2

What is done is left alone, what was interrupted resumes, what diverged is a result, and what crashed is told of and tried
again by the next start. Cells that differ in seed and scalars alone train as one population. `table` says what a table is
made of, `report` how it is shown.
"""

import ctypes
import dataclasses
import json
import math
import os
import shlex
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from jaxgan import build, config, evaluate, population, screen, workdir
from jaxgan.build import Blueprint
from jaxgan.checkpoint import DamagedError
from jaxgan.config import Config, Overrides
from jaxgan.errors import UserError, nearest, numbers
from jaxgan.metrics import score
from jaxgan.table import Table
from jaxgan.writer import write_json

LAUNCH = Path(__file__).resolve().parents[1] / "launch.py"
REAL = "real.json"  # scores of real images
POLL = 2.0  # seconds between looks at the workers


class CrashedError(Exception):
    """Cells crashed."""


@dataclass(frozen=True)
class Cell:
    """A row with a seed. number: its place in the table. folder: its run's. source, overrides, config: what it trains."""

    row: str
    seed: int
    number: int
    folder: Path
    source: str
    overrides: Overrides
    config: Config

    @property
    def name(self) -> str:
        return f"{self.row}, seed {self.seed}"

    @property
    def failure(self) -> dict[str, Any] | None:
        """What ended it early: {"kind": "diverged" or "crashed", "message", "log"}."""
        path = self.folder / "failure.json"
        return json.loads(path.read_text()) if path.exists() else None

    @property
    def is_over(self) -> bool:
        """Done, or diverged: nothing is left to train."""
        done = self.folder / "DONE"
        if done.exists() and json.loads(done.read_text())["step"] >= self.config.steps:
            return True
        return (self.failure or {}).get("kind") == "diverged"

    def failed(self, error: Exception) -> None:
        """Writes down what ended it early."""
        from jaxgan.train import DivergedError

        told = " ".join(str(error).split())[:300]
        message = (
            str(error) if isinstance(error, UserError | DivergedError | DamagedError) else f"{type(error).__name__}: {told}"
        )
        self.fail("diverged" if isinstance(error, DivergedError) else "crashed", message)

    def fail(self, kind: str, message: str, log: str = "") -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "failure.json", {"kind": kind, "message": message, "log": log})


def load(spec: str) -> Table:
    """The table of an ablation's file. Raises UserError."""
    found = config.call(spec, "table")
    if not isinstance(found, Table):
        raise UserError(f"{spec}: table() must return a jaxgan.table.Table, not {type(found).__name__}")
    columns = {column.name: column for column in found.columns}
    for column in columns.values():
        if column.better not in ("higher", "lower", ""):
            raise UserError(f"column '{column.name}' is better 'higher', 'lower' or '', not '{column.better}'")
    for name, row in found.rows.items():
        for key in row.published:
            if key not in columns:
                raise UserError(f"row '{name}' has a published value for '{key}', no column; {nearest(key, columns)}")
    for claim in found.claims:
        about = (
            ("column", claim.column, columns),
            ("row", claim.row, found.rows),
            ("row", claim.than, {"": 0, **found.rows}),
        )
        for kind, key, known in about:
            if key not in known:
                raise UserError(f"a claim names the {kind} '{key}'; {nearest(key, filter(None, known))}")
        if (claim.than != "") + (claim.above is not None) + (claim.below is not None) + (claim.words != ()) != 1:
            raise UserError(f"a claim about the row '{claim.row}' needs one of than, above, below and words")
        if bool(claim.words) != bool(columns[claim.column].word):
            raise UserError(f"a claim about '{claim.column}' needs {'words' if columns[claim.column].word else 'numbers'}")
        if claim.than and not columns[claim.column].better:
            raise UserError(f"a claim compares rows by '{claim.column}', of which the table does not say what is better")
    return dataclasses.replace(found, seeds=tuple(dict.fromkeys(found.seeds)))


def cells(table: Table, spec: str, folder: Path, overrides: Overrides) -> list[Cell]:
    """Every cell, seeds within rows. Raises UserError for the first row whose config does not resolve."""
    out: list[Cell] = []
    for name, row in table.rows.items():
        source = row.config or spec
        if row.config and not Path(row.config.partition(":")[0]).exists():
            source = str(LAUNCH.parent / row.config)
        mine = [(key, text(value)) for key, value in (table.overrides | row.overrides).items()] + overrides
        try:
            base = config.load(source)
            resolved = config.resolve(base, mine, build.sections)
            _check_scores(table, resolved)
            if not resolved.eval.every:  # a cell is scored at its end, as part of its run
                mine.append(("eval.every", str(resolved.steps)))
            for seed in table.seeds:
                own = [*mine, ("seed", str(seed))]
                path = folder / "cells" / f"{slug(name)}_{seed}"
                out.append(Cell(name, seed, len(out), path, source, own, config.resolve(base, own, build.sections)))
                workdir.check(path, out[-1].config)
        except UserError as error:
            raise UserError(f"row '{name}': {error}") from error
    folders = [cell.folder for cell in out]
    if len(set(folders)) < len(folders):
        raise UserError("two rows have names that differ in punctuation alone")
    return out


def _check_scores(table: Table, resolved: Config) -> None:
    """Refuses columns and curves that the runs will not have. Raises UserError."""
    measured = {part for metric in score.find(resolved.eval.metrics).values() for part in metric.better}
    for name in [column.score for column in table.columns if not column.word] + list(table.curves):
        if name not in measured and "/" not in name and name not in ("kimg", "img_per_sec"):
            raise UserError(f"no score '{name}' among those of eval.metrics; {nearest(name, measured)}")


def text(value: Any) -> str:
    """A Python value as an override's spelling."""
    return "none" if value is None else str(value)


def slug(name: str) -> str:
    """A row's name as part of a folder's."""
    return "_".join("".join(c if c.isalnum() or c in ".-" else " " for c in name).split())


def groups(some: Iterable[Cell]) -> list[list[Cell]]:
    """Cells that train together: by config alone, those that are over as well, so that a population is always the same."""
    out: dict[str, list[Cell]] = {}
    for cell in some:
        out.setdefault(population.kind(cell.config) or cell.name, []).append(cell)
    return list(out.values())


def remembered(folder: Path) -> tuple[str, Overrides, tuple[int, ...]]:
    """(config, overrides, seeds if they were given) of a table's last start. Raises UserError where there is none."""
    path = folder / "table.json"
    if not path.is_file():
        raise UserError(f"{folder} holds no table (no table.json); make one with --config=configs/ablations/ring.py")
    saved = json.loads(path.read_text())
    return saved["config"], [tuple(one.split("=", 1)) for one in saved["overrides"]], tuple(saved["seeds"] or ())


def check_crashed(some: list[Cell]) -> None:
    """Raises CrashedError if cells crashed."""
    crashed = sum((cell.failure or {}).get("kind") == "crashed" and not cell.is_over for cell in some)
    if crashed:
        raise CrashedError(f"{crashed} of {len(some)} cells crashed; the same command tries them again")


def chosen(table: Table, spec: str, folder: Path, overrides: Overrides, seeds: Sequence[int], which: str) -> list[Cell]:
    """The cells of `--cell=3` or `--cell=0-4`; writes `table.json` if there is none. Raises UserError."""
    every, wanted = cells(table, spec, folder, overrides), numbers(which, "--cell")
    if max(wanted) >= len(every):
        raise UserError(f"--cell={which}, but the table has cells 0 to {len(every) - 1}")
    if not (folder / "table.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _Clock(folder, spec, overrides, seeds, 0)
    return [every[i] for i in dict.fromkeys(wanted)]


def train_cells(some: list[Cell]) -> None:
    """Trains cells in this process. Raises CrashedError, when it is through with all."""
    for group in groups(some):
        _train(group)
        if any(not cell.is_over and not cell.failure for cell in group):  # Ctrl-C or SIGTERM, which has saved it
            break
    check_crashed(some)


def _train(group: list[Cell]) -> None:
    """Trains what is left of a group; what goes wrong is written beside the cells."""
    from jaxgan import train

    if all(cell.is_over for cell in group):
        return
    for cell in group:
        if not cell.is_over:
            (cell.folder / "failure.json").unlink(missing_ok=True)
    try:
        images = build.open_data(group[0].config)
        if group[0].config.population == "on" and not images.resident:
            raise UserError(f"population=on needs data on the device, and {images.name} is not; --config.data.resident=on")
        plans = [Blueprint(cell.config, images.image_shape) for cell in group]
    except Exception as error:
        _crashed(group, error)
        return
    runs = [
        train.Run(plan, cell.folder, cell.source, cell.overrides, cell.is_over, cell.failed)
        for plan, cell in zip(plans, group)
    ]
    together = [(group, runs)] if images.resident else [([cell], [run]) for cell, run in zip(group, runs)]
    for some, part in together:
        if all(cell.is_over for cell in some):
            continue
        try:
            train.train_together(part, images)
        except Exception as error:
            _crashed(some, error)
            continue
        if any(not cell.is_over and not cell.failure for cell in some):  # Ctrl-C or SIGTERM
            break


def _crashed(some: list[Cell], error: Exception) -> None:
    """Writes down what ended cells that are not over, and in the log where it came from."""
    if not isinstance(error, UserError | DamagedError):
        traceback.print_exception(error)
    for cell in some:
        if not cell.is_over:
            cell.failed(error)
    screen.say(f"failed: {error}")


def ablate(table: Table, spec: str, folder: Path, overrides: Overrides, seeds: Sequence[int], workers: int) -> list[Cell]:
    """Trains all cells, groups of them in processes of their own, `workers` at a time; returns the cells. Raises UserError.

    Each start writes `table.json`, with the `seeds` if they were given; what the processes say goes to `logs/`.
    """
    every = cells(table, spec, folder, overrides)
    with workdir.claimed(folder):
        todo = [group for group in groups(every) if not all(cell.is_over for cell in group)]
        over = sum(cell.is_over for cell in every)
        screen.say(f"{table.title}: {len(every)} cells in {folder}, {over} done, {len(todo)} to train, workers: {workers}")
        clock = _Clock(folder, spec, overrides, seeds, workers if todo else 0)
        score_real(table, every[0], folder)
        for cell in every:
            if not cell.is_over and cell.folder.exists():
                with workdir.claimed(cell.folder):  # or an earlier start's process, which was left alone, still trains it
                    pass
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _work(todo, every, table, spec, folder, overrides, workers, clock)
        except KeyboardInterrupt:
            screen.say("stopped; what was training has been saved, and the same command goes on from there")
    return every


def score_real(table: Table, cell: Cell, folder: Path) -> None:
    """Scores the table's real images as the cells' samples are scored, unless that has been done. Raises UserError."""
    if not table.real:
        return
    data, wanted = cell.config.data, dict(config.spelled(cell.config))
    own = {key: value for key, value in wanted.items() if key.startswith("eval.") or key == "data.dir"}
    words = [f"--config.{key}={value}" for key, value in own.items() if key not in evaluate.OF_RUNS]
    words += [f"--samples={table.real}", f"--reference={data.name}@{cell.config.eval.split or data.split}"]
    asked, there = shlex.join(words), folder / "logs" / "real.txt"
    if (folder / REAL).exists() and there.exists() and there.read_text() == asked:
        return
    there.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(LAUNCH), "--mode=evaluate", f"--out={folder / REAL}", *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"the real images {table.real}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    there.write_text(asked)


def _work(
    todo: list[list[Cell]],
    every: list[Cell],
    table: Table,
    spec: str,
    folder: Path,
    overrides: Overrides,
    workers: int,
    clock: "_Clock",
) -> None:
    waiting, running = list(todo), {}
    size = -(-len(todo) // (4 * workers))  # groups in a process: small ones would take less time than its start
    slots = list(range(workers))
    progress = _Progress(every)
    (folder / "logs").mkdir(exist_ok=True)
    try:
        while waiting or running:
            while waiting and slots:
                like = [group for group in waiting if _flags(group) == _flags(waiting[0])]
                some, slot = like[:size], slots.pop(0)
                waiting = [group for group in waiting if group not in some]
                log = folder / "logs" / f"{slug(some[0][0].row)}_{some[0][0].number}.log"
                process = _start(sum(some, []), table, spec, folder, overrides, log, slot, workers)
                running[process] = (some, slot, log, time.time())
            time.sleep(POLL)
            for process in [process for process in running if process.poll() is not None]:
                some, slot, log, began = running.pop(process)
                slots.append(slot)
                waiting = _finish(some, process.returncode, log, began) + waiting
            clock.tick()
            progress.show([cell for some, *_ in running.values() for cell in sum(some, [])])
    finally:
        clock.tick(at_once=True)
        for process in running:
            process.terminate()  # they save, and end
        for process in running:
            process.wait()
        progress.close()


def _start(
    some: list[Cell], table: Table, spec: str, folder: Path, overrides: Overrides, log: Path, slot: int, workers: int
) -> Any:
    """A process that trains cells, on its share of the cores where there are several."""
    seeds = table.seeds
    which = ",".join(str(cell.number) for cell in some)
    words = [sys.executable, str(LAUNCH), "--mode=ablate", f"--config={spec}", f"--workdir={folder}", f"--cell={which}"]
    words += [f"--seeds={','.join(map(str, seeds))}", *(f"--config.{key}={value}" for key, value in overrides)]
    env = dict(os.environ)
    if workers > 1:
        env.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", f"{0.9 / workers:.3f}")  # workers on one GPU share it
    with log.open("a") as file:
        file.write(shlex.join(words) + "\n")
        file.flush()
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, env=env, preexec_fn=_end_with_parent)
    if workers > 1 and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(process.pid, cores[slot % len(cores) :: workers] or cores)
    return process


def _end_with_parent() -> None:
    """In a new process on Linux: SIGTERM, on which it saves and ends, if what started it is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _flags(group: list[Cell]) -> tuple[bool, bool]:
    """What holds for a whole process: groups that differ in it get processes of their own."""
    return group[0].config.dtype == "float64", group[0].config.deterministic


def _finish(some: list[list[Cell]], code: int, log: Path, began: float) -> list[list[Cell]]:
    """Says what has become of groups, and writes down what their process, which began then, could not. Returns those that it
    never came to."""
    untouched = [group for group in some if not any(_is_touched(cell, began) for cell in group)]
    if code not in (0, 130) and len(untouched) == len(some):  # it could not even begin, and would not another time
        untouched = untouched[1:]
    for cell in (cell for group in some if group not in untouched for cell in group):
        if not cell.is_over and not cell.failure and code not in (0, 130):
            last = (log.read_text(errors="replace").strip().splitlines() or [""])[-1]
            cell.fail("crashed", f"its process ended with code {code}: {last[:300]}", str(log))
        failure = cell.failure
        if failure:
            screen.say(f"{cell.name} {failure['kind']}: {failure['message']} (log: {log})")
        elif cell.is_over:
            screen.say(f"{cell.name} done")
    return untouched if code not in (0, 130) else []


def _is_touched(cell: Cell, since: float) -> bool:
    files = [cell.folder / name for name in ("config.json", "failure.json")]
    return any(path.exists() and path.stat().st_mtime >= since for path in files)


class _Clock:
    """`table.json`: what was asked for, and how long each start that had something to do has worked on it."""

    def __init__(self, folder: Path, spec: str, overrides: Overrides, seeds: Sequence[int], workers: int):
        self.path, self.began, self.told = folder / "table.json", time.monotonic(), -math.inf
        before = json.loads(self.path.read_text())["starts"] if self.path.exists() else []
        asked = {"config": spec, "overrides": [f"{key}={value}" for key, value in overrides], "seeds": list(seeds) or None}
        self.own = {"seconds": 0.0, "workers": workers}
        self.content = asked | {"starts": [*before, self.own] if workers else before}
        write_json(self.path, self.content)

    def tick(self, at_once: bool = False) -> None:
        now = time.monotonic()
        if at_once or now - self.told > 30:
            self.own["seconds"], self.told = round(now - self.began, 1), now
            write_json(self.path, self.content)


class _Progress:
    """How far all cells are, and about how long the rest will take: a bar on a terminal, else a line a minute."""

    def __init__(self, every: list[Cell]):
        self.every, self.began, self.told = every, time.monotonic(), 0.0
        self.at_start = sum(map(_steps, every))
        self.total = sum(cell.config.steps for cell in every)
        self.bar = None
        if sys.stderr.isatty():
            self.bar = tqdm(total=self.total, initial=self.at_start, unit="step", dynamic_ncols=True)

    def show(self, running: list[Cell]) -> None:
        now, done = time.monotonic(), sum(map(_steps, self.every))
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
            self.bar.set_postfix_str(", ".join(dict.fromkeys(cell.row for cell in running)))
        elif now - self.told > 60:
            self.told, rate = now, (done - self.at_start) / (now - self.began)
            left = f"about {screen.duration((self.total - done) / rate)} left" if rate > 0 else "starting"
            over = sum(cell.is_over for cell in self.every)
            screen.say(f"{over} of {len(self.every)} cells done, {done:,} of {self.total:,} steps, {left}")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _steps(cell: Cell) -> int:
    """How far a cell is, by its log; one that is over counts whole."""
    if cell.is_over:
        return cell.config.steps
    try:
        with (cell.folder / "metrics.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            return json.loads(file.read().splitlines()[-1])["step"]
    except (OSError, ValueError, IndexError):  # none yet, or a line half written
        return 0
