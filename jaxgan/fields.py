"""The fields of a config's sections, and values checked against them.

A field knows its annotated type: int, float, bool, str, tuple[int, ...], `schedules.Scalar`, or one of these or None. Values
come as text from a command line, where natural spellings work (1e3 for a whole number, on for true), or from a file.
"""

import ast
import dataclasses
import math
import types
import typing
from typing import Any, NamedTuple

import jax

from jaxgan import schedules
from jaxgan.errors import UserError, nearest


class Field(NamedTuple):
    """One value of a section: its annotated type, its default, and the values it may have, if only some."""

    type: Any
    default: Any
    choices: tuple = ()

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


def section(cls: Any, tagged: bool = False, named: bool = False) -> Section:
    """The section that configures a dataclass (or a flax module): its fields with defaults."""
    fields = {
        f.name: Field(f.type, f.default, tuple(f.metadata.get("choices", ())))
        for f in dataclasses.fields(cls)
        if f.default is not dataclasses.MISSING and f.name not in ("parent", "name")
    }
    if tagged:
        fields["name"] = Field(str, "")
    return Section(cls, fields, tagged, named)


def value_of(path: str, value: Any, field: Field) -> Any:
    """`value`, a string of the command line or a Python value of a file, as the field's type."""
    kinds = typing.get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)
    try:
        out = _coerce(value, kinds)
    except (ValueError, TypeError, SyntaxError, KeyError, OverflowError) as error:
        wanted = " or ".join(_WANTED.get(kind, "values like 128,256") for kind in kinds)
        raise UserError(f"{path} must be {wanted}, not '{value}'") from error
    if field.choices and out not in field.choices:
        raise UserError(f"{path} cannot be '{out}'; {nearest(str(out), map(str, field.choices))}")
    for number in out if isinstance(out, tuple) else (out,):
        if isinstance(number, int | float) and (number < 0 or not math.isfinite(number)):
            raise UserError(f"{path} must be a finite number, at least 0, not {number}")
    return out


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
            value = ast.literal_eval(value)
        return tuple(
            _coerce(v, typing.get_args(kinds[0])[:1]) for v in (value if isinstance(value, tuple | list) else (value,))
        )
    raise TypeError
