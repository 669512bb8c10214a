"""`--mode=evaluate`: scores of a run's checkpoint, or of anybody's pictures."""

import dataclasses
import time
from pathlib import Path

import jax
import numpy as np

from jaxgan.config.resolve import Config
from jaxgan.console import say
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.files import nulls, write_json
from jaxgan.placement import Placement
from jaxgan.scores.code import code_of
from jaxgan.scores.evaluator import check_shapes
from jaxgan.scores.labelled import LabelledEvaluator
from jaxgan.scores.of_folder import scores_of
from jaxgan.scores.of_run import as_lines, eval_settings, summarise_sets
from jaxgan.scores.table import find_scores
from jaxgan.sections import extractor_of
from jaxgan.workdir.archive import Archive
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.provenance import provenance


def evaluate_run(folder: Path, overrides: list[tuple[str, str]], step: int | None) -> None:
    """`--mode=evaluate --workdir=...`: scores a checkpoint, says the scores, and adds them to `evaluation.json`."""
    is_run = Workdir(folder).is_run and not Archive(folder).is_archive
    if is_run:
        Workdir(folder).check_writable()
        Workdir(folder).evaluations()  # which the scores are to be added to
    result = scores_of(folder, overrides, step)
    say(f"{folder}, step {result['step']}\n{as_lines(result)}")
    if not is_run:
        say(f"{folder} is an exported model, which keeps the scores that it came with")
        return
    Workdir(folder).add_evaluation(result)
    say(f"{folder}/evaluation.json")


def evaluate_samples(samples: Images, reference: Images, config: Config, out: Path | None) -> None:
    """`--mode=evaluate --samples=... --reference=...`: says the scores of foreign samples, and writes them to `out`."""
    check_shapes(samples, reference)
    began, placement = time.monotonic(), Placement()
    given = eval_settings(config)
    wanted = dataclasses.replace(given, num_samples=given.num_samples or len(samples))
    if wanted.num_samples > len(samples):
        raise UserError(f"eval.num_samples={wanted.num_samples}, but {samples.name} has {len(samples)} images")
    of_runs = [name for name, metric in find_scores(wanted.metrics).items() if "state" in metric.needs]
    if of_runs:
        raise UserError(f"the metric '{of_runs[0]}' is of a run and not of pictures; leave it out of --config.eval.metrics")
    network = extractor_of(config).load(samples.image_shape)
    evaluator = LabelledEvaluator(wanted, network, reference, placement)
    # At random: a folder lists class by class, and the Inception Score and fewer samples than there are go by their order.
    chosen = np.random.default_rng(0).permutation(len(samples))[: wanted.num_samples]
    scores = evaluator.of_stored(samples, chosen)
    result = {
        "scored": {"data": samples.name, "digest": samples.digest},
        "scores": summarise_sets([scores]),
        "protocol": {**evaluator.protocol, "samples": {"images": len(chosen), "order": "shuffled, seed 0"}},
        "measured": {
            **provenance(),
            "batch_size": evaluator.size,
            "code": code_of(wanted.metrics, config.eval.features.name),
            "seconds": round(time.monotonic() - began, 1),
        },
    }
    say(f"{samples.name}\nagainst {reference.name}\n{as_lines(result)}")
    if out and jax.process_index() == 0:
        write_json(out, nulls(result))
