"""The README's worked examples, as they stand there."""

import json
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT
from PIL import Image


def example(heading: str) -> tuple[str, list[str]]:
    """The Python file that a section shows, and the arguments of the command behind it."""
    text = (ROOT / "README.md").read_text()
    code, command = re.search(r"```python\n(.*?)```\s*```\n(.*?)```", text[text.index(heading) :], re.DOTALL).groups()
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == ["python", "launch.py"]
    return code, words[2:]


def run(words: list[str], folder):
    command, env = [sys.executable, str(ROOT / "launch.py"), *words], {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(command, cwd=folder, env=env | {"XLA_FLAGS": ""}, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_table_of_ones_own(tmp_path):
    code, words = example("## A paper's table")
    (tmp_path / "mytable.py").write_text(code)
    small = ["--config.steps=4", "--config.nets.gen.widths=4", "--config.nets.disc.widths=4", "--config.data.points=3000"]
    printed = run([*words, *small, "--config.log.every=2", "--config.eval.every=2"], tmp_path)
    assert "not tested: GAN + R1: high_quality higher than GAN (" in printed  # as short as here neither beats noise
    folder = tmp_path / "runs" / "mytable"
    assert len(list(folder.glob("cells/*/DONE"))) == 20
    for name in ("report.md", "report.html", "table.tex", "table.csv", "curves.png", "samples.png"):
        assert (folder / name).exists()
    assert "| GAN + R1 | " in (folder / "report.md").read_text()


@pytest.mark.slow
def test_own_pictures_with_an_own_loss_penalty_and_network(tmp_path):
    code, words = example("## Your own pictures")
    (tmp_path / "mine.py").write_text(code)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "FOLDER").mkdir()
    rng = np.random.default_rng(0)
    for i in range(20):
        pixels = rng.integers(0, 256, (20 + i, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "FOLDER" / f"{i}.png")
    small = ["--config.steps=2", "--config.batch_size=8", "--config.data.size=16", "--config.nets.disc.width=4"]
    run(words + small, tmp_path)
    last = json.loads((tmp_path / "runs/mine/metrics.jsonl").read_text().splitlines()[-1])
    assert np.isfinite(last["disc/zero"]) and np.isfinite(last["disc/r1"]) and np.isfinite(last["gen/loss"])
    saved = json.loads((tmp_path / "runs/mine/config.json").read_text())["config"]
    assert saved["nets"]["gen"] == {"name": "mine:Generator", "width": 16}
    assert saved["objective"]["terms"]["zero"]["weight"] == 2
