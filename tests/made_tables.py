"""Tables of given values, for tests of what a table says of them."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from ml_collections import ConfigDict

from jaxgan.ablation.best import mark_best
from jaxgan.ablation.claims import decide
from jaxgan.ablation.entries import entry_of, failure_of
from jaxgan.ablation.results import Result, Summary
from jaxgan.ablation.table import REAL, Column, Row, Table

X = (Column("x", better="higher", format=".2f"),)
NOISE = np.array([0.0, 0.3, -0.3, 0.1, -0.1, 0.2, -0.2, 0.4, -0.4, 0.0])
GOOD, POOR = list(8 + NOISE), list(6 + NOISE[::-1])
START = {"date": "2026-01-01T10:00:00", "git_revision": "abc", "versions": {}, "devices": 1, "device": "cpu"}


def summary(rows: dict[str, list], claims=(), columns=X, controls=None, untested="", configs=None, **fields) -> Summary:
    """A table of these values. None is a run that diverged, ... one that is open, NaN one without a number, a text the word
    of a run, a pair one whose monitor said "collapsed", a list a value for each set of samples, an object scores by name.
    configs: of rows; by default each has networks of its own. controls: values of draws, or {seed: value}. trained: steps of
    each run. apart: whether each seed has data of its own. stages: what each run begins from."""
    trained, apart, stages = fields.pop("trained", 7), fields.pop("apart", False), fields.pop("stages", {})
    seeds = fields.pop("seeds", range(max(map(len, rows.values()))))
    table = Table("T", "P", "D", "how", columns, {row: Row() for row in rows}, seeds, tuple(claims), **fields)

    def run(row, i, value):
        given = (configs or {}).get(row, {"nets": {"gen": {"name": row}}})
        config = ConfigDict({**given, "data": {**given.get("data", {}), "classes": i * apart}})
        start = START | {"overrides": [f"data.classes={i * apart}", f"seed={i}"]}
        name, folder = f"{row}, seed {i}", Path("cells") / f"{row}_{i}"
        cell = SimpleNamespace(row=row, seed=i, name=name, stages=stages, config=config, folder=folder)
        if value is ...:
            return Result(cell, "open")
        if value is None:
            return Result(cell, "diverged", starts=(start,))
        done = Result(cell, "done", evaluation={"step": trained, "protocol": {"samples": {"images": 100}}}, starts=(start,))
        if isinstance(value, str):
            return dataclasses.replace(done, words={"word": value})
        if isinstance(value, tuple):
            return dataclasses.replace(done, numbers={"x": value[0]}, verdict="collapsed: all alike")
        some = value if isinstance(value, dict) else {"x": value}
        sets = {name: tuple(x) for name, x in some.items() if isinstance(x, list)}
        numbers = {name: float(np.mean(x)) for name, x in some.items()}
        lost = tuple(name for name, x in numbers.items() if np.isnan(x))
        numbers = {name: x for name, x in numbers.items() if name not in lost}
        return dataclasses.replace(done, numbers=numbers, sets=sets, no_numbers=lost)

    found = {row: [run(row, i, value) for i, value in enumerate(values)] for row, values in rows.items()}
    found = {row: [dataclasses.replace(x, failed=failure_of(x, table)) for x in some] for row, some in found.items()}
    entries = {row: {c.name: entry_of(c, found[row]) for c in columns} for row in rows}
    beside = {}
    for name, some in (controls or {}).items():
        has_seeds = isinstance(some, dict)
        cells = [SimpleNamespace(seed=seed) for seed in some] if has_seeds else [None] * len(some)
        values = [x if isinstance(x, dict) else {"x": x} for x in (some.values() if has_seeds else some)]
        draws = [Result(cell, "done", x) for cell, x in zip(cells, values)]
        beside[name] = {c.name: entry_of(c, [] if c.word else draws) for c in columns}
    rivals = {name: some for name, some in beside.items() if name != REAL}
    verdicts = decide(table, entries, found, rivals, untested)
    marked = mark_best(table, entries, found, rivals)
    return Summary(table, found, marked, verdicts, controls=beside, untested=untested)
