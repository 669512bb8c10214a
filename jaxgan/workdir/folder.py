"""The files of a run's folder: the one place that knows their names and contents."""

import errno
import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax

from jaxgan import records
from jaxgan.config import trust
from jaxgan.config.renamed import NAMES, renamed_metrics, renamed_record
from jaxgan.errors import UserError
from jaxgan.files import nulls, write_json
from jaxgan.records import STEP
from jaxgan.workdir.archive import Archive
from jaxgan.workdir.shapes import EVALUATION, FAILURE, LINE, RECORD, ROLLBACKS

CONFIG_ADVICE = "restore it, or choose another --workdir"


class Workdir:
    """A run's folder, which need not exist yet.

        Workdir("runs/wgan").config["objective"]["loss"]

    checkpoints, samples: folders. outputs: where pictures are written. log: the file that `metrics` reads. Whatever reads a
    damaged file raises UserError.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.checkpoints, self.log = (self.path / x for x in ("checkpoints", "metrics.jsonl"))
        # What is made of an exported model lies beside where the command was given: its own files stay what they are.
        self.outputs = Path(f"{self.path.resolve().name}_made") if Archive(self.path).is_archive else self.path
        self.samples = self.outputs / "samples"
        self.record, self._done = self.path / "config.json", self.path / "DONE"
        self._evaluations, self._failure = self.path / "evaluation.json", self.path / "failure.json"
        self._rollbacks = self.path / "rollbacks.json"

    def stage(self, name: str) -> Path:
        """The folder of the run that this one trains first, for the section `frozen.NAME`."""
        return self.path / "stages" / name

    @property
    def is_run(self) -> bool:
        """Whether a run has begun here."""
        return self.record.exists()

    def check_new(self) -> None:
        """Refuses a folder that is no run's and holds what a run would replace, or checkpoints that it would go on from.
        Raises UserError."""
        if self.saved_steps:
            raise UserError(f"{self.path} holds checkpoints without their config.json; {CONFIG_ADVICE}")
        for path in (self.log, self.samples, self.path / "tensorboard", self._evaluations, self._done):
            if path.exists() and not (path.is_dir() and not any(path.iterdir())):
                raise UserError(
                    f"{self.path} holds no run, and one in it would replace its {path.name}; choose another --workdir"
                )

    @property
    def saved(self) -> dict[str, Any]:
        """`config.json`, {"config", "data", "starts"}, with the names of today. Raises UserError without a whole one."""
        found = records.read_json(self.record, RECORD, CONFIG_ADVICE)
        if found is None:
            raise UserError(f"{self.path} holds no run (no config.json); train one with --config=configs/wgan.py")
        with records.reading(self.record, CONFIG_ADVICE):
            return renamed_record(found)

    @property
    def config(self) -> dict[str, Any]:
        """The run's complete config. Raises UserError as `saved` does."""
        return self.saved["config"]

    @property
    def starts(self) -> tuple[dict[str, Any], ...]:
        """The provenance of each start, oldest first; none where no run has begun."""
        return tuple(self.saved["starts"]) if self.is_run else ()

    @property
    def donors(self) -> dict[str, dict[str, Any]]:
        """What this run took from elsewhere when it began: {"init_from.workdir": {"workdir", "step", "digest"}}; for each
        frozen network the same, or the digest of an extractor's weights."""
        return {field: taken for start in self.starts for field, taken in start.get("donors", {}).items()}

    def check_trust(self, config: Any, given: Iterable[str] = ()) -> None:
        """Refuses a config of this folder that names classes outside the package, unless this user has begun the run, or
        --trust is given. given: names that the command itself has. Raises UserError."""
        trust.check(trust.classes_in(config) - {*given}, self.path, self.saved.get("id"))

    def save(self, config: dict[str, Any], data: dict[str, Any], start: dict[str, Any], classes: Iterable[str] = ()) -> None:
        """Writes `config.json`, with one more start. classes: outside the package, of which a note is made."""
        record = {"names": NAMES, "config": config, "data": data, "starts": [*self.starts, start]}
        identity = trust.note(classes, self.path, self.saved.get("id") if self.is_run else None)
        write_json(self.record, record | ({"id": identity} if identity else {}))

    @property
    def done_step(self) -> int | None:
        """The step at which the run ended as it was asked to; None if it has not."""
        found = records.read_json(self._done, {"step": STEP}, "remove it, and start the run again, which writes it anew")
        return found and found["step"]

    def finish(self, step: int) -> None:
        """Says that the run has ended as it was asked to."""
        write_json(self._done, {"step": step})

    def reopen(self) -> None:
        """Takes `finish` back: the run goes on."""
        self._done.unlink(missing_ok=True)

    @property
    def saved_steps(self) -> set[int]:
        """Steps of the whole checkpoints, by their names."""
        there = self.checkpoints.iterdir() if self.checkpoints.is_dir() else ()
        return {int(path.name) for path in there if path.name.isdigit()}

    def metrics(self) -> list[dict[str, Any]]:
        """The lines of the log, oldest first, with today's names; without a last one that was cut by a kill."""
        advice = "restore it, or remove what is not a line of the log"
        return [renamed_metrics(line) for line in records.read_lines(self.log, LINE, advice)]

    def logged_step(self) -> int:
        """The step of the log's last line, read from its end while a run may be writing it; 0 where there is none yet."""
        line = records.last_line(self.log, LINE)
        return line["step"] if line else 0

    def evaluations(self) -> list[dict[str, Any]]:
        """The results in `evaluation.json`, oldest first. A value of a score that is no finite number is None."""
        found = records.read_json(self._evaluations, {"evaluations": [EVALUATION]}, "remove it, and evaluate again")
        return found["evaluations"] if found else []

    def add_evaluation(self, result: dict[str, Any]) -> None:
        """Adds a result, in place of one of the same step and protocol that the same code measured; what other code measured
        is kept. The first process alone writes."""

        def kind(one: dict[str, Any]) -> tuple[Any, ...]:
            return one["step"], one["protocol"], one.get("measured", {}).get("code")

        if jax.process_index() == 0:
            others = [old for old in self.evaluations() if kind(old) != kind(result)]
            write_json(self._evaluations, nulls({"evaluations": [*others, result]}))

    @property
    def rollbacks(self) -> list[dict[str, Any]]:
        """How the run went back to checkpoints when it diverged, oldest first: {"step": of the checkpoint, "why"}."""
        found = records.read_json(self._rollbacks, ROLLBACKS, "remove it, and the run forgets that it went back")
        return found["rollbacks"] if found else []

    def roll_back(self, step: int, why: str) -> None:
        """Writes down that the run goes back to the checkpoint of a step. The first process alone writes."""
        rollbacks = [*self.rollbacks, {"step": step, "why": why}]
        if jax.process_index() == 0:
            write_json(self._rollbacks, {"rollbacks": rollbacks})

    @property
    def failure(self) -> dict[str, Any] | None:
        """What ended a table's cell early: {"kind": "diverged" or "crashed", "message", "log"}."""
        return records.read_json(self._failure, FAILURE, "remove it, and the cell is tried again")

    def fail(self, kind: str, message: str, log: str = "") -> None:
        """Writes down what ended a table's cell early."""
        write_json(self._failure, {"kind": kind, "message": message, "log": log})

    def forget_failure(self) -> None:
        """Takes `fail` back: the cell is tried again."""
        self._failure.unlink(missing_ok=True)

    def touched_since(self, time: float) -> bool:
        """Whether a run has begun here, or a failure was written down, since `time` in seconds of the epoch."""
        return any(path.exists() and path.stat().st_mtime >= time for path in (self.record, self._failure))

    def check_folders(self) -> None:
        """Refuses a folder in which a file stands where the run keeps a folder. Raises UserError."""
        for path in (self.checkpoints, self.samples, self.path / "tensorboard", self.path / "frozen"):
            if path.exists() and not path.is_dir():
                raise UserError(f"{path} is a file, and a run keeps a folder of that name; move it away")

    def check_writable(self) -> None:
        """Refuses an existing folder that cannot be written to. Raises UserError."""
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise UserError(f"workdir {self.path} cannot be written: {os.strerror(errno.EACCES)}; choose another --workdir")

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Makes the folder and keeps it to this process; the system lets go of it with the process, however that ends.

        Raises UserError where the folder cannot be written or another run has it.
        """
        check_path(self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.check_writable()
            self.check_folders()
            handle = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise UserError(f"workdir {self.path} cannot be written: {error.strerror}; choose another --workdir") from error
        try:
            if jax.process_index() == 0:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    busy = f"{self.path} is in use by another run; wait for it, or choose another --workdir"
                    raise UserError(busy) from error
                except OSError:  # a file system without locks
                    pass
            yield
        finally:
            os.close(handle)


def check_path(path: Path, read_only: bool = False) -> None:
    """Refuses a folder in whose path Orbax would lose checkpoints: it takes some characters for addresses, and where it
    writes others for patterns. Raises UserError."""
    text = str(path.absolute())
    found = re.search(r":(?=/|$)" if read_only else r"[\[*?]|:(?=/|$)", text)
    if found or text.encode(errors="ignore").decode() != text:
        what = f"has '{found[0]}'" if found else "has bytes that are no UTF-8"
        shown = text.encode(errors="backslashreplace").decode()
        raise UserError(f"no checkpoints can be kept in {shown}, which {what} in its path; choose another --workdir")
