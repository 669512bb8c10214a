"""How well a detector finds the objects of real images."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import batches
from jaxgan.errors import UserError
from jaxgan.generate import Trained, trained
from jaxgan.metrics.detection import mean_average_precision

SHARED, OVERLAP, FLOOR = 0.5, 0.5, 0.01  # IoU of what is found, IoU of two boxes of one object, the least score


def map50(plan: Any, images: Any, state: Any) -> float:
    """The mean average precision on `eval.num_real` images, all by default, in [0, 1]. Raises UserError where the maps of
    classes show no object."""
    check(plan, images)
    wanted = plan.run.eval
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[: wanted.num_real or len(images)])
    nets = trained(plan, state, wanted.ema)

    @jax.jit
    def read(nets: Trained, image: jax.Array, source: jax.Array) -> tuple[jax.Array, ...]:
        task = plan.task(frozen=nets.frozen)
        image, source = (x.astype(jnp.float32) / 127.5 - 1 for x in (image, source))
        return *task.detect(nets.players, image), *task.objects(source)

    parts = []
    for rows, count in batches(len(chosen), min(wanted.batch_size, len(chosen))):
        real = images.gather(chosen[rows])
        parts.append([np.asarray(x)[:count] for x in read(nets, real["image"], real["source"])])
    boxes, scores, true, there = map(np.concatenate, zip(*parts))
    if not there.any():
        raise UserError(f"no pixel of the maps of {images.name} has a colour of task.palette: nothing is there to be found")
    return mean_average_precision(boxes, scores, true, there, SHARED, OVERLAP, FLOOR)


def check(plan: Any, images: Any) -> None:
    """Refuses data without maps of classes. Raises UserError."""
    if not images.paired:
        raise UserError(f"the metric 'map50' is of data with maps of classes as sources, and {images.name} has none")
    if plan.run.eval.num_real > len(images):
        raise UserError(f"eval.num_real={plan.run.eval.num_real}, but {images.name} has {len(images)} images")
