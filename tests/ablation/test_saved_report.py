"""A report's runs as a file: the same table again, without the cells."""

import dataclasses
import json
import math
from dataclasses import field, make_dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ROOT
from ml_collections import ConfigDict

from jaxgan.ablation import formats, report, saved_report
from jaxgan.ablation.best import mark_best
from jaxgan.ablation.claims import decide
from jaxgan.ablation.entries import entry_of, failure_of
from jaxgan.ablation.progress import check_folder
from jaxgan.ablation.results import Result, Summary, summarise
from jaxgan.ablation.table import Claim, Column, Row, Table
from jaxgan.config.resolve import resolve_config
from jaxgan.errors import UserError
from jaxgan.objectives.terms import TERMS
from jaxgan.sections import sections

PROTOCOL = {"samples": {"images": 100}}
MEASURED = {
    "date": "2026-01-02T03:04:05+00:00",
    "git_revision": "def",
    "code": {"fd": "a1"},
    "seconds": 1.5,
    "batch_size": 9,
}
COLUMNS = (
    Column("x", "X, %", "higher", ".1f", scale=100),
    Column(title="kind", word=lambda x: f"w{x.numbers['unasked']:.0f}"),
)
TABLE = Table("T", "P", "D", "how", COLUMNS, dict.fromkeys("abcd", Row()), range(5), (Claim("X, %", "a", than="b"),))


def cell_of(row, seed=0, width=3, **fields):
    config = {
        "steps": 7,
        "seed": seed,
        "nets": {"gen": {"width": width}},
        "data": {"name": "digits", "dir": "here"},
        "log": {"every": 1},
    }
    resolved = resolve_config(ConfigDict(config | fields), [], sections)
    name, folder = f"{row}, seed {seed}", Path("cells") / f"{row}_{seed}"
    return SimpleNamespace(row=row, seed=seed, name=name, hidden=False, stages={}, config=resolved, folder=folder)


CELLS = [cell_of(row) for row in "abcd"]


def run(row, seed, x):
    cell = cell_of(row, seed)
    if x is None:
        return Result(cell, "diverged", {"x": 3.0}, message="gen/loss is nan")
    if x is ...:
        return Result(cell, "crashed", message="no such luck")
    evaluation = {"step": 7, "protocol": PROTOCOL, "scores": {}} | ({"measured": MEASURED} if seed else {})
    start = {"date": "2026-01-01", "git_revision": "abc", "versions": {}, "devices": 1, "device": "cpu"}
    done = Result(cell, "done", {"unasked": 1.0}, evaluation=evaluation, starts=(start,), verdict="healthy")
    if math.isnan(x):
        return dataclasses.replace(done, no_numbers=("x",))
    if x < 0:
        return dataclasses.replace(done, numbers={"x": -x, "unasked": 1.0}, verdict="collapsed: all alike")
    return dataclasses.replace(done, numbers={"x": x, "unasked": 1.0}, sets={"x": (x - 0.01, x + 0.01)})


@pytest.fixture
def summary():
    found = {
        "a": [run("a", i, 0.1 + 0.2 / (3 + i)) for i in range(5)],
        "b": [run("b", i, 0.01 * i) for i in range(3)] + [run("b", 3, ...), run("b", 4, None)],
        "c": [Result(cell_of("c"), "open")],
        "d": [run("d", 0, 0.1), run("d", 1, math.nan), run("d", 2, -0.05)],
    }
    found = {row: [dataclasses.replace(x, failed=failure_of(x, TABLE)) for x in some] for row, some in found.items()}
    entries = {row: {column.name: entry_of(column, found[row]) for column in COLUMNS} for row in found}
    verdicts, marked = decide(TABLE, entries, found), mark_best(TABLE, entries, found)
    return Summary(TABLE, found, marked, verdicts, untested="")


def test_the_same_table_again(summary, tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(saved_report.dump(summary, {"paper": "P"})))
    for where in (tmp_path, tmp_path / "report.json"):
        rows = saved_report.load(where, CELLS)
        assert rows.keys() == {"a", "b", "d"}
        again = summarise(TABLE, [], kept=rows)
        assert [again.runs(row) for row in "abcd"] == ["5", "3, 1 diverged, 1 crashed", "0", "1, 1 no number, 1 collapsed"]
        assert [again.failures(row) for row in "abcd"] == [(0, 5), (1, 4), (0, 0), (2, 3)]
        assert same(again.verdicts, summary.verdicts)
        for row in "abd":
            assert same([again.entries[row]["X, %"]], [summary.entries[row]["X, %"]])
            assert again.entries[row]["kind"].words == summary.entries[row]["kind"].words
            assert [x.starts for x in again.results[row]] == [x.starts for x in summary.results[row]]
            scored = [x.evaluation.get("measured") for x in again.results[row] if x.evaluation]
            assert scored == [None, *[MEASURED] * (len(scored) - 1)] and len(scored) > 2
            assert [x.failed for x in again.results[row]] == [x.failed for x in summary.results[row]]
            assert all(map(saved_report.is_elsewhere, again.results[row]))
        assert saved_report.dump(again, {})["rows"] == saved_report.dump(summary, {})["rows"]  # and so another time
    assert again.entries["d"]["X, %"].failed == (5.0,) and again.entries["a"]["X, %"].noise == pytest.approx(math.sqrt(2))
    assert "| c | - | - | 0 | - |" in formats.grid(again)
    assert saved_report.about(tmp_path) == {"paper": "P"}


