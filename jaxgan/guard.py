"""The parent of a process of several: small, and still there when another process is lost.

JAX's coordination service ends a process whose peer has gone: it writes some fifty lines and aborts, and no Python code of
that process runs any more. So the process is a child of this one, which passes on what libraries write and all signals,
says in one line who was lost, and ends with the child's exit code.
"""

import ctypes
import os
import re
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

FLAGS = ("distributed", "coordinator", "num_processes", "process_id")
FATAL = re.compile(rb"F\d{4} .*(Terminating process because the JAX distributed service|coordination_service)")
BROKEN = re.compile(rb"terminate called after throwing an instance of 'gloo::")  # a message that its sender did not finish
NOISE = re.compile(rb"[EW]\d{4} .*(coordination_service|preemption_sync|preemption_notifier)")
BEGINS = re.compile(rb"[IWEF]\d{4} |\[|\0")  # a message of its own, and not the next line of one
# What the child writes: that it has told of the loss itself; the folder of its run; its number, and how many there are.
TOLD, RUN, JOINED = b"\0told\n", b"\0run ", b"\0joined "
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DIE_WITH_PARENT = 1  # Linux' prctl PR_SET_PDEATHSIG
_is_child = False


def is_one_of_several(arguments: Iterable[str], environment: Mapping[str, str]) -> bool:
    """Whether a command line, or a cluster's variables, say that this process is one of several of a run."""
    given = {argument.lstrip("-").partition("=")[0] for argument in arguments if argument.startswith("-")}
    return not given.isdisjoint(FLAGS) or in_cluster(environment)


def in_cluster(environment: Mapping[str, str]) -> bool:
    """Whether this process is one of several of a TPU pod, a Slurm step or a Kubernetes JobSet."""
    hosts = environment.get("TPU_WORKER_HOSTNAMES", "")
    tasks = environment.get("SLURM_STEP_NUM_TASKS", environment.get("SLURM_NTASKS", "1"))
    slurm = "SLURM_PROCID" in environment and tasks.isdigit() and int(tasks) > 1
    return "," in hosts or slurm or "JOBSET_NAME" in environment


def stand() -> None:
    """Goes on as a child of this process, which stays behind as its guard and ends when the child has. To be called before
    anything has started a thread."""
    global _is_child
    reading, writing = os.pipe()
    heeded = {number for number in PASSED_ON if signal.getsignal(number) != signal.SIG_IGN}  # not what `nohup` ignores
    signal.pthread_sigmask(signal.SIG_BLOCK, heeded | {signal.SIGCHLD})  # none is lost in between
    parent, child = os.getpid(), os.fork()
    if child:
        os.close(writing)
        _guard(child, reading, heeded)
    _is_child = True
    os.close(reading)
    os.setpgid(0, 0)  # Ctrl-C of a terminal goes to the guard alone, which passes it on
    with suppress(OSError, AttributeError):  # elsewhere than on Linux
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, heeded | {signal.SIGCHLD})
    # Python's own stays what it was, a terminal too; libraries write to the file descriptor 2.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
    os.dup2(writing, 2)
    os.close(writing)


def is_guarded() -> bool:
    """Whether this process has a guard."""
    return _is_child


def told() -> None:
    """Says to the guard that this process has told of the loss."""
    _tell(TOLD)


def trains(folder: Path) -> None:
    """Says to the guard which run's checkpoints to name."""
    _tell(RUN + os.fsencode(folder) + b"\n")


def joined(process: int, count: int) -> None:
    """Says to the guard which of how many processes this is."""
    _tell(JOINED + b"%d %d\n" % (process, count))


def _tell(line: bytes) -> None:
    if _is_child:
        os.write(2, line)


def _guard(child: int, reading: int, heeded: set[signal.Signals]) -> None:
    """Stands by until the child ends, and ends as it did."""
    sifter = Sifter()
    sifting = threading.Thread(target=lambda: sifter.sift(os.fdopen(reading, "rb"), sys.stderr.buffer), daemon=True)
    sifting.start()
    ended = status = 0
    while not ended:
        number = signal.sigwait(heeded | {signal.SIGCHLD})
        if number == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
        else:
            with suppress(ProcessLookupError):
                os.kill(child, number)
    sifting.join(5)  # children of the child may have the other end, too
    code = os.waitstatus_to_exitcode(status)
    line = sifter.last_words(code)
    with suppress(OSError):
        if line:
            os.write(2, line)
    os._exit(code if code >= 0 else 1 if sifter.is_lost else 128 - code)


class Sifter:
    """Passes on what libraries write but for the lines of the coordination service, and knows afterwards who was lost. What
    Gloo says of a message that broke off is passed on, too: it may have another reason."""

    def __init__(self):
        self.folder: Path | None = None
        self.process = self.count = 0
        self.is_lost = self._is_told = False
        self._fatal = b""

    def sift(self, lines: Iterable[bytes], out: BinaryIO) -> None:
        is_noise = False
        for line in lines:
            if line.startswith(RUN):
                self.folder = Path(os.fsdecode(line[len(RUN) : -1]))
            if line.startswith(JOINED):
                self.process, self.count = map(int, line[len(JOINED) :].split())
            self._is_told |= line == TOLD
            is_fatal = bool(self._fatal) or FATAL.match(line) is not None
            self.is_lost |= is_fatal or BROKEN.match(line) is not None
            is_noise = NOISE.match(line) is not None or (is_noise and not BEGINS.match(line))
            if is_fatal:
                self._fatal += line
            elif not (is_noise or line == TOLD or line.startswith((RUN, JOINED))):
                with suppress(OSError):
                    out.write(line)
                    out.flush()

    def last_words(self, code: int) -> bytes:
        """The line that tells why the child was ended, by a signal, if it has not told itself. code: the child's."""
        if self._is_told or code >= 0:
            return b""
        other = 1 - self.process if self.count == 2 else None
        why = who_was_lost(self._fatal.decode(errors="replace"), other)
        if not self.is_lost:
            why = f"this process was ended by {signal.Signals(-code).name}"
        steps = [int(x.name) for x in (self.folder / "checkpoints").glob("*") if x.name.isdigit()] if self.folder else []
        good = f"last good checkpoint: {self.folder}/checkpoints/{max(steps)}; " if steps else ""
        where = f"{self.folder}: " if self.folder else ""
        return os.fsencode(f"failed: {where}{why}; {good}the same commands go on\n")


def who_was_lost(said: str, other: int | None = None) -> str:
    """Which process of the run was lost, by what the coordination service said. other: the number of the only other one."""
    named = re.search(r"unhealthy \(stopped sending heartbeats\):\s*([\d, \n]+)", said)
    numbers = re.findall(r"\d+", named[1]) if named else ["0"] if "leader task" in said else []
    numbers = numbers or ([] if other is None else [str(other)])
    if numbers == ["0"]:
        who = "process 0, the coordinator, has"
    elif len(numbers) == 1:
        who = f"process {numbers[0]} has"
    else:
        who = f"processes {', '.join(numbers)} have" if numbers else "another process has"
    return f"{who} ended or cannot be reached"
