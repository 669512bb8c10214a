"""Records: files that this project wrote and reads back. Anything may have happened to them in between.

Every function here returns what the file says, or raises `DamagedFile`, one line that names the file, the fault and what to
do. Nothing else reads such files, so no other error comes of them.

A shape says what JSON must look like:

    int, float, str, bool, dict, None   of that kind; a float may be a whole number, and true is no number
    range(10)                           a whole number among these
    {"a", "b"}                          one of these texts
    (int, None)                         any of these shapes
    [shape], [shape, ...]               a list, each of whose entries has the shape; with one entry at least
    {"a": shape, "b?": shape}           an object with a, and perhaps b; other keys are not looked at
    {str: shape}                        an object all of whose (other) keys have the shape

JSON has no NaN and no infinity. Older revisions wrote both; they are read as null, which stands for "not measured".
"""

import json
import math
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jaxgan.errors import UserError

LARGEST = 1 << 30  # bytes; no record comes near it
STEP = range(1 << 53)  # a step, a count or a seed
_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false", dict: "an object", None: "null"}


class DamagedFile(UserError):
    """A file is not what this project wrote."""


@contextmanager
def reading(path: Path, advice: str) -> Iterator[None]:
    """Tells of whatever goes wrong inside as a fault of the file `path`: a mistake (`UserError`) with the file's name before
    it, and any other exception as damage. advice: what to do about it."""
    try:
        yield
    except DamagedFile:
        raise
    except UserError as error:
        raise error if str(error).startswith(f"{path}") else UserError(f"{path}: {error}") from error
    except OSError as error:
        raise DamagedFile(f"{path} cannot be read ({error.strerror or error}); {advice}") from error
    except Exception as error:  # whatever odd content makes of code that expects another
        raise damage(path, error, advice) from error


def damage(path: Path, error: Exception, advice: str) -> DamagedFile:
    """What to raise where a file (or a folder of them) made a reader raise `error`."""
    return DamagedFile(f"{path} is damaged ({_reason(error)}); {advice}")


def check_file(path: Path, advice: str) -> bool:
    """Whether there is such a file. Raises DamagedFile for what is no ordinary file: to open a pipe would wait for ever."""
    with reading(path, advice):
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a special file"
            raise DamagedFile(f"{path} is {kind}, and no record; {advice}")
        return True


def read_bytes(path: Path, advice: str) -> bytes | None:
    """A file's content; None where there is no such file. Raises DamagedFile where there is more than any record has."""
    with reading(path, advice):
        if not check_file(path, advice):
            return None
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.stat().st_size:,} bytes, more than any such file")
        return path.read_bytes()


def read_json(path: Path, shape: Any, advice: str) -> Any:
    """The JSON in a file; None where there is no such file. Raises DamagedFile where it has another shape."""
    content = read_bytes(path, advice)
    if content is None:
        return None
    with reading(path, advice):
        return parse(content, shape)


def read_lines(path: Path, shape: Any, advice: str) -> list[Any]:
    """The JSON in each line of a log; [] where there is no such file.

    Blank lines are passed over, and so is a last line that a kill has cut: one without an end, of which no JSON can be made.
    Raises DamagedFile for any other line that has another shape.
    """
    out, lines = [], (read_bytes(path, advice) or b"").splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            out.append(parse(line, shape))
        except (ValueError, RecursionError) as error:
            if number < len(lines) or line.endswith(b"\n") or not line.startswith(b"{"):
                raise DamagedFile(f"{path} is damaged in line {number} ({_reason(error)}); {advice}") from error
    return out


def last_line(path: Path, shape: Any, tail: int = 8192) -> Any:
    """The last whole line of a log that another process may be writing, looked for in its last `tail` bytes. None where no
    line has the shape."""
    if not path.is_file():
        return None
    with reading(path, "restore it"), path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - tail))
        lines = file.read(tail).splitlines()
    for line in reversed(lines):
        try:
            return parse(line, shape)
        except (ValueError, RecursionError):  # half written
            continue
    return None


def read_picture(path: Path, advice: str) -> Any:
    """A picture file as a Pillow image, RGB and decoded. Raises DamagedFile."""
    from PIL import Image

    with reading(path, advice):
        check_file(path, advice)
        with Image.open(path, formats=("PNG",)) as picture:
            return picture.convert("RGB")


def parse(text: bytes | str, shape: Any) -> Any:
    """JSON of a shape. Raises ValueError (RecursionError, for brackets without end) that says what is wrong and where."""
    if not text.strip():
        raise ValueError("it is empty")
    value = json.loads(text, parse_constant=lambda _: None, parse_float=_finite, parse_int=_whole)
    wrong = _wrong(value, shape, "it")
    if wrong:
        raise ValueError(wrong)
    return value


def _finite(text: str) -> float | None:
    return number if math.isfinite(number := float(text)) else None


def _whole(text: str) -> int:
    if abs(number := int(text)) >= 1 << 63:
        raise ValueError(f"{text[:20]}... is too large a number")
    return number


def _wrong(value: Any, shape: Any, at: str) -> str:
    """What is wrong with a value, "" if nothing is."""
    fits = True
    if isinstance(shape, tuple):
        fits = any(not _wrong(value, one, at) for one in shape)
    elif isinstance(shape, range):
        fits = type(value) is int and value in shape
    elif isinstance(shape, set):
        fits = isinstance(value, str) and value in shape
    elif isinstance(shape, list):
        if isinstance(value, list) and len(value) >= len(shape) - 1:
            return next(filter(None, (_wrong(x, shape[0], f"{at}[{i}]") for i, x in enumerate(value))), "")
        fits = False
    elif isinstance(shape, dict):
        if isinstance(value, dict):
            return _wrong_in(value, shape, at)
        fits = False
    elif shape is None:
        fits = value is None
    elif shape is float:
        fits = type(value) in (int, float)
    else:
        fits = type(value) is shape
    return "" if fits else f"{at} is {json.dumps(value):.40}, not {_name(shape)}"


def _wrong_in(value: dict[str, Any], shape: dict[Any, Any], at: str) -> str:
    known = {key.removesuffix("?") for key in shape if key is not str}
    for key in shape:
        if key is not str and not key.endswith("?") and key not in value:
            return f"{at} has no '{key}'"
    for key, x in value.items():
        wanted = shape.get(key, shape.get(f"{key}?")) if key in known else shape.get(str, _ANY)
        wrong = "" if wanted is _ANY else _wrong(x, wanted, key if at == "it" else f"{at}.{key}")
        if wrong:
            return wrong
    return ""


_ANY = object()


def _name(shape: Any) -> str:
    if isinstance(shape, tuple):
        return " or ".join(map(_name, shape))
    if isinstance(shape, range):
        return "a whole number that it can be"
    if isinstance(shape, set):
        return " or ".join(sorted(shape))
    return "a list with entries" if isinstance(shape, list) else "an object" if isinstance(shape, dict) else _NAMES[shape]


def _reason(error: Exception) -> str:
    """What an exception says, in one line."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg}" + (f", line {error.lineno}" if "\n" in error.doc.strip() else "")
    text = (str(error).strip().splitlines() or [""])[0][:200]
    return text if text and isinstance(error, ValueError) else f"{type(error).__name__}: {text}".rstrip(": ")
