"""Scores of what a folder holds: a run's checkpoint, or an exported model."""

from pathlib import Path
from typing import Any

from jaxgan.config.resolve import Overrides
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.scores.of_run import RunEvaluator, check_scores
from jaxgan.workdir.archive import Archive
from jaxgan.workdir.data import open_data
from jaxgan.workdir.experiment import check_data
from jaxgan.workdir.runs import check_weights, load_run


def scores_of(folder: Path, overrides: Overrides, step: int | None = None) -> dict[str, Any]:
    """The scores of a run's checkpoint or of an exported model, as `evaluation.json` has them; nothing is written."""
    placement = Placement()
    plan, found, state = load_run(folder, placement, step, overrides)
    if Archive(folder).is_archive:
        check_weights(folder, plan.run.eval.ema)
        if "stability" in plan.run.eval.metrics:
            raise UserError("the metric 'stability' is of a whole run, and an exported model is a generator alone")
    check_scores(plan)
    images = open_data(plan.config)
    check_data(folder, images)
    evaluator = RunEvaluator(plan, images, placement)
    return evaluator(state, found, evaluator.wanted.repeats)
