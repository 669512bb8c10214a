"""The README's worked example, as it stands there."""

import json
import os
import re
import shlex
import subprocess
import sys

import numpy as np
from helpers import ROOT
from PIL import Image


def test_own_pictures_with_an_own_loss_penalty_and_network(tmp_path):
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Your own pictures") :]
    code, command = re.search(r"```python\n(.*?)```\s*```\n(.*?)```", section, re.DOTALL).groups()
    (tmp_path / "mine.py").write_text(code)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "FOLDER").mkdir()
    rng = np.random.default_rng(0)
    for i in range(20):
        pixels = rng.integers(0, 256, (20 + i, 30, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "FOLDER" / f"{i}.png")
    small = ["--config.steps=2", "--config.batch_size=8", "--config.data.size=16", "--config.nets.disc.width=4"]
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == ["python", "launch.py"]
    run = [sys.executable, str(ROOT / "launch.py"), *words[2:], *small]
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    last = json.loads((tmp_path / "runs/mine/metrics.jsonl").read_text().splitlines()[-1])
    assert np.isfinite(last["disc/zero"]) and np.isfinite(last["disc/r1"]) and np.isfinite(last["gen/loss"])
    saved = json.loads((tmp_path / "runs/mine/config.json").read_text())["config"]
    assert saved["nets"]["gen"] == {"name": "mine:Generator", "width": 16}
    assert saved["objective"]["penalties"]["zero"]["weight"] == 2
