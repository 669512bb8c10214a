"""Lines of C++ libraries, and the end of a process whose coordinator has gone."""

import io
import subprocess
import sys

import pytest
from helpers import ROOT

from jaxgan.native_log import LOST, TOLD, sift

ABORT = [
    b"E1128 20:50:53.68 4422 coordination_service_agent.cc:289] Polled an error from coordination service\n",
    b"F1128 20:50:53.69 4341 client.h:80] Terminating process because the JAX distributed service detected fatal errors.\n",
    b"*** Check failure stack trace: ***\n",
    b"    @     0x7f6835040634  absl::SendToLog()\n",
]


def sifted(*lines):
    out = io.BytesIO()
    sift(lines, out)
    return out.getvalue()


def test_a_lost_process_is_one_line():
    assert sifted(b"before\n", *ABORT) == b"before\n" + LOST


def test_a_message_that_broke_off_is_passed_on_and_then_told_of():
    """Gloo's thread ends the process where its peer is killed within a message."""
    lines = [b"terminate called after throwing an instance of 'gloo::EnforceNotMet'\n", b"  what():  op.preamble.length\n"]
    assert sifted(b"before\n", *lines) == b"before\n" + b"".join(lines) + LOST
    assert sifted(TOLD, *lines) == b"".join(lines)


def test_a_message_of_several_lines_goes_as_a_whole():
    assert sifted(ABORT[0], b":UNKNOWN:Socket closed\n", b"[Gloo] Rank 0\n", b"more\n") == b"[Gloo] Rank 0\nmore\n"


def test_a_process_that_has_told_of_it_itself_is_not_followed_by_another_line():
    assert sifted(b"before\n", TOLD, *ABORT) == sifted(b"before\n", *ABORT, TOLD) == b"before\n"


@pytest.mark.parametrize("line", [b"W0000 other.cc:1] a warning\n", b"F0000 other.cc:1] fatal\n", b"no end", b"\n"])
def test_other_lines_are_passed_on(line):
    assert sifted(line) == line


def test_what_a_library_writes_goes_through_and_python_s_own_does_not():
    code = (
        "import os, sys; from jaxgan import native_log; native_log.sift_own(); os.write(2, b'from a library\\n')\n"
        f"os.write(2, {b''.join(ABORT)!r}); print('from Python', file=sys.stderr, flush=True); os.abort()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    assert sorted(done.stderr.splitlines(keepends=True)) == sorted([b"from a library\n", b"from Python\n", LOST])
