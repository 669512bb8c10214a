"""Files: each is written whole or not at all."""

import json
import os
import re
import socket
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
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            yield file
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


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file with sorted keys, whole or not at all."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def user_cache() -> Path:
    """The folder of what this project keeps for a user from run to run."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxgan"
