"""A user's mistake, told in one line with the nearest right name."""

import difflib
import importlib
from collections.abc import Iterable
from typing import Any


class UserError(Exception):
    """What `launch.py` prints as one line before it ends with exit code 2."""


def nearest(name: str, known: Iterable[str]) -> str:
    """What to append to "unknown X 'name'": the likeliest meant name, and what is known where that fits on a line."""
    known = sorted(known)
    if not known:
        return "there are none"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    short = ", ".join(known) if len(known) <= 12 else ""
    if close:
        return f"did you mean '{close[0]}'?" + (f" (known: {short})" if short else "")
    return f"known: {short or ', '.join(known[:12])}{'' if len(known) <= 12 else ', ...'}"


def lookup(table: dict[str, Any], name: str, kind: str) -> Any:
    """`table[name]`, or the object behind "package.module:Name". Raises UserError; `kind` says what is looked for."""
    if name in table:
        return table[name]
    module, colon, attribute = name.partition(":")
    if not colon:
        raise UserError(f"unknown {kind} '{name}'; {nearest(name, table)}")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{kind} '{name}' cannot be imported: {error}") from error