def same(some, others):
    """Whether entries or verdicts are the same; NaN is."""
    return [repr(x) for x in some] == [repr(x) for x in others]


def test_a_report_has_what_its_table_says(summary):
    saved = saved_report.dump(summary, {"paper": "P"})
    assert json.dumps(saved, allow_nan=False) and saved["about"] == {"paper": "P"} and saved["seeds"] == [0, 1, 2, 3, 4]
    assert [column["name"] for column in saved["columns"]] == ["X, %", "kind"] and saved["columns"][0]["scale"] == 100
    (claim,) = saved["claims"]
    assert claim["claim"]["than"] == "b" and claim["answer"] == summary.verdicts[0].answer == "undecided"
    assert claim["low"] is None and claim["reason"] == "1 runs of b are not done"
    assert saved["rows"]["a"][0]["sets"] == {"x": list(summary.results["a"][0].sets["x"])}
    assert saved["rows"]["d"][1]["numbers"] == {"x": None} and saved["rows"]["d"][1]["failed"] == "no number (X, %)"


def test_a_report_names_other_cells_wherever_the_table_lies(summary, tmp_path):
    cell = cell_of("a")
    cell.folder = tmp_path / "cells" / "a_0"
    (tmp_path / "cells" / "b_0").mkdir(parents=True)
    other = "frozen.damsm.workdir=/runs/cells/c_0"  # of another table
    start = {"overrides": ["init_from.workdir=/a/b/cells/b_0", other, "seed=0"], "git_revision": "abc"}
    own = dataclasses.replace(run("a", 0, 1.0), cell=cell, starts=(start,))
    saved = saved_report.dump(dataclasses.replace(summary, results={"a": [own]}))
    assert saved["rows"]["a"][0]["starts"] == [start | {"overrides": ["init_from.workdir=cells/b_0", other, "seed=0"]}]


def test_a_report_says_when_and_by_what_its_scores_were_measured(summary, tmp_path):
    assert report.provenance(summary, tmp_path)["scored"] == "def, not recorded, 2026-01-02T03:04 to 2026-01-02T03:04 UTC"
    rows = {"a": [run("a", 0, 1.0)], "b": [], "c": []}
    older = dataclasses.replace(summary, results=rows)  # of a revision that did not write it down
    assert report.provenance(older, tmp_path)["scored"] == "not recorded"
    assert "scored" not in report.provenance(dataclasses.replace(summary, results={**rows, "a": []}), tmp_path)


def test_unlike_protocols_are_not_joined(summary, tmp_path):
    path = tmp_path / "report.json"
    saved = saved_report.dump(summary, {})
    saved["rows"]["b"][0]["evaluation"]["protocol"] = {"samples": {"images": 200}}
    path.write_text(json.dumps(saved))
    with pytest.raises(UserError, match="samples.images is 100 in one and 200 in another"):
        summarise(TABLE, [], kept=saved_report.load(path, CELLS))


def test_rows_that_are_trained_in_another_way_are_not_joined(summary, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(saved_report.dump(summary, {})))
    assert "here" not in path.read_text()
    saved_report.load(path, [cell_of("a", log={"every": 9}, data={"name": "digits", "dir": "there"})])
    for fields, told in (({"width": 4}, "nets.gen.width: 3 -> 4"), ({"steps": 8}, "steps: 7 -> 8")):
        with pytest.raises(UserError, match=f"row 'a' of --join=.* is another than this table's; {told}"):
            saved_report.load(path, [cell_of("a", **fields)])
    saved = saved_report.dump(summary, {}) | {"configs": dict.fromkeys("abd")}  # of a report that did not know
    path.write_text(json.dumps(saved))
    saved_report.load(path, [cell_of("a", width=4)])
    with pytest.raises(UserError, match="steps: 7 -> 8"):
        saved_report.load(path, [cell_of("a", steps=8)])


