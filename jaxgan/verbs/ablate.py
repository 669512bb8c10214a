"""Makes a paper's table: trains its cells and writes a report.

Finished cells are skipped; interrupted cells resume. Writes report.md, report.html, report.json, table.tex and table.csv.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from jaxgan.devices import is_several
from jaxgan.errors import UserError, as_path, numbers
from jaxgan.verbs.common import check_least, configure, workdir_of

EXAMPLES = """
python launch.py --mode=ablate --config=configs/ablations/ring.py --workers=2
python launch.py --mode=ablate --workdir=runs/ring --report_only
"""
TAKES_OVERRIDES = True


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("seeds", "", "The seeds of each row, 0-4 or 0,2, in place of the table's.", flag_values=values)
    flags.DEFINE_integer(
        "workers", 1, "Processes that train cells at the same time, each with its share of the cores.", flag_values=values
    )
    flags.DEFINE_string(
        "cell", "", "Train these cells alone, 3 or 0-4,7, and write no report: for job arrays.", flag_values=values
    )
    flags.DEFINE_boolean("controls", False, "Score the table's controls alone, and write no report: for job arrays.",
                         flag_values=values)  # fmt: skip
    flags.DEFINE_boolean("report_only", False, "Write the report of what is there, and train nothing.", flag_values=values)
    flags.DEFINE_string("join", "", "A report.json, or a report's folder: its rows are taken as they are there, and the "
                        "table's others alone are trained.", flag_values=values)  # fmt: skip


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Trains a table's cells and writes its report. Raises UserError, CrashedError."""
    from jaxgan.ablation.cells import check_crashed, load_table, make_cells
    from jaxgan.ablation.controls import read_controls
    from jaxgan.ablation.engine import note_start, train_table
    from jaxgan.ablation.progress import Clock, check_folder, remembered
    from jaxgan.console import say

    workdir = workdir_of(values)
    spec, seeds, join = values.config, (), values.join
    if values.cell and join:
        raise UserError("--cell writes no report: --join goes with --report_only afterwards")
    other = [f"--{name}" for name in ("cell", "report_only", "join", "workers") if values[name].present]
    if values.controls and other:
        raise UserError(f"--controls scores the table's controls and does nothing else: leave {' and '.join(other)} out")
    if values.report_only and (values.cell or values["workers"].present):
        raise UserError("--report_only trains nothing: leave --cell and --workers out")
    if not spec:  # as the folder's last start had it
        spec, before, seeds, last = remembered(workdir)
        overrides = before + overrides
        if last and not values["join"].present:  # or, where that report has gone, the folder's own, which has its rows
            join = last if as_path(last).exists() else str(workdir)
    check_least(values, workers=1)
    check_folder(workdir)
    table = load_table(spec)
    seeds = tuple(dict.fromkeys(numbers(values.seeds, "--seeds"))) if values.seeds else seeds
    if seeds:
        table = dataclasses.replace(table, seeds=seeds)
    several = is_several(bool(values.distributed), values.coordinator) and not values.report_only
    if several and (values.join or values["workers"].present):
        raise UserError("several processes train a table's cells one after the other: leave --join and --workers out")
    if values.cell or values.controls or several:
        every = make_cells(table, spec, workdir, overrides)
        _train_here(values, table, every, lambda: note_start(table, spec, workdir, overrides, seeds, every), seeds)
        return
    from jaxgan.ablation import report, saved_report  # with plots and statistics, which processes that train do without

    is_own = values.report_only and not join and not (workdir / "cells").exists() and saved_report.is_report(workdir)
    if is_own:
        table = saved_report.as_reported(table, workdir, seeds)
    whole = make_cells(table, spec, workdir, overrides)
    joined = saved_report.load(workdir if is_own else as_path(join), whole, is_own) if join or is_own else {}
    import jax

    jax.config.update("jax_platforms", "cpu")  # of this process alone, which only looks on: a TPU has one owner
    if values.report_only:
        every = [cell for cell in whole if cell.row not in joined]
        if not read_controls(workdir):
            say("no controls have been scored; --controls in place of --report_only scores them")
        if joined and not is_own and not (workdir / "table.json").exists():
            workdir.mkdir(parents=True, exist_ok=True)
            Clock(workdir, spec, overrides, seeds, 0, join)
    else:
        every = train_table(table, spec, workdir, overrides, seeds, values.workers, join, joined)
    report.write(table, every, workdir, joined, seeds, whole)
    if not values.report_only:
        check_crashed(every)


def _train_here(
    values: flags.FlagValues, table: Any, every: list[Any], note: Callable[[], None], seeds: Sequence[int]
) -> None:
    """In this process, alone or as one of several: trains the cells of `--cell`, scores the controls, or does both for the
    whole table and writes its report. note: writes down that the table begins. Raises UserError, CrashedError."""
    from jaxgan.ablation.cells import CrashedError, train_cells
    from jaxgan.ablation.control_scores import score
    from jaxgan.ablation.controls import decisive
    from jaxgan.ablation.engine import chosen_cells, end_with_parent

    end_with_parent()
    workdir, first = workdir_of(values), decisive(every)
    chosen = first if values.controls else chosen_cells(every, values.cell) if values.cell else every
    configure(values, any(c.config.deterministic for c in chosen), any(c.config.dtype == "float64" for c in chosen))
    import jax

    if values.controls:
        score(table, first, workdir)
        return
    if jax.process_index() == 0:
        note()
    if values.cell:
        train_cells(chosen)
        return
    crashed = None
    score(table, first, workdir)
    try:
        train_cells(chosen)
    except CrashedError as error:
        crashed = error
    if jax.process_index() == 0:
        from jaxgan.ablation import report

        report.write(table, every, workdir, {}, seeds, every)
    if crashed:
        raise crashed
