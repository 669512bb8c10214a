"""What has become of a table's cells, read from their folders."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from jaxgan.ablation.best import mark_best
from jaxgan.ablation.claims import Verdict, decide
from jaxgan.ablation.comparison import failures
from jaxgan.ablation.controls import draws
from jaxgan.ablation.entries import Entry, entry_of, failure_of
from jaxgan.ablation.stages import blocked
from jaxgan.ablation.table import BEST, REAL, Table
from jaxgan.errors import UserError
from jaxgan.extractors.table import EXTRACTORS
from jaxgan.scores.names import better_way, score_part
from jaxgan.scores.of_run import same_protocol
from jaxgan.scores.table import find_scores
from jaxgan.workdir.folder import Workdir

STATES = ("diverged", "crashed", "blocked", "unscored", "open")  # of runs that are not done


@dataclass(frozen=True)
class Result:
    """What has become of a cell. state: "done", "diverged", "crashed", "blocked" (a stage that it begins from is not done
    and has failed), "unscored" (trained, and not scored as its config asks) or "open".

    numbers: its final scores by part ("fd"), each the mean over sets of samples, and the last logged metrics; none that is
    not finite. no_numbers: names of those that are not. sets: a score's value of each set of samples. history: the lines of
    metrics.jsonl. message: of a failure, or what blocks it. evaluation: the last one. starts: the run's provenance. verdict:
    the monitor's last. words: of columns of words, where they are known without the run's folder. failed: why it counts for
    no mean, "" if it does (`entries.failure_of`).
    """

    cell: Any
    state: str
    numbers: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""
    evaluation: dict[str, Any] | None = None
    starts: tuple[dict[str, Any], ...] = ()
    verdict: str = ""
    words: dict[str, str] = field(default_factory=dict)
    sets: dict[str, tuple[float, ...]] = field(default_factory=dict)
    no_numbers: tuple[str, ...] = ()
    failed: str = ""


def read_result(cell: Any) -> Result:
    """A cell's result, as its folder has it."""
    workdir, numbers, sets, evaluation = Workdir(cell.folder), {}, {}, None
    history, step = workdir.metrics(), workdir.done_step
    for line in history:
        numbers |= {key: x for key, x in line.items() if not isinstance(x, str) and not key.startswith("eval/")}
    numbers |= _best(history)
    if step is not None:
        there = [one for one in workdir.evaluations() if one["step"] == step and _is_asked(one, cell.config)]
        logged = {name: x for line in history if line["step"] == step for name, x in line.items()}
        # It may have been scored again by hand, on more sets of samples or otherwise; the run's own set is the first.
        own = [one for one in there if _is_logged(one, logged)]
        evaluation = (own or there or [None])[-1]
        if evaluation:
            asked = cell.config.eval.repeats  # someone may have scored this run on more sets than the others have
            sets = {score_part(name): tuple(one["values"][:asked]) for name, one in evaluation["scores"].items()}
            numbers |= {name: None if None in some else float(np.mean(some)) for name, some in sets.items()}
    no_numbers = tuple(key for key, x in numbers.items() if x is None or not np.isfinite(x))
    numbers = {key: x for key, x in numbers.items() if key not in no_numbers}
    sets = {key: some for key, some in sets.items() if key in numbers}
    failure = None if cell.is_over and step is not None else workdir.failure
    is_scored = evaluation or not cell.config.eval.every  # a hidden row need not be
    state = failure["kind"] if failure else "open" if not cell.is_over else "done" if is_scored else "unscored"
    if blocked(cell):
        state, failure = "blocked", {"message": blocked(cell)}
    if state == "unscored":
        failure = {"message": "python launch.py --mode=evaluate --workdir=CELL --config.eval... as the table has it"}
    told = [line["verdict"] for line in history if isinstance(line.get("verdict"), str)]
    message, verdict = failure["message"] if failure else "", told[-1] if told else ""
    starts = workdir.starts
    return Result(cell, state, numbers, history, message, evaluation, starts, verdict, sets=sets, no_numbers=no_numbers)


