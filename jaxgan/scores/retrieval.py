"""How often a run that matches captions with pictures finds a real picture's caption."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.errors import UserError
from jaxgan.generate import Trained, trained
from jaxgan.metrics.retrieval import OTHERS, enough, r_precision

DETAIL = (
    f"a real picture's first caption among {OTHERS} of other words, by the cosine of the codes of picture and caption; "
    "equal cosines fail"
)


def retrieval(plan: Any, images: Any, state: Any) -> float:
    """The R-precision of real pictures, `eval.num_real` of them, all by default. Raises UserError."""
    wanted, nets = plan.run.eval, trained(plan, state, plan.run.eval.ema)
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[: wanted.num_real or len(images)])

    @jax.jit
    def codes(nets: Trained, image: jax.Array, tokens: jax.Array) -> jax.Array:
        task = plan.task(frozen=nets.frozen)
        seen = task.image_codes(nets.players, image.astype(jnp.float32) / 127.5 - 1)
        return jnp.stack([seen.whole, task.text_codes(nets.players, tokens).sentence], 1)

    def batch(rows: np.ndarray) -> jax.Array:
        return codes(nets, images.gather_feature("image", rows), images.gather_feature("tokens", rows))

    tokens = in_batches(lambda rows: images.gather_feature("tokens", rows), wanted.batch_size, chosen)
    kinds = np.unique(tokens, axis=0, return_inverse=True)[1].reshape(-1)
    if not enough(kinds):
        raise UserError(f"the metric 'retrieval' needs {OTHERS + 1} captions of other words, and {images.name} has fewer")
    found = in_batches(batch, wanted.batch_size, chosen)
    return r_precision(found[:, 0], found[:, 1], kinds)


def check(plan: Any, images: Any) -> None:
    """Refuses data without captions. Raises UserError."""
    if "tokens" not in images.features:
        raise UserError(f"the metric 'retrieval' is of data with captions, and {images.name} has none")
    if plan.run.eval.num_real > len(images):
        raise UserError(f"eval.num_real={plan.run.eval.num_real}, but {images.name} has {len(images)} images")
