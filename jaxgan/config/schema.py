"""The fields of a config's sections, and values checked against them.

A field knows its annotated type: int, float, bool, str, tuple[int, ...], `schedules.Scalar`, or one of these or None. Values
come as text from a command line, where natural spellings work (1e3 for a whole number, on for true), or from a file.
"""

import ast
import dataclasses
import math
import types
import typing
from collections.abc import Iterable
from typing import Any, NamedTuple

import jax

from jaxgan.config import schedules
from jaxgan.errors import UserError, nearest


class Field(NamedTuple):
    """One value of a section: its annotated type, its default, and the values that it may have.

    choices: the only ones, if there are any. least: every number is at least this. below: and less than this.
    most: and at most this.
    """

    type: Any
    default: Any
    choices: tuple = ()
    least: float = 0
    below: float = math.inf
    most: float = math.inf

    @property
    def is_scalar(self) -> bool:
        """Whether the value is data of the compiled step, and may be a schedule."""
        return jax.Array in typing.get_args(self.type)


class Section(NamedTuple):
    """cls: the class whose keyword arguments these are, or None. tagged: `name` picks it. named: and is an argument too."""

    cls: Any
    fields: dict[str, Field]
    tagged: bool = False
    named: bool = False


def among(choices: Iterable, default: Any) -> Any:
    """A dataclass field with one of these values."""
    return dataclasses.field(default=default, metadata={"choices": tuple(choices)})


def bounded(default: Any, least: float = 0, below: float = math.inf, most: float = math.inf) -> Any:
    """A dataclass field of numbers in [least, below), or up to and with `most`; without it numbers are at least 0."""
    return dataclasses.field(default=default, metadata={"least": least, "below": below, "most": most})


def section(cls: Any, tag: str = "", named: bool = False) -> Section:
    """The section that configures a dataclass (or a flax module): its fields with defaults. tag: the name that has picked
    the class; empty for a section without names."""
    annotated = _types(cls)
    fields = {
        f.name: Field(annotated[f.name], f.default, **{key: f.metadata[key] for key in Field._fields if key in f.metadata})
        for f in dataclasses.fields(cls)
        if f.default is not dataclasses.MISSING and f.name not in ("parent", "name")
    }
    if tag:
        fields["name"] = Field(str, tag)
    return Section(cls, fields, bool(tag), named)


def _types(cls: Any) -> dict[str, Any]:
    """The annotated types; a module with `from __future__ import annotations` has them as text."""
    annotated = {f.name: f.type for f in dataclasses.fields(cls)}
    as_text = any(isinstance(kind, str) for kind in annotated.values())
    return annotated | typing.get_type_hints(cls) if as_text else annotated


def value_of(path: str, value: Any, field: Field) -> Any:
    """`value`, a string of the command line or a Python value of a file, as the field's type."""
    union = typing.get_origin(field.type) in (types.UnionType, typing.Union)
    kinds = typing.get_args(field.type) if union else (field.type,)
    try:
        out = _coerce(value, kinds)
    except (ValueError, TypeError, SyntaxError, KeyError, OverflowError) as error:
        wanted = " or ".join(_WANTED.get(kind, "values like 128,256") for kind in kinds)
        raise UserError(f"{path} must be {wanted}, not '{value}'") from error
    if field.choices and out not in field.choices:
        raise UserError(f"{path} cannot be '{out}'; {nearest(str(out), map(str, field.choices))}")
    if field.is_scalar and isinstance(out, str):
        problem = schedules.problem(out)
        if problem:
            raise UserError(f"{path}={out}: {problem}")
    whole = int in kinds or field.type == tuple[int, ...]
    below = 2**31 if whole and field.below == math.inf else field.below
    for number in _numbers(out, field):
        if not math.isfinite(number):
            raise UserError(f"{path} must be a finite number, not {number}")
        if number < field.least or number >= below or number > field.most:
            limit = f" and below {_plain(below)}" if number >= below or field.below < math.inf else ""
            limit = f" and at most {_plain(field.most)}" if field.most < math.inf else limit
            raise UserError(f"{path} must be at least {_plain(field.least)}{limit}, not {_plain(number)}")
    return out


def _plain(number: float) -> str:
    return f"{number:.0f}" if number == round(number) else f"{number:g}"


def _numbers(value: Any, field: Field) -> list[float]:
    """The numbers that a value holds: both ends of a schedule, all of a tuple."""
    if field.is_scalar and isinstance(value, str):
        schedule: Any = schedules.parse(value)
        return [float(schedule.start), float(schedule.end)]
    values = value if isinstance(value, tuple) else (value,)
    return [x for x in values if isinstance(x, int | float) and not isinstance(x, bool)]


_WANTED = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    jax.Array: f"a schedule ({schedules.SPELLING})",
    str: "text",
    type(None): "none",
}


def _coerce(value: Any, kinds: tuple) -> Any:
    if type(None) in kinds and (value is None or value in ("none", "None")):
        return None
    kinds = tuple(k for k in kinds if k is not type(None))
    if bool in kinds:
        if isinstance(value, bool):
            return value
        return {
            "true": True,
            "1": True,
            "yes": True,
            "on": True,
            "false": False,
            "0": False,
            "no": False,
            "off": False,
        }[str(value).lower()]
    if str in kinds:
        if not isinstance(value, str):
            raise TypeError
        return value
    if isinstance(value, bool):
        raise TypeError
    if int in kinds:
        number = float(value)
        if number != int(number):
            raise ValueError
        return int(value) if isinstance(value, int) else int(number)
    if float in kinds:
        if isinstance(value, str) and jax.Array in kinds and "(" in value:
            schedules.parse(value)
            return value
        return float(value)
    if typing.get_origin(kinds[0]) is tuple:
        if isinstance(value, str):
            inner = typing.get_args(kinds[0])[0]
            value = _words(value) if inner is str else ast.literal_eval(value)
        kinds = typing.get_args(kinds[0])[:1]
        values = value if isinstance(value, tuple | list) else (value,)
        if str in kinds:  # names may be numbers: digits' classes
            values = [str(v) if type(v) is int else v for v in values]
        return tuple(_coerce(v, kinds) for v in values)
    raise TypeError


def _words(text: str) -> list[str]:
    """gen,disc or ('gen', 'disc') or ()."""
    return [word.strip(" '\"") for word in text.strip(" ()[]").split(",") if word.strip(" '\"")]
