"""Scores of a run, or of anybody's samples, each with the protocol that it was measured by."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import batches
from jaxgan.config.resolve import Config, flat
from jaxgan.config.run import Eval
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.generate import given_inputs, make_generate, make_labels, trained
from jaxgan.images import to_uint8
from jaxgan.metrics import moments
from jaxgan.metrics.labels import ByClass
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.checks import check_enough, check_task
from jaxgan.scores.code import code_of
from jaxgan.scores.label_checks import check_alike, check_plan
from jaxgan.scores.labelled import LabelledEvaluator
from jaxgan.scores.names import better_way
from jaxgan.scores.table import OF_REAL, find_scores
from jaxgan.sections import extractor_of
from jaxgan.standing import Standing
from jaxgan.state import GanState
from jaxgan.workdir.data import open_split
from jaxgan.workdir.provenance import provenance

OF_RUNS = (
    "eval.every",
    "eval.repeats",
    "eval.split",
    "eval.source_split",
    "eval.ema",
    "eval.batch_norm",
    "eval.standing_passes",
    "eval.detector",
    "eval.pictures",
)  # which foreign samples have no use for


def make_generated(plan: Plan, images: Images, placement: Placement, size: int) -> Callable:
    """`(nets, first, count) -> batches` of the generator's images number first, first + 1, ..., as 8-bit pictures, or of
    its points. images: whose sources a translator starts from."""
    generate, is_picture = make_generate(plan), len(plan.image_shape) == 3

    @jax.jit
    def run(nets: Any, numbers: jax.Array, given: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
        made = generate(nets, numbers, **given)
        return to_uint8(made, jnp) if is_picture else made, jnp.sum(~jnp.isfinite(made).all(range(1, made.ndim)))

    def generated(nets: Any, first: int, count: int) -> Iterator[tuple[jax.Array, int]]:
        for rows, counted in batches(count, size):
            numbers = (first + rows).astype(np.uint32)
            beside = given_inputs(plan, images, numbers)  # on every host whole, and dealt out like the numbers
            dealt = {k: placement.deal(x.shape, lambda at, x=x: x[at]) for k, x in beside.items()}
            pixels, bad = run(nets, placement.deal((size,), lambda at, n=numbers: n[at]), dealt)
            if int(bad):  # as pixels they would look like any others
                raise UserError(f"{int(bad)} of {size} generated images are not finite; this generator cannot be scored")
            yield pixels, counted

    return generated


class RunEvaluator:
    """Scores a run's generator at any of its steps.

    Args: plan, placement: of the run. images: what it trains on. evaluator: of a run of the same data and section eval,
    which has seen the real images.
    Raises UserError, before anything is compiled, for what cannot be measured.
    """

    def __init__(self, plan: Plan, images: Images, placement: Placement, evaluator: LabelledEvaluator | None = None):
        self.plan, self.placement, self.wanted = plan, placement, plan.run.eval
        check_scores(plan)
        real = real_images(plan.config, images)
        if self.wanted.ema and not plan.shapes().ema:
            raise UserError("this run keeps no moving averages; score its weights with --config.eval.ema=false")
        passes, size = self.wanted.standing_passes, self.wanted.batch_size
        standing = self.wanted.batch_norm == "standing"
        self.standing = Standing(plan, passes, size, self.wanted.ema) if standing else None
        self.samples = {"images": self.wanted.num_samples, "weights": "moving average" if self.wanted.ema else "raw"}
        self.samples["batch_norm"] = f"standing statistics, {passes} passes of {size}" if standing else "running statistics"
        if len(plan.image_shape) == 3:
            self.samples["pixels"] = "8 bits, rounded to the nearest"
        if plan.truncation:
            self.samples["truncation"] = plan.truncation.protocol
        self.images, metrics = real, find_scores(self.wanted.metrics)
        self.of_state = {name: metric for name, metric in metrics.items() if "state" in metric.needs}
        check_metrics(plan, real)
        self.opened = {name: metric.opens(plan, real) for name, metric in self.of_state.items() if metric.opens}
        if of_images := without_state(self.wanted):
            evaluator = evaluator or LabelledEvaluator(of_images, plan.extractor, real, placement)
        self.evaluator = evaluator
        self.generated = make_generated(plan, real, placement, self.evaluator.size) if self.evaluator else None
        self._labels = None
        if self.evaluator and self.evaluator.of_labels:
            check_alike(plan.features["label"], self.evaluator.label, "the training data", exact=True)
            self._labels = make_labels(plan)

    def __call__(self, state: GanState, step: int, repeats: int = 1) -> dict[str, Any]:
        """{"step", "scores": {name: {"value", "std", "values"}}, "protocol", "measured"}; repeats: sets of samples, of
        which a score's value is the mean. The same state gives the same numbers to the last bit."""
        began, wanted = time.monotonic(), self.wanted
        state = self.placement.to_global(state)
        if self.standing:
            state = self.standing(state)
        nets, count, samples = trained(self.plan, state, wanted.ema), wanted.num_samples, self.samples
        nets = nets._replace(frozen=self.placement.spread(nets.frozen))  # once, not with every batch
        scores, where = {}, {"seed": self.plan.run.seed}
        if self.evaluator and self.generated:
            starts = [i * count for i in range(repeats)]
            sets = [self.evaluator(self.generated(nets, i, count), count, self._asked(i, count)) for i in starts]
            scores, where["batch_size"], protocol = summarise_sets(sets), self.evaluator.size, {**self.evaluator.protocol}
        else:
            real = {"data": self.images.name, "digest": self.images.digest, "of": len(self.images)}
            if any(OF_REAL & {*metric.needs} for metric in self.of_state.values()):
                real["images"] = wanted.num_real or len(self.images)
            protocol = ({"real": real} if len(self.of_state) > len(self.opened) else {}) | {"metrics": {}}
            if any("extractor" in metric.needs for metric in self.of_state.values()):
                network = self.plan.extractor
                protocol["extractor"] = {"name": network.name, "weights": network.hash, "input": network.contract}
        for name, metric in self.of_state.items():
            of = self.opened.get(name, self.images)
            scores |= summarise_sets([metric.fn(self.plan, of, self.placement.local(state))])
        details = {name: metric.detail for name, metric in self.of_state.items()}
        protocol |= {"metrics": protocol["metrics"] | details}
        protocol |= {name: one.protocol for name, one in self.opened.items()}
        if self.evaluator or not all(OF_REAL & {*x.needs} or name in self.opened for name, x in self.of_state.items()):
            protocol["samples"] = samples
        else:
            protocol["weights"] = samples["weights"]
        code = code_of(wanted.metrics, self.plan.config.eval.features.name)
        where |= {name: {**one.measured} for name, one in self.opened.items()}
        measured = {**provenance(), **where, "code": code, "seconds": round(time.monotonic() - began, 1)}
        return {"step": step, "scores": scores, "protocol": protocol, "measured": measured}

    def _asked(self, first: int, count: int) -> np.ndarray | None:
        """The labels that the generator is told with the numbers first, first + 1, ..., where a metric needs them."""
        return self._labels(np.arange(first, first + count, dtype=np.uint32)) if self._labels else None


