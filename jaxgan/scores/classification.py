"""How often a classifier is right."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.errors import UserError
from jaxgan.generate import Trained, trained


def accuracy(plan: Any, images: Any, state: Any) -> float:
    """The share of images whose likeliest class is their label; `eval.num_real` of them, all by default."""
    check(plan, images)
    wanted = plan.run.eval
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[: wanted.num_real or len(images)])
    is_picture, nets = images.features["image"].kind == "picture", trained(plan, state, wanted.ema)

    @jax.jit
    def right(nets: Trained, image: jax.Array, label: jax.Array) -> jax.Array:
        seen = image.astype(jnp.float32) / 127.5 - 1 if is_picture else image
        return jnp.argmax(plan.task(frozen=nets.frozen).predict(nets.players, seen), -1) == label

    def batch(rows: np.ndarray) -> jax.Array:
        real = images.gather(rows)
        return right(nets, real["image"], real["label"])

    return float(np.mean(in_batches(batch, wanted.batch_size, chosen)))


def check(plan: Any, images: Any) -> None:
    """Refuses data without labels. Raises UserError."""
    if not images.num_classes:
        raise UserError(f"the metric 'accuracy' is of data with labels, and {images.name} has none")
    if plan.run.eval.num_real > len(images):
        raise UserError(f"eval.num_real={plan.run.eval.num_real}, but {images.name} has {len(images)} images")
