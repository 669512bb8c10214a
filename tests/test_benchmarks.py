"""Every benchmark runs, at smoke size."""

import importlib.util
import os
import subprocess
import sys

import pytest
from helpers import ROOT

SMALL = ["--overrides", "nets.gen.width=4", "nets.disc.width=4", "batch_size=8"]
COMMANDS = {  # file: (arguments beside --smoke, what is printed)
    "claims.py": ([], "| in pairs | normal |"),
    "damage.py": ([], "| blur, 2 px |"),
    "data_speed.py": ([], "with the data on the device"),
    "detection.py": ([], "| AnoGAN, 2 steps, 1 start |"),
    "faults.py": ([], "| a workdir with [ in its path | refused at the start | 1 of 1 |"),
    "monitor.py": ([], "| ring, PacGAN's MLPs"),
    "population.py": ([], "| ring, PacGAN's MLPs"),
    "scaling.py": ([], "| own | 32 | v5e |"),
    "slices.py": ([], "| cifar10:dcgan | 128 |"),
    "upscale.py": ([], "| SRResNet, 1 block |"),
    "throughput.py": ([f"{ROOT}/configs/dcgan.py", *SMALL], "configs/dcgan.py |"),
    "step_time.py": (["--json"], '"cyclegan": {'),
}
MODULES = {"torch_gan.py", "torch_translate.py", "work.py"}  # of step_time.py


def test_no_benchmark_is_left_out():
    assert {path.name for path in (ROOT / "benchmarks").glob("*.py")} == COMMANDS.keys() | MODULES


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_benchmarks_run(name):
    if name == "step_time.py" and not importlib.util.find_spec("torch"):
        pytest.skip("compares with torch, which is not installed")
    arguments, printed = COMMANDS[name]
    command = [sys.executable, f"{ROOT}/benchmarks/{name}", *arguments, "--smoke"]
    env = {**os.environ, "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "1"}  # torch's threads wait by spinning
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=env)
    assert done.returncode == 0 and printed in done.stdout, done.stdout + done.stderr


def test_an_all_reduce_waits_for_hops_and_then_for_bytes():
    sys.path.insert(0, str(ROOT))
    from benchmarks.scaling import CHIPS, HOP, NETWORK, reduction

    v5e, v5p, h200 = CHIPS
    assert reduction(v5e, 1, 1e9) == 0
    assert reduction(v5e, 16, 0) == pytest.approx(8 * HOP)  # a ring of four each way, there and back
    assert reduction(v5p, 1024, 0) == pytest.approx(32 * HOP)
    assert reduction(v5e, 16, 1e9) == pytest.approx(2 * 1e9 * 15 / 16 / v5e.link, rel=0.01)
    assert reduction(v5e, 1024, 0) == pytest.approx(32 * HOP + 2 * NETWORK)  # four pods
    beyond = reduction(h200, 16, 1e9) - reduction(h200, 8, 1e9)
    assert beyond == pytest.approx(NETWORK + 2 * 1e9 / 8 / 2 / h200.far)
