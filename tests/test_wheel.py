"""The package as it is installed: a wheel, far from this checkout."""

import os
import shutil
import subprocess
import sys

import pytest
from helpers import ROOT

TABLE = '''"""A table of one's own, from configs that lie in the wheel."""

from configs import vanilla
from jaxgan.table import Column, Row, Table


def get_config():
    config = vanilla.get_config("minimax")
    config.update(steps=2, batch_size=8)
    config.sample.num = 4
    config.nets.gen.widths = config.nets.disc.widths = (4,)
    config.eval.update(num_samples=200, num_real=200, batch_size=50, metrics=("fd",), allow_few=True)
    return config


def table():
    columns = (Column("fd", better="lower"),)
    return Table("One row", "none", "digits", "two steps", columns, {"GAN": Row()}, seeds=(0,), curves=())
'''


@pytest.mark.slow
def test_a_wheel_trains_samples_and_makes_a_table(tmp_path):
    away, home, source = tmp_path / "away", tmp_path / "site", tmp_path / "source"
    away.mkdir()
    for name in ("jaxgan", "configs"):  # a copy: building leaves files behind
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip"]
    wheel = ["wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path / "wheel"), str(source)]
    subprocess.run([*pip, *wheel], check=True, capture_output=True)
    (file,) = (tmp_path / "wheel").glob("*.whl")
    subprocess.run([*pip, "install", "-q", "--no-deps", "--no-index", "--target", str(home), str(file)], check=True)
    (away / "mine.py").write_text(TABLE)
    env = {**os.environ, "PYTHONPATH": str(home), "XLA_FLAGS": ""}

    def jaxgan(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "jaxgan", *arguments], cwd=away, env=env, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"Configs, in {home}/jaxgan/configs" in jaxgan("--help")
    assert "--config.steps=7\n" in jaxgan("--config=configs/ablations/ring.py:full", "--config.steps=7", "--print_config")
    printed = jaxgan("--mode=ablate", "--config=mine.py")
    assert "GAN, seed 0 done" in printed and (away / "runs" / "mine" / "report.html").exists()
    jaxgan("--mode=sample", "--workdir=runs/mine/cells/GAN_0", "--num=4", "--out=four.png")
    assert (away / "four.png").exists()
    jaxgan("--mode=verify", "--input=digits")  # the model that lies in the wheel
    jaxgan("--mode=sample", "--workdir=digits", "--num=4", "--out=digits.png")
    assert {path.name for path in away.iterdir()} == {"mine.py", "runs", "four.png", "digits.png"}
