"""Configs: filling every section from the class that it configures, overriding, checking.

A section is exactly the keyword arguments of one class: its fields that have defaults. Sections with a `name` are tagged
unions, where the name picks the class. So overrides come in two phases: first names (and which terms there are),
which rebuild their section from the named class' defaults; then values, checked against the fields of the result. A
misspelt field, a wrong type or a negative number ends here, before anything is built (`schema` checks the values).
"""

import dataclasses
import difflib
from collections.abc import Callable, Iterable
from typing import Any

import ml_collections

from jaxgan.config import schedules
from jaxgan.config.load import Config
from jaxgan.config.renamed import renamed
from jaxgan.config.schema import Section, value_of
from jaxgan.errors import UserError, nearest

Overrides = list[tuple[str, str]]  # ("optim.gen.lr", "1e-4")


Sections = Callable[[dict], dict[str, Section]]  # the raw config's names -> every section, by dotted path
# Sections whose parts a person names: kinds of the parts. The class of the task says whether there is such a section.
OPEN = {"objective.terms": "term", "frozen": "frozen network"}
EXAMPLES = {"objective.terms": "objective.terms.r1.weight", "frozen": "frozen.NAME.workdir"}  # a field of such a part
OPTIONAL = ("objective", "critic", "augment", "frozen")  # sections of tasks that have a field of that name


def resolve_config(base: Config, overrides: Overrides, sections: Sections) -> Config:
    """The complete, checked and locked config. Raises UserError."""
    raw = base.to_dict()
    # Which networks there are to name follows from the task, whatever comes first.
    for path, text in sorted(overrides, key=lambda one: (one[0] != "task.name", not _names_a_network(one[0]))):
        _override_name(raw, path, text, sections)
    known = sections(raw)
    for name in OPTIONAL:  # of another task, which the file starts from
        if name not in known:
            raw.pop(name, None)
    if any(path == "task.name" for path, _ in overrides):  # another's networks and players
        raw["nets"] = {net: x for net, x in raw.get("nets", {}).items() if f"nets.{net}" in known}
        raw["optim"] = {player: x for player, x in raw.get("optim", {}).items() if f"optim.{player}" in known}
        raw["rounds"] = {player: x for player, x in raw.get("rounds", {}).items() if player in known["rounds"].fields}
    config = _fill(raw, known)
    for path, text in overrides:
        name, _, key = path.rpartition(".")
        if name in OPEN and name in known:  # "none", dealt with in the first phase
            continue
        if name not in known or key not in known[name].fields:
            raise _unknown(path, known)
        _at(config, name)[key] = value_of(path, text, known[name].fields[key])
    return ml_collections.ConfigDict(config).lock()


def scalars_of(config: Config, known: dict[str, Section], run: float = schedules.RUN) -> dict[str, Any]:
    """The hyper-parameters that are data, in a run of so many kimg: {"optim.gen.lr": float32 or Schedule, ...}."""
    out = {}
    for path, part in known.items():
        for key, field in part.fields.items():
            value = _at(config, path)[key]
            if field.is_scalar and value is not None:
                out[f"{path}.{key}"] = schedules.parse(value, run)
    return out


def as_overrides(config: Config) -> list[tuple[str, str]]:
    """Every field as an override that would set it: ("optim.gen.lr", "0.0002"), names before the fields that they bring."""
    values = flat(config.to_dict())
    paths = sorted(values, key=lambda path: (path.count(".") > 0, path.rpartition(".")[0], not path.endswith(".name"), path))
    return [(path, _spell(values[path])) for path in paths if values[path] != {}]


def _spell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(str, value)) if value and not isinstance(value[0], str) else str(tuple(value))
    return "none" if value is None else str(value)


def make_section(config: Config, path: str, part: Section, values: dict[str, Any], **supplied: Any) -> Any:
    """An instance of a section's class: its config, scalars replaced by `values`, and what it asks for of `supplied`."""
    given = _at(config, path)
    kwargs = {key: values.get(f"{path}.{key}", given[key]) for key in part.fields if key != "name" or part.named}
    others = [f for f in dataclasses.fields(part.cls) if f.name not in kwargs]
    bare = {f.name for f in others if f.default is f.default_factory is dataclasses.MISSING}
    missing = sorted(bare - supplied.keys() - {"parent", "name"})
    if missing:
        kind = part.cls.__name__ if part.cls else path
        raise UserError(
            f"{path}: {kind}.{missing[0]} has no default, and nothing here is called that; there are {', '.join(supplied)}"
        )
    return part.cls(**kwargs, **{f.name: supplied[f.name] for f in others if f.name in supplied})


