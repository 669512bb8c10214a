"""README.md: its form, its examples as they stand, and its numbers, which are those of the results."""

import json
import os
import re
import runpy
import shlex
import statistics
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import ROOT
from PIL import Image

import jaxgan

TEXT = (ROOT / "README.md").read_text()
SMOKE = json.loads((ROOT / "results/smoke/report.json").read_text())


def section(heading: str) -> str:
    return TEXT[TEXT.index(f"\n## {heading}") + 1 :].partition("\n## ")[0]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown text outside of code, each a list of rows."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [[cells(line) for line in found.group().splitlines()] for found in re.finditer(r"(^\|.*\n)+", text, re.MULTILINE)]


def row_of(table: list[list[str]], word: str) -> list[str]:
    (row,) = [row for row in table if word in row[0]]
    return row


def commands(text: str) -> list[list[str]]:
    """The arguments of every command that a text shows, in a block or within a line."""
    lines = re.findall(r"^python launch\.py .*$|`python launch\.py [^`]+`", text, re.MULTILINE)
    return [shlex.split(line.strip("`"), comments=True)[2:] for line in lines]


def python_of(text: str) -> str:
    (code,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return code


def run(words: list[str], folder):
    command, env = [sys.executable, *words], {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "XLA_FLAGS": ""}
    done = subprocess.run(
        command, cwd=folder, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def launch(words: list[str], folder):
    return run([str(ROOT / "launch.py"), *words], folder)


def test_form():
    lines = TEXT.splitlines()
    assert len(lines) <= 150 and max(map(len, lines)) <= 120
    assert not re.search(r"(?<![\w.])\.\d", TEXT), "a number without its leading zero"
    assert not re.search(r"^<img.*\n(?!<img|\n)", TEXT, re.MULTILINE), "Markdown begins after an empty line"
    assert len(tables(TEXT)) == 6
    for table in tables(TEXT):
        assert len({len(row) for row in table}) == 1, table[0]


def test_one_version():
    found = [
        re.findall(rf"^{before}(\d+\.\d+\.\d+)", (ROOT / name).read_text(), re.MULTILINE)[0]
        for name, before in [("pyproject.toml", 'version = "'), ("CITATION.cff", "version: "), ("CHANGELOG.md", "## ")]
    ]
    assert set(found) == {jaxgan.__version__}


def test_links_and_pictures_exist():
    named = re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT) + re.findall(r'src="([^"]+)"', TEXT)
    assert not [path for path in named if "//" not in path and not (ROOT / path).exists()]


def test_pictures_show_what_results_have():
    strip = SimpleNamespace(**runpy.run_path(str(ROOT / ".ci/strip.py")))
    shown = re.findall(r'src="docs/strip/(\w+)\.png" width="\d+" alt="([^"]+)"', TEXT)
    assert [name for name, _ in shown] == list(strip.PICTURES)
    for name, alt in shown:
        source, box, config, data, minutes = strip.PICTURES[name]
        picture = np.asarray(Image.open(strip.FOLDER / f"{name}.png").convert("RGB"))[: strip.SIDE]
        np.testing.assert_array_equal(picture, np.asarray(strip.part(source, box)))
        assert alt.startswith(config) and alt.endswith(minutes.replace("min", "minutes"))


def test_results_are_those_of_the_report():
    (table,) = tables(section("Results"))
    rows = {"vanilla": "`vanilla.py`", "dcgan": "`dcgan.py`", "wgan": "`wgan.py`", "wgan:clip": "`wgan.py:clip`"}
    values = {row_of(table, word)[0]: [run["numbers"] for run in SMOKE["rows"][name]] for name, word in rows.items()}
    real = SMOKE["controls"]["real images"]
    values["real images"] = [{"fd": fd, "recall": recall} for fd, recall in zip(real["fd"], real["recall"])]
    for name, runs in values.items():
        fd, recall = ([run[key] for run in runs] for key in ("fd", "recall"))
        _, _, distance, share, count, _ = row_of(table, name)
        assert distance == f"{statistics.mean(fd):.1f} ± {statistics.stdev(fd):.1f}"
        assert share == f"{statistics.mean(recall):.3f}" and count.split()[0] == str(len(runs))


@pytest.mark.parametrize(("method", "folder"), [("StyleGAN-lite", "stylegan"), ("R3GAN", "r3gan")])
def test_results_of_single_runs_are_those_of_their_pages(method, folder):
    page = (ROOT / "results" / folder / "README.md").read_text()
    rows = [row for row in tables(section("Results"))[0] if method in row[0]]
    assert len(rows) == 2
    for _, _, distances, _, seeds, minutes in rows:
        assert len(distances.split(", ")) == int(seeds)
        assert all(re.search(rf"\| {distance}\b", page) for distance in distances.split(", "))
        assert re.search(rf"\b{minutes} (minutes|and)", page)


def test_the_cut_of_a_report_is_that_reports():
    (shown,), made = tables(section("A paper's table")), tables((ROOT / "results/dirac/report.md").read_text())[0]
    columns = [made[0].index(name) for name in shown[0][1:]]
    for row in shown[2:]:
        assert row[1:] == [next(line for line in made if line[0] == row[0])[i] for i in columns]
    verdicts = re.findall(r"^- (holds|contradicted): ", (ROOT / "results/dirac/report.md").read_text(), re.MULTILINE)
    assert f"{verdicts.count('holds')} of {len(verdicts)} claims hold" in TEXT and verdicts.count("contradicted") == 2


def test_speed_is_that_of_the_last_benchmarks():
    (shown,) = tables(section("Speed"))
    made = (ROOT / "benchmarks/results.md").read_text()
    for row in shown[2:]:
        ((python, jax),) = re.findall(r"Python ([\d.]+), jax ([\d.]+)", row[0])
        part = [p for p in made.split("\n## ") if f"jax {jax}." in p and f"Python {python}." in p and "| cyclegan |" in p][
            -1
        ]
        table = tables(part)[0]
        ratio = table[0].index("ratio")
        assert row[1:] == [f"{1 / float(line[ratio]):.2f}" for line in table[2:]]


def test_the_first_runs_score_is_the_shipped_models():
    (entry,) = json.loads((ROOT / "jaxgan/models/digits/evaluation.json").read_text())["evaluations"][-1:]
    (said,) = re.findall(r"`fd_digits5k` is about ([\d.]+)", TEXT)
    assert said == f"{entry['scores']['fd_digits5k']['value']:.1f}"


@pytest.mark.slow
def test_a_loss_of_ones_own(tmp_path):
    part = section("A loss of your own")
    code = python_of(part)
    assert len([line for line in code.splitlines() if line]) <= 12
    (tmp_path / "mine.py").write_text(code)
    (words,) = commands(part)
    launch([*words, "--config.steps=2", "--config.batch_size=8", "--config.nets.gen.width=4"], tmp_path)
    last = json.loads((tmp_path / "runs/smooth/metrics.jsonl").read_text().splitlines()[-1])
    assert np.isfinite(last["disc/loss"]) and np.isfinite(last["gen/loss"])


@pytest.mark.slow
def test_a_trained_generator(tmp_path):
    """Python's lines and the commands below them, on a run of two steps."""
    (train, *_) = commands(section("Install"))
    small = ["--config.steps=2", "--config.batch_size=8", "--config.nets.gen.width=4", "--config.nets.disc.width=4"]
    launch([*train, *small, "--config.sample.every=2"], tmp_path)
    assert (tmp_path / "runs/wgan/samples/step_00000002.png").exists()
    part = section("A trained generator")
    code = python_of(part)
    run(["-c", code + "assert (images.dtype, images.shape) == ('uint8', (64, 28, 28, 1))"], tmp_path)
    for words in commands(part):
        launch(words, tmp_path)
    for name in ("grid.png", "exported/model.safetensors", "some.png", "archive/card.md"):
        assert (tmp_path / name).exists()
