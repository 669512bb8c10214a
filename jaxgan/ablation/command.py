"""This project's command line as a process of its own, wherever the package is installed."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from jaxgan.ablation.table import Table
from jaxgan.config import trust
from jaxgan.config.resolve import Overrides

COMMAND = (sys.executable, "-P", "-m", "jaxgan")  # -P: a file in the current folder hides no package
PARENT = "JAXGAN_ABLATION"  # environment variable: the process that started this one


def start(
    what: str, table: Table, spec: str, folder: Path, overrides: Overrides, log: Path, **variables: str
) -> subprocess.Popen:
    """A process that does a part of a table's work, `what` being its flag. See `launch`."""
    words = ["--mode=ablate", f"--config={spec}", f"--workdir={folder}", what]
    words += [f"--seeds={','.join(map(str, table.seeds))}", *(f"--config.{key}={value}" for key, value in overrides)]
    return launch(words, log, **variables)


def launch(words: Sequence[str], log: Path, **variables: str) -> subprocess.Popen:
    """A process of this command line, which says what it says at the end of `log`.

    variables: of the environment, where it does not set them itself.
    """
    words = [*COMMAND, *words, *["--trust"] * trust.is_trusting()]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(shlex.join(words) + "\n")
        file.flush()
        return subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT, env=variables | _environment())


def last_line(log: Path) -> str:
    """What a process said last."""
    return (log.read_text(errors="replace").strip().splitlines() or [""])[-1]


def _environment() -> dict[str, str]:
    """The environment for `COMMAND`, in which Python finds this very package, and the process its parent."""
    home = str(Path(__file__).resolve().parents[2])
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), PARENT: str(os.getpid())}
