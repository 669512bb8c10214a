"""The controls of a table: real images, Gaussian noise and untrained generators, scored as its cells are.

They say what a column's numbers are worth: what the data themselves score, what their mean and covariance alone score, and
what no training at all scores. A process of its own scores them (`control_scores`) before the cells train.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jaxgan import records
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.command import last_line, start
from jaxgan.ablation.table import CONTROLS, NOISE, REAL, UNTRAINED, Table
from jaxgan.config.resolve import Overrides, flat, is_among
from jaxgan.config.run import OPERATIONAL
from jaxgan.console import say
from jaxgan.errors import UserError
from jaxgan.files import nulls
from jaxgan.scores.names import score_part
from jaxgan.scores.noise import LARGEST
from jaxgan.scores.of_run import eval_settings, without_state
from jaxgan.workdir.shapes import MEASURED, NUMBER, PROTOCOL

FILE, OLD = "controls.json", "real.json"  # in a table's folder; older revisions scored real images alone, and once
DRAWS, SEEDS = 5, 3  # of real images and of noise; of untrained generators
ADVICE = "remove it, and the controls are scored again"
SCORES = {str: {"value": NUMBER, "values": [NUMBER, ...]}}
CONTROL = {"scores": SCORES, "protocol": PROTOCOL, "measured?": MEASURED, "about": str, "request": dict, "seeds?": [int]}
SHAPE = {str: CONTROL}
WHY_NOT = {name: "every score of eval.metrics is of a run, and none of images" for name in (REAL, NOISE)}
WHY_NOT[UNTRAINED] = "every row begins from another run"


def read_controls(folder: Path) -> dict[str, dict[str, Any]]:
    """The controls in a table's folder, in their order: {name: {"scores", "protocol", "measured", "about", "request"}}.

    scores: {name: {"value": the mean, "std", "values": of each draw}}. about: a sentence. request: what decides the scores.
    seeds: of each draw, where every seed has its own data; otherwise there are none, and draws belong to no run.
    What an older revision has scored, real images once, has scores and protocol alone. Raises UserError where a file is
    damaged.
    """
    found = records.read_json(folder / FILE, SHAPE, ADVICE)
    if found is not None:
        return {name: found[name] for name in CONTROLS if name in found}
    real = records.read_json(folder / OLD, {"scores": {str: {"value": NUMBER}}, "protocol": PROTOCOL}, ADVICE)
    if real is None:
        return {}
    scores = {name: {"value": one["value"], "values": [one["value"]]} for name, one in real["scores"].items()}
    return {REAL: {"scores": scores, "protocol": real["protocol"]}}


def draws(control: dict[str, Any]) -> list[dict[str, float]]:
    """{part of a score: value} of each draw of a control, without what could not be measured."""
    values = {score_part(name): one["values"] for name, one in control["scores"].items()}
    number = max(map(len, values.values()), default=0)
    return [{part: x[i] for part, x in values.items() if i < len(x) and x[i] is not None} for i in range(number)]


def decisive(every: Iterable[Cell]) -> list[Cell]:
    """The cells that controls are scored like, one a seed: those of the first shown row that is trained and begins from no
    other run, or of the first shown row where there is none."""
    shown = [cell for cell in every if not cell.hidden]
    shown = [cell for cell in shown if cell.config.steps] or shown
    row = next((cell for cell in shown if _begins_anew(cell)), shown[0]).row
    return [cell for cell in shown if cell.row == row]


def _begins_anew(cell: Cell) -> bool:
    return not cell.stages and not cell.config.init_from.workdir


def own_data(some: list[Cell]) -> dict[str, list[Any]]:
    """{field: its value of each seed} of the data's fields in which seeds differ (`table.BySeed`). Then a control is one
    draw of each seed, and a row is compared with it seed by seed."""
    every = [flat(cell.config.to_dict()) for cell in some]
    values = {field: [one[field] for one in every] for field in every[0] if field.startswith("data.")}
    return {field: x for field, x in values.items() if any(one != x[0] for one in x) and not is_among(field, OPERATIONAL)}


def requests(table: Table, some: list[Cell]) -> dict[str, dict[str, Any]]:
    """{control: what decides its scores, as JSON} of those that a table can have. some: `decisive` cells."""
    never = ("eval.every", "eval.repeats", "seed")
    fields = {
        field: x
        for field, x in flat(some[0].config.to_dict()).items()
        if field not in never and (field.startswith("eval.") or not is_among(field, OPERATIONAL))
    }
    fields |= (own := own_data(some))
    images = {field: x for field, x in fields.items() if field.startswith(("data.", "eval."))}
    images |= {"seeds": [cell.seed for cell in some]} if own else {"draws": DRAWS}
    out = {}
    if without_state(eval_settings(some[0].config)):
        out |= {REAL: images | {"real": table.real}, NOISE: images | {"of": LARGEST}}
    if _begins_anew(some[0]):
        out[UNTRAINED] = fields | {"row": some[0].row, "seeds": [cell.seed for cell in (some if own else some[:SEEDS])]}
    return nulls(out)


def begin(table: Table, some: list[Cell], folder: Path) -> dict[str, dict[str, Any]]:
    """Says which controls are to be scored, being not there as they are asked for, and which cannot be. Returns their
    requests; {} where there is nothing to do. some: `decisive` cells. Raises UserError where the file is damaged."""
    asked = requests(table, some)
    have = {name: one.get("request") for name, one in read_controls(folder).items()}
    todo = {name: request for name, request in asked.items() if request != have.get(name)}
    if todo:
        say(f"scoring controls: {', '.join(todo)}")
        for name in CONTROLS:
            if name not in asked:
                say(f"control '{name}' left out: {WHY_NOT[name]}")
    return todo


def have_scored(table: Table, every: Iterable[Cell], spec: str, folder: Path, overrides: Overrides) -> None:
    """Has a process of its own, which may use the accelerator, score the controls that are not there as they are asked for.
    Raises UserError."""
    if not begin(table, decisive(every), folder):
        return
    log = folder / "logs" / "controls.log"
    process = start("--controls", table, spec, folder, overrides, log)
    try:
        code = process.wait()
    finally:
        process.kill()  # where Ctrl-C has come first
    if code:
        raise UserError(f"the controls cannot be scored: {last_line(log).removeprefix('error: ')} (log: {log})")
    say(f"controls scored: {folder / FILE}")
