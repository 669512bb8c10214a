"""A user's mistake, told in one line with the nearest right name."""

import dataclasses
import difflib
import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

looked_up: set[str] = set()  # names "package.module:Object" that this process has imported; `config.trust` asks


class UserError(Exception):
    """A mistake of the user's: the command line prints it as one line and ends with exit code 2."""


class Failure(Exception):
    """How a run ended that nobody wanted to: the command line prints it as one line and ends with exit code 1."""


def nearest(name: str, known: Iterable[str]) -> str:
    """What to append to "unknown X 'name'": the likeliest meant name, and what is known where that fits on a line. Among
    numbers it is the nearest number."""
    known = sorted(known)
    if not known:
        return "there are none"
    if len(known) <= 12 and all(one.isdecimal() for one in (name, *known)):
        known = sorted(known, key=int)
        return f"did you mean {min(known, key=lambda one: abs(int(one) - int(name)))}? (known: {', '.join(known)})"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    short = ", ".join(known) if len(known) <= 12 else ""
    if close:
        return f"did you mean '{close[0]}'?" + (f" (known: {short})" if short else "")
    return f"known: {short or ', '.join(known[:12])}{'' if len(known) <= 12 else ', ...'}"


def is_reference(name: str) -> bool:
    """Whether a name is of the form "package.module:Object"."""
    return re.fullmatch(r"\w[\w.]*:[A-Za-z_]\w*", name) is not None


def described(error: Exception) -> str:
    """What went wrong in a user's own Python file, and in which line of it."""
    if isinstance(error, ModuleNotFoundError):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or '').name}, line {error.lineno}: {error.msg}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}, line {frame.lineno}: {type(error).__name__}: {error}"


def as_path(text: str | Path) -> Path:
    """A path as a user types it, ~ and all. Raises UserError for the home of nobody."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UserError(f"'{text}': {error}") from error


def numbers(text: str, flag: str) -> tuple[int, ...]:
    """ "0-3,7": 0, 1, 2, 3, 7. Raises UserError."""
    out: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < 2**32:
            raise UserError(f"{flag} must be numbers and ranges below 2^32, 0-63 or 3,5,8-11, not '{text}'")
        out += range(first, last + 1)
    return tuple(out)


def lookup(table: dict[str, Any], name: str, kind: str) -> Any:
    """`table[name]`, or the object behind "package.module:Object". Raises UserError; `kind` says what is looked for."""
    if name in table:
        return table[name]
    if not is_reference(name):
        raise UserError(f"unknown {kind} '{name}'; {nearest(name, table)}")
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:  # only now: a folder here may have the name of a package that others look for
        sys.path.append(os.getcwd())
    try:
        loaded = importlib.import_module(module)
    except Exception as error:  # whatever a module of the user's raises
        raise UserError(f"{kind} '{name}' cannot be imported: {described(error)}") from error
    if not hasattr(loaded, attribute):
        raise UserError(f"{kind} '{name}': {module} has no '{attribute}'; {nearest(attribute, vars(loaded))}")
    looked_up.add(name)
    return getattr(loaded, attribute)


def lookup_class(table: dict[str, Any], name: str, kind: str, *needs: str) -> Any:
    """`lookup` of a dataclass or flax module, whose fields are a section of the config, with the attributes `needs`."""
    found = lookup(table, name, kind)
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise UserError(f"{kind} '{name}' must be a dataclass or a flax module: its fields are its config")
    missing = [need for need in needs if not hasattr(found, need)]
    if missing:
        raise UserError(f"{kind} '{name}' has no '{missing[0]}', which every {kind} has")
    return found
