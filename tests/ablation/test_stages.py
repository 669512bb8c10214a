"""Rows that begin from other rows' runs: what waits, what is blocked, what is hidden, and the same table after a kill."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from helpers import ROOT, inside, launch, lend_controls

from jaxgan.ablation import notices, report, saved_report
from jaxgan.ablation.cells import CrashedError, check_crashed, groups, load_table, make_cells, train_cells
from jaxgan.ablation.progress import Progress
from jaxgan.ablation.results import read_result, summarise
from jaxgan.ablation.stages import blocked, divided, in_order, to_train, waits
from jaxgan.ablation.table import CONTROLS
from jaxgan.errors import UserError
from jaxgan.training import population
from jaxgan.workdir.checkpoint import kept_digest
from jaxgan.workdir.folder import Workdir

TABLE = '''
"""A table whose rows begin from each other."""
from configs import toy
from jaxgan.table import Claim, Column, Row, Stage, Table

VARIANTS = ("short", "long")

def get_config(variant):
    config = toy.get_config("ring")
    config.data.points = 500
    config.batch_size, config.steps = 8, {"short": 4, "long": 40}[variant]
    config.nets.gen.widths = config.nets.disc.widths = (4,)
    config.log = {"every": 2, "tensorboard": False}
    config.checkpoint = {"every": 2, "keep": 2}
    config.sample = {"every": 0, "num": 20}
    config.eval.update(num_samples=50, num_real=50, batch_size=50, every=0)
    return config

def table(variant):
    return Table(
        title="Stages", paper="none", data="a ring", protocol="the shortest",
        columns=(Column("modes", "modes", "higher", ".1f"), Column("gen/loss")),
        rows={ROWS},
        seeds=(0, 1), claims=(Claim("modes", "tuned", above=-1),), curves=("modes", "gen/loss"),
    )
'''
FROM = "init_from.workdir"
TUNED = f'"tuned": Row({{"{FROM}": Stage("base"), "init_from.players": "gen"}})'
BASE = '"base": Row()'
HIDDEN = '"base": Row(hidden=True)'
ENV = {"XLA_FLAGS": ""}


@pytest.fixture
def spec(tmp_path):
    def write(rows=f"{TUNED}, {BASE}", **changes):
        text = TABLE.replace("ROWS", rows)
        for old, new in changes.items():
            text = text.replace(old, new)
        (tmp_path / "table.py").write_text(text)
        return str(tmp_path / "table.py")

    return write


def cells(spec, folder, *overrides):
    return make_cells(load_table(spec), spec, folder, list(overrides))


def ended(cell, kind="done"):
    """Makes a cell look as if it had ended."""
    cell.workdir.path.mkdir(parents=True, exist_ok=True)
    cell.workdir.forget_failure()
    cell.workdir.reopen()
    cell.workdir.finish(cell.config.steps) if kind == "done" else cell.workdir.fail(kind, "no such luck")


def command(spec, folder, *arguments, check: int | None = 0):
    words = ("--mode=ablate", f"--config={spec}", f"--workdir={folder}", *arguments)
    if check == 2:
        return inside(*words, check=check)
    return launch(*words, check=check, env=ENV | {"PYTHONPATH": str(folder.parent)})


def test_an_override_with_a_value_for_each_seed(spec, tmp_path):
    given = {"seeds=(0, 1)": "seeds=(0, 1, 2, 4)", "import Claim": "import BySeed, Claim"}
    rows = f'"base": Row({{"data.points": BySeed((100, 200, 300))}}), {TUNED}'
    by_seed = {cell.name: cell.config.data.points for cell in cells(spec(rows, **given), tmp_path / "runs")}
    assert [by_seed[f"base, seed {seed}"] for seed in (0, 1, 2, 4)] == [100, 200, 300, 200]
    assert {x for name, x in by_seed.items() if name.startswith("tuned")} == {500}
    for values in ("()", "'abc'", "(Stage('tuned'),)"):
        rows = f'"base": Row({{"data.points": BySeed({values})}}), {TUNED}'
        with pytest.raises(
            UserError, match="row 'base', data.points: BySeed.* must be several values, none of them a Stage"
        ):
            cells(spec(rows, **given), tmp_path / "others")


def test_a_stage_is_the_run_of_the_same_seed_or_of_one_further_on(spec, tmp_path):
    rows = f'{TUNED}, "judged": Row({{"{FROM}": Stage("base", seed=1)}}), {BASE}'
    every = cells(spec(rows), tmp_path / "runs")
    assert [(cell.row, cell.seed, cell.number) for cell in every] == [
        ("tuned", 0, 0), ("tuned", 1, 1), ("judged", 0, 2), ("judged", 1, 3), ("base", 0, 4), ("base", 1, 5)
    ]  # fmt: skip
    assert [cell.stages[FROM].number for cell in every[:4]] == [4, 5, 5, 4]
    for cell in every[:4]:
        assert cell.config.init_from.workdir == str(cell.stages[FROM].folder)
    assert [cell.number for cell in in_order(every)] == [4, 5, 0, 1, 2, 3]
    table = dataclasses.replace(load_table(spec(rows)), seeds=(7,))  # comes round to itself
    assert make_cells(table, spec(rows), tmp_path / "runs", [])[1].stages[FROM].name == "base, seed 7"
    # The command line has the last word, and then nothing is waited for.
    assert cells(spec(rows), tmp_path / "runs", (FROM, "elsewhere"))[0].stages == {}
    assert not any("Stage" in text for cell in every for _, text in cell.overrides)


def test_a_stage_in_the_overrides_of_the_whole_table(spec, tmp_path):
    whole = {"seeds=(0, 1)": f'overrides={{"{FROM}": Stage("base")}}, seeds=(0, 1)'}
    every = cells(spec(f'"tuned": Row(), "base": Row({{"{FROM}": ""}})', **whole), tmp_path / "runs")
    assert [bool(cell.stages) for cell in every] == [True, True, False, False]
    with pytest.raises(
        UserError, match=r"row 'base', .*Stage\('base'\) is of its own row; Row\({'init_from.workdir': ''}\)"
    ):
        cells(spec(f'"tuned": Row(), {BASE}', **whole), tmp_path / "runs")


@pytest.mark.parametrize(
    "rows, changes, message",
    [
        (f"{TUNED}, 'bases': Row()", {}, "row 'tuned', init_from.workdir: no row 'base'; did you mean 'bases'"),
        (f'"tuned": Row({{"{FROM}": Stage("tuned", seed=1)}})', {}, r"row 'tuned', .*: Stage\('tuned'\) is of its own row$"),
        (f'"tuned": Row({{"{FROM}": Stage(1)}})', {}, r"Stage\(row=1, seed=0\) must be a row's name and a whole number"),
        (
            f'{TUNED}, "base": Row({{"{FROM}": Stage("c")}}), "c": Row({{"{FROM}": Stage("tuned")}})',
            {},
            r"stages go round in a circle: each of ('\w+' -> ){3}'\w+' waits for the next",
        ),
        (
            f'{BASE}, "tuned": Row({{"objective.loss": Stage("base")}})',
            {},
            "row 'tuned': 'objective.loss' is no workdir, and Stage.* stands for one; .*init_from.workdir",
        ),
        (f"{TUNED}, {BASE}", {'"tuned", above': 'Stage("base"), above'}, "a claim is about rows by their names"),
        (f"{TUNED}, {BASE}", {"above=-1": 'above=Stage("base")'}, "a claim is about rows by their names"),
        (
            f"{TUNED}, {HIDDEN}",
            {'"tuned", above': '"base", above'},
            "a claim names the row 'base', which is hidden; .*ned",
        ),
        (f"{TUNED}, {HIDDEN}", {"above=-1": 'than="base"'}, "a claim names the row 'base', which is hidden"),
        (f"{TUNED}, 'base': Row(published={{'modes': '8'}}, hidden=True)", {}, "'base' is hidden, and has published values"),
        ('"tuned": Row(hidden=True)', {}, "every row is hidden; a table shows one at least"),
    ],
)
def test_mistakes(spec, tmp_path, rows, changes, message):
    with pytest.raises(UserError, match=message):
        cells(spec(rows, **changes), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_cell_waits_for_its_stages_and_is_blocked_by_them(spec, tmp_path):
    rows = f'"last": Row({{"{FROM}": Stage("tuned", seed=1)}}), {TUNED}, {BASE}'
    last, other, tuned, _, base, _ = every = cells(spec(rows), tmp_path / "runs")
    assert [waits(cell) for cell in every] == [True] * 4 + [False] * 2 and not any(map(blocked, every))
    for kind in ("crashed", "diverged"):
        ended(base, kind)
        assert blocked(tuned) == f"its stage 'base' {kind}"
        assert blocked(other) == f"its stage 'tuned, seed 0' is blocked: its stage 'base' {kind}" and not blocked(last)
        assert read_result(tuned).state == read_result(other).state == "blocked"
        assert read_result(tuned).message == f"its stage 'base' {kind}" and read_result(last).state == "open"
    with pytest.raises(CrashedError, match="^2 of 6 cells blocked by their stages, which are not done$"):
        check_crashed(every)
    ended(base, "crashed")
    with pytest.raises(CrashedError, match="^1 of 6 cells crashed, 2 blocked by their stages; the same command tries them"):
        check_crashed(every)
    ended(base)
    assert not waits(tuned) and not blocked(tuned) and waits(other)


def test_the_engine_begins_what_can_begin(spec, tmp_path):
    rows = f'"last": Row({{"{FROM}": Stage("tuned")}}), {TUNED}, {BASE}'
    every = cells(spec(rows), tmp_path / "runs")
    last, tuned, base = every[:2], every[2:4], every[4:]
    todo = groups(in_order(every))
    assert todo == [base, [tuned[0]], [tuned[1]], [last[0]], [last[1]]]  # a population, and then each by itself
    assert divided(todo, []) == ([base], todo[1:], [])
    assert divided(todo[1:], base) == ([], todo[1:], [])
    ended(base[0])
    assert divided(todo[1:], base) == ([[tuned[0]]], todo[2:], [])
    ended(base[1], "crashed")  # and its process has ended
    assert divided(todo[1:], []) == ([[tuned[0]]], [[last[0]]], [[tuned[1]], [last[1]]])
    assert divided(todo, []) == ([base, [tuned[0]]], todo[2:], [])  # the next start tries it again
    shown = Progress(every)
    shown.leave_out([tuned[1], last[1]])
    assert shown.blocked == 2 and shown.total == 4 * every[0].config.steps
    shown.close()


def test_cells_with_different_stages_train_alone(spec, tmp_path):
    rows = f'{TUNED}, "slow": Row({{"{FROM}": Stage("base"), "init_from.players": "gen", "optim.gen.lr": 1e-5}}), {BASE}'
    a, b, slow, _, *_ = every = cells(spec(rows), tmp_path / "runs")
    kinds = [population.kind(cell.config) for cell in every]
    assert kinds[0] != kinds[1] and kinds[0] == kinds[2] and kinds[4] == kinds[5] and kinds[0] != kinds[4]
    assert [a, slow] in groups(every)  # one donor: they wait for the same
    assert population.kind(b.config) == population.kind(every[3].config)


def test_one_cell_whose_stage_is_not_done_names_it(spec, tmp_path):
    rows = f'"last": Row({{"{FROM}": Stage("tuned")}}), {TUNED}, {BASE}'
    every = cells(spec(rows), tmp_path / "runs")
    told = r"cell 3 \(tuned, seed 1\) begins from cell 5 \(base, seed 1\), which is not done; train that first, or all: "
    with pytest.raises(UserError, match=told + "--cell=3,5$"):
        train_cells([every[3]])
    with pytest.raises(UserError, match=r"cell 1 .* begins from cell 3 .* or all: --cell=1,3,5$"):
        train_cells([every[1]])
    ended(every[5], "crashed")
    with pytest.raises(UserError, match="cell 3 .* begins from cell 5"):
        train_cells([every[3]])
    assert not every[3].folder.exists()
    ended(every[5], "diverged")  # nothing would come of training it
    with pytest.raises(CrashedError, match="1 of 1 cells blocked by their stages"):
        train_cells([every[3]])
    assert not every[3].folder.exists()


def test_joined_rows_have_no_networks(spec, tmp_path):
    last = f'"last": Row({{"{FROM}": Stage("tuned")}})'
    every = cells(spec(f"{last}, {TUNED}, {HIDDEN}"), tmp_path / "runs")
    assert to_train(every, (), "") == every
    assert to_train(every, ("last",), "there") == every[2:]
    assert to_train(every, ("last", "tuned"), "there") == []  # nothing needs the hidden row
    with pytest.raises(UserError, match="row 'last' begins from runs of 'tuned', of which --join=there has numbers and no"):
        to_train(every, ("tuned",), "there")


def test_a_joined_row_s_stage_must_be_the_same(spec, tmp_path):
    """And where the folders are does not matter."""
    table = load_table(spec(f"{TUNED}, {HIDDEN}"))

    def made(folder, *overrides):
        return make_cells(table, spec(f"{TUNED}, {HIDDEN}"), folder, list(overrides))

    here = made(tmp_path / "here")
    ended(here[0], "diverged")
    saved = saved_report.dump(summarise(table, here))
    assert saved["rows"].keys() == {"tuned"} and str(tmp_path) not in json.dumps(saved["configs"])
    (tmp_path / "report.json").write_text(json.dumps(saved))
    assert saved_report.load(tmp_path, made(tmp_path / "there")).keys() == {"tuned"}
    other = made(tmp_path / "there", ("optim.gen.lr", "1"))
    other[0] = dataclasses.replace(here[0], stages=other[0].stages)
    other[1] = dataclasses.replace(here[1], stages=other[1].stages)
    with pytest.raises(UserError, match="is another than this table's; init_from.workdir.config.optim.gen.lr: .* -> 1"):
        saved_report.load(tmp_path, other)


def test_a_hidden_row_is_in_the_report_if_it_failed_and_may_be_another_task(spec, tmp_path):
    other = f'"base": Row({{"eval.metrics": "fd,kid"}}, config="{ROOT}/configs/vanilla.py", hidden=True)'
    with pytest.raises(UserError, match="row 'base': no score 'modes'"):
        cells(spec(f"{TUNED}, {other.replace(', hidden=True', '')}"), tmp_path / "runs")
    table, every = load_table(spec(f"{TUNED}, {other}")), cells(spec(f"{TUNED}, {other}"), tmp_path / "runs")
    assert [cell.config.eval.every for cell in every] == [4, 4, 0, 0]
    for cell in every:
        ended(cell)
    assert [read_result(cell).state for cell in every] == ["unscored"] * 2 + ["done"] * 2
    ended(every[2], "crashed")
    (every[0].folder / "DONE").unlink()
    summary = summarise(table, every)
    assert summary.results.keys() == summary.entries.keys() == {"tuned"}
    assert summary.runs("tuned") == "0, 1 blocked, 1 unscored"
    lines = notices.failures(summary)
    assert "- base, seed 0: crashed: no such luck" in lines and "- tuned, seed 0: blocked: its stage 'base' crashed" in lines
    assert summary.verdicts[0].answer == "undecided" and summary.verdicts[0].reason == "2 runs of tuned are not done"
    page = report.markdown(summary, {}, [])
    assert "| base" not in page and page.count("base") == 2


def digests(folder):
    """The newest checkpoint's digest of each cell."""
    out = {}
    for path in sorted(folder.glob("cells/*")):
        newest = max(Workdir(path).saved_steps, default=0)  # none, where it diverged at once
        out[path.name] = newest, kept_digest(path / "checkpoints", newest)
    return out


