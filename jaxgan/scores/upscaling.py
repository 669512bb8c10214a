"""How well a run enlarges whole pictures, of any sizes, and what bicubic interpolation makes of the same ones."""

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.console import say
from jaxgan.data import bicubic, picture, picture_tiles
from jaxgan.data.picture import size_of
from jaxgan.data.source import Images
from jaxgan.data.wholes import Wholes
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.extractors.stages import STAGES, Stages, stages_of
from jaxgan.generate import trained
from jaxgan.metrics import pairs
from jaxgan.metrics.upscaling import LEAST, SCORES, bootstrap_interval, of_picture
from jaxgan.upscaler import Upscaler, makers

BETTER = dict.fromkeys((*SCORES, "consistency", "gain", "gain_low", "gain_high"), "higher") | {"perceptual": "lower"}
STAGE_NAMES = ("stage_1", "stage_2", "stage_3", "stage_5")  # of an EfficientNet: 2, 4, 8 and 16 pixels a place
BLOCK = 512  # pixels of a side that the judge sees at once
DETAIL = (
    "MATLAB's antialiased bicubic; 8 bits; a border as wide as the factor cut off; luminance 16 to 235 of BT.601, peak 255; "
    "SSIM's Gaussian window 11x11, sigma 1.5, where it fits"
)


@dataclass(frozen=True)
class Opened:
    """Whole pictures that scores are taken on.

    wholes: beside their low resolution. count: how many of them, the first. judge: the network of the perceptual distance.
    protocol, measured: what is noted beside scores; bicubic's own are in the latter. made: what is made once a run.
    """

    wholes: Wholes
    count: int
    judge: Network
    protocol: dict[str, Any]
    measured: dict[str, Any]
    made: dict[str, Any] = field(default_factory=dict)


def scores(plan: Any, opened: Opened, state: Any) -> dict[str, float]:
    """Means over whole pictures, each enlarged from its low resolution, by tiles where it is large:

    "psnr_y", "ssim_y", "psnr_rgb", "ssim_rgb": see `metrics.upscaling`. "consistency": PSNR in dB, on RGB, of the result,
    shrunk, against the picture, shrunk: what it adds should not be there any more. "gain": psnr_y above bicubic's on the
    same picture, with 95 % of its bootstrap over pictures as "gain_low" and "gain_high". "perceptual": see `distance`.

    Raises UserError for weights that are not finite: as pixels their results would look like any others.
    """
    players = makers(plan, trained(plan, state, plan.run.eval.ema).players)
    if any(not np.isfinite(x).all() for x in jax.tree.leaves(players)):
        raise UserError("the weights are not finite; this generator cannot be scored")
    if "upscaler" not in opened.made:
        opened.made["upscaler"] = Upscaler(plan, players)
    enlarge = opened.made["upscaler"]
    enlarge.move(players)
    found = _of_pictures(opened, enlarge)
    if "bicubic" not in opened.made:
        scale = enlarge.scale
        opened.made["bicubic"] = _of_pictures(opened, lambda source: bicubic.enlarge(source, scale))
        opened.measured["bicubic"] = {name: round(float(np.mean(x)), 4) for name, x in opened.made["bicubic"].items()}
        told = ", ".join(f"{name} {x:.4g}" for name, x in opened.measured["bicubic"].items())
        say(f"bicubic on the same {opened.count} pictures: {told}")
    gain = found["psnr_y"] - opened.made["bicubic"]["psnr_y"]
    opened.measured["pictures"] = {
        opened.wholes.names[i]: {name: round(float(x[i]), 4) for name, x in found.items()} for i in range(opened.count)
    }
    low, high = bootstrap_interval(gain)
    out = {name: float(np.mean(x)) for name, x in found.items()}
    return out | {"gain": float(gain.mean()), "gain_low": low, "gain_high": high}


def _of_pictures(opened: Opened, enlarge: Any) -> dict[str, np.ndarray]:
    """{score: float64 [N]} of what a function makes of each picture's low resolution, uint8 [h, w, C]."""
    found, wholes = [], opened.wholes
    for i in range(opened.count):
        true, source = wholes.pair(i)
        made = enlarge(source)
        one = of_picture(true, made, wholes.scale)
        small = [bicubic.shrink(x, wholes.scale)[None] for x in (true, made)]
        one["consistency"] = float(pairs.psnr(*small)[0])
        one["perceptual"] = distance(opened.judge, true, made)
        found.append(one)
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def distance(judge: Network, true: np.ndarray, made: np.ndarray) -> float:
    """How unlike two pictures uint8 [H, W, C] are to a network: at each of some stages the squared distance of its features
    at a place, scaled to length one, a mean over places and stages (Zhang et al. 2018, "The Unreasonable Effectiveness of
    Deep Features as a Perceptual Metric", equation 1, with all weights one). In [0, 4]. A large picture is seen in blocks.
    """
    stages = stages_of(judge)
    assert stages
    run, total, weight = _gaps(stages), 0.0, 0
    with jax.default_matmul_precision("highest"):
        for top in range(0, true.shape[0], BLOCK):
            for left in range(0, true.shape[1], BLOCK):
                a, b = (x[None, top : top + BLOCK, left : left + BLOCK] for x in (true, made))
                total += float(run(judge.variables, a, b)) * a.size
                weight += a.size
    return total / weight


