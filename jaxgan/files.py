"""Files: each is written whole or not at all."""

import functools
import json
import math
import os
import re
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

DAY = 86400  # seconds


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` when all of it is written, and is gone if that fails.

    Its folder is made if need be. Several processes may write the same path at once; the last one to finish wins.
    """
    with replaced(path) as unfinished, unfinished.open("wb") as file:
        yield file


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """As `replacing`, for writers that open files themselves: the path to write to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Removes what `replacing` left unfinished in a folder: files of processes of this machine that have ended, and those of
    other machines after a day."""
    for left in folder.glob("*.tmp"):
        made = re.fullmatch(r".+\..+\.(\d+)\.tmp", left.name)
        if made is None or not left.is_file():
            continue
        is_ours = left.name.endswith(f".{socket.gethostname()}.{made[1]}.tmp")
        if not _is_alive(int(made[1])) if is_ours else left.stat().st_mtime < time.time() - DAY:
            left.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        pass
    return True


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8, whole or not at all; what UTF-8 cannot say, as file names may be, becomes \\x escapes."""
    with replacing(path) as file:
        file.write(text.encode(errors="backslashreplace"))


def write_json(path: Path, content: Any, indent: int = 2) -> None:
    """Writes a JSON file with sorted keys, whole or not at all. Raises ValueError for NaN and infinity, which JSON has not:
    where a number may be missing, `nulls` says so."""
    write_text(path, json.dumps(content, indent=indent, sort_keys=True, allow_nan=False) + "\n")


def nulls(content: Any) -> Any:
    """A tree of JSON with null in place of NaN and infinity: what could not be measured."""
    if isinstance(content, dict):
        return {key: nulls(x) for key, x in content.items()}
    if isinstance(content, list | tuple):
        return [nulls(x) for x in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def user_cache() -> Path:
    """The folder of what this project keeps for a user from run to run; see `_temporary` for users without a home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxgan"
    except RuntimeError:  # no HOME, and no entry in the list of users, as in containers
        return _temporary()


@functools.cache
def _temporary() -> Path:
    """The user's folder among the temporary files; a new one where somebody else could write to it, since compiled programs
    are kept there."""
    path = Path(tempfile.gettempdir()) / f"jaxgan-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
            return path
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="jaxgan-"))


def user_state() -> Path | None:
    """The folder of what this project remembers for a user; None for a user without a home."""
    given = os.environ.get("XDG_STATE_HOME", "")
    try:
        return Path(given if os.path.isabs(given) else Path.home() / ".local" / "state") / "jaxgan"
    except RuntimeError:
        return None
