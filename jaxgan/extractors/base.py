"""Feature extractors: fixed networks whose features stand for an image in a score.

Each has a name, which scores carry; an input contract; and a hash of its weights. They run at matmul precision
"highest", so that a GPU's fast modes do not change a score.

An extractor is a dataclass, whose fields are the config's `eval.features`, with `check()`, which raises a UserError if its
weights are not there, and `load(image_shape) -> Network`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.config.schema import bounded
from jaxgan.errors import UserError
from jaxgan.nets.conv import conv


class Network(NamedTuple):
    """A loaded extractor.

    name: in scores' names. hash: of the weights, the first 16 hex digits of a sha256. contract: what happens to an image
    before the first layer. apply: (variables, uint8 [N, H, W, C], or points float32 [N, D]) -> (features float32 [N, D],
    logits [N, K] or None). is_fid: whether a Frechet distance of its features is what everybody calls FID.
    """

    name: str
    hash: str
    contract: str
    variables: Any
    apply: Callable[[Any, jax.Array], tuple[jax.Array, jax.Array | None]]
    is_fid: bool = False

    def features(self, variables: Any, image: jax.Array) -> jax.Array:
        """Features [N, D] of images [N, H, W, C] in [-1, 1], differentiable: pixels are not rounded to 8 bits."""
        return self.apply(variables, (image + 1) * 127.5)[0]


@dataclass(frozen=True)
class Random:
    """A random convolutional network, for smoke tests: any picture will do, and its scores say little.

    seed: of its weights. width: of the first of its three layers; features have four times as many entries.
    """

    seed: int = bounded(0, below=2**32)
    width: int = bounded(16, least=1)

    def check(self) -> None:
        """It is always there."""

    def load(self, image_shape: tuple[int, ...]) -> Network:
        rng, kernels, channels = np.random.default_rng(self.seed), [], image_shape[2]
        for features in (self.width, 2 * self.width, 4 * self.width):
            kernels.append(rng.normal(0, (2 / (9 * channels)) ** 0.5, (3, 3, channels, features)).astype(np.float32))
            channels = features
        digest = hashlib.sha256(b"".join(kernel.tobytes() for kernel in kernels)).hexdigest()[:16]
        return Network("random", digest, "as it is, to [-1, 1]", kernels, _random)


@dataclass(frozen=True)
class Points:
    """Points as they are: their coordinates are their features."""

    def check(self) -> None:
        """It is always there."""

    def load(self, image_shape: tuple[int, ...]) -> Network:
        if len(image_shape) != 1:
            raise UserError("eval.features.name=points is for points, and these are pictures; digits, for one, sees those")
        return Network("points", "", "as they are", {}, lambda _, points: (points.astype(jnp.float32), None))


def _random(kernels: list[jax.Array], images: jax.Array) -> tuple[jax.Array, None]:
    x = images.astype(jnp.float32) / 127.5 - 1
    for kernel in kernels:
        x = jax.nn.relu(conv(x, kernel, stride=2))
    return x.mean((1, 2)), None
