"""What is read from a table's cells, and how it is printed."""

import csv
import dataclasses
import html
import io
import json
import math
import re
from types import SimpleNamespace

import pytest
from made_tables import summary
from PIL import Image

from jaxgan.ablation import figures, formats, notices, page, report
from jaxgan.ablation.entries import entry_of
from jaxgan.ablation.results import Result, read_result, series, summarise
from jaxgan.ablation.table import Claim, Column, Row, Table
from jaxgan.errors import UserError

X = (Column("x", better="higher", format=".1f"),)


def asked(**changes):
    """A cell's config, as far as it says how to score."""
    features = SimpleNamespace(name="digits")
    wanted = {"split": "test", "num_samples": 1000, "num_real": 0, "ema": True, "metrics": ("fd",), "features": features}
    wanted |= {"every": 1, "repeats": 1}
    return SimpleNamespace(eval=SimpleNamespace(**wanted | changes), data=SimpleNamespace(split="train"))


CONFIG = asked()


GOOD, POOR = [8.0, 8.1, 7.9, 8.0, 8.2], [6.0, 6.2, 5.9, 6.1, 6.3]


def test_runs_of_unlike_steps_are_refused(tmp_path):
    cells = []
    for seed, step in enumerate((4, 6)):
        folder = tmp_path / str(seed)
        folder.mkdir()
        one = {"step": step, "scores": {"fd_digits1k": {"values": [1.0]}}, "protocol": {"samples": {"images": 1000}}}
        (folder / "evaluation.json").write_text(json.dumps({"evaluations": [one]}))
        (folder / "DONE").write_text(json.dumps({"step": step}))
        cells.append(
            SimpleNamespace(folder=folder, is_over=True, stages={}, failure=None, row="a", seed=seed, config=CONFIG)
        )
    table = Table("T", "P", "D", "how", (Column("fd"),), {"a": Row()}, (0, 1))
    with pytest.raises(UserError, match="row 'a' are of unlike steps: 4, 6"):
        summarise(table, cells)
    cells[0].is_over = False  # it is to train on, and does not count as yet
    assert [result.state for result in summarise(table, cells).results["a"]] == ["open", "done"]


@pytest.mark.parametrize("head, paper", [("published", "7.9 +- .1"), ("paper's order", "1 (7.9 +- .1)")])
def test_tables_in_every_format(head, paper):
    rows = {"a_1": GOOD, "b & c": [*POOR[:3], None, ...], "all gone": [None, None], "sick": [(1.0,), (2.0,)]}
    claims, beside = [Claim("x", "a_1", above=7, text="<b> holds")], {"noise": [1.0, 1.1, 1.2]}
    found = summary(rows, claims, X, controls=beside, comparable=head == "published")
    found.table.rows["a_1"].published["x"] = "7.9 +- .1"
    assert formats.grid(found).splitlines() == [
        f"| | x ↑ | {head} | runs | failed |",
        "|---|---:|---:|---:|---:|",
        f"| a_1 | 8.0 ± 0.1 | {paper} | 5 | 0 of 5 [0, 52] % |",
        "| b & c | 6.0 ± 0.2 | - | 3, 1 diverged, 1 open | 1 of 4 [1, 81] % |",
        "| all gone | diverged | - | 0, 2 diverged | 2 of 2 [16, 100] % |",
        "| sick | (1.5) | - | 0, 2 collapsed | 2 of 2 [16, 100] % |",
        "| noise | 1.1 ± 0.1 | - | 3 draws | - |",
    ]
    tex = formats.tex(found)
    assert r"b \& c & 6.0 $\pm$ 0.2 & - & 3, 1 diverged, 1 open & 1 of 4 [1, 81] \% \\" in tex
    assert rf"a\_1 & 8.0 $\pm$ 0.1 & {paper} & 5 & 0 of 5".replace("+-", r"$\pm$") in tex
    shown = page.page(found, {"data": "<none>"}, {}, {})
    assert "&lt;b&gt; holds" in shown and "b &amp; c" in shown and "&lt;none&gt;" in shown and "http" not in shown
    assert shown.count('class="published"') == 1 + len(found.entries) + 1
    lines = list(csv.DictReader(io.StringIO(formats.as_csv(found))))
    assert [line["row"] for line in lines] == [*rows, "noise"] and all(line["best"] == "False" for line in lines)
    first, _, gone, sick, noise = lines
    assert (first["n"], first["published"], first["failed"], first["runs"]) == ("5", "7.9 +- .1", "0 of 5", "5")
    assert first["values"] == "8.0;8.1;7.9;8.0;8.2" and math.isclose(float(first["mean"]), 8.04)
    assert [float(first[end]) for end in ("low", "high")] == pytest.approx(found.entries["a_1"]["x"].interval)
    assert gone["n"] == "0" and not any(gone[key] for key in ("mean", "std", "low", "high", "noise", "values"))
    assert (gone["runs"], gone["failed"]) == ("0, 2 diverged", "2 of 2")
    assert sick["failed_values"] == "1.0;2.0" and not sick["values"] and noise["runs"] == "3 draws"


