"""The cells of a table: what each row with a seed trains, and training them in this process."""

import dataclasses
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jax

from jaxgan.ablation.cell import Cell, slug
from jaxgan.ablation.checks import check_table
from jaxgan.ablation.protocol import check_protocol
from jaxgan.ablation.stages import (
    blocked,
    check_asked,
    check_taken,
    in_order,
    row_overrides,
    rows_in_order,
    stages_of,
    waits,
)
from jaxgan.ablation.table import BEST, BySeed, Stage, Table
from jaxgan.config.load import call_file, load_config
from jaxgan.config.resolve import Config, Overrides, flat, resolve_config
from jaxgan.console import say
from jaxgan.errors import Failure, UserError, nearest
from jaxgan.plan import Plan
from jaxgan.scores.table import find_scores
from jaxgan.sections import sections
from jaxgan.training import population
from jaxgan.workdir.checkpoint import DamagedError
from jaxgan.workdir.data import open_data
from jaxgan.workdir.experiment import check_config, earlier_overrides, has_earlier_values
from jaxgan.workdir.runs import load_frozen


class CrashedError(Failure):
    """Cells crashed, or are blocked by stages."""


def load_table(spec: str) -> Table:
    """The table of an ablation's file. Raises UserError."""
    found = call_file(spec, "table")
    if not isinstance(found, Table):
        raise UserError(f"{spec}: table() must return a jaxgan.table.Table, not {type(found).__name__}")
    check_table(found, spec)
    return dataclasses.replace(found, seeds=tuple(dict.fromkeys(found.seeds)))


def make_cells(table: Table, spec: str, folder: Path, overrides: Overrides) -> list[Cell]:
    """Every cell, seeds within rows. Raises UserError for the first row whose config does not resolve, and for fields in the
    table's sentences that no row has."""
    made: dict[str, list[Cell]] = {}
    cells = (folder / "cells").iterdir() if (folder / "cells").is_dir() else ()
    is_earlier = any(map(has_earlier_values, cells))  # then all are, begun or not: a table's cells are alike
    asked = dict(overrides)
    for name in rows_in_order(table):
        row = table.rows[name]
        source = row.config or spec
        given = {key: x for key, x in row_overrides(table, name).items() if not (isinstance(x, Stage) and key in asked)}
        try:
            base = load_config(source)
            _check_fields(base, given)
            made[name] = []
            for i, seed in enumerate(table.seeds):
                stages = {key: made[x.row][(i + x.seed) % len(table.seeds)] for key, x in stages_of(given).items()}
                filled = {key: str(stage.folder) for key, stage in stages.items()}
                plain = {key: x.of(seed) if isinstance(x, BySeed) else x for key, x in given.items()} | filled
                mine = [(key, text(x)) for key, x in plain.items()] + overrides
                config = resolve_config(base, mine, sections)
                if not row.hidden:
                    _check_scores(table, config)
                    if not config.eval.every:  # a cell is scored at its end, as part of its run
                        mine.append(("eval.every", str(max(1, config.steps))))
                own = [*mine, ("seed", str(seed))]
                own += earlier_overrides(base, own) if is_earlier else []
                number = list(table.rows).index(name) * len(table.seeds) + i
                path = folder / "cells" / f"{slug(name)}_{seed}"
                config = resolve_config(base, own, sections)
                check_config(path, config)
                made[name].append(Cell(name, seed, number, path, source, own, config, row.hidden, stages))
                check_taken(made[name][-1])
        except UserError as error:
            raise UserError(f"row '{name}': {error}") from error
    out = [cell for name in table.rows for cell in made[name]]
    if len({cell.folder for cell in out}) < len(out):
        raise UserError("two rows have names that differ in punctuation alone")
    check_protocol(table, [made[name][0].config for name in table.rows if not table.rows[name].hidden])
    return out


def _check_fields(base: Config, given: dict[str, Any]) -> None:
    """Refuses stages in fields that hold no workdir. Raises UserError."""
    for key in stages_of(given):
        if not key.endswith("workdir"):
            known = [path for path in flat(resolve_config(base, [], sections).to_dict()) if path.endswith("workdir")]
            raise UserError(f"'{key}' is no workdir, and Stage(...) stands for one; {nearest(key, known)}")


def _check_scores(table: Table, resolved: Config) -> None:
    """Refuses columns and curves that the runs will not have. Raises UserError."""
    measured = {part for metric in find_scores(resolved.eval.metrics).values() for part in metric.better}
    for name in [column.score.removeprefix(BEST) for column in table.columns if not column.word] + list(table.curves):
        if name not in measured and "/" not in name and name not in ("kimg", "img_per_sec"):
            raise UserError(f"no score '{name}' among those of eval.metrics; {nearest(name, measured)}")


def text(value: Any) -> str:
    """A Python value as an override's spelling."""
    return "none" if value is None else str(value)


def groups(some: Iterable[Cell]) -> list[list[Cell]]:
    """Cells that train together: by config alone, those that are over as well, so that a population is always the same."""
    out: dict[str, list[Cell]] = {}
    for cell in some:
        out.setdefault(population.kind(cell.config) or cell.name, []).append(cell)
    return [kind[i : i + population.LARGEST] for kind in out.values() for i in range(0, len(kind), population.LARGEST)]


def check_crashed(some: list[Cell]) -> None:
    """Raises CrashedError if cells crashed, or are blocked."""
    crashed = sum((cell.workdir.failure or {}).get("kind") == "crashed" and not cell.is_over for cell in some)
    stuck = sum(bool(blocked(cell)) for cell in some)
    if crashed:
        told = f"cells crashed, {stuck} blocked by their stages;" if stuck else "cells crashed;"
        raise CrashedError(f"{crashed} of {len(some)} {told} the same command tries them again")
    if stuck:
        raise CrashedError(f"{stuck} of {len(some)} cells blocked by their stages, which are not done")


def train_cells(some: list[Cell]) -> None:
    """Trains cells in this process, stages first. Raises UserError where a stage is neither done nor among them, and
    CrashedError, when it is through with all."""
    check_asked(some)
    for group in groups(in_order(some)):
        if any(map(waits, group)):  # all members of a group have the same stages
            say("\n".join(f"{cell.name} blocked: {blocked(cell)}" for cell in group if waits(cell)))
            continue
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
    """Writes down what ended cells that are not over, and in the log where it came from. What ends one of several processes
    ends all."""
    if jax.process_count() > 1 and not isinstance(error, UserError | DamagedError):
        raise error
    if not isinstance(error, UserError | DamagedError):
        traceback.print_exception(error)
    for cell in some:
        if not cell.is_over:
            cell.failed(error)
    say(f"failed: {error}")
