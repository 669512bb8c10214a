"""Searches for settings: draws them from a space, trains a run of each, and reports which are best.

Trial 0 is the config as it is. A trial is a run in trials/: what is killed goes on where it was, by the same command. Writes
report.md, trials.csv and best_of.png.
"""

import dataclasses
from pathlib import Path
from typing import Any

from absl import flags

from jaxgan.errors import UserError
from jaxgan.verbs.common import check_least, configure, workdir_of

EXAMPLES = """
python launch.py --mode=tune --config=configs/wgan.py --space=configs/spaces/wgan.py --budget=20 --workdir=runs/tune
python launch.py --mode=tune --workdir=runs/tune --budget=40
"""
TAKES_OVERRIDES = True


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("space", "", "A file of fields and their ranges, configs/spaces/wgan.py.", flag_values=values)
    flags.DEFINE_integer("budget", 100, "How many trials, those of earlier starts included.", flag_values=values)
    flags.DEFINE_integer("workers", 1, "Processes that train trials at the same time.", flag_values=values)
    flags.DEFINE_string("score", "", "What is sought, of eval.metrics; the first of them by default.", flag_values=values)
    flags.DEFINE_string("sampler", "random", "How settings are drawn: random or tpe.", flag_values=values)
    flags.DEFINE_integer("search_seed", 0, "Of what is drawn.", flag_values=values)
    flags.DEFINE_string("storage", "", "A database for several machines, postgresql://USER@HOST/NAME; study.db in the "
                        "workdir by default.", flag_values=values)  # fmt: skip
    flags.DEFINE_string("study", "search", "The study's name in the database.", flag_values=values)
    flags.DEFINE_integer("trial", None, "Train this trial alone: what a search's processes are started with.",
                         flag_values=values)  # fmt: skip
    flags.DEFINE_boolean("report_only", False, "Write the report of what is there, and train nothing.", values)


ASKED = {"space": "space", "score": "score", "sampler": "sampler", "search_seed": "seed", "storage": "storage"}
ASKED |= {"study": "study", "budget": "budget"}


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Searches, or trains one trial. Raises UserError, CrashedError."""
    from jaxgan.search.search import Asked, Search, remembered

    workdir = workdir_of(values)
    check_least(values, budget=1, workers=1, search_seed=0, trial=0)
    before = remembered(workdir)
    if values["trial"].present:
        _train_one(values, workdir)
        return
    given: dict[str, Any] = {
        field: values[flag].value for flag, field in ASKED.items() if before is None or values[flag].present
    }
    if before is None:
        if not values.config or not values.space:
            raise UserError("say what to search: --config=configs/wgan.py --space=configs/spaces/wgan.py")
        asked = Asked(config=values.config, overrides=overrides, **given)
    else:
        changed = [flag for flag, field in ASKED.items() if field in given and field != "budget"]
        changed = [flag for flag in changed if given[ASKED[flag]] != getattr(before, ASKED[flag])]
        if values.config and values.config != before.config:
            changed.append("config")
        if overrides and overrides != before.overrides:
            changed.append(f"config.{overrides[0][0]}")
        if changed:
            raise UserError(
                f"{workdir} holds a search with another --{changed[0]}; leave it out, or choose another --workdir"
            )
        asked = dataclasses.replace(before, budget=given.get("budget", before.budget))
    search = Search(workdir, asked)
    import jax

    jax.config.update("jax_platforms", "cpu")  # of this process alone, which only looks on
    search.save()
    if not values.report_only:
        _train(search, values.workers)
    from jaxgan.search.report import write

    write(search)


def _train(search: Any, workers: int) -> None:
    import signal

    from jaxgan.console import say

    for number in (signal.SIGTERM, signal.SIGINT):  # until the processes have saved, however long that takes
        signal.signal(number, signal.default_int_handler)
    try:
        search.train(workers)
    except KeyboardInterrupt:
        say("stopped; what was training has been saved, and the same command goes on from there")


def _train_one(values: flags.FlagValues, workdir: Path) -> None:
    from jaxgan.ablation.cells import train_cells
    from jaxgan.ablation.engine import end_with_parent
    from jaxgan.search.search import remembered
    from jaxgan.search.trials import read_trial

    end_with_parent()
    asked = remembered(workdir)
    trial = asked and read_trial(workdir, asked.config, values.trial)
    if trial is None:
        raise UserError(f"{workdir} has no trial {values.trial}")
    cell = trial.cell
    configure(values, cell.config.deterministic, cell.config.dtype == "float64")
    train_cells([cell])
