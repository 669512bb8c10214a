"""What a table says of its numbers, as JSON and back: columns, claims and length."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from jaxgan.ablation.table import Claim, Column, Length
from jaxgan.errors import UserError
from jaxgan.source_code import function_hash

NUMBER = (float, {"inf", "-inf", "nan"})  # JSON has none of these
WORD = {"name": str, "code": str}  # of a function: its name, and the hash of its code (`source_code.function_hash`)
COLUMN = {
    **dict.fromkeys(("score?", "title?", "better?", "format?"), str),
    **dict.fromkeys(("scale?", "count?"), NUMBER),
    "word?": (WORD, None),
    "within?": ([NUMBER, ...], None),
}
CLAIM = {
    **dict.fromkeys(("column", "row", "than?", "than_column?", "text?"), str),
    **dict.fromkeys(("above?", "below?", "margin?"), (*NUMBER, None)),
    **dict.fromkeys(("words?", "beyond?"), [str]),
    "paired?": (bool, None),
}
LENGTH = {"published": NUMBER, "unit": str, "of?": [str], "least?": NUMBER, "why?": str}
_TEXTS = (
    "score",
    "title",
    "better",
    "format",
    "column",
    "row",
    "than",
    "than_column",
    "text",
    "words",
    "beyond",
    "unit",
    "of",
    "why",
)


def claim_as_json(claim: Claim) -> dict[str, Any]:
    """All fields of a claim, as JSON of the shape `CLAIM`."""
    return _fields(claim)


def claim_of(found: dict[str, Any]) -> Claim:
    """The claim that `claim_as_json` wrote, perhaps before claims had all of today's fields. Raises UserError for a field
    that is unknown today."""
    return Claim(**_arguments(Claim, found))


def column_as_json(column: Column) -> dict[str, Any]:
    """All fields of a column, as JSON of the shape `COLUMN`."""
    return _fields(column) | {"word": word_as_json(column.word) if column.word else None}


def column_of(found: dict[str, Any], word: Callable[[Any], str] | None = None) -> Column:
    """The column that `column_as_json` wrote. word: its function, which JSON has no more than a name and a hash of. Raises
    UserError as `claim_of` does."""
    return Column(**_arguments(Column, found), word=word)


def length_as_json(length: Length | None) -> dict[str, Any] | None:
    """All fields of a length, as JSON of the shape `LENGTH`."""
    return _fields(length) if length else None


def length_of(found: dict[str, Any] | None) -> Length | None:
    """The length that `length_as_json` wrote. Raises UserError as `claim_of` does."""
    return Length(**_arguments(Length, found)) if found else None


def word_as_json(word: Callable[[Any], str]) -> dict[str, str]:
    """The name of a function, and the hash of its code; "" where that is not known."""
    return {"name": getattr(word, "__qualname__", type(word).__qualname__), "code": function_hash(word)}


def plain(value: Any) -> Any:
    """A value as JSON: sequences as lists, and numbers that JSON has not as text."""
    if isinstance(value, tuple | list):
        return [plain(x) for x in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def numbers(value: Any) -> Any:
    """A number, or several, that `plain` wrote."""
    if isinstance(value, list):
        return tuple(map(numbers, value))
    return float(value) if isinstance(value, str) else value


def _fields(one: Any) -> dict[str, Any]:
    return {field.name: plain(getattr(one, field.name)) for field in dataclasses.fields(one) if field.name != "word"}


def _arguments(cls: type, found: dict[str, Any]) -> dict[str, Any]:
    new = found.keys() - {field.name for field in dataclasses.fields(cls)}
    if new:
        raise UserError(f"a {cls.__name__.lower()} has a field '{min(new)}', which this revision does not know")
    texts = {name: tuple(x) if isinstance(x, list) else x for name, x in found.items() if name in _TEXTS}
    return {name: texts[name] if name in texts else numbers(x) for name, x in found.items() if name != "word"}
