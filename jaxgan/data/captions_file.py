"""A file of captions beside a folder of pictures: JSON Lines, one object a line.

    {"file": "birds/017.jpg", "caption": "a small bird with a red crown"}
    {"file": "birds/018.jpg", "captions": ["a grey bird", "the bird has a long bill"]}

A picture may have several lines. `file_name` and `text` are taken for `file` and `caption`, as other tools write them.
"""

import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxgan.errors import UserError, as_path, nearest

FILE, CAPTION = ("file", "file_name"), ("caption", "captions", "text")


class Told(NamedTuple):
    """captions: of each picture, by its name below the folder. digest: of all of them."""

    captions: dict[str, tuple[str, ...]]
    digest: str

    def of(self, names: Sequence[str], where: str) -> list[tuple[str, ...]]:
        """The captions of pictures, in their order. Raises UserError for pictures that have none."""
        bare = [name for name in names if name not in self.captions]
        if bare:
            raise UserError(f"{where} has no caption of {len(bare)} of {len(names)} pictures, the first of them '{bare[0]}'")
        return [self.captions[name] for name in names]


def read(text: str, folder: Path, names: Iterable[str]) -> Told:
    """The captions of a file. text: its path, or its name in the folder. names: of the pictures below the folder. Raises
    UserError for a file that is not there or is no such file, and where it names pictures that are not there."""
    path, there, found = _place(text, folder), {*names}, {}
    try:
        content = path.read_bytes()
        lines = content.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"'{path}' cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            name, captions = _line(line, f"'{path}', line {number}")
            found[name] = (*found.get(name, ()), *captions)
    if not found:
        raise UserError(f"'{path}' has no line with a caption")
    lost = [name for name in found if name not in there]
    if lost:
        close = difflib.get_close_matches(lost[0], there, n=1)
        raise UserError(
            f"'{path}' names {len(lost)} pictures that are not in '{folder}', the first of them '{lost[0]}'"
            + (f"; did you mean '{close[0]}'?" if close else "")
        )
    return Told(found, hashlib.sha256(content).hexdigest()[:16])


def _place(text: str, folder: Path) -> Path:
    for path in (as_path(text), folder / text if folder.is_dir() else as_path(text)):
        if path.is_file():
            return path
    beside = [path.name for path in folder.glob("*.jsonl")] if folder.is_dir() else []
    hint = nearest(text, beside) if beside else "it is a file of JSON lines, a file and a caption each"
    raise UserError(f"data.captions: there is no file '{text}'; {hint}")


def _line(line: str, where: str) -> tuple[str, tuple[str, ...]]:
    try:
        one = json.loads(line)
        name = next(one[key] for key in FILE if key in one)
        said = next(one[key] for key in CAPTION if key in one)
    except (ValueError, TypeError, RecursionError, StopIteration) as error:
        raise UserError(f'{where}: it has to be {{"file": "a.png", "caption": "a red circle"}}') from error
    captions = tuple(said) if isinstance(said, list) else (said,)
    if not isinstance(name, str) or not captions or not all(isinstance(caption, str) for caption in captions):
        raise UserError(f"{where}: file and caption are texts, or captions a list of texts")
    return name.removeprefix("./"), captions