@functools.cache
def _gaps(stages: Stages) -> Callable[..., jax.Array]:
    """(a network's variables, two pictures uint8 [1, h, w, C]) -> their distance; compiled once a process and a size."""

    def direction(weights: Any, x: jax.Array, name: str) -> jax.Array:
        x = stages.map(weights, x.astype(jnp.float32) / 127.5 - 1, name)
        return x / (jnp.linalg.norm(x, axis=-1, keepdims=True) + 1e-8)

    def gaps(weights: Any, a: jax.Array, b: jax.Array) -> jax.Array:
        both = ((direction(weights, a, name), direction(weights, b, name)) for name in _names(stages.names))
        return jnp.mean(jnp.stack([jnp.mean(jnp.sum((x - y) ** 2, -1)) for x, y in both]))

    return jax.jit(gaps)


def _names(known: tuple[str, ...]) -> tuple[str, ...]:
    """The stages that are compared: some of an EfficientNet's, all of another network's."""
    return STAGE_NAMES if set(STAGE_NAMES) <= set(known) else known


def check(plan: Any, images: Images) -> None:
    """Refuses what `scores` could not measure. Raises UserError."""
    _stages(plan)
    name, wholes = _pictures(plan, images)
    least = LEAST + 2 * wholes.scale
    for i in range(_count(plan, wholes)):
        try:
            with wholes.at(i).open() as image:
                height, width = size_of(image)
        except MemoryError:
            raise
        except Exception as error:
            raise UserError(f"'{wholes.names[i]}' of {name} cannot be used: {picture.reason(error)}") from error
        if min(height, width) < least:
            raise UserError(
                f"'{wholes.names[i]}' of {name} has {height}x{width} pixels, too few to score; leave out pictures "
                f"with a side below {least}"
            )


def open_pictures(plan: Any, images: Images) -> Opened:
    """The pictures that scores are taken on: of `eval.pictures`, or else of the split `images`. Raises UserError for data
    without whole pictures in two sizes, and where a loss has used the network that is to judge."""
    name, wholes = _pictures(plan, images)
    count = _count(plan, wholes)
    digest = images.digest if wholes is images.wholes else _digest(wholes, count)
    protocol = {
        "pictures": {"data": name, "digest": digest, "number": count},
        "scale": wholes.scale,
        "stages": list(_names(_stages(plan).names)),
    }
    return Opened(wholes, count, plan.extractor, protocol, {})


def _pictures(plan: Any, images: Images) -> tuple[str, Wholes]:
    wholes, folder = images.wholes, plan.run.eval.pictures
    if wholes is None or wholes.lower is None:
        raise UserError(
            f"the metric 'upscaling' is of whole pictures beside their low resolution, and {images.name} has none; "
            "--config.data.name=photographs, or picture_tiles of your own"
        )
    if not folder:
        return images.name, wholes
    title, others = picture_tiles.in_folder(folder)
    return f"{title} ({len(others)} pictures, {wholes.how})", replace(others, scale=wholes.scale, lower=wholes.lower)


def _count(plan: Any, wholes: Wholes) -> int:
    return min(plan.run.eval.num_samples, len(wholes))


def _digest(wholes: Wholes, count: int) -> str:
    """Of the first pictures' names and pixels. Raises UserError for one that cannot be decoded."""
    out = hashlib.sha256()
    for i in range(count):
        name, pixels = wholes[i]
        out.update(f"{name} {pixels.shape} ".encode() + pixels.tobytes())
    return out.hexdigest()[:16]


def _stages(plan: Any) -> Stages:
    """Of the network that judges. Raises UserError for one that a loss has used, and one without maps."""
    network = plan.extractor
    if used := plan.digests_in_losses.get(network.hash):
        raise UserError(
            f"{network.name} is in the loss '{used}' of this run, so it cannot judge it; another --config.eval.features.name"
        )
    stages = stages_of(network)
    if stages is None:
        raise UserError(
            f"the metric 'upscaling' needs a network with maps, and {network.name} has none; --config.eval.features.name="
            f"efficientnet_lite2 (there are {', '.join(STAGES)})"
        )
    return stages