def table_of(folder):
    lines = (folder / "report.md").read_text().splitlines()
    timeless = [
        line for line in lines if not line.startswith(("- trained", "- scored", "- duration", "- controls", "- registered"))
    ]
    return (folder / "table.csv").read_text(), (folder / "table.tex").read_text(), timeless


@pytest.mark.slow
def test_a_table_of_stages_from_its_first_start_to_another_folder(spec, tmp_path, monkeypatch):
    """One command trains stages first; a stage that crashes blocks its cells until it is done; the folder may move."""
    (tmp_path / "faulty.py").write_text("def fail(real, fake):\n    raise OSError('no such luck')\n\nPAIR = (fail, fail)\n")
    hidden = '"base": Row({"objective.loss": "faulty:PAIR"}, hidden=True)'
    ill = f'"ill": Row({{"optim.gen.lr": 1e38}}), "of the ill": Row({{"{FROM}": Stage("ill")}})'
    file, folder = spec(f"{TUNED}, {hidden}, {ill}"), tmp_path / "runs"
    done = command(file, folder, check=1)
    assert "failed: 2 of 8 cells crashed, 4 blocked by their stages; the same command tries them again" in done.stderr
    assert "tuned, seed 1 blocked: its stage 'base' crashed" in done.stdout
    assert "of the ill, seed 0 blocked: its stage 'ill' diverged" in done.stdout
    text = (folder / "report.md").read_text()
    for line in (
        "- base, seeds 0-1: crashed: OSError: no such luck",
        "- tuned, seeds 0-1: blocked: its stage 'base' crashed",
        "- of the ill, seeds 0-1: blocked: its stage 'ill' diverged",
    ):
        assert line in text, line
    assert not (folder / "cells" / "tuned_0").exists()
    faulty = (tmp_path / "faulty.py").read_text()
    (tmp_path / "faulty.py").write_text(faulty.replace("raise OSError('no such luck')", "return (real - fake).mean()"))
    done = command(file, folder, "--workers=2", check=1)
    assert "failed: 2 of 8 cells blocked by their stages, which are not done" in done.stderr
    rows = {(row["row"], row["column"]): row for row in csv.DictReader((folder / "table.csv").open())}
    assert {row for row, _ in rows} - {*CONTROLS} == {"tuned", "ill", "of the ill"} and rows["tuned", "modes"]["n"] == "2"
    assert rows["of the ill", "modes"]["runs"] == "0, 2 blocked"
    text = (folder / "report.md").read_text()
    assert "base" not in text.partition("## Where it comes from")[0].replace("base = ", "")
    for i in (0, 1):
        taken = Workdir(folder / "cells" / f"tuned_{i}").donors[FROM]
        base = folder / "cells" / f"base_{i}" / "checkpoints"
        assert taken["step"] == 4 and taken["digest"] == kept_digest(base, 4)
    starts = json.loads((folder / "table.json").read_text())["starts"]
    command(file, folder, check=1)  # nothing can be trained: no start to speak of
    assert json.loads((folder / "table.json").read_text())["starts"] == starts
    # Elsewhere: what is done is done, and what is not goes on.
    moved = folder.rename(tmp_path / "moved")
    (moved / "cells" / "tuned_0" / "DONE").unlink()
    before = digests(moved)
    assert "tuned, seed 0 done" in command(file, moved, check=1).stdout and digests(moved) == before
    # Another stage, or more steps of it, would be another row.
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="row 'tuned': .* holds another experiment.*which does not hold the checkpoint"):
        cells(spec(f"{TUNED.replace('base', 'ill')}, {hidden}, {ill}"), moved)
    with pytest.raises(UserError, match="row 'tuned': .*tuned_0 began from step 4 of 'base', and that row now has 6 steps"):
        cells(spec(f"{TUNED}, {hidden}, {ill}"), moved, ("steps", "6"))


