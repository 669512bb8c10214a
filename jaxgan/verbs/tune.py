"""Searches for settings: draws them from a space, trains a run of each, and reports which are best.

Trial 0 is the config as it is. A trial is a run in trials/: what is killed goes on where it was, by the same command. Writes
report.md, trials.csv and figures. With --protocol=three_phase the best settings of one or more methods are trained again on
new seeds, and scored on pictures that chose nothing.
"""

import dataclasses
import uuid
from pathlib import Path
from typing import Any

from absl import flags

from jaxgan.errors import UserError, nearest, numbers
from jaxgan.verbs.common import check_least, configure, workdir_of

EXAMPLES = """
python launch.py --mode=tune --config=configs/wgan.py --space=configs/spaces/wgan.py --budget=20 --workdir=runs/tune
python launch.py --mode=tune --workdir=runs/tune --budget=40
"""
TAKES_OVERRIDES = True
PROTOCOLS = ("", "three_phase")


def define_flags(values: flags.FlagValues) -> None:
    flags.DEFINE_string("space", "", "A file of fields and their ranges, configs/spaces/wgan.py.", flag_values=values)
    flags.DEFINE_integer("budget", 100, "How many trials, those of earlier starts included.", flag_values=values)
    flags.DEFINE_integer("workers", 1, "Processes that train trials at the same time.", flag_values=values)
    flags.DEFINE_string(
        "score", "", "What is sought: one of the scores of eval.metrics, by default the first.", flag_values=values
    )
    flags.DEFINE_string("sampler", "random", "How settings are drawn: random or tpe.", flag_values=values)
    flags.DEFINE_string("pruner", "none", "Which trials are given up early, by their scores so far: none, median or "
                        "halving.", flag_values=values)  # fmt: skip
    flags.DEFINE_integer("search_seed", 0, "The seed of what is drawn.", flag_values=values)
    flags.DEFINE_string("test", "", "A split on which each trial is scored too, and which chooses nothing.", values)
    flags.DEFINE_string("protocol", "", "three_phase: a wide search, a narrow one, and a table of the best on new seeds, "
                        "for each variant of the space's file.", flag_values=values)  # fmt: skip
    flags.DEFINE_integer("narrow", 50, "With --protocol: trials of the narrow search; 0 leaves it out.",
                         flag_values=values)  # fmt: skip
    flags.DEFINE_string("seeds", "1-10", "With --protocol: the seeds of the table.", flag_values=values)
    flags.DEFINE_string("storage", "", "A database for several machines, postgresql://USER@HOST/NAME; study.db in the "
                        "workdir by default.", flag_values=values)  # fmt: skip
    flags.DEFINE_string("study", "search", "The study's name in the database.", flag_values=values)
    flags.DEFINE_string("trial", "", "Train these trials alone: what a search's processes are started with.", values)
    flags.DEFINE_boolean("report_only", False, "Write the report of what is there, and train nothing.", values)


ASKED = {  # a flag's field
    "space": "space", "score": "score", "sampler": "sampler", "pruner": "pruner", "search_seed": "seed", "test": "test",
    "protocol": "protocol", "narrow": "narrow", "seeds": "seeds", "storage": "storage", "study": "study", "budget": "budget",
}  # fmt: skip
GROWS = ("budget", "narrow")  # what another start may change


def run(values: flags.FlagValues, overrides: list[tuple[str, str]]) -> None:
    """Searches, or trains trials. Raises UserError, CrashedError."""
    workdir = workdir_of(values)
    check_least(values, budget=1, workers=1, search_seed=0, narrow=0)
    if values.trial:
        _train_trials(values, workdir)
        return
    if values.protocol not in PROTOCOLS:
        raise UserError(f"no protocol '{values.protocol}'; {nearest(values.protocol, PROTOCOLS)}")
    asked = _asked(values, workdir, overrides)
    if asked.protocol:
        from jaxgan.search.phases import ThreePhases as Search
        from jaxgan.search.phases_report import write
    else:
        from jaxgan.search.report import write
        from jaxgan.search.search import Search
    search: Any = Search(workdir, asked)
    import jax

    jax.config.update("jax_platforms", "cpu")  # of this process alone, which only looks on
    search.save()
    if not values.report_only:
        _train(search, values.workers)
    write(search)


def _asked(values: flags.FlagValues, workdir: Path, overrides: list[tuple[str, str]]) -> Any:
    """What is asked for, or was when the folder's search began. Raises UserError where that differs."""
    from jaxgan.search.asked import Asked, remembered

    before = remembered(workdir)
    given: dict[str, Any] = {
        field: values[flag].value for flag, field in ASKED.items() if before is None or values[flag].present
    }
    if before is None:
        if not values.config or not values.space:
            raise UserError("say what to search: --config=configs/wgan.py --space=configs/spaces/wgan.py")
        lost = [name for name in ("narrow", "seeds") if values[name].present and not values.protocol]
        if lost:
            raise UserError(f"--{lost[0]} is of --protocol=three_phase")
        return Asked(config=values.config, overrides=overrides, place=uuid.uuid4().hex, **given)
    if before.protocol and any(given.get(name, 0) > getattr(before, name) for name in GROWS):
        if (workdir / "seeds" / "table.json").exists():
            raise UserError(f"{workdir} has begun its table of new seeds, and a larger budget could choose other settings")
    changed = [flag for flag, field in ASKED.items() if field in given and field not in GROWS]
    changed = [flag for flag in changed if given[ASKED[flag]] != getattr(before, ASKED[flag])]
    if values.config and values.config != before.config:
        changed.append("config")
    if overrides and overrides != before.overrides:
        changed.append(f"config.{overrides[0][0]}")
    if changed:
        raise UserError(f"{workdir} holds a search with another --{changed[0]}; leave it out, or choose another --workdir")
    return dataclasses.replace(before, **{field: given[field] for field in GROWS if field in given})


def _train(search: Any, workers: int) -> None:
    import signal

    from jaxgan.console import say

    for number in (signal.SIGTERM, signal.SIGINT):  # until the processes have saved, however long that takes
        signal.signal(number, signal.default_int_handler)
    try:
        search.train(workers)
    except KeyboardInterrupt:
        say("stopped; what was training has been saved, and the same command goes on from there")


def _train_trials(values: flags.FlagValues, workdir: Path) -> None:
    from jaxgan.ablation.engine import end_with_parent
    from jaxgan.search.asked import remembered
    from jaxgan.search.trials import read_trial, train_trials

    end_with_parent()
    asked, some = remembered(workdir), []
    for number in numbers(values.trial, "--trial"):
        trial = asked and read_trial(workdir, asked.config, number, asked.test)
        if trial is None:
            raise UserError(f"{workdir} has no trial {number}")
        some.append(trial)
    configs = [trial.cell.config for trial in some]
    configure(values, any(one.deterministic for one in configs), any(one.dtype == "float64" for one in configs))
    train_trials(some)
