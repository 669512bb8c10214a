"""The house's rooms: imports point down, and nothing goes round in a circle."""

import ast
import graphlib
import re
import subprocess
import sys

import pytest
from helpers import ROOT

# From the top floor down. A line is a room, or several that stand beside each other and may import each other.
FLOORS = (
    # The last five hand names on to users' own files.
    "cli command_line help_text __main__ model loading table space results figures losses penalties",
    "verbs",
    "search",
    "ablation",
    "training",
    "scores",
    "workdir",
    "program generate asked_labels prompts standing upscaler",
    "plan",
    "plan_checks",
    "sections",
    "anomaly",
    "tasks",
    "objectives",
    "extractors",
    "metrics",
    "nets",
    "data",
    "step optim",
    "config",
    "tiles receptive",
    "models state keys placement processes latents spectral remat monitor images console batches devices truncation",
    "parallel",
    "records streams files npz png memory guard source_code startup trouble errors",
)
FLOOR = {room: len(FLOORS) - i for i, rooms in enumerate(FLOORS) for room in rooms.split()}


def modules() -> dict[str, str]:
    """{"jaxgan.data.source": its text, ...}."""
    paths = sorted((ROOT / "jaxgan").rglob("*.py"))
    return {name_of(path): path.read_text() for path in paths}


def name_of(path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(text: str, known) -> set[str]:
    """The project's modules that a text imports, anywhere: inside functions and under TYPE_CHECKING too."""
    out = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written out"
            out |= {f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in known else node.module for a in node.names}
        elif isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
    return {name for name in out if name in known and name != "jaxgan"}


def upwards(texts: dict[str, str]) -> list[str]:
    floor = {name: FLOOR[name.split(".")[1]] for name in texts if name != "jaxgan"}
    arrows = ((name, other) for name in floor for other in imported(texts[name], texts))
    return [f"{name} imports {other}, which is above it" for name, other in arrows if floor[other] > floor[name]]


def circles(texts: dict[str, str]) -> list[str]:
    sorter = graphlib.TopologicalSorter({name: imported(text, texts) - {name} for name, text in texts.items()})
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_every_module_has_a_room():
    assert {name.split(".")[1] for name in modules() if name != "jaxgan"} <= FLOOR.keys()


def test_imports_point_down():
    assert not upwards(modules())


@pytest.mark.slow
def test_nothing_goes_round_in_a_circle():
    assert not circles(modules())


def test_an_import_upwards_and_a_circle_are_found():
    texts = {
        "jaxgan.errors": "def f():\n    from jaxgan.data import source\n",
        "jaxgan.data": "",
        "jaxgan.data.source": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jaxgan.errors\n",
    }
    assert upwards(texts) == ["jaxgan.errors imports jaxgan.data.source, which is above it"]
    assert set(circles(texts)) == {"jaxgan.errors", "jaxgan.data.source"}


HEAVY = {"tensorflow_datasets", "grain", "scipy.ndimage", "matplotlib"}


@pytest.mark.parametrize("modules", ["jaxgan", "jaxgan.cli, jaxgan.plan, jaxgan.training.train, jaxgan.verbs.sampling"])
def test_what_takes_seconds_to_import_waits_until_it_is_needed(modules):
    code = f"import sys, {modules}; heavy = {HEAVY} & sys.modules.keys(); assert not heavy, heavy"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_command_line_answers_without_jax():
    code = "import sys; import jaxgan.cli as cli; cli.main(['', '--help']); assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_players_are_named_by_tasks_alone():
    """Everything else goes by `players`, `sides` and protocols: a task may call its players what it likes."""
    found = []
    for path in sorted((ROOT / "jaxgan").rglob("*.py")):
        if path.parts[-2] in ("tasks", "objectives"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.fullmatch(r"(gen|disc)([/.].*)?", node.value):
                    found.append(f"{path.name}:{node.lineno}: {node.value}")
    assert not found