def test_the_spread_between_sets_of_samples_stands_beside_that_between_runs():
    found = summary({"a": [[8.0, 8.2], [9.0, 9.2], [7.0, 7.2]]}, (), (Column("x", format=".2f"),))
    assert formats.grid(found).splitlines()[2] == "| a | 8.10 ± 1.00 ± 0.14 | 3 | 0 of 3 [0, 71] % |"
    (line,) = csv.DictReader(io.StringIO(formats.as_csv(found)))
    assert math.isclose(float(line["noise"]), 0.1 * math.sqrt(2)) and line["values"].startswith("8.1;9.1;7.")


def test_illnesses_are_listed_by_row(tmp_path):
    found = summary({"a": GOOD, "b": POOR})
    ill = [
        dataclasses.replace(result, cell=SimpleNamespace(seed=i), verdict="collapsed: all alike" if i < 2 else "healthy")
        for i, result in enumerate(found.results["b"])
    ]
    found.results["b"] = ill
    assert notices.illnesses(found) == ["- b, seeds 0-1: collapsed: all alike"]
    assert "<li>b, seeds 0-1: collapsed: all alike</li>" in page.page(found, {}, {}, {})
    assert "## What the stability monitor said last\n\n- b, seeds 0-1" in report.markdown(found, {}, [])
    assert "monitor" not in report.markdown(summary({"a": GOOD, "b": POOR}), {}, [])


def test_runs_that_went_back_are_listed_by_row():
    found = summary({"a": [{"x": 1.0}] * 3})
    some = [
        dataclasses.replace(x, numbers=x.numbers | {"rollbacks": n}) for x, n in zip(found.results["a"], (2.0, 0.0, 1.0))
    ]
    found.results["a"] = [dataclasses.replace(x, cell=SimpleNamespace(seed=i)) for i, x in enumerate(some)]
    assert notices.rollbacks(found) == [
        "- a, seed 0: went back to a checkpoint 2 times, and on with other noise",
        "- a, seed 2: went back to a checkpoint 1 time, and on with other noise",
    ]
    assert "## Runs that diverged on the way" in report.markdown(found, {}, [])


def test_anomaly_scores_below_chance_and_leaks_are_listed_by_row():
    found = summary({"a": [{"auroc": 0.9}] * 2, "b": [{"auroc": 0.42}, {"auroc": 0.6}]}, (), (Column("auroc"),))
    leak = {"measured": {"anomaly": {"detector": {"leaks": ["BatchNorm"]}}}}
    found.results["a"] = [dataclasses.replace(x, evaluation=x.evaluation | leak) for x in found.results["a"]]
    below = "- b, seed 0: below chance: normal pictures score higher than abnormal ones (AUROC 0.420)"
    assert notices.anomalies(found) == ["- a, seeds 0-1: a leak: BatchNorm", below]
    assert f"## What the anomaly scores say\n\n- a, seeds 0-1: a leak: BatchNorm\n{below}" in report.markdown(found, {}, [])


def test_the_best_of_all_evaluations_is_a_column_that_says_it_is_a_leak(tmp_path):
    lines = [{"step": step, "eval/auroc": auroc, "eval/fd_digits1k": fd} for step, auroc, fd in ((2, 0.9, 5), (4, 0.8, 7))]
    (tmp_path / "metrics.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in [*lines, {"step": 4, "eval/auroc": None}])
    )
    found = read_result(SimpleNamespace(folder=tmp_path, is_over=True, stages={}, failure=None, config=CONFIG))
    assert (found.numbers["best/auroc"], found.numbers["best/fd"]) == (0.9, 5)
    assert Column("best/auroc").name == "auroc (best epoch, a leak)" and Column("best/auroc", "A").name.startswith("A (best")
    entry = entry_of(Column("best/auroc"), [dataclasses.replace(found, state="done", cell=SimpleNamespace(seed=3))])
    assert entry.values == (0.9,) and entry.within == (0, 1)


