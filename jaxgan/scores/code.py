"""The code that measures a score, as a hash: scores of unlike code are not of one kind, even by the same protocol."""

import ast
import functools
from collections.abc import Iterable
from pathlib import Path

import jaxgan
from jaxgan.scores.table import METRICS
from jaxgan.source_code import Definitions

ROOMS = (
    "metrics",
    "scores",
    "extractors",
    "anomaly",
    "images",
    "upscaler",
    "tiles",
    "data/bicubic",
    "data/scenes",
    "data/scene_reader",
    "data/scene_claims",
)  # what is followed; a name of any other module counts as a name
TABLES, EXTRACTORS = ("jaxgan.scores.metrics_of_images", "jaxgan.scores.metrics_of_runs"), "jaxgan.extractors.table"
# What every metric of images is measured through, and what those of labels are besides.
THROUGH = (("jaxgan.scores.evaluator", "Evaluator"), ("jaxgan.scores.of_run", "make_generated"))
OF_LABELS = (("jaxgan.scores.labelled", "LabelledEvaluator"),)
ALL = ("jaxgan.scores.table", *TABLES)
STOP = (*((one, "METRICS") for one in ALL), (EXTRACTORS, "EXTRACTORS"))  # or every metric would be part of every other


def code_of(metrics: Iterable[str], extractor: str = "") -> dict[str, str]:
    """{metric: 16 hex digits} of names in `eval.metrics`.

    A hash is of the metric's entry in its table, and of all definitions in `ROOMS` that it mentions, directly
    or through others; of a metric of images, also of what collects their statistics. extractor: the name in
    `eval.features.name`, whose code counts too where the metric needs one. Comments, docstrings and messages of errors do
    not count; see `source_code`. A metric or an extractor that its table does not have counts by name.
    """
    return {name: _code(name, extractor) for name in metrics}


@functools.cache
def _code(metric: str, extractor: str) -> str:
    return hash_of(_package(), metric, extractor)


@functools.cache
def _package() -> Definitions:
    files = _paths(Path(jaxgan.__file__).parent)
    return Definitions({name: functools.partial(path.read_text, encoding="utf-8") for name, path in files.items()}, STOP)


def _paths(home: Path) -> dict[str, Path]:
    """The modules of the rooms, and their files."""
    every = [path for room in ROOMS for path in (home / f"{room}.py", *(home / room).rglob("*.py")) if path.is_file()]
    names = {path: ".".join(("jaxgan", *path.relative_to(home).with_suffix("").parts)) for path in every}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


def hash_of(known: Definitions, metric: str, extractor: str = "") -> str:
    """The hash of one metric by the sources `known`."""
    needs = METRICS[metric].needs if metric in METRICS else ()
    begin = [found for table in TABLES for found in _entry(known, table, "METRICS", metric)]
    if "state" not in needs:
        places = THROUGH + (OF_LABELS if "labels" in needs else ())
        begin += [found for place in places for found in known.of(*place)]
    if extractor and ("state" not in needs or "extractor" in needs):
        begin += _entry(known, EXTRACTORS, "EXTRACTORS", extractor)
    return known.hash(begin, (metric, extractor))


def _entry(known: Definitions, module: str, table: str, name: str) -> list[tuple[str, ast.AST]]:
    """The value of a name in a module's literal dict."""
    for _, node in known.of(module, table):
        for part in ast.walk(node):
            if isinstance(part, ast.Dict):
                return [(module, x) for key, x in zip(part.keys, part.values) if getattr(key, "value", None) == name]
    return []
