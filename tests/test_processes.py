"""Several processes of one run on this machine: the same numbers, one mind, and what is said when one is lost."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from helpers import FRAGILE, ROOT

from jaxgan import processes
from jaxgan.workdir.folder import Workdir


def together_at(many):
    """The flags of so many processes, at a port that is free."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return [f"--coordinator=127.0.0.1:{s.getsockname()[1]}", f"--num_processes={many}"]


@pytest.mark.slow
@pytest.mark.parametrize("kind, resident", [("shard_map", "on"), ("pmap", "off")])
def test_two_processes_of_two_devices(kind, resident, tmp_path):
    """Losses as with four devices in one process, and the second half of the run from the first half's checkpoint, by as
    many processes and devices, or by others."""
    small = ["--config=configs/wgan.py", "--config.batch_size=8", "--config.task.z_dim=4", "--config.nets.gen.width=4"]
    small += [
        "--config.nets.disc.width=4",
        "--config.log.every=1",
        "--config.sample.num=4",
        "--config.checkpoint.every=2",
    ]
    small += ["--config.eval.every=2", "--config.eval.num_samples=300", "--config.eval.num_real=300"]
    small += [f"--config.parallel={kind}", f"--config.data.resident={resident}", "--config.rounds.disc=2"]

    def start(workdir, *more, devices, host=0):
        flags = f"--xla_force_host_platform_device_count={devices}"
        command = [sys.executable, "launch.py", f"--workdir={workdir}", *small, *more]
        # Hosts have caches of their own, and the second start finds real statistics in the first one's alone.
        environment = {**os.environ, "XLA_FLAGS": flags, "XDG_CACHE_HOME": str(tmp_path / f"host{host}")}
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def finish(*processes):
        outputs = [process.communicate(timeout=240)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(outputs)

    def together(name, steps, many=2, devices=2):
        more = [f"--config.steps={steps}", *together_at(many)]
        finish(*(start(tmp_path / name, *more, f"--process_id={i}", devices=devices, host=i) for i in range(many)))

    finish(start(tmp_path / "one", "--config.steps=4", devices=4))
    together("two", 2)
    others = ["1x4", "1x1", "4x1"] if kind == "shard_map" else []
    for name in others:  # go on with other numbers of processes and of devices each
        shutil.copytree(tmp_path / "two", tmp_path / name)
        many, devices = map(int, name.split("x"))
        together(name, 4, many, devices) if many > 1 else finish(start(tmp_path / name, "--config.steps=4", devices=devices))
    together("two", 4)
    one, *several = (
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two", *others)
    )
    for lines in several:
        assert [line["step"] for line in lines] == [1, 2, 2, 3, 4, 4]
        for a, b in zip(one, lines, strict=True):
            assert a.keys() == b.keys()
            if "eval/fd_digits300" in a:
                np.testing.assert_allclose(a["eval/fd_digits300"], b["eval/fd_digits300"], rtol=0.02)
                continue
            for name in ("disc/loss", "gen/loss", "disc/wgan_gp"):
                np.testing.assert_allclose(a[name], b[name], rtol=2e-3, atol=1e-4)
    assert all((tmp_path / name / "DONE").exists() for name in ("two", *others))


def both(*words, last=()):
    """(exit code, output) of each of two processes that are given the same words, the second one `last` ones too."""
    shared = [sys.executable, "launch.py", *words, *together_at(2)]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": ROOT}
    pair = [subprocess.Popen([*shared, f"--process_id={i}", *(last if i else ())], **streams) for i in range(2)]
    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(lambda process: process.communicate(timeout=240)[0], pair))
    return [(process.returncode, output) for process, output in zip(pair, outputs)]


