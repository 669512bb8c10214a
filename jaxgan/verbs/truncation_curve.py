"""`--mode=evaluate --truncation=scale:0.2,0.6,1`: a run's scores over truncation, as numbers and as a picture."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import jax

from jaxgan.config.resolve import Overrides
from jaxgan.console import say
from jaxgan.errors import UserError
from jaxgan.files import replacing, write_text
from jaxgan.generate import truncated
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.code import code_of
from jaxgan.scores.names import score_part
from jaxgan.scores.of_run import RunEvaluator, check_scores
from jaxgan.scores.table import find_scores
from jaxgan.truncation import Truncation
from jaxgan.workdir.archive import Archive
from jaxgan.workdir.data import open_data
from jaxgan.workdir.experiment import check_data
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run, weights_digest
from jaxgan.workdir.truncation import Truncations

SHARES = {"precision": "#0072b2", "recall": "#d55e00", "label_accuracy": "#009e73"}  # colours of the report's curves
DISTANCES = ("fd", "fid")
DRAWN = ("fd", "prdc", "label_accuracy")  # metrics that have these scores


def truncation_curve(folder: Path, overrides: Overrides, step: int | None, cuts: tuple[Truncation, ...]) -> None:
    """Scores a checkpoint at each truncation, and writes `truncation.json`, `.csv` and `.png` to the run's folder. What the
    same request has scored before is taken from `truncation.json`. Raises UserError."""
    if Archive(folder).is_archive or not Workdir(folder).is_run:
        raise UserError(f"--truncation writes a curve to a run's folder, which {folder} is not; --mode=sample takes it")
    Workdir(folder).check_writable()
    files, placement = Truncations(folder), Placement()
    files.entries()  # which the scores are to be added to
    plan, found, state = load_run(folder, placement, step, overrides)
    plans = {cut: truncated(plan, cut) for cut in sorted(set(cuts))}
    _check(plan)
    check_scores(plan)
    images = open_data(plan.config)
    check_data(folder, images)
    code = code_of(plan.run.eval.metrics, plan.config.eval.features.name)
    about = {"step": found, "checkpoint": weights_digest(folder, found), "data": images.digest, "code": code}
    about |= {"eval": plan.config.eval.to_dict()}
    evaluator, entries = None, []
    for cut, at in plans.items():
        request = json.loads(json.dumps(about | {"truncation": str(cut)}))
        entry = files.find(request)
        if entry is None:
            scorer = RunEvaluator(at, images, placement, evaluator)
            evaluator = scorer.evaluator
            result = scorer(state, found, scorer.wanted.repeats)
            entry = {**result, "truncation": cut._asdict(), "request": request}
            if jax.process_index() == 0:
                files.add(entry)
        say(f"{cut}: " + ", ".join(f"{name} {_told(one['value'])}" for name, one in entry["scores"].items()))
        entries.append(entry)
    if jax.process_index() == 0:
        write_text(files.table, _as_csv(entries))
        with replacing(files.picture) as file:
            draw_curve(entries).savefig(file, format="png")
    say(f"{folder}, step {found}: {files.record}, {files.table.name}, {files.picture.name}")


def _check(plan: Plan) -> None:
    """Refuses metrics that truncation does not reach, and a picture of nothing. Raises UserError."""
    for name, metric in find_scores(plan.run.eval.metrics).items():
        if "HasLatent" in metric.needs:
            raise UserError(f"the metric '{name}' is of latents as they are drawn; leave it out of --config.eval.metrics")
    if not set(DRAWN) & set(plan.run.eval.metrics):
        raise UserError(f"a curve over truncation draws {', '.join(DRAWN)}: name one in --config.eval.metrics")


def _told(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _as_csv(entries: list[dict[str, Any]]) -> str:
    """A line for each t: kind, t, step, and each score with its deviation over the sets of samples."""
    names = sorted({name for entry in entries for name in entry["scores"]})
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["kind", "t", "step", *(column for name in names for column in (name, f"{name}_std"))])
    for entry in entries:
        scores = [entry["scores"].get(name, {}) for name in names]
        values = [x for one in scores for x in (one.get("value"), one.get("std"))]
        lines.writerow([entry["truncation"]["kind"], entry["truncation"]["t"], entry["step"], *values])
    return text.getvalue()


def draw_curve(entries: list[dict[str, Any]]) -> Any:
    """A matplotlib Figure of one kind's entries, in the order of their t: shares left, distances right, over t, with
    the deviation over the sets of samples where there are several."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = sorted({name for entry in entries for name in entry["scores"]})
    panels = [[n for n in names if score_part(n) in SHARES], [n for n in names if score_part(n) in DISTANCES]]
    panels = [panel for panel in panels if panel]
    figure = Figure(figsize=(4.5 * len(panels), 3.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        for name in panel:
            known = [(e["truncation"]["t"], e["scores"][name]) for e in entries if name in e["scores"]]
            known = [(t, one["value"], one.get("std") or 0.0) for t, one in known if one["value"] is not None]
            t, values, deviations = zip(*known) if known else ((), (), ())
            style = {"color": SHARES.get(score_part(name), "0.2"), "marker": "o", "markersize": 3, "capsize": 2}
            axes.errorbar(t, values, deviations, label=name, **style)
        axes.set_xlabel(f"truncation, t of {entries[0]['truncation']['kind']}", fontsize=9)
        axes.set_ylim(bottom=0, top=1.02 if score_part(panel[0]) in SHARES else None)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=8, frameon=False)
    return figure
