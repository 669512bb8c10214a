"""Several processes of one run: coming together, telling when one is lost, and leaving."""

import importlib.metadata
import json
import os
import platform
import re
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxgan import guard
from jaxgan.errors import UserError

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")  # whose versions must be alike
MAY_DIFFER = {*guard.FLAGS, "workdir", "config.data.dir", "config.data.cache"}  # flags, in processes of one run
WAIT = 300  # seconds for all processes of a run to come together
TELL = 20  # seconds between two lines that say so
HEARTBEAT = 30  # seconds without a sign of life after which a process counts as lost
STAY = 30 * 24 * 3600  # seconds for which processes that are done wait for one that writes
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
            bound_devices(os.environ),
            initialization_timeout=wait + TELL,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=STAY,
        )
    finally:
        joined.set()
    guard.joined(jax.process_index(), jax.process_count())
    own = {"Python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
    check_alike(own | {word: "given" for word in sys.argv[1:] if word.lstrip("-").partition("=")[0] not in MAY_DIFFER})


def bound_devices(environment: Mapping[str, str]) -> list[int] | None:
    """Which of the GPUs that it sees a Slurm task has, where Slurm has bound one GPU to each; None: as JAX chooses.

    JAX takes the GPU with the task's number on its host, which is right where each task sees all of them (--gres), but it is
    missing where it sees its own alone (--gpus-per-task=1).
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES", "")
    return [0] if "SLURM_LOCALID" in environment and visible and "," not in visible else None


def check_alike(own: Mapping[str, Any]) -> None:
    """Refuses a run whose processes are not of one mind. own: what all of them must have alike, JSON by a person's words for
    it; process 0 has the right values. Raises UserError, in all processes."""
    if jax.process_count() == 1:
        return
    text = np.frombuffer(json.dumps(own, sort_keys=True, default=str).encode(), np.uint8)
    longest = int(np.max(multihost_utils.process_allgather(np.int32(len(text)))))
    every = multihost_utils.process_allgather(np.pad(text, (0, longest - len(text)), constant_values=ord(" ")))
    first, *others = (json.loads(np.asarray(one, np.uint8).tobytes()) for one in every)
    for k, other in enumerate(others, 1):
        names = [name for name in first | other if first.get(name) != other.get(name)]
        if names:
            told = "; ".join(f"{name} is {_told(other, name)}, and {_told(first, name)} in process 0" for name in names[:3])
            more = f"; and {len(names) - 3} more" if len(names) > 3 else ""
            raise UserError(f"the processes of this run differ: in process {k} {told}{more}")


def _told(one: Mapping[str, Any], name: str) -> str:
    return str(one[name]) if name in one else "absent"


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