def difference(old: dict, new: dict, ignore: tuple[str, ...]) -> list[str]:
    """Lines "path: old -> new" of what differs between two configs outside of the prefixes `ignore`."""
    a, b = flat(old), flat(new)
    changed = [key for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]
    changed = [key for key in changed if not is_among(key, ignore)]
    return [f"{key}: {a.get(key, 'absent')} -> {b.get(key, 'absent')}" for key in changed]


def is_among(path: str, names: Iterable[str]) -> bool:
    """Whether a dotted path is one of these fields, or in one of these sections; a * stands for any one part."""
    parts = path.split(".")
    for name in names:
        wanted = name.split(".")
        if len(wanted) <= len(parts) and all(w in ("*", p) for w, p in zip(wanted, parts)):
            return True
    return False


def _override_name(raw: dict, path: str, text: str, sections: Sections) -> None:
    """The first phase: which class a section configures, and which parts open sections have."""
    name, _, key = path.rpartition(".")
    container, _, part = name.rpartition(".")
    if name in OPEN:
        parts = _at(raw, name, create=True)
        if text != "none":
            field = "weight" if name == "objective.terms" else "name"
            raise UserError(f"'{path}' takes fields, {path}.{field}=..., or 'none', which removes it; not '{text}'")
        if parts.pop(key, None) is None:
            raise UserError(f"there is no {OPEN[name]} '{key}' to remove; {nearest(key, parts)}")
    elif container in OPEN:
        here = _at(raw, name, create=True)
        if not isinstance(here, dict):
            raise UserError(f"'{name}' is a section of fields, not {here!r}; its kind is {name}.name")
        if key == "name" and here.get("name", part) != text:
            here.clear()
            here["name"] = text
    elif key == "name":
        # Until all of these are set, they need not fit each other.
        sure = path == "task.name" or _names_a_network(path)
        known = {} if sure else sections(raw)
        if sure or (name in known and known[name].tagged):
            here = _at(raw, name, create=True)
            if here.get("name") != text:
                lasting = getattr(known[name].cls, "lasting", ()) if name in known else ()
                kept = {key: here[key] for key in lasting if key in here}
                here.clear()
                here.update(kept, name=text)


def _names_a_network(path: str) -> bool:
    return path.startswith("nets.") and path.count(".") == 2 and path.endswith(".name")


def _fill(raw: dict, known: dict[str, Section]) -> dict:
    """Every field of every section: the file's value where it has one, else the class' default."""
    config: dict = {}
    for path, part in known.items():
        here = _at(config, path, create=True)
        given = _at(raw, path, create=True)
        for key, field in part.fields.items():
            where = f"{path}.{key}".lstrip(".")
            here[key] = value_of(where, given[key], field) if key in given else field.default
    for path in flat(raw):
        if path.rpartition(".")[0] not in known or _lookup(config, path) is _MISSING:
            raise _unknown(path, known)
    return config


_MISSING = object()


def _at(config: Any, path: str, create: bool = False) -> Any:
    for key in path.split(".") if path else ():
        if create and key not in config:
            config[key] = {}
        config = config[key]
    return config


def _lookup(config: dict, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(config, dict) or key not in config:
            return _MISSING
        config = config[key]
    return config


def _unknown(path: str, known: dict[str, Section]) -> UserError:
    """The answer to a field that there is not: a section's fields, the same field elsewhere, or the nearest spelling."""
    if renamed(path) != path:
        special = {
            "task.adversarial": "objective.loss=none",
            "task.identity": "objective.terms.identity.weight (with .name=l1 and .of=identity)",
        }
        return UserError(f"'{path}' is called {special.get(path, renamed(path))} now")
    inside = [p for p in _paths(known) if p.startswith(path + ".")]
    if f"{path}.name" in inside:
        return UserError(f"'{path}' is a section; its kind is {path}.name=..., and its fields: {', '.join(inside[:9])}")
    if inside or path in known:
        return UserError(f"'{path}' is a section: {', '.join(inside[:9]) or f'{EXAMPLES.get(path, path)}, ...'}")
    same = [p for p in _paths(known) if p.endswith("." + path) or p.rpartition(".")[2] == path.rpartition(".")[2]]
    close = [p for p in same if p.endswith("." + path)] or difflib.get_close_matches(path, same, n=1, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else nearest(path, _paths(known))
    return UserError(f"no config field '{path}'; {hint}")


def _paths(known: dict[str, Section]) -> list[str]:
    return [f"{path}.{key}".lstrip(".") for path, part in known.items() for key in part.fields]


def flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(tree, dict):
        return {prefix: list(tree) if isinstance(tree, tuple) else tree}
    return {k: v for key, sub in tree.items() for k, v in flat(sub, f"{prefix}.{key}".lstrip(".")).items()}
