"""A table's protocol in words, with numbers from its rows' configs, and how long its runs are beside the paper's."""

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from jaxgan.ablation.table import Length, Table
from jaxgan.config.resolve import Config, flat
from jaxgan.errors import UserError, nearest

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
Fields = dict[str, Any]  # of a config, by dotted path
FITTED = (
    "data.size",
    "data.crop",
    "data.fit",
    "data.filter",
    "data.channels",
    "data.background",
)  # what scores say of images


def filled_in(text: str, configs: Sequence[Config | Fields]) -> str:
    """A text with the rows' values in place of {steps}, {nets.gen.width} and products, {steps*batch_size}.

    Rows with unlike values: "500 or 2,500", in their order. Rows without the field are passed over. {{ and }} are braces.
    configs: of the rows, as they are resolved or flat. Raises UserError for a field that no row has, and a brace alone.
    """
    rows = [_fields(config) for config in configs]

    def filled(match: re.Match) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None:
            raise UserError(f"'{match[0]}' stands alone in '{text:.60}'; a brace that is none is written '{2 * match[0]}'")
        names = [name.strip() for name in match[1].split("*")]
        spelled = dict.fromkeys(_spelled(_product(values, match[0])) for values in _values(rows, names))
        return " or ".join(filter(None, (", ".join([*spelled][:-1]), [*spelled][-1])))

    return _PART.sub(filled, text)


def share(length: Length, configs: Sequence[Config | Fields]) -> float:
    """The shortest row's length over the published one. Raises UserError."""
    return _shortest(length, configs) / length.published


def in_words(length: Length, configs: Sequence[Config | Fields]) -> str:
    """How long the shortest row's runs are: "10,000 of the paper's 400,000 steps (2.5 %)". Raises UserError."""
    part = 100 * share(length, configs)
    return f"{_shortest(length, configs):,.0f} of the paper's {length.published:,.0f} {length.unit} ({part:.3g} %)"


def untested(table: Table, configs: Sequence[Config | Fields]) -> str:
    """Why a table's claims are not tested by runs of the shown rows' configs: too short beside the paper's; "" where they
    are long enough. Raises UserError."""
    length = table.length
    if not length:
        return ""
    if not configs:
        return "the length of its runs is not known"
    if share(length, configs) >= length.least:
        return ""
    least = "half" if length.least == 0.5 else f"{100 * length.least:.3g} %"
    return f"{in_words(length, configs)}, and {least} is the least" + (f": {length.why}" if length.why else "")


def check_protocol(table: Table, configs: Sequence[Config]) -> None:
    """Refuses fields in a table's sentences and length that the shown rows' configs do not have, and rows whose real images
    are fitted unlike each other, whose scores would be refused when all is trained. Raises UserError."""
    for name, check in _checks(table, configs).items():
        try:
            check()
        except UserError as error:
            raise UserError(f"the table's {name}: {error}") from error


def _check_images(configs: Sequence[Config]) -> None:
    rows = [_fields(config) for config in configs]
    for field in FITTED:
        by_data: dict[str, Any] = {}
        for row in rows:
            if field in row and by_data.setdefault(row["data.name"], row[field]) != row[field]:
                unlike = " and ".join(_spelled(x) or "none" for x in (by_data[row["data.name"]], row[field]))
                raise UserError(f"rows have unlike {field}, {unlike}, and their scores cannot stand in one table")


def _checks(table: Table, configs: Sequence[Config]) -> dict[str, Callable[[], Any]]:
    texts = {name: getattr(table, name) for name in ("protocol", "data")}
    checks = {name: lambda text=text: filled_in(text, configs) for name, text in texts.items()}
    return checks | {"length": lambda: untested(table, configs), "images": lambda: _check_images(configs)}


def _shortest(length: Length, configs: Sequence[Config | Fields]) -> float:
    rows = _values([_fields(config) for config in configs], length.of)
    lengths = [_product(values, "*".join(length.of)) for values in rows]
    return min([x for x in lengths if x] or [0])  # a baseline of 0 steps has no length


def _fields(config: Config | Fields) -> Fields:
    return flat(config if isinstance(config, dict) else config.to_dict())


def _values(rows: Sequence[Fields], names: Sequence[str]) -> list[list[Any]]:
    """The fields' values in every row that has them all."""
    known = {field for row in rows for field in row}
    for name in names:
        if name not in known:
            raise UserError(f"no row has the field '{name}'; {nearest(name, known)}")
    found = [[row[name] for name in names] for row in rows if row.keys() >= set(names)]
    if not found:
        raise UserError(f"no row has all of {', '.join(names)}")
    return found


def _product(values: list[Any], text: str) -> Any:
    if len(values) == 1:
        return values[0]
    if not all(isinstance(x, int | float) and not isinstance(x, bool) for x in values):
        raise UserError(f"{text} is no product of numbers: {', '.join(map(str, values))}")
    return prod(values)


def _spelled(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 1000 else f"{value:g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return ", ".join(map(_spelled, value)) if isinstance(value, list | tuple) else str(value)
