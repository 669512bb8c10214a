"""What C++ libraries write to the standard error of a process of several, with the loss of another process in one line.

JAX's coordination service ends a process whose coordinator has gone: it writes some fifty lines and aborts, and no Python
code runs any more. So the lines go through a process of their own, this file, which sifts them and outlives the other.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from typing import BinaryIO

FATAL = re.compile(rb"F\d{4} .*(Terminating process because the JAX distributed service|coordination_service)")
BROKEN = re.compile(rb"terminate called after throwing an instance of 'gloo::")  # a message that its sender did not finish
NOISE = re.compile(rb"[EW]\d{4} .*(coordination_service|preemption_sync)")
BEGINS = re.compile(rb"[IWEF]\d{4} |\[|\0")  # a message of its own, and not the next line of one
TOLD = b"\0told\n"  # what a process writes that has told of the loss itself
LOST = b"failed: another process of this run has ended or cannot be reached; the same commands go on from its checkpoint\n"


def sift_own() -> None:
    """From here on, sifts what this process' libraries write to the file descriptor 2. Python's own `sys.stderr` stays what
    it was, a terminal too."""
    kept = os.dup(2)
    sifter = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stderr=kept, start_new_session=True)
    assert sifter.stdin
    from jaxgan.streams import Lasting  # here: the sifter runs this file without the package

    sys.stderr = Lasting(os.fdopen(kept, "w", buffering=1, errors="backslashreplace"))
    os.dup2(sifter.stdin.fileno(), 2)
    sifter.stdin.close()


def told() -> None:
    """Says to the sifter that this process has told of the loss."""
    os.write(2, TOLD)


def sift(lines: Iterable[bytes], out: BinaryIO) -> None:
    """Passes lines on but for those of the coordination service, and tells of a lost process where nobody else has. What
    Gloo says of a message that broke off is passed on, too: it may have another reason."""
    is_lost = is_broken = is_told = is_noise = False
    for line in lines:
        is_told |= line == TOLD
        is_lost |= FATAL.match(line) is not None
        is_broken |= BROKEN.match(line) is not None
        is_noise = NOISE.match(line) is not None or (is_noise and not BEGINS.match(line))
        if not (is_lost or is_noise or line == TOLD):
            out.write(line)
            out.flush()
    if (is_lost or is_broken) and not is_told:
        out.write(LOST)
        out.flush()


if __name__ == "__main__":
    sift(sys.stdin.buffer, sys.stderr.buffer)