def test_curves_are_over_the_steps_that_all_runs_have(tmp_path):
    def run(values):
        history = [{"step": step, "eval/fd_digits1k": value, "gen/loss": None} for step, value in values.items()]
        return Result(None, "done", history=history)

    steps, values = series([run({10: 1.0, 20: 2.0}), run({10: 3.0, 20: 4.0, 30: 5.0})], "fd")
    assert steps.tolist() == [10, 20] and values.tolist() == [[1, 2], [3, 4]]
    assert not len(series([run({10: 1.0})], "gen/loss")[0])  # never finite


def test_of_several_evaluations_the_one_that_the_config_asks_for_counts(tmp_path):
    def evaluation(split, images, *values, name="digits", **protocol):
        protocol = {"real": {"data": f"digits/1.0.0, split {split} (32x32, crop)"}, "samples": {"images": images}} | protocol
        return {"step": 4, "scores": {f"fd_{name}1k": {"values": values}}, "protocol": protocol}

    of = [evaluation("test", 1000, 1.0), evaluation("train", 1000, 2.0), evaluation("test", 500, 3.0)]
    of.append(evaluation("test", 1000, 4.0) | {"step": 2})
    (tmp_path / "evaluation.json").write_text(json.dumps({"evaluations": of}))
    (tmp_path / "DONE").write_text('{"step": 4}')
    (tmp_path / "metrics.jsonl").write_text(
        '{"step": 4, "gen/loss": 0.5, "disc/loss": null, "verdict": "healthy"}\n{"step": 5, "cut'
    )
    cell = SimpleNamespace(folder=tmp_path, is_over=True, stages={}, failure=None, config=CONFIG)
    result = read_result(cell)
    assert result.numbers["fd"] == 1.0 and result.numbers["gen/loss"] == 0.5 and "disc/loss" not in result.numbers
    assert result.verdict == "healthy" and "verdict" not in result.numbers
    assert result.state == "done" and math.isclose(result.history[0]["gen/loss"], 0.5)
    again = evaluation("test", 1000, 1.0, 9.0, precision="other")  # more sets of samples
    random = evaluation("test", 1000, 7.0, name="random", extractor={"name": "random"})
    alone = evaluation("test", 1000, 8.0, name="is") | {"scores": {"is_digits1k": {"values": [8.0]}}}
    (tmp_path / "evaluation.json").write_text(json.dumps({"evaluations": [*of, again, random, alone]}))
    found = read_result(cell)
    assert found.evaluation == json.loads(json.dumps(again))
    assert found.numbers["fd"] == 1.0 and found.sets["fd"] == (1.0,)  # the config asks for one set
    cell.config = asked(repeats=3)
    assert read_result(cell).numbers["fd"] == 5.0 and read_result(cell).sets["fd"] == (1.0, 9.0)  # the mean over its sets
    cell.config = CONFIG
    with (tmp_path / "metrics.jsonl").open("w") as file:  # what the run itself measured, before it was scored again by hand
        file.write('{"step": 4, "eval/fd_digits1k": 1.0, "gen/loss": 0.5}\n{"step": 4, "gen/loss": null}\n')
    of[0]["scores"]["fd_digits1k"]["values"], again["scores"]["fd_digits1k"]["values"] = [1.0], [1.5, 9.0]
    (tmp_path / "evaluation.json").write_text(json.dumps({"evaluations": [*of, again]}))
    found = read_result(cell)
    assert found.evaluation == json.loads(json.dumps(of[0]))
    assert found.numbers["fd"] == 1.0 and "gen/loss" not in found.numbers  # the final one is infinite
    of[0]["measured"], new = {"code": {"fd": "a1"}}, evaluation("test", 1000, 6.0) | {"measured": {"code": {"fd": "b2"}}}
    for there in ([*of, new], [new, *of]):  # the same protocol by other code, which was not there when the run was scored
        (tmp_path / "evaluation.json").write_text(json.dumps({"evaluations": there}))
        assert read_result(cell).evaluation == json.loads(json.dumps(of[0])) and read_result(cell).numbers["fd"] == 1.0
    (tmp_path / "metrics.jsonl").write_text('{"step": 4, "gen/loss": 0.5}\n')  # what the run itself measured is not known
    for there, value in (([of[0], new], 6.0), ([new, of[0]], 1.0)):
        (tmp_path / "evaluation.json").write_text(json.dumps({"evaluations": there}))
        assert read_result(cell).numbers["fd"] == value
    for other in ({"num_samples": 5000}, {"metrics": ("fd", "is")}, {"num_real": 50}, {"ema": False}):
        cell.config = asked(**other)
        (tmp_path / "evaluation.json").write_text(json.dumps({"evaluations": [
            evaluation("test", 1000, 1.0, real={"data": "digits/1.0.0, split test", "images": 1000},
                       samples={"images": 1000, "weights": "moving average"})]}))  # fmt: skip
        assert read_result(cell).state == "unscored" and "fd" not in read_result(cell).numbers


