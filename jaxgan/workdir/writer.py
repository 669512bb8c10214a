"""What a run leaves in its workdir beside checkpoints: config.json, metrics.jsonl, TensorBoard, sample grids.

Only the first process writes. Metrics and pictures are written by one thread in the background, in the order given, so
that neither the disk nor a transfer from the device holds up a step.
"""

import datetime
import importlib.metadata
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.files import write_text
from jaxgan.images import save_png
from jaxgan.workdir.folder import Workdir

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "tensorflow-datasets", "grain", "numpy")


def provenance() -> dict[str, Any]:
    """What a result depends on beside its config: revision, versions, devices, matmul precision, date."""
    device = jax.devices()[0]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "git_revision": git_revision(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "device": device.device_kind,
        "platform": device.platform,
        "devices": jax.device_count(),
        "processes": jax.process_count(),
        "matmul_precision": jax.config.jax_default_matmul_precision or "default",  # pyright: ignore
    }


def git_revision() -> str:
    """The commit that this package is at, "+changes" behind it if the tree is not clean; "unknown" outside of git."""

    def git(*arguments):
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


class Writer:
    """Writes a run's records; of other processes than the first it writes nothing.

    Args:
      workdir: an existing folder.
      step: where the run (re)starts: what an interrupted one wrote of later steps is dropped, to be written again.
      tensorboard: event files too.

    lines: of the log so far.
    has_scores: whether the log holds an evaluation of `step`; of other processes than the first, yes: it
    is for the first to say.
    """

    def __init__(self, workdir: Path, step: int, tensorboard: bool = True):
        self.workdir, self._board = Workdir(workdir), None
        self._is_first = jax.process_index() == 0
        self.has_scores = not self._is_first
        self.lines: list[dict[str, Any]] = []
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._pending: list[Future] = []
        if not self._is_first:
            return
        self.lines = [line for line in self.workdir.metrics() if line["step"] <= step]
        self.has_scores = any(line["step"] == step and any(key.startswith("eval/") for key in line) for line in self.lines)
        write_text(self.workdir.log, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._file = self.workdir.log.open("a", buffering=1)
        if tensorboard:
            from tensorboardX import SummaryWriter

            self._board = SummaryWriter(str(self.workdir.path / "tensorboard"), purge_step=step + 1 if step else None)

    def scalars(self, record: dict[str, Any], then: Callable[[dict[str, Any]], None], add: Any = lambda line: line) -> None:
        """One line of metrics.jsonl, of numbers and scalars on the device; NaN is what was not measured, and left out, and
        what is infinite becomes null.

        When the numbers are there, `add` may add to them, text as well; `then` is called with all.
        """
        self._submit(self._scalars, record, then, add)

    def samples(self, step: int, make: Callable[[], np.ndarray]) -> Path:
        """`samples/step_00000500.png` of what `make` draws, uint8 [H, W, C]; it is called in the background."""
        path = self.workdir.samples / f"step_{step:08d}.png"
        self._submit(self._samples, path, step, make)
        return path

    def close(self) -> None:
        """Waits for everything to be written; raises what a write raised."""
        self._pool.shutdown(wait=True)
        for future in self._pending:
            future.result()
        if self._is_first:
            self._file.close()
        if self._board:
            self._board.close()

    def _submit(self, fn, *arguments) -> None:
        if self._is_first:
            for done in [future for future in self._pending if future.done()]:
                done.result()
                self._pending.remove(done)
            self._pending.append(self._pool.submit(fn, *arguments))

    def _scalars(self, record: dict[str, Any], then: Callable[[dict[str, Any]], None], add: Any) -> None:
        line = add({key: x if isinstance(x, int) else float(x) for key, x in jax.device_get(record).items()})
        measured = {key: x for key, x in line.items() if isinstance(x, str) or not np.isnan(x)}
        finite = {key: x if isinstance(x, str) or np.isfinite(x) else None for key, x in measured.items()}
        self._file.write(json.dumps(finite) + "\n")
        then(line)
        if self._board:
            for key, value in finite.items():
                if isinstance(value, int | float) and key != "step":
                    self._board.add_scalar(key, value, int(record["step"]))

    def _samples(self, path: Path, step: int, make: Callable[[], np.ndarray]) -> None:
        picture = make()
        save_png(path, picture)
        if self._board and picture.shape[-1] in (1, 3):
            self._board.add_image("samples", picture, step, dataformats="HWC")
