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
    real = images.gather(chosen)

    @jax.jit
    def right(nets: Trained, image: jax.Array, label: jax.Array) -> jax.Array:
        logits = plan.task(frozen=nets.frozen).predict(nets.players, image.astype(jnp.float32) / 127.5 - 1)
        return jnp.argmax(logits, -1) == label

    nets = trained(plan, state, wanted.ema)
    return float(np.mean(in_batches(lambda *x: right(nets, *x), wanted.batch_size, real["image"], real["label"])))


def check(plan: Any, images: Any) -> None:
    """Refuses data without labels. Raises UserError."""
    if not images.num_classes:
        raise UserError(f"the metric 'accuracy' is of data with labels, and {images.name} has none")
