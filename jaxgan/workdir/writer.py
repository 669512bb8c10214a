"""What a run leaves in its workdir beside checkpoints and config.json: metrics.jsonl, TensorBoard, sample grids.

Only the first process writes. Metrics and pictures are written by one thread in the background, in the order given, so
that neither the disk nor a transfer from the device holds up a step.
"""

import collections
import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.files import write_text
from jaxgan.images import save_png
from jaxgan.workdir.folder import Workdir


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
        self._pending: collections.deque[Future] = collections.deque()
        self._failed = False
        if not self._is_first:
            return
        self.lines = [line for line in self.workdir.metrics() if line["step"] <= step]
        self.has_scores = any(line["step"] == step and any(key.startswith("eval/") for key in line) for line in self.lines)
        write_text(self.workdir.log, "".join(json.dumps(line) + "\n" for line in self.lines))
        self._file = self.workdir.log.open("a", buffering=1)
        if tensorboard:
            from jaxgan.workdir.board import Board

            self._board = Board(self.workdir.path / "tensorboard", purge=step + 1 if step else None)

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

    def flush(self) -> None:
        """Waits until everything is written that was asked for so far; raises what a write raised."""
        while self._pending:
            self._pending.popleft().result()
        if self._board:
            self._board.flush()

    def close(self) -> None:
        """Waits for everything to be written; raises what a write raised."""
        try:
            self.flush()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
            if self._is_first:
                self._file.close()
            if self._board:
                self._board.close()

    def _submit(self, fn, *arguments) -> None:
        if self._is_first:
            while self._pending and self._pending[0].done():
                self._pending.popleft().result()
            self._pending.append(self._pool.submit(self._unless_failed, fn, *arguments))

    def _unless_failed(self, fn, *arguments) -> None:
        """Writes, unless an earlier write failed: what follows half a line would make one damaged line with it."""
        if not self._failed:
            self._failed = True
            fn(*arguments)
            self._failed = False

    def _scalars(self, record: dict[str, Any], then: Callable[[dict[str, Any]], None], add: Any) -> None:
        line = add({key: x if isinstance(x, int) else float(x) for key, x in jax.device_get(record).items()})
        measured = {key: x for key, x in line.items() if isinstance(x, str) or not np.isnan(x)}
        finite = {key: x if isinstance(x, str) or np.isfinite(x) else None for key, x in measured.items()}
        self._file.write(json.dumps(finite) + "\n")
        then(line)
        if self._board:
            numbers = {key: x for key, x in finite.items() if isinstance(x, int | float) and key != "step"}
            self._board.scalars(int(record["step"]), numbers)

    def _samples(self, path: Path, step: int, make: Callable[[], np.ndarray]) -> None:
        picture = make()
        save_png(path, picture)
        if self._board and picture.shape[-1] in (1, 3):
            self._board.picture(step, "samples", picture)
