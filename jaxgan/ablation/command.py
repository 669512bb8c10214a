"""This project's command line as a process of its own, wherever the package is installed."""

import os
import sys
from pathlib import Path

COMMAND = (sys.executable, "-P", "-m", "jaxgan")  # -P: a file in the current folder hides no package


def command_environment() -> dict[str, str]:
    """The environment for `COMMAND`, in which Python finds this very package."""
    home = str(Path(__file__).resolve().parents[2])
    paths = [home, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
