"""Files: each is written whole or not at all."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` when all of it is written, and is gone if that fails.

    Its folder is made if need be. Several processes may write the same path at once; the last one to finish wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            yield file
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8, whole or not at all; what UTF-8 cannot say, as file names may be, becomes \\x escapes."""
    with replacing(path) as file:
        file.write(text.encode(errors="backslashreplace"))


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file with sorted keys, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def user_cache() -> Path:
    """The folder of what this project keeps for a user from run to run."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxgan"


def user_state() -> Path | None:
    """The folder of what this project remembers for a user; None for a user without a home."""
    given = os.environ.get("XDG_STATE_HOME", "")
    try:
        return Path(given if os.path.isabs(given) else Path.home() / ".local" / "state") / "jaxgan"
    except RuntimeError:
        return None
