"""What is another in a table, and in how it was scored, than was registered."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxgan.ablation.claims import words
from jaxgan.ablation.formats import spans
from jaxgan.ablation.registered import Registered, as_registered
from jaxgan.ablation.table import Claim, Column, Table
from jaxgan.ablation.table_json import claim_as_json, column_as_json, length_as_json, plain, word_as_json


def changes(table: Table, registered: Registered, measured: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lines in plain words; none where nothing has changed. measured: of the runs' evaluations, what each says of how it was
    measured ("measured")."""
    out = _claims(table, registered)
    kept = as_registered(table, registered).claims
    for claim in registered.claims:
        if claim not in kept:
            out.append(f"claim no longer tested as registered: {_said(claim, registered)}")
    out += _columns(table, registered)
    planned = len(table.seeds) in registered.looks and {*table.seeds} >= {*registered.seeds}
    if tuple(table.seeds) != registered.seeds and not planned:
        out.append(f"seeds: {spans(registered.seeds)} -> {spans(table.seeds)}")
    if tuple(table.looks) != registered.looks:
        out.append(f"looks: {_value(plain(registered.looks))} -> {_value(plain(table.looks))}")
    old, new = (length_as_json(one.length) for one in (registered, table))
    if old is None or new is None:
        out += [f"length: {_length(old)} -> {_length(new)}"] if old != new else []
    else:
        out += [f"length: {line}" for line in _fields(old, new)]
    for name in dict.fromkeys([*registered.sound, *table.sound]):
        old, new = (plain(one.sound[name]) if name in one.sound else None for one in (registered, table))
        out += [f"sound values of '{name}': {_value(old)} -> {_value(new)}"] if old != new else []
    out += _code(registered, measured)
    if registered.seen:
        out.append(f"registered when the scores of these rows were known, from another report: {', '.join(registered.seen)}")
    return out


def _claims(table: Table, registered: Registered) -> list[str]:
    """A claim has changed where there was one about the same rows and column."""
    added, dropped, out = list(table.claims), [], []
    for claim in registered.claims:
        if claim in added:
            added.remove(claim)
        else:
            dropped.append(claim)
    for old in list(dropped):
        new = next((one for one in added if one.places == old.places), None)
        if new:
            lines = _fields(claim_as_json(old), claim_as_json(new))
            out.append(f"claim changed: {_said(new, table)} ({'; '.join(lines)})")
            added.remove(new)
            dropped.remove(old)
    out += [f"claim added: {_said(claim, table)}" for claim in added]
    return out + [f"claim dropped: {_said(claim, registered)}" for claim in dropped]


def _said(claim: Claim, where: Table | Registered) -> str:
    return words(claim, next((x for x in where.columns if x.name == claim.column), Column(claim.column)))


def _columns(table: Table, registered: Registered) -> list[str]:
    old = {column.name: column_as_json(column) for column in registered.columns}
    new, out = {column.name: column_as_json(column) for column in table.columns}, []
    for name in dict.fromkeys([*old, *new]):
        if name not in old or name not in new:
            out.append(f"column '{name}' {'dropped' if name in old else 'added'}")
            continue
        function = next(column.word for column in table.columns if column.name == name)
        if (word_as_json(function) if function else None) != registered.words.get(name):
            out.append(f"column '{name}': its words come from other code")
        for line in _fields(old[name], new[name]):
            out.append(f"column '{name}': {line.removeprefix('better ')}")
    return out


def _fields(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """ "above 7 -> 6" of each field that is another."""
    names = [name for name in new if name != "word" and old.get(name) != new[name]]
    return [f"{name} {_value(old.get(name))} -> {_value(new[name])}" for name in names]


def _value(x: Any) -> str:
    if isinstance(x, list):
        return ", ".join(map(_value, x)) or "none"
    if isinstance(x, bool):
        return "yes" if x else "no"
    return f"{x:.12g}" if isinstance(x, float) else "none" if x is None or x == "" else str(x)


def _length(found: dict[str, Any] | None) -> str:
    return f"{_value(found['published'])} {found['unit']}" if found else "none"


def _code(registered: Registered, measured: Sequence[Mapping[str, Any]]) -> list[str]:
    out = []
    for metric, code in registered.code.items():
        other = [one for one in measured if one.get("code", {}).get(metric, code) != code]
        if other:
            revisions = ", ".join(sorted({_revision(one.get("git_revision", "unknown")) for one in other}))
            was = _revision(registered.git_revision)
            out.append(f"scores of '{metric}' were measured by other code than registered (revision {was} -> {revisions})")
    silent = sum("code" not in one for one in measured)
    if silent:
        out.append(f"{silent} of {len(measured)} scored runs do not say which code measured them")
    return out


def _revision(text: str) -> str:
    """A commit's first ten digits, and whether there were changes."""
    commit, plus, rest = text.partition("+")
    return commit[:10] + plus + rest
