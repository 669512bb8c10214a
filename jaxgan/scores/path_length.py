"""Perceptual path length (Karras et al. 2019, section 4.1): how fast the picture changes along a path between latents."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.errors import UserError
from jaxgan.generate import Trained, trained
from jaxgan.keys import role_id, stream
from jaxgan.tasks.protocols import HasLatent, HasStyles


def path_length(plan: Any, state: Any) -> float:
    """E |d f / dt|^2 at the beginning of straight paths between two styles w of latents drawn afresh, or of great circles
    between the latents of a generator without styles; f are an extractor's features of the picture over their norm.

    The paper has squared LPIPS distances over a step of 1e-4 squared; this is the derivative itself, by forward mode, and
    other features, so that values compare with each other alone. The mean is over all paths, where the authors leave out the
    shortest and the longest hundredth; pictures are clipped to [-1, 1] first, so that what lies beyond does not count. Both
    ends have one label; noise stays as it is. `eval.num_samples` paths.
    """
    if len(plan.image_shape) == 1:
        raise UserError("ppl is of pictures; leave it out of --config.eval.metrics")
    wanted, network = plan.run.eval, plan.extractor
    if not plan.can(HasLatent):
        raise UserError("ppl is of generators with a latent; leave it out of --config.eval.metrics")
    root = jax.random.fold_in(jax.random.key(plan.run.seed), role_id("path_length"))

    @jax.jit
    def squares(nets: Trained, weights: Any, numbers: jax.Array) -> jax.Array:
        task = plan.task(frozen=nets.frozen)
        keys = jax.vmap(lambda i: jax.random.fold_in(root, i))(numbers)
        ends = [task.draw(stream(keys, which)) for which in ("from", "to")]
        ends[1] |= {key: x for key, x in ends[0].items() if key == "label"}
        ends = [task.styles(nets.players, end) for end in ends] if plan.can(HasStyles) else ends

        def direction(t: jax.Array) -> jax.Array:
            image = jnp.clip(task.generate(nets.players, task.blend(*ends, t)), -1, 1)
            features = network.apply(weights, (image + 1) * 127.5)[0]
            return features / (jnp.linalg.norm(features, axis=-1, keepdims=True) + 1e-8)

        t = jnp.zeros(len(numbers), jnp.float32)
        return jnp.sum(jax.jvp(direction, (t,), (jnp.ones_like(t),))[1] ** 2, -1)

    nets, numbers = trained(plan, state, wanted.ema), np.arange(wanted.num_samples, dtype=np.uint32)
    with jax.default_matmul_precision("highest"):
        found = in_batches(lambda numbers: squares(nets, network.variables, numbers), wanted.batch_size, numbers)
    return float(np.mean(found.astype(np.float64)))
