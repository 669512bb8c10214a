"""Gaussian noise that has the mean and the covariance of a data set."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import batches
from jaxgan.data.source import Images
from jaxgan.keys import role_id
from jaxgan.placement import Placement
from jaxgan.scores.evaluator import Batches

LARGEST = 5000  # images whose mean and covariance the noise has


def make_noise(images: Images, placement: Placement, size: int) -> Callable[[int, int], Batches]:
    """`(seed, count) -> batches` of noise in the shape of a data set's images, `size` at once. Number i of a seed is always
    the same.

    It is mean + N^(-1/2) sum_i g_i (x_i - mean), g ~ N(0, I_N), over at most `LARGEST` images x_i chosen at random once. So
    it has their covariance, which is never made. Pictures are rounded and clipped to 8 bits; points stay as they are.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(images))[:LARGEST])
    x = images.gather(chosen)["image"].reshape(len(chosen), -1).astype(np.float32)
    mean, is_picture = x.mean(0, dtype=np.float64).astype(np.float32), len(images.image_shape) == 3
    fixed = placement.spread((mean, (x - mean) / np.float32(math.sqrt(len(x)))))

    @jax.jit
    def run(mean: jax.Array, centred: jax.Array, seed: jax.Array, numbers: jax.Array) -> jax.Array:
        key = jax.random.fold_in(jax.random.key(seed), role_id("noise"))
        draw = lambda i: jax.random.normal(jax.random.fold_in(key, i), centred.shape[:1], jnp.float32)  # noqa: E731
        made = mean + jnp.matmul(jax.vmap(draw)(numbers), centred, precision="highest")
        made = jnp.clip(jnp.rint(made), 0, 255).astype(jnp.uint8) if is_picture else made
        return made.reshape(-1, *images.image_shape)

    def noise(seed: int, count: int) -> Batches:
        for rows, counted in batches(count, size):
            numbers = placement.deal((size,), lambda at, n=rows: n[at].astype(np.uint32))
            yield run(*fixed, np.uint32(seed), numbers), counted

    return noise