def eval_settings(config: Config) -> Eval:
    """The section `eval`."""
    return Eval(**{field.name: getattr(config.eval, field.name) for field in dataclasses.fields(Eval)})


def check_eval(config: Config) -> None:
    """Refuses what is known to fail without the data. Raises UserError."""
    scores = find_scores(config.eval.metrics)
    if not config.eval.num_samples:
        raise UserError("eval.num_samples must be at least 1: a generator has no end")
    if config.eval.pictures and "upscaling" not in scores:
        raise UserError("eval.pictures is of the metric upscaling, which eval.metrics lacks")
    check_enough(scores, config.eval.num_samples, config.eval.num_real)
    extractor_of(config).check()


def check_scores(plan: Plan) -> None:
    """Refuses a run that cannot be scored, and loads the extractor that its scores need. Raises UserError."""
    if len(plan.image_shape) == 1 and plan.config.eval.features.name != "points":
        raise UserError("this run makes points, which --config.eval.features.name=points leaves as they are")
    check_eval(plan.config)
    scores, wanted = find_scores(plan.run.eval.metrics), plan.run.eval
    check_task(plan, scores)
    check_plan(plan)
    if "fd" in wanted.metrics:
        network = plan.extractor
        dtype = np.uint8 if len(plan.image_shape) == 3 else np.float32
        one = jax.ShapeDtypeStruct((1, *plan.image_shape), dtype)
        features = jax.eval_shape(lambda variables, x: network.apply(variables, x)[0], network.variables, one)
        few = min(filter(None, (wanted.num_samples, wanted.num_real)))
        moments.check_counts(features.shape[1], few, wanted.allow_few)


def check_metrics(plan: Plan, real: Images) -> None:
    """Refuses what a run's metrics cannot measure on real images of this kind. Raises UserError."""
    for metric in find_scores(plan.run.eval.metrics).values():
        if metric.check:
            metric.check(plan, real)


def without_state(wanted: Eval) -> Eval | None:
    """`wanted` with the metrics of images alone; None where all are of a run's state."""
    metrics = tuple(name for name, metric in find_scores(wanted.metrics).items() if "state" not in metric.needs)
    return dataclasses.replace(wanted, metrics=metrics) if metrics else None


def real_images(config: Config, images: Images) -> Images:
    """The data that a run's scores are taken on. images: what it trains on. Of `eval.split` they are all examples of the
    classes that are kept, with their own labels: other fields of `data.subset.Subset` are of training. Of samples of a run
    they are that run's data."""
    wanted = config.eval
    if not wanted.split and not wanted.source_split:
        return images
    return open_split(config, wanted.split, wanted.source_split)


def summarise_sets(sets: list[dict[str, float]]) -> dict[str, dict[str, Any]]:
    """{name: {"value": mean, "std": spread over the sets (absent for one), "values"}}; of scores that are made of one value
    for each class also "classes", their means over the sets."""
    out = {}
    for name in sets[0]:
        values = [one[name] for one in sets]
        out[name] = {"value": float(np.mean(values)), "values": [float(x) for x in values]}
        by_class = [x.classes for x in values if isinstance(x, ByClass)]
        if by_class:
            out[name]["classes"] = np.mean(by_class, 0).tolist()
        if len(values) > 1:
            out[name]["std"] = float(np.std(values, ddof=1))
    return out


def same_protocol(results: Iterable[dict[str, Any]]) -> None:
    """Refuses to put scores of unlike protocols into one table: a UserError names the first difference.

    What only a generator has (which weights, which BatchNorm) counts between generators; foreign samples have none.
    """
    seen: dict[str, Any] = {}
    for result in results:
        for key, value in flat(result["protocol"]).items():
            if seen.setdefault(key, value) != value:
                raise UserError(
                    f"scores of unlike protocols are not compared: {key} is {seen[key]!r} in one and {value!r} in another"
                )


def as_lines(result: dict[str, Any]) -> str:
    """Scores as lines."""
    rows = []
    for name, one in result["scores"].items():
        spread = f" +- {one['std']:.3g} over {len(one['values'])} sets" if "std" in one else ""
        rows.append(f"  {name:<34} {one['value']:<9.4g}{spread:<24} {better_way(name) or 'neither'} is better")
    return "\n".join(rows)
