"""Names that config fields and metrics had before, so that older workdirs and reports are still read.

Saved configs, logs and reports are brought to the names of today where they are read. An override or a config file with an
old name is answered with the new one.
"""

import copy
from typing import Any

RENAMED = {"objective.penalties": "objective.terms"}  # fields or sections, old -> new, dotted
RENAMED_METRICS = {"penalty/": "term/"}  # beginnings of metrics' names


def renamed(path: str) -> str:
    """The name of today for a field: "objective.terms.r1.weight" for "objective.penalties.r1.weight"."""
    for old, new in RENAMED.items():
        if path == old or path.startswith(f"{old}."):
            return new + path[len(old) :]
    return path


def renamed_config(config: dict[str, Any]) -> dict[str, Any]:
    """A saved config, a tree of dicts, with the names of today."""
    out = copy.deepcopy(config)
    for old, new in RENAMED.items():
        section = _section(out, old, make=False)
        if section and old.rpartition(".")[2] in section:
            _section(out, new, make=True)[new.rpartition(".")[2]] = section.pop(old.rpartition(".")[2])
    return out


def _section(config: dict[str, Any], path: str, make: bool) -> dict[str, Any]:
    """The dict that holds the field `path`; {} where there is none and none is made."""
    for key in path.split(".")[:-1]:
        config = config.setdefault(key, {}) if make else config.get(key, {})
    return config


def renamed_metrics(line: dict[str, Any]) -> dict[str, Any]:
    """A line of a log with the names of today."""
    for old, new in RENAMED_METRICS.items():
        if any(name.startswith(old) for name in line):
            line = {new + name[len(old) :] if name.startswith(old) else name: x for name, x in line.items()}
    return line