def test_processes_of_other_words_are_refused(tmp_path):
    (code, said), other = both("--config=configs/vanilla.py", f"--workdir={tmp_path / 'run'}", last=["--config.seed=1"])
    assert code == 2 and other[0] in (1, 2), said + other[1]
    told = "the processes of this run differ: in process 1 --config.seed=1 is given, and absent in process 0"
    assert said.splitlines()[-1] == f"error: {told}"
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_two_processes_go_back_together_and_on_with_other_noise(tmp_path, monkeypatch):
    (tmp_path / "fragile.py").write_text(FRAGILE.replace("0.125", "0.06"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words = ["--config=configs/vanilla.py", "--config.objective.loss=fragile:LOSS", "--config.rollbacks=40"]
    words += ["--config.steps=8", "--config.batch_size=8", "--config.checkpoint.every=2", "--config.sample.every=0"]
    found = both(*words, "--config.log.every=2", f"--workdir={tmp_path / 'run'}")
    assert [code for code, _ in found] == [0, 0], found
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    back = Workdir(tmp_path / "run").rollbacks
    assert back and [line["rollbacks"] for line in lines if "rollbacks" in line] == list(range(1, len(back) + 1))
    assert [line["step"] for line in lines if "disc/loss" in line] == [2, 4, 6, 8]


TABLE = """
from configs import toy
from jaxgan.table import Column, Row, Table

def get_config():
    config = toy.get_config("ring")
    config.update(steps=8, batch_size=64, sample={"every": 0})
    config.nets.gen.widths = config.nets.disc.widths = (8,)
    config.eval.num_samples = 200
    return config

def table():
    modes = Column("modes", "modes", "higher", ".1f")
    return Table("T", "p", "d", "{steps} steps", (modes,), {"a": Row({}), "b": Row({"batch_size": 32})}, seeds=range(2))
"""


@pytest.mark.slow
def test_two_processes_make_a_table_and_sample(tmp_path):
    (tmp_path / "table.py").write_text(TABLE)
    found = both("--mode=ablate", f"--config={tmp_path / 'table.py'}", f"--workdir={tmp_path / 'table'}")
    assert [code for code, _ in found] == [0, 0], found
    report = json.loads((tmp_path / "table" / "report.json").read_text())
    cells = [cell for row in report["rows"].values() for cell in row]
    assert len(cells) == 4 and all(cell["evaluation"]["measured"]["processes"] == 2 for cell in cells)
    assert {"real images", "noise", "untrained"} == report["controls"].keys()
    found = both("--mode=sample", f"--workdir={tmp_path}/table/cells/a_0", "--num=4")
    assert [code for code, _ in found] == [0, 0], found


def test_a_process_says_whom_it_waits_for_and_gives_up_in_one_line():
    code = "from jaxgan import processes; processes.TELL = 1; processes.initialize('127.0.0.1:1', 2, 1, wait=2)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "process 1 of 2 waits for the others at 127.0.0.1:1",
        "process 1 of 2 waits for the others at 127.0.0.1:1, 1 of 2 s",
        "failed: process 1 of 2 has waited 2 s for the others at 127.0.0.1:1, and not all have come",
    ]


@pytest.mark.slow
def test_a_process_whose_peer_is_killed_ends_with_one_line(tmp_path):
    words = [
        "--config=configs/vanilla.py",
        f"--workdir={tmp_path}",
        "--config.steps=1000000",
        "--config.checkpoint.every=10",
    ]
    words += together_at(2)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    pair = [subprocess.Popen([sys.executable, "launch.py", *words, f"--process_id={i}"], **streams) for i in range(2)]
    while not (tmp_path / "checkpoints" / "10").exists():
        assert all(process.poll() is None for process in pair)
        time.sleep(0.1)
    pair[1].kill()
    _, error = pair[0].communicate(timeout=90)
    pair[1].communicate()
    said = error.splitlines()[-1]
    assert pair[0].returncode == 1, error
    assert said.startswith(f"failed: {tmp_path}: process 1 has ended or cannot be reached; last good checkpoint: "), error
    assert "Traceback" not in error and "stack trace" not in error


def test_a_slurm_task_that_sees_one_gpu_alone_takes_that_one():
    one, all_of_them = (
        {"SLURM_LOCALID": "3", "CUDA_VISIBLE_DEVICES": "3"},
        {"SLURM_LOCALID": "3", "CUDA_VISIBLE_DEVICES": "0,1,2,3"},
    )
    assert processes.bound_devices(one) == [0]
    assert processes.bound_devices(all_of_them) is processes.bound_devices({"CUDA_VISIBLE_DEVICES": "3"}) is None
