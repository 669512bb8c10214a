"""How near translations are to the true ones, which the data have and the run was not told of."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.batches import batches, in_batches
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.generate import given_inputs, make_generate, trained
from jaxgan.images import to_uint8
from jaxgan.metrics import pairs, segments
from jaxgan.metrics.moments import Moments, check_counts, frechet_distance
from jaxgan.sections import extractor_of


def pair_scores(plan: Any, images: Any, state: Any) -> dict[str, float]:
    """Means over the first `eval.num_samples` pairs of 8-bit pictures: "l1" in [0, 1], "psnr" in dB, "ssim", and
    "feature_distance", between the extractor's features over their norms (0 to 2). Where the data say which class a pixel's
    colour stands for, also what share of the translations' pixels is of the right one: see `segments.scores`.

    Raises UserError where examples have no sources of their own.
    """
    check_pairs(plan, images)
    wanted = plan.run.eval
    numbers = np.arange(min(wanted.num_samples, len(images)))
    true = images.gather(numbers)["image"]
    made = made_of(plan, trained(plan, state, wanted.ema), given_inputs(plan, images, numbers))
    found = {
        name: float(np.mean(fn(true, made))) for name, fn in (("l1", pairs.l1), ("psnr", pairs.psnr), ("ssim", pairs.ssim))
    }
    found["feature_distance"] = feature_distance(plan.extractor, true, made, wanted.batch_size)
    if images.known.decode is not None:
        classes = [images.known.decode(pixels) for pixels in (true, made)]
        found |= segments.scores(segments.confusion(*classes, num_classes=images.known.pixel_classes))
    return found


def check_pairs(plan: Any, images: Any) -> None:
    """Refuses runs that `pair_scores` is not of. Raises UserError."""
    if "ba" in plan.ways:
        raise UserError("the metric 'pairs' is of task paired; here 'cycles' compares with the truth, where there is one")
    if not plan.given or any(images.features[name].stream != images.features["image"].stream for name in plan.given):
        raise UserError(f"the metric 'pairs' wants a source beside each image, and {images.name} has none")
    pairs.check_sides(plan.image_shape)


def check_cycles(plan: Any, images: Any) -> None:
    """Refuses runs that `cycle_scores` is not of. Raises UserError."""
    if "ba" not in plan.ways:
        raise UserError("the metric 'cycles' is of translators both ways; leave it out of --config.eval.metrics")
    wanted, few = plan.run.eval, min(plan.run.eval.num_samples, len(images), images.lengths()["source"])
    one = jax.ShapeDtypeStruct((1, *plan.image_shape), np.uint8)
    network = plan.extractor
    dims = jax.eval_shape(lambda weights, x: network.apply(weights, x)[0], network.variables, one).shape[1]
    check_counts(dims, few, wanted.allow_few)
    if images.known.truth:
        pairs.check_sides(plan.image_shape)


def translated(plan: Any, nets: Any, source: np.ndarray, way: str = "ab") -> np.ndarray:
    """What a translator makes of uint8 sources [N, H, W, C'] as numbers 0 to N - 1: uint8 [N, H, W, C]."""
    return made_of(plan, nets, {"source": source}, way)


def made_of(plan: Any, nets: Any, given: dict[str, np.ndarray], way: str = "ab") -> np.ndarray:
    """What a generator makes of features [N, ...] as they are stored, as numbers 0 to N - 1: uint8 [N, H, W, C]."""
    generate = jax.jit(make_generate(plan, way))

    def made(numbers: np.ndarray, **given: np.ndarray) -> np.ndarray:
        images = np.asarray(generate(nets, numbers, **given))
        if not np.isfinite(images).all():
            raise UserError("translations are not finite; this generator cannot be scored")
        return to_uint8(images)

    numbers = np.arange(len(next(iter(given.values()))), dtype=np.uint32)
    return in_batches(made, plan.run.eval.batch_size, numbers, **given)


def feature_distance(network: Network, true: np.ndarray, made: np.ndarray, size: int) -> float:
    """The mean distance of the features' directions of uint8 pairs [N, H, W, C], 0 to 2."""

    @jax.jit
    def distances(weights: Any, a: jax.Array, b: jax.Array) -> jax.Array:
        def direction(x):
            features = network.apply(weights, x)[0]
            return features / (jnp.linalg.norm(features, axis=-1, keepdims=True) + 1e-8)

        return jnp.linalg.norm(direction(a) - direction(b), axis=-1)

    with jax.default_matmul_precision("highest"):
        found = in_batches(lambda *pair: distances(network.variables, *pair), size, true, made)
    return float(np.mean(found.astype(np.float64)))


def cycle_scores(plan: Any, images: Any, state: Any) -> dict[str, float]:
    """Of translators both ways over `eval.num_samples` pictures of each domain, 8-bit: "cycle_a" and "cycle_b", the mean
    distance of pictures to what comes back, in [0, 1]; Fréchet distances of both translations to the other domain's
    pictures. Where the data hold the truth back: "l1", "psnr" and "ssim" to it, with "_ab" and "_ba" behind.

    Raises UserError for runs of other tasks.
    """
    check_cycles(plan, images)
    wanted, networks = plan.run.eval, {"a": extractor_of(plan.config).load(plan.source_shape), "b": plan.extractor}
    nets, numbers = trained(plan, state, wanted.ema), np.arange(wanted.num_samples)
    of_b = numbers[: len(images)]
    pictures = {
        "a": images.gather_feature("source", numbers[: images.lengths()["source"]]),
        "b": images.gather(of_b)["image"],
    }
    made = {way: translated(plan, nets, pictures[way[0]], way) for way in ("ab", "ba")}
    back = {"a": translated(plan, nets, made["ab"], "ba"), "b": translated(plan, nets, made["ba"], "ab")}
    found = {f"cycle_{domain}": float(np.mean(pairs.l1(pictures[domain], back[domain]))) for domain in "ab"}
    for way in ("ab", "ba"):
        moments = [_moments(networks[way[1]], x, wanted.batch_size) for x in (pictures[way[1]], made[way])]
        found[f"fd_{way}"] = frechet_distance(*moments, allow_few=wanted.allow_few)
    if images.known.truth:
        truth = {
            "ab": images.gather_key("truth", np.arange(len(made["ab"])), "source"),
            "ba": images.gather_key("truth", of_b),
        }
        for way, true in truth.items():
            if not true.any():  # a split that keeps its truth from everybody
                continue
            for name, fn in (("l1", pairs.l1), ("psnr", pairs.psnr), ("ssim", pairs.ssim)):
                found[f"{name}_{way}"] = float(np.mean(fn(true, made[way])))
    return found


def _moments(network: Network, pictures: np.ndarray, size: int) -> Moments:
    """Of the extractor's features of uint8 pictures [N, H, W, C]."""
    run, out = jax.jit(lambda weights, x: network.apply(weights, x)[0]), None
    with jax.default_matmul_precision("highest"):
        for rows, count in batches(len(pictures), min(size, len(pictures))):
            features = np.asarray(run(network.variables, pictures[rows]))[:count]
            out = out or Moments.empty(features.shape[1])
            out.add(features)
    assert out is not None
    return out
