"""A report's runs as a file: the same table again, without the cells."""

import dataclasses
import json
from types import SimpleNamespace

import pytest

from jaxgan import formats, kept, results, verdicts
from jaxgan.errors import UserError
from jaxgan.results import Result, Summary
from jaxgan.table import Claim, Column, Row, Table

PROTOCOL = {"samples": {"images": 100}}
COLUMNS = (Column("x", "X, %", "higher", ".1f", scale=100), Column(title="kind", word=lambda result: f"w{result.cell.seed}"))
TABLE = Table("T", "P", "D", "how", COLUMNS, {"a": Row(), "b": Row(), "c": Row()}, range(5), (Claim("X, %", "a", than="b"),))


def run(row, seed, x):
    cell = SimpleNamespace(row=row, seed=seed, name=f"{row}, seed {seed}")
    if x is None:
        return Result(cell, "diverged", {"x": 3.0}, message="gen/loss is nan")
    evaluation = {"step": 7, "protocol": PROTOCOL, "scores": {}}
    start = {"date": "2026-01-01", "git_revision": "abc", "versions": {}, "devices": 1, "device": "cpu"}
    return Result(cell, "done", {"x": x, "unasked": 1.0}, evaluation=evaluation, starts=(start,), verdict="healthy")


@pytest.fixture
def summary():
    found = {
        "a": [run("a", i, 0.1 + 0.2 / (3 + i)) for i in range(5)],
        "b": [run("b", i, 0.01 * i) for i in range(4)] + [run("b", 4, None)],
        "c": [Result(SimpleNamespace(row="c", seed=0, name=""), "open")],
    }
    entries = {row: {column.name: results._entry(column, found[row]) for column in COLUMNS} for row in found}
    return Summary(TABLE, found, entries, verdicts.verdicts(TABLE, entries, found))


def test_the_same_table_again(summary, tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(kept.dump(summary)))
    for where in (tmp_path, tmp_path / "report.json"):
        rows = kept.load(where, TABLE)
        assert rows.keys() == {"a", "b"}
        again = results.summarise(TABLE, [], kept=rows)
        assert [again.runs(row) for row in "abc"] == ["5", "4, 1 diverged", "0"]
        assert again.verdicts == summary.verdicts
        for row in "ab":
            assert again.entries[row]["X, %"] == summary.entries[row]["X, %"]
            assert again.entries[row]["kind"].words == summary.entries[row]["kind"].words
            assert [x.starts for x in again.results[row]] == [x.starts for x in summary.results[row]]
            assert all(map(kept.is_elsewhere, again.results[row]))
        assert kept.dump(again)["rows"] == kept.dump(summary)["rows"]  # and so another time
    assert "0.0 ± " not in formats.grid(again)


def test_unlike_protocols_are_not_joined(summary, tmp_path):
    path = tmp_path / "report.json"
    saved = kept.dump(summary)
    saved["rows"]["b"][0]["evaluation"]["protocol"] = {"samples": {"images": 200}}
    path.write_text(json.dumps(saved))
    with pytest.raises(UserError, match="samples.images is 100 in one and 200 in another"):
        results.summarise(TABLE, [], kept=kept.load(path, TABLE))


def test_mistakes(summary, tmp_path):
    path = tmp_path / "report.json"
    with pytest.raises(UserError, match="holds no report.json, which --mode=ablate writes"):
        kept.load(tmp_path, TABLE)
    for text in ("[", "[]", "{}", '{"rows": {"a": [{}]}}', '{"rows": []}'):
        path.write_text(text)
        with pytest.raises(UserError, match=r"is no table's report.json"):
            kept.load(path, TABLE)
    path.write_text(json.dumps(kept.dump(summary)))
    with pytest.raises(UserError, match="has none of this table's rows, but 'a'; did you mean 'aa'"):
        kept.load(path, dataclasses.replace(TABLE, rows={"aa": Row(), "z": Row()}))
