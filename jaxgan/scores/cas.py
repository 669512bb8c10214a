"""The classification accuracy score (Ravuri and Vinyals 2019, "Classification Accuracy Score for Conditional Generative
Models"): what a classifier reads in real pictures that was trained on generated ones alone."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import jax
import ml_collections
import numpy as np

from jaxgan import program, records
from jaxgan.batches import in_batches
from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import features_of
from jaxgan.data.order import seed_key
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError
from jaxgan.files import user_cache, write_json
from jaxgan.generate import make_labels, make_pictures, takes_labels, trained
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores import classification
from jaxgan.sections import sections
from jaxgan.workdir.data import open_data

STEPS, BATCH = 1000, 64  # fixed, so that nothing is chosen on the test images
CLASSIFIER = {
    "steps": STEPS,
    "batch_size": BATCH,
    "task": {"name": "classify", "augmentation": "none"},
    "nets": {"net": {"name": "convnet", "width": 16, "levels": 2, "hidden": 128, "norm": "batch", "dropout": 0.4}},
    "optim": {"net": {"name": "adam", "lr": "cosine(2e-3, 2e-5, 0, 100%)", "b1": 0.9}},
    "eval": {"metrics": ("accuracy",)},
}  # its seed is 0


def cas(plan: Plan, images: Images, state: Any) -> dict[str, float]:
    """ "cas": the share of the real `images`, of `eval.split`, that a classifier reads rightly which was trained on as many
    samples as the run has training images, labelled as they were asked for. "cas_real": the same of a classifier trained on
    those training images themselves.

    Both are functions of the run's checkpoint and the data alone. Raises UserError as `check` does, and where the images of
    `eval.split` are training images.
    """
    check(plan, images)
    real = open_data(plan.config)
    _check_apart(real, images)
    nets, numbers = trained(plan, state, plan.run.eval.ema), np.arange(len(real), dtype=np.uint32)
    made = in_batches(make_pictures(plan, nets), plan.run.eval.batch_size, numbers)
    labels = in_batches(make_labels(plan), plan.run.eval.batch_size, numbers)
    features = features_of(plan.image_shape, plan.features["label"].classes)
    samples = Images("samples", Arrays(made, labels, np.arange(len(made))), features, is_resident("auto", made.nbytes))
    return {"cas": _accuracy(samples, images), "cas_real": _of_real(real, images)}


def check(plan: Plan, images: Images) -> None:
    """Refuses generators and data without classes, and test images that a run has trained on. Raises UserError."""
    label = images.features.get("label")
    if label is None or label.shape:
        what = "no labels" if label is None else f"vectors of {label.classes} attributes"
        raise UserError(f"the metric 'cas' is of data with classes, and {images.name} has {what}")
    if not takes_labels(plan):
        raise UserError(
            f"the metric 'cas' is of a generator that is told classes: --config.task.num_classes={label.classes}"
        )
    if len(plan.image_shape) != 3:
        raise UserError("the metric 'cas' is of pictures, and this run makes points")
    if plan.config.eval.split in ("", plan.config.data.get("split")):
        raise UserError(
            "the metric 'cas' is tested on real images that the run has not trained on: --config.eval.split=test"
        )


def _check_apart(real: Images, test: Images) -> None:
    """Refuses a test split most of which is in the training split under another name."""
    if not (real.resident and test.resident):
        return
    seen = {x.tobytes() for x in real.load()["image"]}
    inside = sum(x.tobytes() in seen for x in test.load()["image"])
    if 2 * inside > len(test):
        raise UserError(
            f"the metric 'cas': {inside} of the {len(test)} images of eval.split are training images; take another split"
        )


def _of_real(real: Images, test: Images) -> float:
    """Of the training images themselves; kept, since no generator changes it."""
    about = [CLASSIFIER, real.name, real.digest, test.name, test.digest, jax.devices()[0].device_kind, jax.__version__]
    path = user_cache() / "cas" / f"{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:24]}.json"
    has_identity = all(images.digest or "/" in images.name for images in (real, test))  # see `scores.evaluator`
    try:
        found = records.read_json(path, {"accuracy": float}, "remove it") if has_identity else None
        if found:
            return found["accuracy"]
    except UserError:  # damaged
        pass
    out = _accuracy(real, test)
    if has_identity:
        try:
            write_json(path, {"accuracy": out})
        except OSError:  # a cache that cannot be written costs time alone
            pass
    return out


def _accuracy(images: Images, test: Images) -> float:
    """What a classifier trained on labelled images reads rightly in test images, a share."""
    images = replace(images, flip=False, features={name: images.features[name] for name in ("image", "label")})
    own = CLASSIFIER | {"task": CLASSIFIER["task"] | {"num_classes": images.num_classes}}
    plan = Plan(resolve_config(ml_collections.ConfigDict(own), [], sections), images.features)
    return classification.accuracy(plan, test, _fitted(plan, images))


def _fitted(plan: Plan, images: Images) -> Any:
    """The state after training, by the engine of every run, on one device."""
    placement = Placement(devices=jax.local_devices()[:1])
    step = placement.wrap(program.make_program(plan, images), batch_is_split=not images.resident)
    state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(plan.run.seed))
    inputs, one = placement.replicate(plan.inputs), placement.replicate(np.int32(1))
    whole = placement.replicate(program.resident(images)) if images.resident else None
    each = None if images.resident else images.batches(0, plan.rounds, BATCH, np.arange(BATCH), seed_key(plan.run.seed))
    for i in range(STEPS):
        state, report = step(state, inputs, whole if each is None else placement.put(next(each)), one)
        if i % 16 == 0:  # the host runs no further ahead
            jax.block_until_ready(report)
    return placement.local(state)
