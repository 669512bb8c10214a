"""Writes docs/fields.md, the reference of every config field, from the classes that the sections configure.

    python docs/hooks/fields.py

A field's meaning is what a docstring of its class says behind `name: `.
"""

import inspect
import math
import re
import sys
import typing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from jaxgan.anomaly.table import DETECTORS as ANOMALY_DETECTORS  # noqa: E402
from jaxgan.config.run import FrozenRun, Run  # noqa: E402
from jaxgan.config.schema import Field, section  # noqa: E402
from jaxgan.data import SOURCES  # noqa: E402
from jaxgan.data.subset import Subset  # noqa: E402
from jaxgan.extractors.table import EXTRACTORS  # noqa: E402
from jaxgan.nets import CRITICS, DISCRIMINATORS, ENCODERS, GENERATORS, TRANSLATORS  # noqa: E402
from jaxgan.nets.classifier import CLASSIFIERS  # noqa: E402
from jaxgan.nets.detector import DETECTORS  # noqa: E402
from jaxgan.objectives.augment import AUGMENTS  # noqa: E402
from jaxgan.objectives.losses import LOSSES  # noqa: E402
from jaxgan.objectives.terms import TERMS  # noqa: E402
from jaxgan.optim import OPTIMIZERS, Ema  # noqa: E402
from jaxgan.sections import WATCHED  # noqa: E402
from jaxgan.tasks import TASKS  # noqa: E402
from jaxgan.tasks.critic import Critic  # noqa: E402

PAGE = ROOT / "docs" / "fields.md"
INTRODUCTION = """# Config fields

Every field may be set on the command line, as `--config.PATH=VALUE`, or in a config file. `--print_config` prints the fields
of a run with their values. This page is written by `python docs/hooks/fields.py` from the classes themselves.

- A section with a `name` has the fields of the class that the name picks. Another name replaces the section.
- **Number or schedule**: a number, or text such as `"linear(2e-4, 0, 50, 100)"`, which goes along a line from 2e-4 to 0
  between 50 and 100 kimg. `cosine` and `geometric` go along other curves; `50%` in place of 50 is a share of the run.
- `none` as a value switches the field off, where the table says "or none".
- Numbers are at least 0 unless the table says otherwise."""
# Sections that configure no class, by the heading that they come under.
PLAIN = {
    "Task": {
        "rounds.PLAYER": (Field(int, 1, least=1), "Updates of a player in a step, each of a batch of its own. The "
                          "critic's is the papers' n_critic."),
    },
    "Loss and terms": {
        "objective.loss": (Field(str, "nonsaturating", tuple(LOSSES)), "The adversarial loss. `none`: the terms alone."),
        "objective.weight": (Field(typing.Any, 1.0), "Of the adversarial loss in the loss of the generator."),
    },
}  # fmt: skip
# heading: [(the section's path, {name: class})]
SECTIONS = {
    "The run": [("", {"": Run})],
    "Data": [
        ("data", {name: SOURCES[name] for name in ("digits", *(n for n in SOURCES if n not in ("digits",)))}),
        ("data", {"": Subset}),
    ],
    "Task": [("task", TASKS), ("critic", {"": Critic})],
    "Networks": [
        ("nets.gen", GENERATORS),
        ("nets.gen", {name: TRANSLATORS[name] for name in TRANSLATORS}),
        ("nets.disc", DISCRIMINATORS),
        ("nets.disc", CRITICS),
        ("nets.enc", ENCODERS),
        ("nets.net", CLASSIFIERS),
        ("nets.net", DETECTORS),
    ],
    "Loss and terms": [("objective.terms.NAME", TERMS)],
    "Augmentation": [("augment", AUGMENTS)],
    "Optimizers and averages": [("optim.PLAYER", OPTIMIZERS), ("ema", {"": Ema})],
    "Log, pictures, checkpoints": [(path, {"": WATCHED[path]}) for path in ("log", "sample", "checkpoint")],
    "Evaluation": [("eval", {"": WATCHED["eval"]}), ("eval.features", EXTRACTORS), ("eval.detector", ANOMALY_DETECTORS)],
    "Other runs": [("init_from", {"": WATCHED["init_from"]}), ("frozen.NAME", {"run": FrozenRun})],
}
COMMON = {  # what fields of many classes mean, where the class says nothing more
    "weight": "What the term is multiplied by.",
    "every": "Steps between its updates; 1: part of the loss.",
    "norm": "Of the hidden layers.",
    "activation": "Of the hidden layers.",
}
WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text", tuple[int, ...]: "whole numbers"}
WORDS |= {tuple[str, ...]: "names", tuple[float, ...]: "numbers", type(None): "none"}


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for heading, sections in SECTIONS.items():
        parts.append(f"## {heading}")
        plain = PLAIN.get(heading, {})
        if plain:
            title = f"`{next(iter(plain)).partition('.')[0]}`"
            parts.append(table(title, "", [row(path, *field) for path, field in plain.items()]))
        seen: dict = {}
        for path, classes in sections:
            for name, cls in classes.items():
                seen.setdefault((path, cls), []).append(name)
        for (path, cls), names in seen.items():
            parts += described(path, cls, names)
    return "\n\n".join(parts) + "\n"


