"""Scoring a table's controls in this process, by the same protocol as its cells."""

import time
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.ablation.cell import Cell
from jaxgan.ablation.controls import DRAWS, FILE, SEEDS, begin, own_data, read_controls, requests
from jaxgan.ablation.table import NOISE, REAL, UNTRAINED, Table
from jaxgan.console import say
from jaxgan.data.by_name import open_by_name
from jaxgan.data.source import Images
from jaxgan.files import nulls, write_json
from jaxgan.keys import role_id
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.evaluator import check_shapes
from jaxgan.scores.labelled import LabelledEvaluator
from jaxgan.scores.noise import LARGEST, make_noise
from jaxgan.scores.of_run import (
    RunEvaluator,
    as_lines,
    check_eval,
    eval_settings,
    real_images,
    summarise_sets,
    without_state,
)
from jaxgan.sections import extractor_of
from jaxgan.workdir.data import open_data, open_split
from jaxgan.workdir.provenance import provenance
from jaxgan.workdir.runs import load_frozen, new_state


class _Setting:
    """The data of a run and what scores images against them; evaluator: None where every score is of a run."""

    def __init__(self, config: Any, table: Table):
        check_eval(config)
        self.config, self.table, self.placement = config, table, Placement()
        self.images = open_data(config)
        self.real, wanted = real_images(config, self.images), without_state(eval_settings(config))
        self.evaluator: Any = None
        if wanted:
            extractor = extractor_of(config).load(self.images.image_shape)
            self.evaluator = LabelledEvaluator(wanted, extractor, self.real, self.placement)

    @cached_property
    def source(self) -> Images:
        """`Table.real`; without one, what scores are against."""
        config, name = self.config, self.table.real
        if not name:
            return self.real
        where = [*(config.data.get(key, "") for key in ("dir", "corrupt", "cache")), bool(self.evaluator.of_labels)]
        is_own = name.startswith("@")
        source = open_split(config, name[1:], config.eval.source_split) if is_own else open_by_name(name, *where)
        check_shapes(source, self.real)
        return source

    @property
    def count(self) -> int:
        return self.evaluator.wanted.num_samples


def score(table: Table, some: list[Cell], folder: Path) -> None:
    """Scores the controls that are not there as they are asked for, says the scores, and writes them to `controls.json`.
    some: `decisive` cells. Raises UserError."""
    todo = begin(table, some, folder)
    if not todo:
        say("the controls have been scored")
        return
    has_own = bool(own_data(some))
    draws: dict[str, list[dict[str, Any]]] = {name: [] for name in todo}
    seconds = dict.fromkeys(todo, 0.0)
    for first in some if has_own else some[:1]:
        at = _Setting(first.config, table)
        for name in todo:
            began = time.monotonic()
            if name == UNTRAINED:
                draws[name] += [_untrained(at, cell) for cell in ([first] if has_own else some[:SEEDS])]
            else:
                draw = _real if name == REAL else _noise
                draws[name] += [draw(at, seed) for seed in ([first.seed] if has_own else range(DRAWS))]
            seconds[name] += time.monotonic() - began
    found = {name: one for name, one in read_controls(folder).items() if name in requests(table, some)}
    for name, request in todo.items():
        one = _joined(draws[name], seconds[name]) | {"about": _about(name, at, some, len(draws[name])), "request": request}
        found[name] = one | ({"seeds": [cell.seed for cell in some]} if has_own else {})
        say(f"{name}: {one['about']}\n{as_lines(one)}")
    if jax.process_index() == 0:
        write_json(folder / FILE, nulls(found))
    say(f"{folder / FILE}")


def _real(at: _Setting, seed: int) -> dict[str, Any]:
    """A draw of real images. One comes again where there are no more than are drawn."""
    rng = np.random.default_rng([seed, role_id(REAL)])
    drawn = rng.choice(len(at.source), at.count, replace=len(at.source) <= at.count)
    return _of_images(at, at.evaluator.of_stored(at.source, drawn))


def _noise(at: _Setting, seed: int) -> dict[str, Any]:
    noise = make_noise(at.images, at.evaluator.placement, at.evaluator.size)
    return _of_images(at, at.evaluator(noise(seed, at.count), at.count, _any_labels(seed, at.count, at.evaluator)))


def _any_labels(seed: int, count: int, evaluator: LabelledEvaluator) -> np.ndarray | None:
    """Uniform labels for images of no class, int [count]; None where no metric needs them."""
    rng = np.random.default_rng([seed, role_id("label")])
    return rng.integers(0, evaluator.label.classes, count) if evaluator.of_labels else None


def _of_images(at: _Setting, values: dict[str, float]) -> dict[str, Any]:
    return {
        "values": values,
        "protocol": {**at.evaluator.protocol, "samples": {"images": at.count}},
        "measured": {**provenance(), "batch_size": at.evaluator.size},
    }


def _untrained(at: _Setting, cell: Cell) -> dict[str, Any]:
    """A run before its first step."""
    plan = Plan(cell.config, at.images.features, load_frozen(cell.config, None, at.images.image_shape))
    one = RunEvaluator(plan, at.images, at.placement, at.evaluator)(new_state(plan, at.placement), 0)
    return one | {"values": {name: x["value"] for name, x in one["scores"].items()}}


def _joined(draws: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """Draws as one control, which took so many seconds."""
    seeds = [one["measured"]["seed"] for one in draws if "seed" in one["measured"]]
    measured = {key: x for key, x in draws[0]["measured"].items() if key != "seed"} | ({"seeds": seeds} if seeds else {})
    return {
        "scores": summarise_sets([one["values"] for one in draws]),
        "protocol": draws[0]["protocol"],
        "measured": measured | {"seconds": round(seconds, 1)},
    }


def _about(name: str, at: _Setting, some: list[Cell], number: int) -> str:
    """What a control is, in a sentence."""
    if name == UNTRAINED:
        seeds = ", ".join(str(cell.seed) for cell in some[:number])
        return f"'{some[0].row}' before its first step, seeds {seeds}."
    own = ", each of its seed's data" if own_data(some) else ""
    if name == NOISE:
        told = f"with the mean and covariance of {min(LARGEST, len(at.images)):,} of {at.images.name}"
        return f"{number} draws of {at.count:,} of Gaussian noise {told}{own}."
    again = len(at.source) <= at.count
    against = "" if at.table.real else ", which scores are against"
    return f"{number} draws of {at.count:,}, with{'' if again else 'out'} replacement, of {at.source.name}{against}{own}."
