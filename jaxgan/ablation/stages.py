"""The order in which cells train: a cell begins once its stages, the runs that it starts from, are done."""

import graphlib
from collections.abc import Collection, Iterable
from typing import Any

from jaxgan.ablation.cell import Cell
from jaxgan.ablation.table import Stage, Table
from jaxgan.errors import UserError, nearest


def row_overrides(table: Table, row: str) -> dict[str, Any]:
    """A row's overrides, with those of the whole table."""
    return table.overrides | table.rows[row].overrides


def stages_of(overrides: dict[str, Any]) -> dict[str, Stage]:
    """The stages among the values of overrides, by field."""
    return {key: value for key, value in overrides.items() if isinstance(value, Stage)}


def check_stages(table: Table) -> None:
    """Refuses stages that no table can train. Raises UserError."""
    for name in table.rows:
        for key, stage in stages_of(row_overrides(table, name)).items():
            told = f"row '{name}', {key}"
            if not isinstance(stage.row, str) or type(stage.seed) is not int:
                raise UserError(f"{told}: {stage!r:.60} must be a row's name and a whole number, Stage('{name}', seed=1)")
            if stage.row not in table.rows:
                raise UserError(f"{told}: no row '{stage.row}'; {nearest(stage.row, table.rows)}")
            if stage.row == name:
                own = "" if key in table.rows[name].overrides else f"; Row({{'{key}': ''}}) leaves the table's override out"
                raise UserError(f"{told}: Stage('{name}') is of its own row{own}")
    try:
        rows_in_order(table)
    except graphlib.CycleError as error:
        circle = " -> ".join(f"'{row}'" for row in reversed(error.args[1]))
        raise UserError(f"stages go round in a circle: each of {circle} waits for the next") from error


def rows_in_order(table: Table) -> list[str]:
    """The rows' names, those of stages before the rows that need them."""
    needs = {name: [stage.row for stage in stages_of(row_overrides(table, name)).values()] for name in table.rows}
    return list(graphlib.TopologicalSorter(needs).static_order())


def check_taken(cell: Cell) -> None:
    """Refuses a cell that began from a stage which is to train on since. Raises UserError."""
    for key, stage in cell.stages.items():
        taken = cell.workdir.donors.get(key)
        section = key.split(".")
        asked = cell.config.frozen[section[1]].step if section[0] == "frozen" else 0
        began = taken.get("step", 0) if taken else None
        if began is not None and began < (asked or stage.config.steps):
            raise UserError(
                f"{cell.folder} began from step {began} of '{stage.row}', and that row now has {stage.config.steps} "
                "steps; choose another --workdir"
            )


def in_order(some: Iterable[Cell]) -> list[Cell]:
    """Cells, stages before those that need them."""
    return sorted(some, key=_depth)


def _depth(cell: Cell) -> int:
    return 1 + max(map(_depth, cell.stages.values()), default=0)


def waits(cell: Cell) -> bool:
    """Whether there is something left to train, and a stage is not done."""
    return not cell.is_over and not all(stage.is_done for stage in cell.stages.values())


def blocked(cell: Cell) -> str:
    """Why a cell cannot begin: the stage that diverged, crashed or is itself blocked; "" if it can."""
    for stage in cell.stages.values() if waits(cell) else ():
        name = f"'{stage.row}'" if stage.seed == cell.seed else f"'{stage.name}'"
        if not stage.is_done and stage.workdir.failure:
            return f"its stage {name} {stage.workdir.failure['kind']}"
        if blocked(stage):
            return f"its stage {name} is blocked: {blocked(stage)}"
    return ""


def divided(
    waiting: list[list[Cell]], running: Iterable[Cell]
) -> tuple[list[list[Cell]], list[list[Cell]], list[list[Cell]]]:
    """(Groups that can begin, groups whose stages train or will train, groups whose stages will not)."""
    later, stuck = [group for group in waiting if any(map(waits, group))], []
    ready, running = [group for group in waiting if group not in later], list(running)
    while True:
        coming = {cell.number for group in (*ready, *later) for cell in group} | {cell.number for cell in running}
        never = [group for group in later if not all(stage.number in coming for stage in _missing(group))]
        if not never:
            return ready, later, stuck
        later, stuck = [group for group in later if group not in never], stuck + never


def _missing(group: list[Cell]) -> list[Cell]:
    """Stages that are not done, of cells that are not over."""
    return [stage for cell in group if not cell.is_over for stage in cell.stages.values() if not stage.is_done]


def check_asked(some: list[Cell]) -> None:
    """Refuses cells whose stages are not done, and not among them either. Raises UserError."""
    numbers = {cell.number for cell in some}
    for cell in some:
        for stage in _missing([cell]):
            is_hopeless = blocked(stage) or (stage.workdir.failure or {}).get("kind") == "diverged"
            if stage.number not in numbers and not is_hopeless:
                whole = ",".join(map(str, sorted(numbers | {one.number for one in _all_missing(cell)})))
                raise UserError(
                    f"cell {cell.number} ({cell.name}) begins from cell {stage.number} ({stage.name}), which is not done; "
                    f"train that first, or all: --cell={whole}"
                )


def _all_missing(cell: Cell) -> list[Cell]:
    """Stages that are not done, and theirs."""
    return [one for stage in _missing([cell]) for one in (stage, *_all_missing(stage))]


def to_train(every: list[Cell], joined: Collection[str], join: str) -> list[Cell]:
    """The cells to train beside a joined report: not those of joined rows; hidden rows only where another row needs them.
    Raises UserError if a row begins from a joined row."""
    if not joined:
        return every
    out: dict[int, Cell] = {}

    def add(cell: Cell) -> None:
        out[cell.number] = cell
        for stage in cell.stages.values():
            if stage.row in joined:
                raise UserError(
                    f"row '{cell.row}' begins from runs of '{stage.row}', of which --join={join} has numbers and no "
                    "networks; leave --join out"
                )
            add(stage)

    for cell in every:
        if cell.row not in joined and not cell.hidden:
            add(cell)
    return [out[number] for number in sorted(out)]
