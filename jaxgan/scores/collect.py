"""What an extractor makes of a set of images: features, classes and their moments."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxgan.console import bar
from jaxgan.data.source import Modes
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.metrics.moments import Moments
from jaxgan.placement import Placement


@dataclass
class Statistics:
    """Of a set of images. features [N, D] float32 and classes [N, K] (probabilities) where they were kept; modes: of real
    points that have known ones. shares: of real images' classes, where they are known."""

    moments: Moments
    features: np.ndarray | None = None
    classes: np.ndarray | None = None
    modes: Modes | None = None
    shares: np.ndarray | None = None


class Collector:
    """Runs an extractor over batches of images on all devices.

    The same compiled program serves every batch, at matmul precision "highest".
    """

    def __init__(self, network: Network, placement: Placement):
        def apply(variables: Any, images: jax.Array):
            features, logits = network.apply(variables, images)
            return features, None if logits is None else jax.nn.softmax(logits)

        self._placement, self._variables = placement, placement.spread(network.variables)
        self._apply = jax.jit(apply)

    def dims(self, image_shape: tuple[int, ...]) -> int:
        """How many entries features have."""
        image = jax.ShapeDtypeStruct((1, *image_shape), np.uint8 if len(image_shape) == 3 else np.float32)
        return jax.eval_shape(self._apply, self._variables, image)[0].shape[1]

    def code(self, images: jax.ShapeDtypeStruct) -> str:
        """A digest of the program that such a batch goes through: of the extractor's code, not only its weights."""
        with jax.default_matmul_precision("highest"):
            text = self._apply.lower(self._variables, images).as_text()
        return hashlib.sha256(text.encode()).hexdigest()

    def __call__(
        self, batches: Iterable[tuple[jax.Array, int]], keep: Iterable[str], total: int, title: str = "images"
    ) -> Statistics:
        """batches: (uint8 [B, H, W, C] or points over the mesh, how many of them count). keep: "features", "classes".
        total, title: of the progress bar, which what takes longer than a few seconds shows."""
        progress = bar(None, title, total, "images", delay=5, quiet=jax.process_index() != 0)
        keep, out, waiting = set(keep), None, []
        features, probabilities = [], []

        def take(x: jax.Array, p: jax.Array | None, count: int) -> None:
            nonlocal out
            rows = self._placement.fetch(x)[:count]
            out = out or Moments.empty(rows.shape[1])
            out.add(rows)
            progress.update(count)
            if "features" in keep:
                features.append(rows)
            if "classes" in keep and p is not None:
                probabilities.append(self._placement.fetch(p)[:count])

        for images, count in batches:
            with jax.default_matmul_precision("highest"):
                waiting.append((*self._apply(self._variables, images), count))
            if len(waiting) > 1:  # one batch is computed while another is added up
                take(*waiting.pop(0))
        for left in waiting:
            take(*left)
        progress.close()
        if out is None:
            raise UserError("there are no images to score")
        if "classes" in keep and not probabilities:
            raise UserError("this extractor has no classes; leave 'is', 'classes' and 'class_modes' out of eval.metrics")
        return Statistics(
            out,
            np.concatenate(features) if features else None,
            np.concatenate(probabilities) if probabilities else None,
        )
