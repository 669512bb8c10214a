"""How near translations are to the true ones, which the data have and the run was not told of."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.errors import UserError
from jaxgan.generate import given, make_generate, variables
from jaxgan.images import to_uint8
from jaxgan.metrics import pairs, segments
from jaxgan.metrics.features import Network


def pair_scores(plan: Any, images: Any, state: Any) -> dict[str, float]:
    """Means over the first `eval.num_samples` pairs of 8-bit pictures: "l1" in [0, 1], "psnr" in dB, "ssim", and
    "feature_distance", between the extractor's features over their norms (0 to 2). Where the data say which class a pixel's
    colour stands for, also what share of the translations' pixels is of the right one: see `segments.scores`.

    Raises UserError where examples have no sources of their own.
    """
    if not plan.translates or not images.paired:
        raise UserError(f"the metric 'pairs' wants a source beside each image, and {images.name} has none")
    wanted = plan.config.eval
    numbers = np.arange(min(wanted.num_samples, len(images)))
    true = images.gather(numbers)["image"]
    made = translated(plan, variables(state, wanted.ema), given(plan, images, numbers)["source"])
    found = {
        name: float(np.mean(fn(true, made))) for name, fn in (("l1", pairs.l1), ("psnr", pairs.psnr), ("ssim", pairs.ssim))
    }
    found["feature_distance"] = feature_distance(plan.extractor, true, made, wanted.batch_size)
    if images.decode is not None:
        classes = [images.decode(pixels) for pixels in (true, made)]
        found |= segments.scores(segments.confusion(*classes, num_classes=images.pixel_classes))
    return found


def translated(plan: Any, nets: Any, source: np.ndarray) -> np.ndarray:
    """What a translator makes of uint8 sources [N, H, W, C'] as numbers 0 to N - 1: uint8 [N, H, W, C]."""
    generate, size, out = jax.jit(make_generate(plan)), min(plan.config.eval.batch_size, len(source)), []
    for start in range(0, len(source), size):
        rows = np.minimum(np.arange(start, start + size), len(source) - 1)
        made = np.asarray(generate(nets, rows.astype(np.uint32), source=source[rows]))[: len(source) - start]
        if not np.isfinite(made).all():
            raise UserError("translations are not finite; this generator cannot be scored")
        out.append(to_uint8(made))
    return np.concatenate(out)


def feature_distance(network: Network, true: np.ndarray, made: np.ndarray, size: int) -> float:
    """The mean distance of the features' directions of uint8 pairs [N, H, W, C], 0 to 2."""

    @jax.jit
    def distances(weights: Any, a: jax.Array, b: jax.Array) -> jax.Array:
        def direction(x):
            features = network.apply(weights, x)[0]
            return features / (jnp.linalg.norm(features, axis=-1, keepdims=True) + 1e-8)

        return jnp.linalg.norm(direction(a) - direction(b), axis=-1)

    size, found = min(size, len(true)), []
    with jax.default_matmul_precision("highest"):
        for start in range(0, len(true), size):
            rows = np.minimum(np.arange(start, start + size), len(true) - 1)
            found.append(np.asarray(distances(network.variables, true[rows], made[rows]))[: len(true) - start])
    return float(np.mean(np.concatenate(found).astype(np.float64)))
