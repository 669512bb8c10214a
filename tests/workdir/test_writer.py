"""The writer in the background: nothing is lost, nothing is half written, nothing hangs."""

import contextlib
import json
import struct
import threading
import time

import numpy as np
import pytest
from helpers import noise_images, plan_of
from tensorboardX.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue]

from jaxgan.training.train import train
from jaxgan.workdir.board import Board
from jaxgan.workdir.checkpoint import Checkpoints
from jaxgan.workdir.writer import Writer


def events(folder):
    """What TensorBoard reads: length, its checksum, the event, its checksum."""
    (file,) = folder.iterdir()
    content, out = file.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        out.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return out


def test_the_board_has_numbers_and_pictures(tmp_path):
    board = Board(tmp_path, purge=3)
    board.scalars(4, {"gen/loss": 0.5, "kimg": 1})
    board.picture(4, "samples", np.full((2, 3, 1), 9, np.uint8))
    board.close()
    version, purge, numbers, picture = events(tmp_path)
    assert version.file_version == "brain.Event:2"
    assert (purge.step, purge.session_log.status) == (3, SessionLog.START)
    assert (numbers.step, [(v.tag, v.simple_value) for v in numbers.summary.value]) == (4, [("gen/loss", 0.5), ("kimg", 1)])
    assert (picture.summary.value[0].image.height, picture.summary.value[0].image.width) == (2, 3)
    assert abs(numbers.wall_time - time.time()) < 60


def test_a_board_that_cannot_be_written_says_so_where_it_is_asked(tmp_path, monkeypatch):
    """tensorboardX's own waits for ever after ten events."""
    writer = Writer(tmp_path, 0)
    monkeypatch.setattr(writer._board, "scalars", full)
    with pytest.raises(OSError, match="No space left"):
        for step in range(100):
            writer.scalars({"step": step}, lambda line: None)
        writer.flush()
    with contextlib.suppress(OSError):  # which writes were still waiting is a matter of time
        writer.close()


class Half:
    """A file on a disk that becomes full for a moment."""

    def __init__(self, write):
        self._write, self.close = write, lambda: None

    def write(self, text):
        write, self.write = self._write, self._write
        write(text[:9])
        full()


def full(*_):
    raise OSError(28, "No space left on device")


def test_nothing_follows_half_a_line(tmp_path, monkeypatch):
    """What comes after a failed write would make one damaged line with it."""
    writer = Writer(tmp_path, 0, tensorboard=False)
    writer.scalars({"step": 1}, lambda line: None)
    writer.flush()
    monkeypatch.setattr(writer, "_file", Half(writer._file.write))
    for step in (2, 3):
        writer.scalars({"step": step}, lambda line: None)
    with pytest.raises(OSError, match="No space left"):
        writer.close()
    assert '"step": 3' not in (tmp_path / "metrics.jsonl").read_text()
    again = Writer(tmp_path, 1, tensorboard=False)
    again.close()
    assert [line["step"] for line in again.lines] == [1]


def test_a_checkpoint_comes_after_the_records_of_its_steps(tmp_path, monkeypatch):
    """With a writer that takes its time: a process that is killed after a save has lost no line and no picture."""
    seen, own = [], Checkpoints.save

    def slow(path, picture):
        time.sleep(0.2)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"drawn")

    def save(self, step, tree, note=None):
        assert threading.current_thread() is threading.main_thread()
        lines = [json.loads(line)["step"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
        seen.append((step, lines[-1], sorted(path.name for path in (tmp_path / "samples").glob("step*"))[-1]))
        own(self, step, tree, note)

    monkeypatch.setattr("jaxgan.workdir.writer.save_png", slow)
    monkeypatch.setattr(Checkpoints, "save", save)
    plan = plan_of("vanilla.py", log__every=1, sample__every=1, checkpoint__every=2)
    train(plan, noise_images(True, plan), tmp_path)
    assert seen == [(2, 2, "step_00000002.png"), (4, 4, "step_00000004.png")]