ODD = (
    "a|b",
    "<b>*x*</b> &amp; _y_",
    "`code` $x^2$",
    r"\\ {z} ~%#",
    "[t](u)",
    "[0]*",
    "# 1. x",
    "_hidden",
    "$ and $$",
    "é\n±",
)


def test_odd_names_are_shown_as_they_are_in_every_format(tmp_path):
    """Rows, columns, titles and claims with the marks of Markdown, HTML, LaTeX and matplotlib's formulas."""
    rows = {name: GOOD if i % 2 else POOR for i, name in enumerate(ODD)}
    columns = (Column("x", "x_<1>|$y$", "higher", ".1f"),)
    claims = [Claim(columns[0].name, ODD[1], than=ODD[0]), Claim(columns[0].name, ODD[2], above=1, text="<i>**so**</i>")]
    for values in (rows, {**rows, ODD[0]: [None, None]}):
        found = summary(values, claims, columns, notes="a <script> | `b`")
        found = dataclasses.replace(found, results={
            row: [dataclasses.replace(x, numbers={}, history=[{"step": s, "$l_o$": 1.0} for s in (1, 2)]) for x in some]
            for row, some in found.results.items()
        }, table=dataclasses.replace(found.table, curves=("$l_o$",)))  # fmt: skip
        text = report.markdown(found, {"data": "<u>", "command": "a `b`"}, ["curves"])
        assert "<" not in text.replace("&lt;", "") and r"**so**" not in text and "`` a `b` ``" in text
        lines = formats.grid(found).splitlines()
        assert {line.count("|") - line.count(r"\|") for line in lines} == {5}
        assert lines[2].startswith(r"| a\|b | ") and r"| \`code\` \$x^2\$ | " in lines[4]
        assert "| a|b |" in formats.grid(found, str)  # on the screen
        tex = formats.tex(found).splitlines()
        body = [line for line in tex if line.endswith(r" \\")][1:]
        assert len(body) == len(ODD) and all(not line.startswith(("[", "*")) for line in body)
        assert all(re.sub(r"\\[&%$#_{}]", "", line).count("&") == 3 for line in body)
        shown = page.page(found, {"data": "<u>"}, {}, {ODD[1]: "data:"})
        assert "<b>*x*" not in shown and shown.count("<script>") == 1 and "&lt;b&gt;*x*&lt;/b&gt; &amp;amp;" in shown
        assert [line[0] for line in csv.reader(io.StringIO(formats.as_csv(found)))][1:] == list(ODD)
        figure = figures.curves(found)
        shown = figures.svg(figure)
        figures.save(figure, tmp_path / "curves.png")
        for name in ODD:
            assert html.escape(name.split("\n")[0], quote=False) in html.escape(html.unescape(shown), quote=False)
        for path in (tmp_path / "a.png",):
            Image.new("RGB", (4, 4)).save(path)
            figures.save(figures.sheet(dict.fromkeys(ODD, path)), tmp_path / "sheet.png")


def test_a_value_that_is_no_number_is_left_out(tmp_path):
    """Null in an evaluation: what was not finite."""
    one = {"step": 4, "scores": {"fd_digits1k": {"values": [None]}}, "protocol": {"samples": {"images": 1000}}}
    (tmp_path / "evaluation.json").write_text(json.dumps({"evaluations": [one]}))
    (tmp_path / "DONE").write_text('{"step": 4}')
    (tmp_path / "metrics.jsonl").write_text('{"step": 4, "eval/fd_digits1k": null}\n')
    result = read_result(SimpleNamespace(folder=tmp_path, is_over=True, stages={}, failure=None, config=CONFIG))
    assert result.state == "done" and result.numbers == {"step": 4} and result.no_numbers == ("fd",)


def test_a_heat_map_shows_failed_runs_in_brackets():
    found = summary({"a": [2.0, 3.0], "b": [(1.0,), (1.2,)], "c": [None, None]})
    figure = figures.heat_map(found, "x", [["a", "b", "c"]], ["row"], list("abc"), ".1f")
    assert [text.get_text() for text in figure.axes[0].texts] == ["2.5", "(1.1)", "-"]
