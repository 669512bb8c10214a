"""The pool of processes that trains tables."""

import os
import subprocess
import sys

import pytest

from jaxgan.ablation import pool
from jaxgan.ablation.pool import Pool


def python(code):
    return lambda share: subprocess.Popen([sys.executable, "-c", code], env=os.environ | share)


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(pool, "POLL", 0.05)


def test_jobs_begin_while_slots_are_free_and_end_with_their_code(tmp_path):
    ended = []
    with Pool[str](2) as both:
        both.submit("long", tmp_path / "a.log", python("import time; time.sleep(60)"))
        both.submit("short", tmp_path / "b.log", python("raise SystemExit(3)"))
        assert both.free == 0
        while not ended:
            ended = both.over()
        assert [(job.work, job.code) for job in ended] == [("short", 3)] and both.free == 1
        assert [job.work for job in both.running] == ["long"]
        last = both.running[0]
    assert last.code == -15  # was asked to end


def test_those_that_run_are_asked_to_end_whatever_happens(tmp_path):
    with pytest.raises(KeyboardInterrupt), Pool[int](1) as one:
        job = one.submit(1, tmp_path / "a.log", python("import time; time.sleep(60)"))
        raise KeyboardInterrupt
    assert job.code == -15


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one core")
def test_each_of_several_has_its_share_of_the_cores_and_of_a_gpu(tmp_path):
    own = "len(os.sched_getaffinity(0)), os.environ['XLA_PYTHON_CLIENT_MEM_FRACTION'], file=open('{}', 'w')"
    code = f"import os, time; time.sleep(0.3); print({own})"  # the cores are set once it runs
    with Pool[int](2) as both:
        for i in range(2):
            both.submit(i, tmp_path / "log", python(code.format(tmp_path / str(i))))
        while both.running:
            both.over()
    most = -(-len(os.sched_getaffinity(0)) // 2)
    for i in range(2):
        cores, memory = (tmp_path / str(i)).read_text().split()
        assert 1 <= int(cores) <= most and memory == "0.450"