def test_fields_that_a_report_did_not_know_have_their_defaults(monkeypatch, tmp_path):
    """A report joins after a class has got another field, also where a row begins from another."""
    r1 = TERMS["r1"]

    def cells():
        terms = {"objective": {"loss": "nonsaturating", "terms": {"r1": {"weight": 2.0}}}}
        judge, donor = cell_of("judge", **terms), cell_of("donor", **terms, init_from={"workdir": "judge"})
        donor.stages["init_from.workdir"] = judge
        cell = cell_of("a", **terms, init_from={"workdir": "donor"})
        cell.stages["init_from.workdir"] = donor
        return [cell]

    def loads(cells):
        return saved_report.load(tmp_path, cells)["a"][0].cell.config

    found = {"a": [dataclasses.replace(run("a", 0, 1.0), cell=cells()[0])]}
    saved = saved_report.dump(Summary(TABLE, found, {}, []))
    text = json.dumps(saved)
    (tmp_path / "report.json").write_text(text)
    assert "shiny" not in text
    monkeypatch.setitem(TERMS, "r1", make_dataclass("R1", [("shiny", int, field(default=3))], bases=(r1,), frozen=True))
    assert json.dumps(loads(cells())).count('"objective.terms.r1.shiny": 3') == 3
    monkeypatch.setitem(TERMS, "r1", r1)

    def bare(fields):  # of a revision that knew no field but those that were given
        given = {"steps", "nets.gen.width", "data.name", "objective.loss", "objective.terms.r1.weight"}
        kept = {key: x for key, x in fields.items() if key in given}
        stages = {key: x for key, x in fields.items() if isinstance(x, dict)}
        return kept | {key: x | {"config": bare(x["config"])} for key, x in stages.items()}

    whole, saved["configs"]["a"] = saved["configs"]["a"], bare(saved["configs"]["a"])
    (tmp_path / "report.json").write_text(json.dumps(saved))
    assert loads(cells()) == whole and len(json.dumps(whole)) > 5 * len(json.dumps(saved["configs"]["a"]))
    saved["configs"]["a"]["init_from.workdir"]["config"]["objective.terms.r1.weight"] = 3.0
    (tmp_path / "report.json").write_text(json.dumps(saved))
    with pytest.raises(UserError, match=r"init_from.workdir.config.objective.terms.r1.weight: 3.0 -> 2.0$"):
        saved_report.load(tmp_path, cells())


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*/report.json")), ids=lambda path: path.parent.name)
def test_our_own_reports_are_still_understood(path):
    for row, config in json.loads(path.read_text())["configs"].items():
        assert config is None or saved_report._completed(row, config).keys() >= {"steps", "batch_size"}


def test_mistakes(summary, tmp_path):
    path = tmp_path / "report.json"
    with pytest.raises(UserError, match="holds no report.json, which --mode=ablate writes"):
        saved_report.load(tmp_path, CELLS)
    for text in ("[", "[]", "{}", '{"rows": {"a": [{}]}}', '{"rows": []}'):
        path.write_text(text)
        with pytest.raises(UserError, match="report.json is damaged"):
            saved_report.load(path, CELLS)
    path.write_text(json.dumps(saved_report.dump(summary, {})))
    with pytest.raises(UserError, match="has none of this table's rows, but 'a'; did you mean 'aa'"):
        saved_report.load(path, [cell_of("aa"), cell_of("z")])


def test_a_report_replaces_no_report_of_somebody_else(tmp_path):
    check_folder(tmp_path / "new")
    for name in saved_report.OUTPUTS:
        (tmp_path / name).write_text("{}")
        with pytest.raises(UserError, match=f"holds no table, and a report in it would replace its {name}; choose another"):
            check_folder(tmp_path)
        (tmp_path / name).unlink()
    (tmp_path / "report.md").write_text("a report without a table.json, as results/ has them")
    (tmp_path / "report.json").write_text('{"title": "t", "configs": {}, "rows": {}}')
    check_folder(tmp_path)


def test_a_report_written_anew_has_no_rows_that_came_later(summary, tmp_path):
    saved = saved_report.dump(summary)
    del saved["rows"]["b"], saved["configs"]["b"]
    (tmp_path / "report.json").write_text(json.dumps(saved))
    table = saved_report.as_reported(TABLE, tmp_path)
    assert list(table.rows) == [row for row in TABLE.rows if row in saved["rows"]] and "b" not in table.rows
    assert table.claims == () and table.seeds == (0, 1, 2, 3, 4)
    assert saved_report.as_reported(TABLE, tmp_path, (0, 2)).seeds == (0, 2)
    saved["rows"] = {"z": []}
    (tmp_path / "report.json").write_text(json.dumps(saved))
    with pytest.raises(UserError, match="has none of this table's rows"):
        saved_report.as_reported(TABLE, tmp_path)


def test_trajectories_are_not_drawn_empty_where_the_runs_are_gone():
    from configs.ablations import dirac

    assert dirac.trajectories(SimpleNamespace(results={"GAN, simultaneous": [Result(None, "done")]})) is None