def _best(history: list[dict[str, Any]]) -> dict[str, float]:
    """{"best/fd": the best of all evaluations in the log}."""
    found: dict[str, list[float]] = {}
    for line in history:
        for name, x in line.items():
            if name.startswith("eval/") and x is not None and better_way(name.removeprefix("eval/")):
                found.setdefault(name.removeprefix("eval/"), []).append(x)
    return {BEST + score_part(name): {"lower": min, "higher": max}[better_way(name)](some) for name, some in found.items()}


def _is_asked(evaluation: dict[str, Any], config: Any) -> bool:
    """Whether an evaluation is of the kind that the run's config asks for; another may have been made by hand."""
    wanted, protocol = config.eval, evaluation["protocol"]
    real, samples = protocol.get("real", {}), protocol.get("samples", {})
    _, is_split, split = real.get("data", "").partition(", split ")
    right = not is_split or re.split(r", | \(", split)[0] == (wanted.split or config.data.split)
    weights = "moving average" if wanted.ema else "raw"
    right &= samples.get("images", wanted.num_samples) == wanted.num_samples
    right &= samples.get("weights", weights) == weights
    right &= not wanted.num_real or real.get("images", wanted.num_real) == wanted.num_real
    network = protocol.get("extractor", {}).get("name", wanted.features.name)
    right &= network == wanted.features.name or wanted.features.name not in EXTRACTORS
    parts = {score_part(name) for name in evaluation["scores"]}
    return right and all(parts & metric.better.keys() for metric in find_scores(wanted.metrics).values())


def _is_logged(evaluation: dict[str, Any], logged: dict[str, Any]) -> bool:
    """Whether its first set of samples is the one whose scores the run itself has logged."""
    own = {name.removeprefix("eval/"): x for name, x in logged.items() if name.startswith("eval/")}
    first = {name: one["values"][0] for name, one in evaluation["scores"].items()}
    return {name: x for name, x in own.items() if x is not None} == {name: x for name, x in first.items() if x is not None}


@dataclass(frozen=True)
class Summary:
    """results: by row. entries: by row and column's name. verdicts: of the claims, in order. hidden: of hidden rows.
    controls: entries of what is no method, by its name and column's. length: how long the runs are beside the paper's, in
    words. untested: why no claim is tested. changes: what is another than when the claims were registered; before: their
    verdicts then."""

    table: Table
    results: dict[str, list[Result]]
    entries: dict[str, dict[str, Entry]]
    verdicts: list[Verdict]
    hidden: dict[str, list[Result]] = field(default_factory=dict)
    controls: dict[str, dict[str, Entry]] = field(default_factory=dict)
    length: str = ""
    untested: str = ""
    changes: tuple[str, ...] = ()
    before: list[Verdict] = field(default_factory=list)

    def runs(self, row: str) -> str:
        """How many of a row's runs are in its means, and what became of the others."""
        if row in self.controls:
            number = max(len(entry.values) for entry in self.controls[row].values())
            return f"{number} draw{'s' * (number != 1)}"
        kinds = [result.failed.partition(" (")[0] or result.state for result in self.results[row]]
        told = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys((*STATES, *kinds)) if kind in kinds]
        return ", ".join([str(kinds.count("done")), *(one for one in told if not one.endswith(" done"))])

    def failures(self, row: str) -> tuple[int, int]:
        """(How many of a row's runs failed, of how many that came to their end)."""
        return failures(self.results.get(row, ()))


