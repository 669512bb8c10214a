"""Several processes of one run: coming together, telling when one is lost, and leaving."""

import os
import re
import sys
import threading
import time

import jax

from jaxgan import guard

WAIT = 300  # seconds for all processes of a run to come together
TELL = 20  # seconds between two lines that say so
HEARTBEAT = 30  # seconds without a sign of life after which a process counts as lost
MORE = 15  # seconds within which all others have heard of it
GONE = "another process of this run has ended or cannot be reached"


def initialize(
    coordinator: str | None = None, processes: int | None = None, process: int | None = None, wait: int = WAIT
) -> None:
    """Joins a run of several processes: explicitly, or as the cluster's own variables say (TPU pod, Slurm, Kubernetes,
    Open MPI; `jax.distributed` reads them). Says whom it waits for; after `wait` seconds the process ends with one line and
    exit code 1."""
    who = "a process" if process is None else f"process {process} of {processes}"
    whom = f"the others at {coordinator}" if coordinator else "the others"
    joined = threading.Event()

    def watch() -> None:
        for passed in range(0, wait, TELL):
            print(f"{who} waits for {whom}" + (f", {passed} of {wait} s" if passed else ""), file=sys.stderr, flush=True)
            if joined.wait(min(TELL, wait - passed)):
                return
        print(f"failed: {who} has waited {wait} s for {whom}, and not all have come", file=sys.stderr, flush=True)
        os._exit(1)  # JAX would abort with a stack trace

    threading.Thread(target=watch, name="joining", daemon=True).start()
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            process,
            initialization_timeout=wait + TELL,
            heartbeat_timeout_seconds=HEARTBEAT,
        )
    finally:
        joined.set()


def leave(code: int) -> None:
    """Ends a process of several that has failed. Python's own way out would wait for the others, who may wait for it."""
    if jax.distributed.is_initialized():
        sys.stdout.flush()
        sys.stderr.flush()
        guard.told()
        os._exit(code)


def lost_peer(error: BaseException) -> bool:
    """Whether an error is of another process of the run that has ended, or cannot be reached any more."""
    told = re.search("Gloo|heartbeat|UNAVAILABLE|ABORTED|[Cc]onnection (reset|closed|refused)", str(error))
    return jax.process_count() > 1 and isinstance(error, jax.errors.JaxRuntimeError | ValueError) and told is not None


def hear_which() -> None:
    """Waits for JAX's coordination service to say which process is lost, which ends this one, and its guard tells. A process
    that ended before would be taken for the lost one by others."""
    if guard.is_guarded():
        print(f"{GONE}; it takes up to {HEARTBEAT} s to hear which", file=sys.stderr, flush=True)
        time.sleep(HEARTBEAT + MORE)
