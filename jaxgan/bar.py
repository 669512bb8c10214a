"""Progress of what may take longer than a moment."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

IN_A_FILE = 30.0  # seconds between two states of a bar that nobody watches


def bar(some: Iterable[Any] | None, title: str, total: int, unit: str, delay: float = 2.0, quiet: bool = False) -> Any:
    """A tqdm bar over `some`, or one to `update` by hand: on a terminal after `delay` seconds, in a file two states a
    minute, none if `quiet`, as all processes but the first are."""
    watched = sys.stderr.isatty()
    every = {"mininterval": 0.1, "dynamic_ncols": True} if watched else {"mininterval": IN_A_FILE, "miniters": 1}
    return tqdm(some, title, total, unit=f" {unit}", delay=delay if watched else IN_A_FILE, disable=quiet, **every)
