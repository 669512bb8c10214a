"""A table from one command: every cell an ordinary run, whatever becomes of it, and the same table after a kill."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from helpers import ROOT, SMALL, inside, launch, lend_controls, noise_images

from jaxgan.ablation import report
from jaxgan.ablation.cells import CrashedError, groups, load_table, make_cells, train_cells
from jaxgan.ablation.changes import changes
from jaxgan.ablation.engine import _finish
from jaxgan.ablation.progress import read_table
from jaxgan.ablation.registered import read_registered, registered_of
from jaxgan.errors import UserError
from jaxgan.workdir.folder import Workdir

TABLE = '''
"""A table of nothing much."""
from configs import toy
from jaxgan.table import Claim, Column, Row, Table

VARIANTS = ("short", "long")

def get_config(variant):
    config = toy.get_config("ring")
    config.data.points = 500
    config.batch_size, config.steps = 8, {"short": 6, "long": 60}[variant]
    config.nets.gen.widths = config.nets.disc.widths = (4,)
    config.log = {"every": 2, "tensorboard": False}
    config.checkpoint = {"every": 2, "keep": 2}
    config.sample = {"every": 0, "num": 20}
    config.eval.update(num_samples=50, num_real=50, batch_size=50, every=3)
    return config

def table(variant):
    return Table(
        title="Nothing much", paper="none", data="a ring", protocol="the shortest",
        columns=(Column("modes", "modes", "higher", ".1f"), Column("gen/loss")),
        rows={ROWS},
        seeds=(0, 1), claims=(Claim("modes", "plain", above=-1),), curves=("modes", "gen/loss"),
    )
'''
PLAIN = '"plain": Row(published={"modes": "8"}), "more + R1": Row({"objective.terms.r1.weight": 1, "critic.pack": 2})'
ILL = '"diverges": Row({"optim.gen.lr": 1e38}), "crashes": Row({"objective.loss": "faulty:PAIR"})'


@pytest.fixture
def spec(tmp_path):
    def write(rows=PLAIN, name="table.py", **changes):
        text = TABLE.replace("ROWS", rows)
        for old, new in changes.items():
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        (tmp_path / "faulty.py").write_text(
            "def fail(real, fake):\n    raise OSError('no such luck')\n\nPAIR = (fail, fail)\n"
        )
        return str(tmp_path / name)

    return write


def cells(spec, folder, *overrides):
    return make_cells(load_table(spec), spec, folder, list(overrides))


def ended(spec, folder, *arguments, check: int | None = 0):
    env = {"XLA_FLAGS": "", "PYTHONPATH": str(folder.parent)}
    words = ("--mode=ablate", f"--config={spec}", f"--workdir={folder}", *arguments)
    if check == 2 or "--report_only" in arguments:
        return inside(*words, check=check)
    return launch(*words, check=check, env=env)


def test_cells_are_rows_with_seeds_and_their_configs(spec, tmp_path):
    plain, again, packed, _ = cells(spec(), tmp_path / "runs", ("steps", "8"))
    assert [cell.name for cell in (plain, again)] == ["plain, seed 0", "plain, seed 1"]
    assert packed.folder == tmp_path / "runs" / "cells" / "more_R1_0"
    assert packed.config.objective.terms.r1.weight == 1 and packed.config.critic.pack == 2 and packed.config.steps == 8
    assert [cell.config.seed for cell in (plain, again)] == [0, 1]
    assert [len(group) for group in groups([plain, again, packed])] == [2, 1]
    assert [len(group) for group in groups(cells(spec(), tmp_path / "runs", ("population", "off")))] == [1] * 4
    long = cells(f"{spec()}:long", tmp_path / "runs")
    assert long[0].config.steps == 60
    without = cells(spec(**{"every=3": "every=0"}), tmp_path / "runs")
    assert without[0].config.eval.every == 6  # at the end


@pytest.mark.parametrize(
    "rows, changes, message",
    [
        (
            PLAIN + ', "a": Row({"optim.gen.lrr": 1})',
            {},
            "row 'a': no config field 'optim.gen.lrr'; did you mean 'optim.gen.lr'?",
        ),
        (PLAIN + ', "a": Row(config="configs/wgn.py")', {}, "row 'a': no config file .*wgn.py.* did you mean"),
        (PLAIN + ', "a b": Row(), "a  b": Row()', {}, "two rows have names that differ in punctuation alone"),
        (
            '"plain": Row(published={"mods": "8"})',
            {},
            "published value for 'mods', no column; did you mean 'modes'",
        ),
        ('"plane": Row()', {}, "a claim names the row 'plain'; did you mean 'plane'"),
        (PLAIN, {"above=": 'than="plain", beyond=("plain", "plian"), text='}, "a claim names the row 'plian'; did you mean"),
        (PLAIN, {"above=": 'beyond=("plain", "plain"), above='}, "a claim about a gain, the row 'plain' over than="),
        (PLAIN, {"def table(variant)": "def tabel(variant)"}, r"has no table\(\), which makes an ablation's table"),
        (PLAIN, {"return Table(": "return dict("}, r"table\(\) must return a jaxgan.table.Table, not dict"),
        (PLAIN, {'Claim("modes"': 'Claim("mods"'}, "a claim names the column 'mods'; did you mean 'modes'"),
        (
            PLAIN,
            {'Column("modes"': 'Column("mods"'},
            "row 'plain': no score 'mods' among those of eval.metrics; did you mean 'modes'",
        ),
        (
            PLAIN,
            {'curves=("modes"': 'curves=("fd"'},
            "no score 'fd' among those of eval.metrics; known: high_quality, modes",
        ),
        (PLAIN, {'"higher"': '"more"'}, "column 'modes' is better 'higher', 'lower' or '', not 'more'"),
        (PLAIN, {'"plain", above=-1': '"plain"'}, "about the row 'plain' needs one of than, above, below and words"),
        (PLAIN, {'"plain", above=-1': '"plain", than="plain"'}, "compares the row 'plain' with itself; than_column= names"),
        (
            PLAIN,
            {"above=-1": 'above=-1, than_column="modes"'},
            "than_column='modes' is a column of numbers, of the row that",
        ),
        (PLAIN, {"above=-1": 'than="plain", than_column="mods"'}, "names the column 'mods'; did you mean 'modes'"),
        (PLAIN, {'"plain", above=-1': '"plain", words=("in",)'}, "a claim about 'modes' needs numbers"),
        (PLAIN, {'"modes", "plain", above=-1': '"gen/loss", "plain", than="more + R1"'}, "does not say what is better"),
        (PLAIN, {'paper="none"': 'papers="none"'}, "unexpected keyword argument 'papers'"),
        (PLAIN, {"seeds=(0, 1)": "seeds=5"}, "seeds must be several of int, .*, not 5"),
        (PLAIN, {"seeds=(0, 1)": "seeds=()"}, "the table has no seeds"),
        (PLAIN, {'Column("modes"': 'Column("high_quality", "modes"), Column("modes"'}, "two columns are called 'modes'"),
        (PLAIN, {'".1f"': '"2f%"'}, "'2f%' is no format of a number"),
        (PLAIN, {'"plain", above=-1': '"plain", words="in"'}, r"words must be several, \('in',\)"),
        (PLAIN, {"seeds=(0, 1)": 'seeds=(0, 1), sound={"mods": (1, 8)}'}, "sound names 'mods', .*; did you mean 'modes'"),
        (PLAIN, {"seeds=(0, 1)": 'seeds=(0, 1), sound={"modes": (8, 1)}'}, r"sound values of 'modes' .* not \(8, 1\)"),
        (PLAIN, {"seeds=(0, 1)": "seeds=(0, 1), looks=(2, 1)"}, r"looks are numbers of seeds that grow, .* not \(2, 1\)"),
        (PLAIN, {"seeds=(0, 1)": "seeds=(0, 1), looks=(1,)"}, "the last look is at 1 seeds, and the table has 2"),
        (PLAIN, {"above=-1": "above=-1, margin=2"}, r"has margin=2: it goes with than=, above 0"),
        (
            PLAIN,
            {'"higher", ".1f"': '"higher", ".1f", within=(8, 0)'},
            r"values within \(8, 0\); the first must be below the second",
        ),
        (PLAIN + ', "noise": Row()', {}, "the row 'noise' is a control, which every table has by itself; rename it"),
    ],
)
def test_mistakes_in_a_table_are_told_before_anything_runs(spec, tmp_path, rows, changes, message):
    with pytest.raises(UserError, match=message):
        cells(spec(rows, **changes), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_an_ablation_whose_cells_do_what_cells_may_do(spec, tmp_path):
    """Two rows that train, one that diverges, one that crashes: a report of all of them, and a second start that goes on."""
    folder, file = tmp_path / "runs", spec(f"{PLAIN}, {ILL}")
    done = ended(file, folder, "--workers=2", check=1)
    assert "failed: 2 of 8 cells crashed; the same command tries them again" in done.stderr
    assert "diverges, seed 0 diverged: the loss or a param of 'gen' is not finite" in done.stdout
    assert "crashes, seed 1 crashed: OSError: no such luck" in done.stdout
    rows = {(row["row"], row["column"]): row for row in csv.DictReader((folder / "table.csv").open())}
    assert rows["plain", "modes"]["n"] == "2" and rows["plain", "modes"]["published"] == "8"
    assert "scoring controls: real images, noise, untrained\ncontrols scored: " in done.stdout
    assert [rows[name, "modes"]["runs"] for name in ("real images", "noise", "untrained")] == [
        *["5 draws"] * 2,
        "2 draws",
    ]
    assert rows["real images", "modes"]["mean"] == "8.0"
    assert rows["diverges", "modes"]["runs"] == "0, 2 diverged" and rows["crashes", "modes"]["runs"] == "0, 2 crashed"
    report = (folder / "report.md").read_text()
    for line in (
        "- crashes, seeds 0-1: crashed: OSError: no such luck",
        "- diverges, seeds 0-1: diverged: the loss or a param of 'gen' is not finite after update 'gen' of step 1",
        "- not tested: plain: modes above -1",
        "![curves](curves.png)",
    ):
        assert line in report, line
    assert str(tmp_path) not in report.replace(file, "")
    page = (folder / "report.html").read_text()
    assert "<svg" in page and "data:image/webp" in page and 'src="http' not in page and len(page) < 2e6
    for name in ("curves.png", "samples.png", "table.tex"):
        assert (folder / name).stat().st_size > 100
    # A cell is a run like any other.
    first = folder / "cells" / "plain_0"
    launch("--mode=evaluate", f"--workdir={first}", env={"XLA_FLAGS": ""})
    value = Workdir(first).evaluations()[-1]["scores"]["modes_points50"]["value"]
    assert float(rows["plain", "modes"]["values"].split(";")[0]) == value
    # Again: what is done or has diverged is left alone, what crashed is tried again.
    before = {path: path.stat().st_mtime_ns for path in folder.glob("cells/*/checkpoints/*")}
    faulty = (tmp_path / "faulty.py").read_text()
    (tmp_path / "faulty.py").write_text(faulty.replace("raise OSError('no such luck')", "return (real - fake).mean()"))
    done = ended(file, folder)
    assert "8 cells in" in done.stdout and "6 done" in done.stdout and "crashes, seed 0 done" in done.stdout
    assert "scoring controls" not in done.stdout
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert "crashed" not in (folder / "report.md").read_text()
    # A start with nothing to do leaves the record of time alone; the report alone needs the folder alone.
    claimed, spec_text = read_registered(folder), open(file).read()
    assert [claim.above for claim in claimed.claims] == [-1] and read_table(folder)["scored"]
    open(file, "w").write(spec_text.replace("above=-1", "above=-2"))  # too late
    starts = json.loads((folder / "table.json").read_text())["starts"]
    assert len(starts) == 2 and all(start["seconds"] > 1 for start in starts)
    ended(file, folder)
    assert json.loads((folder / "table.json").read_text())["starts"] == starts
    assert read_registered(folder) == claimed
    assert json.loads((folder / "report.json").read_text())["registered"] == registered_of(folder) != None  # noqa: E711
    measured = [one["measured"] for cell in (0, 1) for one in Workdir(folder / "cells" / f"plain_{cell}").evaluations()]
    assert changes(load_table(file), claimed, measured) == ["claim changed: plain: modes above -2 (above -1 -> -2)"]
    (folder / "report.md").unlink()
    launch("--mode=ablate", f"--workdir={folder}", "--report_only", env={"XLA_FLAGS": "", "PYTHONPATH": str(tmp_path)})
    assert (folder / "report.md").exists()


@pytest.mark.slow
def test_one_cell_as_a_job_array_runs_it(spec, tmp_path):
    file, folder = spec(), tmp_path / "runs"
    ended(file, folder, "--cell=3")
    assert [path.name for path in (folder / "cells").iterdir()] == ["more_R1_1"] and not (folder / "report.md").exists()
    inside("--mode=ablate", f"--workdir={folder}", "--report_only")
    assert f"--config={file}" in (folder / "report.md").read_text()
    assert (folder / "cells" / "more_R1_1" / "DONE").exists()
    assert "the table has cells 0 to 3" in ended(file, folder, "--cell=4", check=2).stderr
    assert "leave --cell and --workers out" in ended(file, folder, "--cell=1", "--report_only", check=2).stderr
    done = ended(file, folder, "--report_only")
    assert "no controls have been scored" in done.stdout and not (folder / "controls.json").exists()
    assert "2 open" in done.stdout and "1, 1 open" in done.stdout
    # Another table takes that row as it is, even when its cells are gone, and trains the others.
    (folder / "cells").rename(tmp_path / "gone")
    other = tmp_path / "other"
    assert "2 cells in" in ended(file, other, f"--join={folder}").stdout
    assert sorted(path.name for path in (other / "cells").iterdir()) == ["plain_0", "plain_1"]
    assert read_registered(folder).seen == () and read_registered(other).seen == ("more + R1",)
    text = (other / "report.md").read_text()
    assert f"joined: more + R1 from {folder}" in text and f"--join={folder}" in text
    (other / "report.md").unlink()
    inside("--mode=ablate", f"--workdir={other}", "--report_only")
    assert (other / "report.md").read_text() == text
    rows = json.loads((other / "report.json").read_text())["rows"]
    assert {row: [run["seed"] for run in runs] for row, runs in rows.items()} == {"plain": [0, 1], "more + R1": [0, 1]}
    third = tmp_path / "third"
    assert "has every row" in ended(file, third, f"--join={other}", check=2).stderr
    ended(file, third, "--controls")
    assert [path.name for path in third.iterdir()] == ["controls.json"]
    assert "have been scored" in ended(file, third, "--controls").stdout
    ended(file, third, f"--join={other}", "--report_only")
    assert (third / "table.csv").read_text() == (other / "table.csv").read_text() and (third / "table.json").exists()
    folder.rename(tmp_path / "elsewhere")  # then a report has its joined rows from itself
    inside("--mode=ablate", f"--workdir={other}", "--report_only")
    assert (third / "table.csv").read_text() == (other / "table.csv").read_text()


def table_of(folder):
    lines = (folder / "report.md").read_text().splitlines()
    dated = ("- trained", "- scored", "- duration", "- controls", "- registered", "- report")
    timeless = [line for line in lines if not line.startswith(dated)]
    return (folder / "table.csv").read_text(), (folder / "table.tex").read_text(), timeless


@pytest.mark.slow
def test_an_ablation_that_was_killed_ends_with_the_same_table(spec, tmp_path):
    file = spec() + ":long"
    ended(file, tmp_path / "whole")
    folder = tmp_path / "killed"
    lend_controls(tmp_path / "whole", folder)
    words = ["--mode=ablate", f"--config={file}", f"--workdir={folder}"]
    env = {**os.environ, "XLA_FLAGS": ""}
    process = subprocess.Popen([sys.executable, str(ROOT / "launch.py"), *words], env=env, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    deadline = time.monotonic() + 200
    saved = lambda i: [path for path in folder.glob(f"cells/plain_{i}/checkpoints/*") if path.name.isdigit()]  # noqa: E731
    while not (saved(0) and saved(1)) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)  # it and the process that trains
    process.wait()
    assert not list(folder.glob("cells/*/DONE"))
    ended(file, folder)
    assert table_of(folder) == table_of(tmp_path / "whole")
    starts = json.loads((folder / "cells" / "plain_0" / "config.json").read_text())["starts"]
    assert [start["step"] > 0 for start in starts] == [False, True]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells a process that its parent has died")
def test_a_cell_s_process_is_told_to_save_when_its_parent_is_killed(tmp_path):
    child = (
        "import pathlib, signal, sys, time; from jaxgan.ablation import engine; folder = pathlib.Path(sys.argv[1]);"
        "signal.signal(signal.SIGTERM, lambda *_: ((folder / 'told').touch(), sys.exit()));"
        "engine.end_with_parent(); (folder / 'ready').touch(); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys; from jaxgan.ablation.engine import PARENT;"
        "subprocess.run([sys.executable, '-c', *sys.argv[1:]], env=os.environ | {PARENT: str(os.getpid())})"
    )
    process = subprocess.Popen([sys.executable, "-c", parent, child, str(tmp_path)], cwd=ROOT)
    awaited(tmp_path / "ready")
    process.kill()
    process.wait()
    awaited(tmp_path / "told")


def awaited(path):
    deadline = time.monotonic() + 40
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists()


def test_a_process_that_dies_is_told_of_and_what_it_never_came_to_goes_on(spec, tmp_path):
    every = cells(spec(), tmp_path / "runs")
    log = tmp_path / "log"
    log.write_text("all well\nSegmentation fault\n")
    both = groups(every)
    for cell in every:  # of an earlier start, and so no sign that this process came to them
        cell.folder.mkdir(parents=True)
        (cell.folder / "config.json").write_text("{}")
        os.utime(cell.folder / "config.json", (0, 0))
    began = time.time() - 1
    (every[0].folder / "config.json").write_text("{}")
    assert _finish(both, -11, log, began) == [[every[1]], both[1]]
    assert every[0].workdir.failure["message"] == "its process ended with code -11: Segmentation fault"
    assert every[2].workdir.failure is None
    fresh = groups(cells(spec(), tmp_path / "other"))
    assert _finish(fresh, 1, log, began) == [fresh[1]]  # it could not even begin: not for ever
    assert _finish(fresh[1:], 0, log, began) == []


@pytest.mark.slow
def test_seeds_of_the_command_line(spec, tmp_path):
    done = ended(spec(), tmp_path / "runs", "--seeds=5", "--config.steps=2", "--config.eval.num_samples=30")
    assert sorted(path.name for path in (tmp_path / "runs" / "cells").iterdir()) == ["more_R1_5", "plain_5"]
    assert "one run says nothing of spread" in done.stdout
    text = (tmp_path / "runs" / "report.md").read_text()
    assert "--config.steps=2 --config.eval.num_samples=30 --seeds=5`" in text and "- seeds: 5\n" in text
    assert np.isfinite(float(next(csv.DictReader((tmp_path / "runs" / "table.csv").open()))["mean"]))


def test_a_table_without_a_single_run_says_why(spec, tmp_path):
    file, folder = spec(), tmp_path / "runs"
    every, table = cells(file, folder), load_table(file)
    with pytest.raises(UserError, match="nothing has been trained in .*runs; leave --report_only out"):
        report.write(table, every, folder)
    every[1].workdir.fail("crashed", "no such luck")
    with pytest.raises(UserError, match="no cell could be trained; plain, seed 1: no such luck"):
        report.write(table, every, folder)


@pytest.mark.slow
def test_cells_whose_data_are_not_resident_train_alone(tmp_path, monkeypatch):
    (tmp_path / "table.py").write_text(
        "from configs import dcgan\nfrom jaxgan.table import Column, Row, Table\n\nget_config = dcgan.get_config\n\n"
        "def table():\n    return Table('T', 'P', 'D', 'how', (Column('gen/loss'),), {'a': Row()}, (0, 1, 2))\n"
    )
    changes = SMALL | {"steps": "2", "nets.gen.width": "4"}
    changes |= {"nets.disc.width": "4", "eval.features.name": "random", "eval.metrics": "kid", "eval.num_samples": "8"}
    monkeypatch.setattr("jaxgan.ablation.cells.open_data", lambda config: noise_images(resident=False))
    some = cells(str(tmp_path / "table.py"), tmp_path / "runs", *changes.items())
    some[1].workdir.fail("diverged", "before")
    train_cells(some)
    assert [(cell.folder / "DONE").exists() for cell in some] == [True, False, True]
    refused = cells(str(tmp_path / "table.py"), tmp_path / "other", *changes.items(), ("population", "on"))
    with pytest.raises(CrashedError, match="3 of 3 cells crashed"):
        train_cells(refused)
    assert "population=on needs data on the device" in refused[0].workdir.failure["message"]
