"""Processes that train, a few at a time, each on its share of the cores and of a GPU's memory."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

POLL = 2.0  # seconds between looks at the processes
Work = TypeVar("Work")


@dataclass(frozen=True, eq=False)
class Job(Generic[Work]):
    """A process. work: what it does, as it was submitted. log: where it says how that goes. began: seconds since 1970."""

    work: Work
    log: Path
    process: subprocess.Popen
    slot: int
    began: float

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.poll()


class Pool(Generic[Work]):
    """At most `workers` processes at a time. At the end of `with` those that run are asked to end, and awaited: they save
    first."""

    def __init__(self, workers: int):
        self.workers, self.running = workers, list[Job[Work]]()
        self._slots = list(range(workers))

    @property
    def free(self) -> int:
        """How many more can begin now."""
        return len(self._slots)

    def submit(self, work: Work, log: Path, start: Callable[[dict[str, str]], subprocess.Popen]) -> Job[Work]:
        """Begins a job; one has to be `free`. start: starts its process, with variables for its environment."""
        share = {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{0.9 / self.workers:.3f}"} if self.workers > 1 else {}  # of one GPU
        slot = self._slots.pop(0)
        job = Job(work, log, start(share), slot, time.time())
        self.running.append(job)
        if self.workers > 1 and hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(job.process.pid, cores[slot % len(cores) :: self.workers] or cores)
        return job

    def over(self) -> list[Job[Work]]:
        """Waits for a moment, and returns the jobs that have ended since."""
        time.sleep(POLL)
        ended = [job for job in self.running if job.code is not None]
        self.running = [job for job in self.running if job not in ended]
        self._slots += [job.slot for job in ended]
        return ended

    def __enter__(self) -> "Pool[Work]":
        return self

    def __exit__(self, *_: Any) -> None:
        for job in self.running:
            job.process.terminate()
        for job in self.running:
            job.process.wait()