@pytest.mark.slow
def test_a_job_array_trains_a_stage_first(spec, tmp_path):
    file, folder = spec(), tmp_path / "runs"
    told = command(file, folder, "--cell=1", check=2).stderr
    assert "cell 1 (tuned, seed 1) begins from cell 3 (base, seed 1), which is not done; train that first" in told
    command(file, folder, "--cell=1,3")
    assert sorted(path.name for path in folder.glob("cells/*")) == ["base_1", "tuned_1"]
    command(file, folder, "--cell=2")
    command(file, folder, "--cell=0")
    assert "4 cells in" in command(file, folder).stdout and "| tuned |" in (folder / "report.md").read_text()


def saved(folder, cell):
    return [path for path in folder.glob(f"cells/{cell}/checkpoints/*") if path.name.isdigit()]


MOMENTS = {
    "the stage trains": lambda folder: saved(folder, "base_0"),
    "the row has begun": lambda folder: list(folder.glob("cells/tuned_*/config.json")),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A table that nothing stopped: its file and its folder."""
    home = tmp_path_factory.mktemp("whole")
    (home / "table.py").write_text(TABLE.replace("ROWS", f"{TUNED}, {BASE}"))
    command(f"{home}/table.py:long", home / "runs")
    return f"{home}/table.py:long", home / "runs"


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_table_of_stages_that_was_killed_ends_with_the_same_numbers(whole, tmp_path, moment):
    file, there = whole
    folder = tmp_path / "killed"
    lend_controls(there, folder)
    words = ["--mode=ablate", f"--config={file}", f"--workdir={folder}"]
    process = subprocess.Popen([sys.executable, str(ROOT / "launch.py"), *words], env={**os.environ, **ENV},
                               start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    deadline = time.monotonic() + 300
    while not MOMENTS[moment](folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)  # it and the process that trains
    process.wait()
    assert len(list(folder.glob("cells/*/DONE"))) < 4
    command(file, folder)
    assert table_of(folder) == table_of(there) and digests(folder) == digests(there)
    for i in (0, 1):
        ours, theirs = (Workdir(home / "cells" / f"tuned_{i}").donors[FROM] for home in (folder, there))
        assert ours == theirs | {"workdir": ours["workdir"]}
