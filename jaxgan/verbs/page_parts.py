"""Pieces of the pages that verbs write."""

import html
import os
from pathlib import PurePosixPath
from urllib.parse import quote


def text(some: str) -> str:
    """Text as HTML; bytes of file names that are no text are escaped."""
    return html.escape(some.encode(errors="backslashreplace").decode())


def url(folder: str, name: str) -> str:
    """A link to a file in a folder beside the page."""
    return quote(os.fsencode(str(PurePosixPath(folder) / name)))


def left_out(damaged: list[tuple[str, str]]) -> str:
    """The pictures that could not be read, (file, reason), as a list with a head; "" where there are none."""
    if not damaged:
        return ""
    lines = "".join(f"<li>{text(name)}: {text(why)}</li>" for name, why in damaged)
    return f'<h2 id="damaged">{len(damaged):,} pictures that cannot be read</h2><ul>{lines}</ul>'
