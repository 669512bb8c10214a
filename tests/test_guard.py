"""The parent of a process of several: lines of C++ libraries, signals, and who was lost."""

import io
import os
import signal
import subprocess
import sys
import time

import pytest
from helpers import ROOT

from jaxgan.guard import JOINED, RUN, TOLD, Sifter, in_cluster, is_one_of_several

ABORT = [
    b"E1128 20:50:53.68 4422 coordination_service_agent.cc:289] Polled an error from coordination service\n",
    b"F1128 20:50:53.69 4341 client.h:80] Terminating process because the JAX distributed service detected fatal errors. "
    b"absl::Status: UNAVAILABLE: The following tasks are unhealthy (stopped sending heartbeats):\n",
    b"2\n",
    b"The tasks have crashed. Check the task logs for an earlier error\n",
    b"*** Check failure stack trace: ***\n",
    b"    @     0x7f6835040634  absl::SendToLog()\n",
]
LEADER = (
    b"F1128 20:50:53.69 4341 client.h:80] Terminating process because the JAX distributed service detected fatal errors. "
)
LEADER += b"Failed to send RPC to coordination service. Either the leader task was preempted/died/restarted unexpectedly\n"
GLOO = [b"terminate called after throwing an instance of 'gloo::EnforceNotMet'\n", b"  what():  op.preamble.length\n"]


def sifted(*lines, code=-signal.SIGABRT):
    """(what was passed on, what was said at last)"""
    out, sifter = io.BytesIO(), Sifter()
    sifter.sift(lines, out)
    return out.getvalue(), sifter.last_words(code)


def test_a_lost_process_is_one_line_that_names_it():
    gone = b"failed: process 2 has ended or cannot be reached; the same commands go on\n"
    assert sifted(b"before\n", *ABORT) == (b"before\n", gone)
    two = [*ABORT[:2], b"1\n", *ABORT[2:]]
    assert b"failed: processes 1, 2 have ended" in sifted(*two)[1]
    assert b"failed: process 0, the coordinator, has ended" in sifted(LEADER)[1]


def test_the_run_and_its_last_checkpoint_are_named(tmp_path):
    for name in ("80", "120", "130.tmp"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    passed, said = sifted(RUN + os.fsencode(tmp_path) + b"\n", *ABORT)
    assert passed == b"" and said.decode() == (
        f"failed: {tmp_path}: process 2 has ended or cannot be reached; last good checkpoint: {tmp_path}/checkpoints/120; "
        "the same commands go on\n"
    )


def test_a_message_that_broke_off_is_passed_on_and_then_told_of():
    """Gloo's thread ends the process where its peer is killed within a message."""
    passed, said = sifted(b"before\n", *GLOO)
    assert passed == b"before\n" + b"".join(GLOO) and b"another process has ended" in said
    assert sifted(TOLD, *GLOO) == (b"".join(GLOO), b"")


def test_of_two_the_other_one_is_lost():
    assert b"failed: process 1 has ended" in sifted(JOINED + b"0 2\n", *GLOO)[1]
    assert b"failed: process 0, the coordinator, has ended" in sifted(JOINED + b"1 2\n", *GLOO)[1]
    assert b"failed: another process has ended" in sifted(JOINED + b"1 3\n", *GLOO)[1]


def test_a_message_of_several_lines_goes_as_a_whole():
    assert sifted(ABORT[0], b":UNKNOWN:Socket closed\n", b"[Gloo] Rank 0\n", b"more\n")[0] == b"[Gloo] Rank 0\nmore\n"


def test_a_process_that_has_told_of_it_itself_is_not_followed_by_another_line():
    assert sifted(b"before\n", TOLD, *ABORT) == sifted(b"before\n", *ABORT, TOLD) == (b"before\n", b"")
    assert sifted(*ABORT, code=1)[1] == b""


@pytest.mark.parametrize("line", [b"W0000 other.cc:1] a warning\n", b"F0000 other.cc:1] fatal\n", b"no end", b"\n"])
def test_other_lines_are_passed_on(line):
    assert sifted(line, code=0) == (line, b"")


@pytest.mark.parametrize(
    ("words", "environment", "several"),
    [
        (["--config=configs/wgan.py"], {}, False),
        (["--config=configs/wgan.py", "--distributed"], {}, True),
        (["-coordinator=host:1"], {}, True),
        (["--coordinator", "host:1"], {}, True),
        (["--workdir=distributed"], {}, False),
        ([], {"JOBSET_NAME": "wgan"}, True),
    ],
)
def test_who_is_guarded(words, environment, several):
    assert is_one_of_several(words, environment) == several


@pytest.mark.parametrize(
    ("variables", "several"),
    [
        ({}, False),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, False),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, True),
        ({"SLURM_NTASKS": "4"}, False),  # inside of salloc, but not of srun
        ({"TPU_WORKER_HOSTNAMES": "localhost"}, False),
        ({"TPU_WORKER_HOSTNAMES": "t0,t1"}, True),
        ({"JOBSET_NAME": "gan"}, True),
    ],
)
def test_clusters_are_recognised(variables, several):
    assert in_cluster(variables) == several


def guarded(code, **more):
    words = [sys.executable, "-c", f"import os, sys, signal, time; from jaxgan import guard; guard.stand(); {code}"]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def test_what_a_library_writes_goes_through_and_python_s_own_does_not():
    code = f"os.write(2, b'from a library\\n'); os.write(2, {b''.join(ABORT)!r}); "
    process = guarded(code + "print('from Python', file=sys.stderr, flush=True); os.abort()")
    error = process.communicate(timeout=60)[1].splitlines()
    said = b"failed: process 2 has ended or cannot be reached; the same commands go on"
    assert sorted(error) == sorted([b"from a library", b"from Python", said]) and error[-1] == said
    assert process.returncode == 1


@pytest.mark.parametrize(("code", "ends", "said"), [
    ("sys.exit(0)", 0, b""),
    ("sys.exit(3)", 3, b""),
    ("os.kill(os.getpid(), 9)", 137, b"failed: this process was ended by SIGKILL; the same commands go on\n"),
])  # fmt: skip
def test_a_guard_ends_as_its_child_does(code, ends, said):
    process = guarded(code)
    assert (process.communicate(timeout=60)[1], process.returncode) == (said, ends)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_passed_on(number):
    code = f"signal.signal({int(number)}, lambda *_: (print('heard', flush=True), os._exit(0))); print('up', flush=True); "
    process = guarded(code + "time.sleep(60)", preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    assert process.stdout and process.stdout.readline() == b"up\n"
    process.send_signal(number)
    assert process.communicate(timeout=60)[0] == b"heard\n" and process.returncode == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux'")
def test_nothing_outlives_a_guard_that_is_killed():
    process = guarded("print(os.getpid(), flush=True); time.sleep(60)")
    assert process.stdout
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    for _ in range(100):
        try:
            state = open(f"/proc/{child}/stat").read().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":  # dead, and not yet buried by whoever has adopted it
            return
        time.sleep(0.1)
    raise AssertionError("the child lives on")
