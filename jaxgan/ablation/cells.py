"""The cells of a table: what each row with a seed trains, and training them in this process."""

import dataclasses
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxgan.ablation.table import REAL, Claim, Column, Table
from jaxgan.config.resolve import Config, Overrides, call_file, load_config, resolve_config
from jaxgan.console import say
from jaxgan.errors import Failure, UserError, nearest
from jaxgan.plan import Plan, open_data, sections
from jaxgan.scores.table import find_scores
from jaxgan.training import population
from jaxgan.workdir.checkpoint import DamagedError
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import check_config, load_frozen


class CrashedError(Failure):
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
    def workdir(self) -> Workdir:
        return Workdir(self.folder)

    @property
    def is_over(self) -> bool:
        """Done, or diverged: nothing is left to train."""
        done = self.workdir.done_step
        if done is not None and done >= self.config.steps:
            return True
        return (self.workdir.failure or {}).get("kind") == "diverged"

    def failed(self, error: Exception) -> None:
        """Writes down what ended it early."""
        from jaxgan.training.member import DivergedError

        told = " ".join(str(error).split())[:300]
        message = (
            str(error) if isinstance(error, UserError | DivergedError | DamagedError) else f"{type(error).__name__}: {told}"
        )
        self.workdir.fail("diverged" if isinstance(error, DivergedError) else "crashed", message)


def load_table(spec: str) -> Table:
    """The table of an ablation's file. Raises UserError."""
    found = call_file(spec, "table")
    if not isinstance(found, Table):
        raise UserError(f"{spec}: table() must return a jaxgan.table.Table, not {type(found).__name__}")
    _check_types(found, spec)
    columns = {column.name: column for column in found.columns}
    for column in found.columns:
        if columns[column.name] is not column:
            raise UserError(f"two columns are called '{column.name}'; give one another title")
        try:
            format(0.0, column.format)
        except ValueError as error:
            raise UserError(f"column '{column.name}': '{column.format}' is no format of a number, as .2f is") from error
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
            *(("row", row, found.rows) for row in claim.beyond),
        )
        for kind, key, known in about:
            if key not in known:
                raise UserError(f"a claim names the {kind} '{key}'; {nearest(key, filter(None, known))}")
        if (claim.than != "") + (claim.above is not None) + (claim.below is not None) + (claim.words != ()) != 1:
            raise UserError(f"a claim about the row '{claim.row}' needs one of than, above, below and words")
        if claim.beyond and (len(claim.beyond) != 2 or not claim.than):
            raise UserError(
                f"a claim about a gain, the row '{claim.row}' over than=, is beyond that of two rows, (one, other)"
            )
        if bool(claim.words) != bool(columns[claim.column].word):
            raise UserError(f"a claim about '{claim.column}' needs {'words' if columns[claim.column].word else 'numbers'}")
        if claim.than and not columns[claim.column].better:
            raise UserError(f"a claim compares rows by '{claim.column}', of which the table does not say what is better")
    return dataclasses.replace(found, seeds=tuple(dict.fromkeys(found.seeds)))


def _check_types(found: Table, spec: str) -> None:
    """Refuses what a forgotten comma or bracket makes of a table. Raises UserError."""
    lists = {"columns": Column, "claims": Claim, "seeds": int, "curves": str}
    for name, kind in lists.items():
        value = getattr(found, name)
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(x, kind) for x in value):
            raise UserError(f"{spec}: {name} must be several of {kind.__name__}, (...,), not {value!r:.60}")
    for name in ("columns", "rows", "seeds"):
        if not getattr(found, name):
            raise UserError(f"{spec}: the table has no {name}")
    if found.real and REAL in found.rows:
        raise UserError(f"{spec}: with real=... the row '{REAL}' is made by itself")
    for claim in found.claims:
        if isinstance(claim.words, str):
            raise UserError(f"{spec}: a claim's words must be several, ('{claim.words}',), not '{claim.words}'")


