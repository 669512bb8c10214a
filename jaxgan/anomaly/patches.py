"""Nearest neighbours of patches in a pretrained network's features, after PatchCore (Roth et al. 2022, "Towards Total Recall
in Industrial Anomaly Detection")."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxgan.anomaly.base import Detecting, Found, some
from jaxgan.batches import batches
from jaxgan.config.schema import among, bounded
from jaxgan.data.source import Images
from jaxgan.extractors.efficientnet import EfficientNetLite0, patch_features
from jaxgan.tasks.protocols import Anomaly

TIMES = 10  # as many patches as are kept are drawn for the greedy choice


@dataclass(frozen=True, kw_only=True)
class Patches(Detecting):
    """The largest distance of an image's patches to the nearest patch of training images, in features of EfficientNet-lite0.
    No network of the run is used. Of PatchCore's parts its weighting of the largest distance and its blur are left out.

    memory: how many patches of training images are kept.
    coreset: which: drawn at random ("random"), or of ten times as many that are drawn those that leave no patch far away,
      chosen one by one ("greedy").
    side: of the square that images are resized to first, in pixels; a patch is an eighth of it.
    images: how many training images patches are drawn from at most, chosen once; 0: all.
    """

    memory: int = bounded(2000, least=1)
    coreset: str = among(("random", "greedy"), "random")
    side: int = bounded(224, least=32)
    images: int = bounded(5000, least=0)

    def check(self, plan: Any) -> None:
        """Refuses images that the network does not take, and its missing weights. Raises UserError."""
        EfficientNetLite0().load(plan.image_shape)

    def make(self, plan: Any, nets: Any, normal: Images, size: int) -> Found:
        network = EfficientNetLite0().load(plan.image_shape)
        bank = self._drawn(network.variables, normal, size)
        if self.coreset == "greedy":
            bank = bank[np.asarray(_greedy(jnp.asarray(bank), min(self.memory, len(bank))))]
        title = f"{len(bank):,} patches ({self.coreset}) of {network.name} at {self.side} px"
        return Found(title, self._find, {"weights": network.variables, "bank": bank})

    def _drawn(self, weights: Any, normal: Images, size: int) -> np.ndarray:
        """Patches [M, D] at random of all training images; no more than one batch of images is in memory."""
        features = jax.jit(lambda weights, image: patch_features(weights, image, self.side))
        chosen = some(normal, self.images)
        image = jax.ShapeDtypeStruct((1, *normal.image_shape), np.uint8)
        each = int(np.prod(jax.eval_shape(features, weights, image).shape[1:3]))
        count = min(self.memory * (TIMES if self.coreset == "greedy" else 1), each * len(chosen))
        drawn = np.random.default_rng(0).choice(each * len(chosen), count, replace=False)
        of, at = np.divmod(np.sort(drawn), each)
        parts = []
        with jax.default_matmul_precision("highest"):
            for rows, counted in batches(len(chosen), min(size, len(chosen))):
                inside = (of >= rows[0]) & (of < rows[0] + counted)
                if inside.any():
                    found = np.asarray(features(weights, normal.gather(chosen[rows])["image"]))
                    parts.append(found.reshape(len(found), each, -1)[of[inside] - rows[0], at[inside]])
        return np.concatenate(parts)

    def _find(self, variables: Any, image: jax.Array, numbers: jax.Array) -> Anomaly:
        bank, height, width = variables["bank"], *image.shape[1:3]
        squares = (bank**2).sum(-1)

        def distances(patches: jax.Array) -> jax.Array:  # of one image: those of a batch take too much memory
            nearest = bank[jnp.argmin(squares - 2 * patches @ bank.T, -1)]
            return jnp.sqrt(((patches - nearest) ** 2).sum(-1))

        found = patch_features(variables["weights"], image, self.side)
        n, rows, columns, dims = found.shape
        far = lax.map(distances, found.reshape(n, -1, dims)).reshape(n, rows, columns)
        where = jax.image.resize(far, (n, height, width), "bilinear")
        return Anomaly(far.max((1, 2)), where, None, {"features": far.mean((1, 2))})


def _greedy(candidates: jax.Array, count: int) -> jax.Array:
    """Numbers [count] of candidates [M, D], each the farthest from those chosen before: a 2-approximation of the k centres
    that leave no candidate far away (Gonzalez 1985)."""

    @jax.jit
    def choose(candidates: jax.Array) -> jax.Array:
        def add(i, carry):
            chosen, nearest = carry
            nearest = jnp.minimum(nearest, ((candidates - candidates[chosen[i - 1]]) ** 2).sum(-1))
            return chosen.at[i].set(jnp.argmax(nearest)), nearest

        start = jnp.zeros(count, jnp.int32), jnp.full(len(candidates), jnp.inf)
        return lax.fori_loop(1, count, add, start)[0]

    return choose(candidates)
