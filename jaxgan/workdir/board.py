"""TensorBoard's event files, written in the thread that asks for it.

tensorboardX's own SummaryWriter hands each event to another thread. Where the disk is full that thread ends, and whoever
writes the eleventh event waits for ever. Here an error is raised where the event was written.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tensorboardX import summary
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]


class Board:
    """An event file. folder: made if need be. purge: TensorBoard drops what earlier files say from this step on."""

    def __init__(self, folder: Path, purge: int | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = EventsWriter(str(folder / "events"))
        if purge is not None:
            self._write(purge, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, step: int, numbers: Mapping[str, float]) -> None:
        """One event with all the numbers of a step."""
        values = [value for name, x in numbers.items() for value in summary.scalar(name, x).value]
        self._write(step, summary=summary.Summary(value=values))

    def picture(self, step: int, name: str, pixels: np.ndarray) -> None:
        """uint8 [H, W, C] with 1 or 3 channels."""
        self._write(step, summary=summary.image(name, pixels, dataformats="HWC"))

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _write(self, step: int, **content) -> None:
        self._file.write_event(Event(wall_time=time.time(), step=step, **content))