def make_cells(table: Table, spec: str, folder: Path, overrides: Overrides) -> list[Cell]:
    """Every cell, seeds within rows. Raises UserError for the first row whose config does not resolve."""
    out: list[Cell] = []
    for name, row in table.rows.items():
        source = row.config or spec
        mine = [(key, text(value)) for key, value in (table.overrides | row.overrides).items()] + overrides
        try:
            base = load_config(source)
            resolved = resolve_config(base, mine, sections)
            _check_scores(table, resolved)
            if not resolved.eval.every:  # a cell is scored at its end, as part of its run
                mine.append(("eval.every", str(resolved.steps)))
            for seed in table.seeds:
                own = [*mine, ("seed", str(seed))]
                path = folder / "cells" / f"{slug(name)}_{seed}"
                out.append(Cell(name, seed, len(out), path, source, own, resolve_config(base, own, sections)))
                check_config(path, out[-1].config)
        except UserError as error:
            raise UserError(f"row '{name}': {error}") from error
    folders = [cell.folder for cell in out]
    if len(set(folders)) < len(folders):
        raise UserError("two rows have names that differ in punctuation alone")
    return out


def _check_scores(table: Table, resolved: Config) -> None:
    """Refuses columns and curves that the runs will not have. Raises UserError."""
    measured = {part for metric in find_scores(resolved.eval.metrics).values() for part in metric.better}
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
    return [kind[i : i + population.LARGEST] for kind in out.values() for i in range(0, len(kind), population.LARGEST)]


def check_crashed(some: list[Cell]) -> None:
    """Raises CrashedError if cells crashed."""
    crashed = sum((cell.workdir.failure or {}).get("kind") == "crashed" and not cell.is_over for cell in some)
    if crashed:
        raise CrashedError(f"{crashed} of {len(some)} cells crashed; the same command tries them again")


def train_cells(some: list[Cell]) -> None:
    """Trains cells in this process. Raises CrashedError, when it is through with all."""
    for group in groups(some):
        _train(group)
        if any(not cell.is_over and not cell.workdir.failure for cell in group):  # Ctrl-C or SIGTERM, which has saved it
            break
    check_crashed(some)


def _train(group: list[Cell]) -> None:
    """Trains what is left of a group; what goes wrong is written beside the cells."""
    from jaxgan.training.member import Job
    from jaxgan.training.train import train_together

    if all(cell.is_over for cell in group):
        return
    for cell in group:
        if not cell.is_over and cell.folder.exists():
            with cell.workdir.claimed():  # another process that trains it is no failure of the cell
                cell.workdir.forget_failure()
    try:
        images = open_data(group[0].config)
        if group[0].config.population == "on" and not images.resident:
            raise UserError(f"population=on needs data on the device, and {images.name} is not; --config.data.resident=on")
        frozen = [load_frozen(cell.config, cell.folder, images.image_shape) for cell in group]
        plans = [Plan(cell.config, images.features, own) for cell, own in zip(group, frozen)]
    except Exception as error:
        _crashed(group, error)
        return
    runs = [
        Job(plan, cell.folder, cell.source, cell.overrides, cell.is_over, cell.failed) for plan, cell in zip(plans, group)
    ]
    together = [(group, runs)] if images.resident else [([cell], [run]) for cell, run in zip(group, runs)]
    for some, part in together:
        if all(cell.is_over for cell in some):
            continue
        try:
            train_together(part, images)
        except Exception as error:
            _crashed(some, error)
            continue
        if any(not cell.is_over and not cell.workdir.failure for cell in some):  # Ctrl-C or SIGTERM
            break


def _crashed(some: list[Cell], error: Exception) -> None:
    """Writes down what ended cells that are not over, and in the log where it came from."""
    if not isinstance(error, UserError | DamagedError):
        traceback.print_exception(error)
    for cell in some:
        if not cell.is_over:
            cell.failed(error)
    say(f"failed: {error}")