def summarise(
    table: Table,
    cells: Iterable[Any],
    controls: Mapping[str, dict[str, Any]] | None = None,
    kept: Mapping[str, list[Result]] | None = None,
    untested: str = "",
) -> Summary:
    """Reads all cells. controls: evaluations of what is no method, by name (`controls.read_controls`). kept: results of rows
    of which there are no cells. untested: why no claim is tested. Raises UserError where rows were scored by unlike
    protocols."""
    shown = [name for name, row in table.rows.items() if not row.hidden]
    results: dict[str, list[Result]] = {row: list((kept or {}).get(row, [])) for row in shown}
    hidden: dict[str, list[Result]] = {row: [] for row in table.rows if row not in shown}
    for cell in cells:
        (results if cell.row in results else hidden)[cell.row].append(read_result(cell))
    for row, some in results.items():
        steps = sorted({result.evaluation["step"] for result in some if result.state == "done" and result.evaluation})
        if len(steps) > 1:
            raise UserError(f"the runs of row '{row}' are of unlike steps: {', '.join(map(str, steps))}; train all to one")
    scored = [x.evaluation for row in results.values() for x in row if x.state == "done" and x.evaluation]
    same_protocol(scored)
    for name, control in (controls or {}).items():
        try:
            same_protocol([*scored, control])
        except UserError as error:
            raise UserError(f"the control '{name}' (controls.json or real.json): {error}") from error
    return replace(judged(table, results, controls or {}, untested), hidden=hidden)


def judged(
    table: Table, results: Mapping[str, list[Result]], controls: Mapping[str, dict[str, Any]], untested: str = ""
) -> Summary:
    """What results come to by a table's columns and claims."""
    own = {row: [replace(x, failed=failure_of(x, table)) for x in some] for row, some in results.items()}
    entries = {row: {column.name: entry_of(column, own[row]) for column in table.columns} for row in own}
    beside = {name: _control(control, table) for name, control in controls.items()}
    rivals = {name: some for name, some in beside.items() if name != REAL}
    verdicts = decide(table, entries, own, rivals, untested)
    return Summary(table, own, mark_best(table, entries, own, rivals), verdicts, controls=beside, untested=untested)


def with_registered(
    summary: Summary, registered: Table, untested: str, controls: Mapping[str, dict[str, Any]], changes: Iterable[str]
) -> Summary:
    """A summary with what its claims come to as they were registered: by the columns, claims and seeds of that time."""
    results = {row: [x for x in some if x.cell.seed in registered.seeds] for row, some in summary.results.items()}
    before = judged(registered, results, controls, untested).verdicts
    return replace(summary, before=before, changes=tuple(changes))


def _control(evaluation: dict[str, Any], table: Table) -> dict[str, Entry]:
    """A control's entries: a value for each draw, and of what seed it is where each has its own data."""
    numbers = draws(evaluation)
    cells = [SimpleNamespace(seed=seed) for seed in evaluation.get("seeds", ())] or [None] * len(numbers)
    drawn = [Result(cell, "done", one) for cell, one in zip(cells, numbers)]
    return {column.name: Entry() if column.word else entry_of(column, drawn) for column in table.columns}


def trajectory(result: Result, *names: str) -> np.ndarray:
    """[S, names]: single params at the logged steps, by their names, "gen.theta"."""
    lines = [[line.get(f"param/{name}") for name in names] for line in result.history if f"param/{names[0]}" in line]
    return np.array([[np.nan if x is None else x for x in line] for line in lines], float).reshape(-1, len(names))


def series(results: list[Result], key: str) -> tuple[np.ndarray, np.ndarray]:
    """(steps [S], values [runs, S]) of a metric, or of part of a score, at the steps that all runs have."""
    runs = []
    for result in results:
        found = {}
        for line in result.history:
            for name, value in line.items():
                is_it = score_part(name.removeprefix("eval/")) == key if name.startswith("eval/") else name == key
                if is_it and value is not None:
                    found[line["step"]] = value
        if found:
            runs.append(found)
    steps = sorted(set.intersection(*map(set, runs))) if runs else []
    return np.array(steps), np.array([[run[step] for step in steps] for run in runs])
