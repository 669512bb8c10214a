"""Scoring a table's controls in this process, by the same protocol as its cells."""

import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.ablation.cell import Cell
from jaxgan.ablation.controls import DRAWS, FILE, SEEDS, begin, read_controls, requests
from jaxgan.ablation.table import REAL, UNTRAINED, Table
from jaxgan.console import say
from jaxgan.data.by_name import open_by_name
from jaxgan.data.source import Images
from jaxgan.files import nulls, write_json
from jaxgan.keys import role_id
from jaxgan.parallel import Placement
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


def score(table: Table, some: list[Cell], folder: Path) -> None:
    """Scores the controls that are not there as they are asked for, says the scores, and writes them to `controls.json`.
    some: `decisive` cells. Raises UserError."""
    todo, config = begin(table, some, folder), some[0].config
    if not todo:
        say("the controls have been scored")
        return
    check_eval(config)
    images, placement, wanted = open_data(config), Placement(), without_state(eval_settings(config))
    real, evaluator = real_images(config, images), None
    if wanted:
        evaluator = LabelledEvaluator(wanted, extractor_of(config).load(images.image_shape), real, placement)
    found = {name: one for name, one in read_controls(folder).items() if name in requests(table, some)}
    for name, request in todo.items():
        began = time.monotonic()
        if name == UNTRAINED:
            one = _untrained(some[:SEEDS], images, placement, evaluator)
        else:
            assert evaluator
            one = _real(config, table.real, real, evaluator) if name == REAL else _noise(images, evaluator)
        one["measured"]["seconds"] = round(time.monotonic() - began, 1)
        found[name] = one | {"request": request}
        say(f"{name}: {one['about']}\n{as_lines(one)}")
    if jax.process_index() == 0:
        write_json(folder / FILE, nulls(found))
    say(f"{folder / FILE}")


def _real(config: Any, name: str, real: Images, evaluator: LabelledEvaluator) -> dict[str, Any]:
    """Draws of `Table.real`; without one, of what scores are against. An image comes again where there are no more than
    are drawn."""
    where = [*(config.data.get(key, "") for key in ("dir", "corrupt", "cache")), bool(evaluator.of_labels)]
    source, count = real, evaluator.wanted.num_samples
    if name:
        own = name.startswith("@")
        source = open_split(config, name[1:], config.eval.source_split) if own else open_by_name(name, *where)
    check_shapes(source, real)
    again = len(source) <= count
    sets = []
    for seed in range(DRAWS):
        rng = np.random.default_rng([seed, role_id(REAL)])
        sets.append(evaluator.of_stored(source, rng.choice(len(source), count, replace=again)))
    told = f"with{'' if again else 'out'} replacement, of {source.name}" + ("" if name else ", which scores are against")
    return _of_images(sets, f"{DRAWS} draws of {count:,}, {told}.", evaluator)


def _noise(images: Images, evaluator: LabelledEvaluator) -> dict[str, Any]:
    noise, count = make_noise(images, evaluator.placement, evaluator.size), evaluator.wanted.num_samples
    sets = [evaluator(noise(seed, count), count, _any_labels(seed, count, evaluator)) for seed in range(DRAWS)]
    told = f"with the mean and covariance of {min(LARGEST, len(images)):,} of {images.name}"
    return _of_images(sets, f"{DRAWS} draws of {count:,} of Gaussian noise {told}.", evaluator)


def _any_labels(seed: int, count: int, evaluator: LabelledEvaluator) -> np.ndarray | None:
    """Uniform labels for images of no class, int [count]; None where no metric needs them."""
    rng = np.random.default_rng([seed, role_id("label")])
    return rng.integers(0, evaluator.label.classes, count) if evaluator.of_labels else None


def _of_images(sets: list[dict[str, float]], about: str, evaluator: LabelledEvaluator) -> dict[str, Any]:
    return {
        "scores": summarise_sets(sets),
        "protocol": {**evaluator.protocol, "samples": {"images": evaluator.wanted.num_samples}},
        "measured": {**provenance(), "batch_size": evaluator.size},
        "about": about,
    }


def _untrained(
    some: list[Cell], images: Images, placement: Placement, evaluator: LabelledEvaluator | None
) -> dict[str, Any]:
    found = []
    for cell in some:
        plan = Plan(cell.config, images.features, load_frozen(cell.config, None, images.image_shape))
        found.append(RunEvaluator(plan, images, placement, evaluator)(new_state(plan, placement), 0))
    seeds = [cell.seed for cell in some]
    return {
        "scores": summarise_sets([{name: x["value"] for name, x in one["scores"].items()} for one in found]),
        "protocol": found[0]["protocol"],
        "measured": {key: x for key, x in found[0]["measured"].items() if key != "seed"} | {"seeds": seeds},
        "about": f"'{some[0].row}' before its first step, seeds {', '.join(map(str, seeds))}.",
    }
