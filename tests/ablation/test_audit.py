"""Published tables are right, and what is wrong with one is found: everything once more by SciPy, from its runs."""

import hashlib
import json
import math
import re
import shutil

import numpy as np
import pytest
from helpers import ROOT
from made_tables import GOOD, NOISE, POOR, summary

from jaxgan.ablation import formats, page, report, saved_report
from jaxgan.ablation.audit.check import audit, main
from jaxgan.ablation.table import Claim, Column

COLUMNS = (
    Column("x", better="higher", format=".2f"),
    Column("distance", better="lower", format=".3g", within=(0, math.inf)),
    Column("share", "share, %", "higher", ".1f", scale=100, within=(0, 1)),
    Column("modes", better="higher", format=".1f", within=(0, 8), count=1),
    Column(title="word", word=lambda run: "?"),
)
RNG = np.random.default_rng(0)


def write(folder, found):
    """A table's files, as a report writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"paper": "P"}
    (folder / "report.md").write_text(report.markdown(found, about, []))
    (folder / "report.html").write_text(page.page(found, about, {}, {}))
    (folder / "table.csv").write_text(formats.as_csv(found))
    (folder / "report.json").write_text(json.dumps(saved_report.dump(found, about)))
    return folder


def run_of(x, distance=5.0, share=0.9, modes=7):
    """Numbers of a run, the first three with an own deviation."""
    x, distance, share = (value + RNG.normal(0, 0.1) * size for value, size in ((x, 1), (distance, 1), (share, 0.1)))
    return {"x": x, "distance": distance, "share": min(share, 1.0), "modes": float(modes + RNG.integers(0, 2))}


RUNS = {
    "good": [run_of(8, 3, 0.9) for _ in range(10)],
    "poor": [run_of(6, 5, 0.6, 4) for _ in range(10)],
    "like good": [run_of(8, 3, 0.7, 5) for _ in range(10)],
    "bad _1|": [run_of(5, 9, 0.5, 3) for _ in range(7)] + [None, (4.0,), {"x": math.nan, "distance": 3.0}],
    "worst": [run_of(1, 90, 0.1, 0) for _ in range(10)],
    "gone": [None] * 10,
    "sets": [{"x": [7 + x, 7.1 + x, 6.9 + x]} for x in NOISE],
    "open": [*GOOD[:9], ...],
    "words": ["in"] * 8 + ["out"] * 2,
    "waits": [...] * 10,
}
SHARED = {"nets": {"gen": {"name": "one"}}, "data": {"name": "digits"}}
CLAIMS = [
    Claim("x", "good", than="poor"),
    Claim("x", "poor", than="good"),
    Claim("x", "like good", than="good", margin=1),
    Claim("distance", "good", than="poor"),  # in pairs
    Claim("x", "good", than="bad _1|", beyond=("sets", "bad _1|"), text="<b> gains"),
    Claim("x", "sets", above=6.5),
    Claim("x", "good", below=9),
    Claim("distance", "good", below=4),
    Claim("share, %", "good", above=75),
    Claim("share, %", "poor", above=85),
    Claim("modes", "good", above=6),
    Claim("x", "good", than="gone"),
    Claim("x", "gone", than="good"),
    Claim("x", "open", than="good"),
    Claim("x", "waits", than="good"),
    Claim("x", "worst", above=0),
    Claim("x", "gone", below=1),
    Claim("modes", "worst", than="gone"),
    Claim("word", "words", words=("in", "on")),
]
CONTROLS = {
    "by seed": {seed: {"x": 2.0 + seed / 10, "distance": 80.0, "share": 0.1} for seed in range(10)},
    "real images": [{"x": 9.0, "distance": 0.1, "share": 1.0, "modes": 8.0}],
    "noise": [{"x": 2.0, "distance": 80.0, "share": 0.1, "modes": 0.0}, {"x": 2.1, "distance": 80.5, "share": 0.11}],
    "untrained": [{"x": 1.0, "distance": 90.0, "share": 0.0}],
}


def clean(**fields):
    fields = {"controls": CONTROLS, "configs": dict.fromkeys(("good", "poor"), SHARED)} | fields
    return summary(RUNS, CLAIMS, COLUMNS, **fields)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write(tmp_path_factory.mktemp("made") / "table", clean())


@pytest.fixture
def table(made, tmp_path):
    shutil.copytree(made, tmp_path / "table")
    return tmp_path / "table"


def test_a_table_as_it_was_written_is_right(made, capsys):
    verdicts = clean().verdicts
    assert {v.kind for v in verdicts} == {"welch", "pairs", "gains", "student", "binomial", "fisher", ""}
    assert {v.answer for v in verdicts} == {"holds", "contradicted", "equivalent", "undecided", "not tested"}
    found = audit(made)
    assert not found.findings
    assert found.claims == len(CLAIMS) and found.means > 30
    assert main([str(made.parent)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == f"1 tables, {found.means} means and intervals, {len(CLAIMS)} claims, {found.bold} bold cells " + (
        "recomputed: no mismatch"
    )
    assert any("note: scores of 78 runs do not say by which revision they were measured" in line for line in out)


def test_it_uses_nothing_of_what_it_checks():
    made = {"statistics", "comparison", "claims", "best", "entries", "results", "published", "notices"}
    for path in (ROOT / "jaxgan" / "ablation" / "audit").glob("[a-z]*.py"):
        text = path.read_text()
        lines = re.findall(r"^ *(?:from|import) jaxgan.*", text, re.MULTILINE)
        assert lines and not made & {word for line in lines for word in re.split(r"\W+", line)}


def test_one_table_is_checked_alone_and_pictures_are_none(made):
    (made.parent / "pictures").mkdir(exist_ok=True)
    (made.parent / "pictures" / "README.md").write_text("no table")
    assert main([str(made)]) == main([str(made.parent)]) == 0


def edit(file, old, new, count=1):
    """Puts a text in place of another one in a file."""

    def mistake(folder):
        text = (folder / file).read_text()
        assert old in text, text
        (folder / file).write_text(text.replace(old, new, count))

    return mistake


def change(*path, to):
    """Puts a value in place of another one in report.json; `to` may make it from the old one."""

    def mistake(folder):
        whole = json.loads((folder / "report.json").read_text())
        *outer, last = path
        part = whole
        for key in outer:
            part = part[key]
        part[last] = to(part[last]) if callable(to) else to
        (folder / "report.json").write_text(json.dumps(whole))

    return mistake


def remove(name):
    return lambda folder: (folder / name).unlink()


def cell_of(made, row, column):
    """A cell of report.md as it is printed."""
    lines = [line.split(" | ") for line in (made / "report.md").read_text().splitlines() if line.startswith("| ")]
    return next(line for line in lines if line[0] == f"| {row}")[1 + [c.name for c in COLUMNS].index(column)]


def csv_field(folder, row, column, field):
    """A line of table.csv: (it, one of its fields)."""
    lines = (folder / "table.csv").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{row},{column},"))
    return line, line.split(",")[lines[0].split(",").index(field)]


def in_csv(row, column, field, new):
    def mistake(folder):
        line, old = csv_field(folder, row, column, field)
        edit("table.csv", line, line.replace(f",{old},", f",{new},", 1) if ";" not in old else line.replace(old, new))(
            folder
        )

    return mistake


def in_markdown(row, column, new):
    return lambda folder: edit("report.md", f" {cell_of(folder, row, column)} ", f" {new} ")(folder)


def bold_elsewhere(folder):
    own, other = (cell_of(folder, row, "share, %") for row in ("good", "poor"))
    assert own.startswith("**")
    in_markdown("good", "share, %", own.strip("*"))(folder)
    in_markdown("poor", "share, %", f"**{other}**")(folder)


def copied(folder):
    change("rows", "poor", 3, "numbers", to=json.loads((folder / "report.json").read_text())["rows"]["poor"][1]["numbers"])(
        folder
    )


def registered(folder):
    """A registration, edited after its digest was taken."""
    claims = [x["claim"] for x in json.loads((folder / "report.json").read_text())["claims"]]
    block = {"date": "2026", "claims": claims}
    text = json.dumps(block, sort_keys=True, separators=(",", ":"))
    whole = json.loads((folder / "report.json").read_text()) | {
        "registered": block | {"digest": hashlib.sha256(text.encode()).hexdigest()}
    }
    (folder / "report.json").write_text(json.dumps(whole))
    assert not audit(folder).findings
    change("registered", "claims", 6, "below", to=8)(folder)


MISTAKES = {
    "a mean in report.md": (
        in_markdown("good", "x", "9.99 ± 0.09"),
        r"report.md: good, x: prints 9.99 ± 0.09, the runs give 8",
    ),
    "a deviation in report.html": (edit("report.html", "± ", "± 9"), r"report.html: good, x: prints 8.* ± 9"),
    "failures in report.md": (
        edit("report.md", "3 of 10 [", "2 of 10 ["),
        r"report.md: bad _1\|, failed: prints 2 of 10 \[",
    ),
    "runs in report.md": (edit("report.md", "1 collapsed", "0 collapsed"), r"report.md: bad _1\|, runs: prints 7, "),
    "a head in report.md": (edit("report.md", "distance ↓", "distance ↑"), r"report.md: its columns are x ↑, distance ↑"),
    "a row left out": (edit("report.md", "| worst |", "| best |"), r"report.md: worst: has no line"),
    "a mean in table.csv": (in_csv("good", "x", "mean", 9), r"table.csv: good, x: mean is 9, the runs give 8"),
    "a deviation in table.csv": (in_csv("poor", "x", "std", 0.5), r"table.csv: poor, x: std is 0.5, the runs give 0"),
    "an end in table.csv": (
        in_csv("poor", "distance", "low", 4.4),
        r"table.csv: poor, distance: low is 4.4, the runs give 4",
    ),
    "noise in table.csv": (in_csv("sets", "x", "noise", 0.3), r"table.csv: sets, x: noise is 0.3, the runs give 0.1"),
    "a value in table.csv": (
        in_csv("sets", "x", "values", "7;7;7;7;7;7;7;7;7;7"),
        r"table.csv: sets, x: values has 7.0 where the runs give 7.3",
    ),
    "bold in table.csv": (in_csv("poor", "x", "best", True), r"table.csv: poor, x: best is True, the runs give False"),
    "a value in report.json": (
        change("rows", "poor", 3, "numbers", "x", to=6.5),
        r"table.csv: poor, x: values has \d.* where the runs give 6.5",
    ),
    "a p-value": (change("claims", 3, "p", to=lambda p: p / 2), r"'good: distance lower than poor': p is .*, the runs give"),
    "a corrected p-value": (change("claims", 6, "corrected", to=lambda p: p / 2), r"'good: x below 9': corrected is"),
    "an end of an interval": (change("claims", 2, "low", to=-0.001), r"'like good: x higher than good': low is -0.001, the"),
    "a permutation test": (change("claims", 0, "check", to=0.9), r"'good: x higher than poor': check is 0.9, permutations"),
    "a kind of test": (change("claims", 0, "kind", to="welch"), r"says welch of 10, by the rules pairs of 10"),
    "an answer": (
        change("claims", 1, "answer", to="holds"),
        r"'poor: x higher than good': says holds, by the rules contradict",
    ),
    "an answer in report.md": (
        edit("report.md", "- contradicted: poor", "- holds: poor"),
        r"report.md: claims 'holds: poor: x h",
    ),
    "an answer in report.html": (
        edit("report.html", ">contradicted<", ">holds<"),
        r"report.html: claims 'holds: poor: x high",
    ),
    "a claim's words": (
        change("claims", 6, "text", to="good: x below 7"),
        r"'good: x below 7': is worded otherwise .* below 9'",
    ),
    "a claim's number": (
        change("claims", 6, "claim", "below", to=7.9),
        r"'good: x below 9': says holds, by the rules contrad",
    ),
    "an interval in words": (
        change("claims", 6, "estimate", to="8.0 [1.0, 9.0]"),
        r"prints 8.0 \[1.0, 9.0\], its numbers are 8.",
    ),
    "a p-value in words": (
        change("claims", 6, "reason", to="p = 1e-20"),
        r"'good: x below 9': prints p = 1e-20, where it is",
    ),
    "a dropped claim": (
        edit("report.md", "- undecided: gone", "\n- undecided: gone"),
        r"report.md: has 16 claims, report.json 1",
    ),
    "bold put on another cell": (bold_elsewhere, r"report.md: poor, share, %: prints \*\*60"),
    "a copied run": (copied, r"report.json: poor: seeds 1 and 3 have the same numbers"),
    "a repeated seed": (change("rows", "poor", 3, "seed", to=1), r"report.json: poor: two runs of seed 1"),
    "a seed of another table": (
        change("rows", "poor", 3, "seed", to=77),
        r"report.json: poor: seed 77: not among the table's seeds",
    ),
    "a run left out": (change("rows", "poor", to=lambda runs: runs[:9]), r"report.json: poor: has no run of seed 9"),
    "a registered claim": (registered, r"report.json: its registered claims were edited"),
    "a missing revision": (
        change("rows", "poor", 3, "starts", 0, to={"date": "2026"}),
        r"report.json: poor, seed 3: no git_revision says",
    ),
    "a missing start": (
        change("rows", "gone", 3, "starts", to=[]),
        r"report.json: gone, seed 3: no git_revision says what trained it",
    ),
    "a failed run counted": (
        change("rows", "bad _1|", 8, "failed", to=""),
        r"report.json: bad _1\|, seed 8: has not failed, by the rules failed",
    ),
    "a good run called failed": (
        change("rows", "poor", 2, "failed", to="collapsed"),
        r"poor, seed 2: failed \(collapsed\), by the rules has not failed",
    ),
    "a value out of its range": (
        change("rows", "poor", 3, "numbers", "share", to=1.5),
        r"poor, seed 3: share, % is 1.5, outside its range 0 to 1",
    ),
    "a control out of its range": (
        change("controls", "noise", "modes", to=[9.0]),
        r"noise: modes is 9, outside its range 0",
    ),
    "a control without a seed": (
        change("control_seeds", "by seed", "x", to=[0, 1]),
        r"report.json: by seed, x: 10 draws, and 2 seeds",
    ),
    "a mean that is not of its sets": (
        change("rows", "sets", 3, "numbers", "x", to=7.5),
        r"sets, seed 3, x: is 7.5, and its sets",
    ),
    "unlike protocols": (
        change("rows", "poor", 3, "evaluation", "protocol", "samples", "images", to=7),
        r"unlike protocols are not compared",
    ),
    "unlike steps": (change("rows", "poor", 3, "evaluation", "step", to=9), r"poor: its runs are of unlike steps, 7, 9"),
    "report.json removed": (remove("report.json"), r"report.md and report.html and table.csv without report.json"),
    "report.html removed": (remove("report.html"), r"report.html is not there"),
    "an older revision": (
        edit("report.json", '"columns"', '"old"'),
        r"report.json: written by an older revision; write it anew with --mode=ablate",
    ),
    "a claim about no column": (
        change("claims", 0, "claim", "column", to="y"),
        r"report.json is damaged \(KeyError: 'y'\)",
    ),
    "a format of no number": (change("columns", 0, "format", to="?"), r"report.json is damaged \(Unknown format code"),
    "a damaged file": (
        change("rows", "poor", 3, "numbers", "x", to="six"),
        r"report.json is damaged \(rows.poor\[3\].numbers.x",
    ),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_found_and_named(table, capsys, what):
    mistake, told = MISTAKES[what]
    mistake(table)
    assert main([str(table)]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    findings = [line for line in lines if ": note: " not in line]
    assert all(line.startswith(f"{table}: ") for line in lines)
    assert any(re.search(told, line) for line in findings), "\n".join(findings)
    assert last.endswith(f": {len(findings)} mismatch{'es' if len(findings) > 1 else ''}")


def random_table(seed, first=0):
    """Rows, claims, failures, ranges, formats, controls and looks of any kind. first: of the kinds of claims; 0 and 1 are of
    a row and a number."""
    rng = np.random.default_rng(seed)
    n, names = int(rng.choice([4, 5, 8, 10, 12, 20, 25])), [f"row {i}" for i in range(rng.integers(2, 5))]
    columns = (
        Column("x", better="higher", format=str(rng.choice([".2f", ".3g", ".1e"]))),
        Column(
            "distance", "d", str(rng.choice(["lower", "higher"])), ".2f", float(rng.choice([1.0, 0.1])), within=(0, math.inf)
        ),
        Column("modes", better="higher", format=".1f", within=(0, 8), count=1),
        Column("share", "share, %", "higher", ".1f", 100, within=(0, 1)),
    )
    failing = rng.choice([0.0, 0.02, 0.3, 1.0], len(names), p=[0.5, 0.2, 0.2, 0.1])

    def run(row):
        if rng.uniform() < failing[row]:
            return [None, (4.0,), {"x": math.nan}][rng.integers(3)]
        x, distance = means[row] + rng.normal(), float(np.exp(rng.normal(means[row] / 4, 0.2)))
        modes, share = rng.binomial(8, min(0.1 + means[row] / 12, 0.98)), rng.beta(5, 1 + means[row])
        some = list(x + rng.normal(0, 0.3, 3)) if with_sets else x
        return {"x": some, "distance": distance, "modes": float(modes), "share": share}

    means, with_sets = rng.uniform(3, 9, len(names)), rng.uniform() < 0.3
    rows = {name: [run(i) for _ in range(n)] for i, name in enumerate(names)}
    if rng.uniform() < 0.2:
        rows[names[0]][0] = ...

    def claim():
        column, (a, b, *more) = rng.choice(columns), rng.permutation(names)
        kind = rng.integers(first, 6)
        if kind < 2:
            pooled = {"x": 6, "distance": 3, "modes": 5, "share": 0.5}[column.score] * column.scale
            return Claim(column.name, str(a), **{("above", "below")[kind]: float(pooled * rng.uniform(0.7, 1.3))})
        if kind == 2 and len(more) > 1:
            return Claim(column.name, str(a), than=str(b), beyond=tuple(map(str, more[:2])))
        if kind == 5:
            return Claim(
                column.name, str(a), than=str(a), than_column=str(rng.choice([c.name for c in columns if c != column]))
            )
        margin = float(rng.choice([0.5, 2, 5])) if kind == 3 else None
        return Claim(column.name, str(a), than=str(b), margin=margin, paired=[None, True, False][rng.integers(3)])

    fields = {"looks": [(), (), (n, 2 * n), (n + 1,)][rng.integers(4)], "untested": "too short" * (rng.uniform() < 0.05)}
    fields["sound"] = {"x": (2.0, math.inf)} if rng.uniform() < 0.2 else {}
    if rng.uniform() < 0.4:
        low = {"x": 3.0, "distance": 9.0 if columns[1].better == "lower" else 1.0, "modes": 1.0, "share": 0.1}
        draws = [{name: value * rng.uniform(0.97, 1.03) for name, value in low.items()} for _ in range(n)]
        has_seeds = rng.uniform() < 0.5
        noise = dict(enumerate(draws)) if has_seeds else draws[:3]
        fields["controls"] = {"noise": noise, "untrained": draws[:1]}
    shared = [name for name in names if rng.uniform() < 0.5]
    return summary(
        rows, [claim() for _ in range(rng.integers(1, 7))], columns, configs=dict.fromkeys(shared, SHARED), **fields
    )


@pytest.mark.parametrize("seed", range(20))
def test_random_tables_are_right(seed, tmp_path):
    assert not audit(write(tmp_path, random_table(seed, first=2))).findings


@pytest.mark.parametrize("seed", range(20, 30))
def test_random_tables_with_claims_about_numbers_are_right(seed, tmp_path):
    assert not audit(write(tmp_path, random_table(seed))).findings


def plain(**fields):
    return (Column("x", better="higher", **({"format": ".2f"} | fields)),)


PAIR, WIDE = [-1.0, 1.0] * 5, [6, 6.1, 5.9, 6, 6.05]
RULES = {
    "five seeds and a number less than two deviations away": lambda: summary(
        {"a": [8.0, 8.1, 7.9, 8.05, 7.95]}, [Claim("x", "a", above=7.885)], plain()
    ),
    "seeds that would decide a claim about a number": lambda: summary(
        {"a": GOOD}, [Claim("x", "a", above=7.95)], plain()
    ),
    "an interval beside no run of ten": lambda: summary({"a": [None] * 10}, [Claim("x", "a", above=1)], plain()),
    "a mean of nought": lambda: summary({"a": PAIR}, [Claim("x", "a", above=-0.9)], plain()),
    "a gain of a row that fails more often": lambda: summary(
        {"a": [*(9 + NOISE), *[None] * 10], "b": [*(7 - NOISE)] * 2, "c": [*(5 + NOISE)] * 2, "d": [*(5 - NOISE)] * 2},
        [Claim("x", "a", than="b", beyond=("c", "d"))], plain(),
    ),
    "bold against the seeds that two rows share": lambda: summary(
        {"a": [5, 5.1, 4.9, 5, 5.05] + [20.0] * 5, "b": WIDE + [None] * 5}, (), plain(), configs=dict.fromkeys("ab", SHARED)
    ),
    "a field that changes no draw": lambda: summary(
        {"a": GOOD, "b": list(7.5 + NOISE)}, [Claim("x", "a", than="b")], plain(),
        configs={row: {"nets": {"z": 1}, "data": {"resident": row}} for row in "ab"},
    ),
    "shares that are all nought": lambda: summary(
        {"a": [0.0] * 10}, [Claim("x", "a", above=0.5)], plain(format=".3g", within=(0, 1))
    ),
    "two distances far apart at a strict level": lambda: summary(
        {"a": [0.1, 100.0]}, [Claim("x", "a", above=0.5)] * 10, plain(within=(0, math.inf))
    ),
    "equal values whose mean is rounded": lambda: summary(
        {"a": [1.004987562112089] * 12}, [Claim("x", "a", above=0.5)], plain(format=".5g", within=(0, math.inf))
    ),
    "rows that train nothing": lambda: summary(
        {"a": [*GOOD, *GOOD], "b": [*POOR, *POOR]}, [Claim("x", "a", than="b")], trained=0
    ),
    "rows that train nothing, each seed with its own data": lambda: summary(
        {"a": GOOD, "b": POOR}, [Claim("x", "a", than="b")], trained=0, apart=True
    ),
    "a seed that is hard for both rows": lambda: summary(
        {"a": [-80.0, *GOOD[1:]], "b": [-82.0, *POOR[1:]]}, [Claim("x", "a", than="b", paired=True)], plain()
    ),
    "a format of one digit": lambda: summary(
        {"a": [3.0] * 10, "b": [2.0] * 10}, [Claim("x", "a", than="b")], plain(format=".0e")
    ),
}  # fmt: skip


def test_runs_that_train_nothing_may_be_alike_where_their_data_are(tmp_path):
    """Seed 2 repeats seed 0; with data of its own, or a run of its own to begin from, it cannot."""
    values = {row: [0.12345678, 0.23456789, 0.12345678] for row in "ab"}
    for trained, apart, wrong in ((0, False, False), (0, True, True), (7, False, True)):
        folder = write(tmp_path / f"{trained}{apart}", summary(values, columns=plain(), trained=trained, apart=apart))
        assert any("seeds 0 and 2 have the same numbers" in one for one in audit(folder).findings) == wrong


@pytest.mark.parametrize("what", RULES)
def test_rules(what, tmp_path):
    assert not audit(write(tmp_path, RULES[what]())).findings


def test_paths_that_are_none(tmp_path, capsys):
    for path, told in ((tmp_path / "no", "is not there"), (tmp_path, "has no table's report.json")):
        assert main([str(path)]) == 2
        out, err = capsys.readouterr()
        assert not out and err.startswith(f"audit: {path} ") and told in err and err.count("\n") == 1


def test_published_tables_are_right():
    assert main([str(ROOT / "results")]) == 0
