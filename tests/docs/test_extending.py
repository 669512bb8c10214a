"""The pages of docs/extending: every file and command as it stands there, for a few steps, and answers to mistakes."""

import json
import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

from jaxgan import cli, command_line
from jaxgan.scores import table

FOLDER = ROOT / "docs" / "extending"
SMALL = [
    f"--config.{field}"
    for field in ("steps=2", "batch_size=8", "log.every=1", "log.tensorboard=false", "sample.num=4", "sample.every=0")
] + ["--config.checkpoint.every=0"]
NARROW = [f"--config.nets.{net}.width=4" for net in ("gen", "disc")]
SCORED = ["every=2", "num_samples=200", "num_real=300", "repeats=1", "allow_few=true"]


def page(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text()


def files(name: str) -> dict[str, str]:
    """The Python files of a page."""
    return dict(re.findall(r"^`(\w+\.py)`:\n\n```python\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE))


def commands(name: str) -> list[list[str]]:
    """The words of a page's commands."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)
    blocks = [body for kind, body in blocks if kind in ("", "console")]
    return [shlex.split(line) for block in blocks for line in block.replace("\\\n", "").splitlines() if line]


PAGES = sorted(path.stem for path in FOLDER.glob("*.md"))
FILES = {file: code for name in PAGES for file, code in files(name).items()}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the files of all pages, in which commands run."""
    folder, before = tmp_path_factory.mktemp("mine"), Path.cwd()
    for file, code in FILES.items():
        (folder / file).write_text(code)
    os.chdir(folder)
    path, modules = list(sys.path), set(sys.modules)
    yield folder
    os.chdir(before)
    sys.path[:] = path
    for name in {Path(file).stem for file in FILES} & (set(sys.modules) - modules):
        del sys.modules[name]


def launch(words: list[str], small: list[str]) -> int:
    """The exit code of a page's command with more overrides; a script is run as Python runs it."""
    assert words[0] == "python"
    if words[1] == "launch.py":
        return cli.main([*words[1:], *small])
    argv, sys.argv = sys.argv, [*words[1:], *small]
    try:
        runpy.run_path(words[1], run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = argv
    raise AssertionError("a script ends with an exit code")


def logged(workdir: str) -> dict:
    return json.loads((Path("runs") / workdir / "metrics.jsonl").read_text().splitlines()[-1])


def config_of(workdir: str) -> dict:
    return json.loads((Path("runs") / workdir / "config.json").read_text())["config"]


def told(name: str, *spans: str) -> None:
    """What a test looks for is what the page says."""
    assert all(f"`{span}`" in page(name) for span in spans)


def test_every_page_has_a_file_and_a_command():
    assert PAGES == ["data", "index", "loss", "metric", "network", "table", "task", "term", "verb"]
    for name in PAGES:
        assert commands(name) and (files(name) or name == "index")
        assert f"({name}.md)" in page("index") or name == "index"
        assert page(name).count("```python") == len(files(name))


@pytest.fixture(scope="module")
def smooth(home):
    """The run of the page on losses."""
    [words] = commands("loss")
    assert launch(words, [*SMALL, *NARROW]) == 0
    return "smooth"


def test_loss(smooth):
    told("loss", "disc/adversarial", "gen/adversarial", "disc/loss", "gen/loss")
    last = logged(smooth)
    assert all(np.isfinite(last[name]) for name in ("disc/adversarial", "gen/adversarial", "disc/loss", "gen/loss"))
    assert "disc/accuracy_real" not in last and config_of(smooth)["objective"]["loss"] == "smooth:SMOOTH"


@pytest.mark.slow
def test_term(home):
    [words] = commands("term")
    assert launch(words, [*SMALL, *NARROW]) == 0
    told("term", "disc/zero", "disc/zero_slope")
    last = logged("zero")
    assert last["disc/zero"] > 0 and last["disc/zero_slope"] > 0
    assert last["disc/loss"] == pytest.approx(last["disc/adversarial"] + 2 * last["disc/zero"], rel=1e-5)


@pytest.mark.slow
def test_network(home):
    [words] = commands("network")
    assert launch(words, [*SMALL, "--config.nets.disc.width=4"]) == 0
    told("network", '{"name": "resized:Generator", "width": 16}')
    assert config_of("resized")["nets"] == {
        "gen": {"name": "resized:Generator", "width": 16},
        "disc": {"name": "resized:Discriminator", "width": 4},
    }


@pytest.mark.slow
def test_task(home):
    [words] = commands("task")
    assert launch(words, [*SMALL, "--config.nets.net.width=4"]) == 0
    assert logged("denoiser")["net/loss"] > 0
    picture = Image.open("runs/denoiser/samples/step_00000002.png")
    assert picture.width >= 3 * 28  # columns


@pytest.mark.slow
def test_data(home, capfd):
    [words] = commands("data")
    assert launch(words, [*SMALL, *NARROW]) == 0
    answer = "discs, 500 of 16 px: 500 images of 16x16x1, 2 classes"
    told("data", answer)
    assert answer in capfd.readouterr().out
    assert Path("runs/discs/samples/real.png").exists()


@pytest.fixture
def as_before():
    """Takes back what scripts add to the package's tables."""
    tables = table.METRICS, command_line.VERBS
    before = [dict(one) for one in tables]
    yield
    for one, old in zip(tables, before):
        one.clear()
        one.update(old)


@pytest.mark.slow
def test_metric(home, as_before, capsys):
    [words] = commands("metric")
    small = [*SMALL, *NARROW, *(f"--config.eval.{field}" for field in SCORED)]
    assert launch(words, small) == 0
    [found] = json.loads(Path("runs/gap/evaluation.json").read_text())["evaluations"]
    scores = found["scores"]
    gap, distance = (scores[f"{part}_digits200"]["values"][0] for part in ("mean_gap", "fd"))
    assert 0 < gap < distance
    del table.METRICS["mean_gap"]
    capsys.readouterr()
    assert launch(["python", "launch.py", *words[2:]], small) == 2
    answer = "error: unknown metric 'mean_gap' in eval.metrics"
    told("metric", answer, "mean_gap_digits5k")
    assert answer in capsys.readouterr().err


@pytest.mark.slow
def test_table(home, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", os.environ["XLA_FLAGS"].replace("count=4", "count=1"))  # of the workers
    [words] = commands("table")
    small = ["steps=4", "nets.gen.widths=4", "nets.disc.widths=4", "data.points=3000", "log.every=2", "eval.every=2"]
    assert launch(words, ["--seeds=0", *(f"--config.{field}" for field in small)]) == 0
    written = ("report.md", "report.html", "table.tex", "table.csv", "report.json")
    told("table", *written)
    assert all((Path("runs/mytable") / name).exists() for name in written)
    assert len(list(Path("runs/mytable/cells").glob("*/DONE"))) == 2


def test_verb(smooth, as_before, capsys):
    [words] = commands("verb")
    assert launch(words, []) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed] == ["1", "2"]
    assert float(printed[-1].split()[1]) == pytest.approx(logged(smooth)["gen/loss"], rel=1e-3)
    assert launch([*words[:-1], "--metric=gen/lss"], []) == 2
    assert "no metric 'gen/lss' in this run; did you mean 'gen/loss'?" in capsys.readouterr().err
    assert launch([*words[:2], "--help"], []) == 0
    assert "Prints how a metric of a run went." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "file"), [("metric", "jaxgan/scores/metrics_of_images.py"), ("verb", "jaxgan/command_line.py")]
)
def test_a_difference_fits_its_file(name, file):
    [lines] = re.findall(rf"^```diff\n--- a/{file}\n\+\+\+ b/{file}\n@@\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)
    sides = {side: "".join(line[1:] for line in lines.splitlines(True) if line[:1] in (" ", side)) for side in "-+"}
    before = (ROOT / file).read_text()
    assert before.count(sides["-"]) == 1
    names: dict = {}
    exec(compile(before.replace(sides["-"], sides["+"]), file, "exec"), names)
    if name == "verb":
        assert names["VERBS"]["history"] == "jaxgan.verbs.history"
        return

    class Fake:
        moments = type("Moments", (), {"mean": np.array([3.0, 4.0])})

    class Real:
        moments = type("Moments", (), {"mean": np.zeros(2)})

    assert names["METRICS"]["mean_gap"].fn(Real, Fake, False) == {"mean_gap": 25.0}


WRONG = {  # page: (file, what is changed in it, what the command says in place of the page's)
    "loss": ("smooth.py", ("", ""), ("SMOOTH", "smooth_disc")),
    "term": ("zero.py", ('side, needs = "critic", frozenset({"judged", "judged.answers"})', 'side = "critic"'), ("", "")),
    "network": ("resized.py", ("return Out(", "return ("), ("", "")),
    "task": ("denoiser.py", ("players =", "player ="), ("", "")),
    "data": ("discs.py", ("return Images(", "return dict("), ("", "")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_answered_as_the_page_says(name, home, capsys):
    file, change, typed = WRONG[name]
    stem = Path(file).stem
    wrong = FILES[file].replace(*change).replace(f'"{stem}:', f'"wrong_{stem}:')
    (home / f"wrong_{file}").write_text(wrong)
    [words] = commands(name)
    words = [word.replace(*typed) if typed[0] else word for word in words]
    words = [re.sub(rf"\b{stem}(?=[:.])", f"wrong_{stem}", word).replace("runs/", "runs/wrong_") for word in words]
    assert launch(words, [*SMALL, *(NARROW if name != "task" else [])]) == 2
    said = capsys.readouterr().err.replace(f"wrong_{stem}", stem)
    [answer] = re.findall(r"`(error: [^`]*)`", page(name))
    assert said.startswith(answer.removesuffix("..."))
