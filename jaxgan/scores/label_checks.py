"""What metrics of labels refuse: each in one line, before a run trains."""

import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxgan.config.run import Eval
from jaxgan.data.features import Feature
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.generate import make_labels, takes_labels
from jaxgan.scores.metric import Metric
from jaxgan.scores.table import find_scores

LEAVE_OUT = "leave it out of --config.eval.metrics"


def of_labels(wanted: Eval) -> dict[str, Metric]:
    """The metrics in `wanted` that need labels."""
    return {name: metric for name, metric in find_scores(wanted.metrics).items() if "labels" in metric.needs}


def check_plan(plan: Any) -> None:
    """Refuses metrics of labels for a generator that is told none, for labels that are no classes, and for fewer samples of
    a class than they need. plan: whose data may not be open yet. Raises UserError."""
    metrics, wanted = of_labels(plan.run.eval), plan.run.eval
    if not metrics:
        return
    name = next(iter(metrics))
    if not takes_labels(plan):
        told = "--config.task.num_classes=N tells it" if "num_classes" in plan.config.task else LEAVE_OUT
        raise UserError(f"the metric '{name}' is of a generator that is told labels, and this one is told none; {told}")
    if "label" not in plan.features:  # not open yet, or refused once they are
        return
    label = plan.features["label"]
    _check_label(name, label, "the data set")
    dims = check_extractor(metrics, plan.extractor, plan.image_shape, label.classes)
    labels = make_labels(plan)(np.arange(wanted.repeats * wanted.num_samples, dtype=np.uint32))
    for of_set in labels.reshape(wanted.repeats, -1):
        count_classes(metrics, of_set, label.classes, dims, wanted.allow_few)


def check_extractor(metrics: Mapping[str, Metric], network: Network, image_shape: tuple[int, ...], classes: int) -> int:
    """How many features an extractor has. Raises UserError where 'label_accuracy' is asked for and it has no classes, or
    another number than the labels."""
    image = jax.ShapeDtypeStruct((1, *image_shape), np.uint8 if len(image_shape) == 3 else np.float32)
    features, logits = jax.eval_shape(network.apply, network.variables, image)
    have = 0 if logits is None else logits.shape[1]
    if "label_accuracy" in metrics and have != classes:
        has = f"has {have} classes" if have else "has no classes"
        raise UserError(
            f"the metric 'label_accuracy' wants an extractor of the data's {classes} classes, and '{network.name}' {has}; "
            f"choose another --config.eval.features.name, or {LEAVE_OUT}"
        )
    return features.shape[1]


def check_alike(label: Feature, real: Feature, name: str, exact: bool = False) -> None:
    """Refuses labels that are not the real images'. name: of what has them. exact: of a generator, which knows all classes;
    samples may lack the last. Raises UserError."""
    if label.classes > real.classes or (exact and label.classes != real.classes):
        raise UserError(f"{name} has labels of {label.classes} classes, and the real images of {real.classes}")
    for i, (mine, theirs) in enumerate(zip(label.names, real.names)):
        if mine != theirs:
            raise UserError(f"class {i} of {name} is '{mine}', and of the real images '{theirs}': these are other classes")


def count_classes(
    metrics: Mapping[str, Metric], labels: np.ndarray, classes: int, dims: int, allow_few: bool, real: str = ""
) -> None:
    """Refuses fewer images of a class than a metric needs, and says how many would do. real: the name of a set of real
    images; empty: they are samples. Raises UserError."""
    counts = np.array([(labels == i).sum() for i in range(classes)])
    rarest = int(counts.argmin())
    for name, metric in metrics.items():
        need, accept = metric.least[bool(real)], ""
        if name == "intra_fd" and not allow_few:
            need, accept = max(need, dims + 1), ", or accept fewer with --config.eval.allow_few=true"
        if counts[rarest] >= need:
            continue
        if real:
            have, more = f"{real} has {counts[rarest]} of class {rarest}", "take more (eval.split, eval.num_real)"
        else:
            have = f"{len(labels)} samples have {counts[rarest]} of class {rarest}"
            more = f"eval.num_samples={_enough(need, counts)} would do"
        kind = "real images" if real else "samples"
        few = f" for its {dims} features" if accept else ""
        raise UserError(f"the metric '{name}' needs {need} {kind} of each class{few}, and {have}; {more}{accept}")


def _enough(need: int, counts: np.ndarray) -> int:
    """How many samples have `need` of the rarest class, but for a chance of less than 1 in 100: a number of two digits.
    Classes are taken for equally likely unless these counts say otherwise."""
    equal = counts.min() > counts.mean() - 5 * math.sqrt(counts.mean())
    share = 1 / len(counts) if equal else max(counts.min(), 0.5) / counts.sum()
    enough = (need + 4 * math.sqrt(need) + 8) / share
    digit = 10 ** max(0, math.floor(math.log10(enough)) - 1)
    return math.ceil(enough / digit) * digit


def label_of(metric: str, images: Images) -> Feature:
    """The feature of images' labels. Raises UserError for images without labels, or with several each."""
    if "label" not in images.features:
        raise UserError(f"the metric '{metric}' is of images with labels, and {images.name} has none; {LEAVE_OUT}")
    label = images.features["label"]
    _check_label(metric, label, images.name)
    return label


def _check_label(metric: str, label: Feature, name: str) -> None:
    if label.shape:
        what = f"the labels of {name} are vectors of {label.shape[0]} attributes"
        raise UserError(f"the metric '{metric}' is of labels of one class each, and {what}; {LEAVE_OUT}")


def check_meaning(extractor: str, read: np.ndarray, labels: np.ndarray, name: str) -> None:
    """Refuses an extractor whose classes have the right number and another meaning: images of most classes are not read as
    theirs. read, labels: int [N], of real images. name: of the images. Raises UserError."""
    likeliest = {int(i): int(np.bincount(read[labels == i]).argmax()) for i in np.unique(labels) if i >= 0}
    wrong = [i for i, most in likeliest.items() if most != i]
    if 2 * len(wrong) > len(likeliest):
        raise UserError(
            f"the classes of the extractor '{extractor}' are not the labels of {name}: it reads {len(wrong)} of "
            f"{len(likeliest)} classes mostly as another, {wrong[0]} as {likeliest[wrong[0]]}; choose another "
            f"--config.eval.features.name, or {LEAVE_OUT}"
        )