def described(path: str, cls: type, names: list[str]) -> list[str]:
    """A section's part of the page: its title, and a table of the class' fields."""
    told, fields = meanings(cls), section(cls).fields
    title = f"`{path}`" if path else "Root"
    if names != [""]:
        title += f" with `name={names[0]}`" + (f" (or {', '.join(names[1:])})" if names[1:] else "")
    prefix = f"{path}." if path else ""
    rows = [row(prefix + name, field, told[name]) for name, field in fields.items()]
    doc = " ".join(inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0].split())
    about = re.split(r"(?<!al)[.](?: |$)", doc)[0] if names != [""] else ""
    return [table(title, f"{about}." if about and not re.match("[a-z_]+: ", about) else "", rows)]


def table(title: str, about: str, rows: list[str]) -> str:
    """A heading, a sentence and a table."""
    head = ["| field | type | default | range | meaning |", "|---|---|---|---|---|"]
    return "\n\n".join(filter(None, [f"### {title}", about, "\n".join([*head, *rows]) if rows else "It has no fields."]))


def row(path: str, field: Field, meaning: str) -> str:
    cells = (f"`{path}`", kind(field), f"`{spelled(field.default)}`", extent(field), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def kind(field: Field) -> str:
    """A field's type in words."""
    if field.choices:
        return "one of"
    union = typing.get_args(field.type) if typing.get_origin(field.type) is not tuple else ()
    if field.is_scalar or field.type is typing.Any:
        return "number or schedule" + (", or none" if type(None) in union else "")
    return " or ".join(WORDS[one] for one in union or (field.type,))


def extent(field: Field) -> str:
    """The values that a field may have."""
    if field.choices:
        return ", ".join(f"`{spelled(choice)}`" for choice in field.choices)
    ends = (("at least", field.least, 0), ("below", field.below, math.inf), ("at most", field.most, math.inf))
    return ", ".join(f"{word} {end:,.0f}" if end == int(end) else f"{word} {end:g}" for word, end, no in ends if end != no)


def spelled(value: object) -> str:
    """A value as an override has it."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "()"
    return '""' if value == "" else str(value)


def meanings(cls: type) -> dict[str, str]:
    """{field: what the docstrings of the class and of those that it is made from say of it}; "" where they say nothing."""
    fields = section(cls).fields
    out: dict[str, str] = {}
    for owner in cls.__mro__:
        for name, text in told(inspect.cleandoc(owner.__dict__.get("__doc__") or ""), fields).items():
            out.setdefault(name, text)
    return {name: out.get(name) or COMMON.get(name, "") for name in fields}


def told(doc: str, fields: dict) -> dict[str, str]:
    """What one docstring says of these fields."""
    names = "|".join(fields)
    start = re.compile(rf"(?:^|(?<=[.;:] ))((?:{names})(?:, (?:{names}))*): ")
    out: dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", doc):
        text = " ".join(paragraph.split())
        found = list(start.finditer(text))
        for one, after in zip(found, [*found[1:], None]):
            meaning = text[one.end() : after.start() if after else None].strip().rstrip(";")
            out |= dict.fromkeys(one[1].split(", "), meaning)
    return {name: text[:1].upper() + text[1:] for name, text in out.items()}


def missing() -> list[str]:
    """Fields of which no docstring says anything."""
    classes = {cls for sections in SECTIONS.values() for _, classes in sections for cls in classes.values()}
    return sorted(f"{cls.__module__}.{cls.__qualname__}.{name}" for cls in classes
                  for name, meaning in meanings(cls).items() if not meaning)  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(page())
    print("\n".join(missing()))
