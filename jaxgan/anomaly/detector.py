"""A detector at work: any number of images, in batches of one size, by one compiled program."""

import zlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.anomaly.base import BATCH, Found
from jaxgan.batches import batches
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.tasks.protocols import Anomaly


class Detector:
    """`(images uint8 [N, H, W, C]) -> Anomaly` of numpy arrays.

    With one size of batches a picture gives the same bits, whatever pictures are beside it; not where BatchNorm takes the
    batch's statistics (`eval.detector.batch_norm`).

    title: a line for people. size: of a batch.
    Raises UserError where a score is not finite.
    """

    def __init__(self, found: Found, size: int, placement: Placement | None = None, exact: bool = False):
        self.title, self.size, self._placement, self._exact = found.title, size, placement, exact
        self._variables = placement.spread(found.variables) if placement else found.variables

        @jax.jit
        def find(variables: Any, image: jax.Array, numbers: jax.Array) -> Anomaly:
            return jax.tree.map(lambda x: x.astype(jnp.float32), found.find(variables, image, numbers))

        self._find = find

    def move(self, nets: Any) -> None:
        """Goes on with other networks of the same run, without compiling anew. nets: `generate.trained`."""
        self._variables = self._placement.spread(nets) if self._placement else nets

    def __call__(self, image: np.ndarray) -> Anomaly:
        parts, numbers = [], np.array([zlib.crc32(x.tobytes()) for x in image], np.uint32)
        for rows, count in batches(len(image), self.size):
            rows = rows[:count] if self._exact else rows  # repeated rows would move the batch's statistics
            with jax.default_matmul_precision("highest"):
                found = self._find(self._variables, self._dealt(image[rows]), self._dealt(numbers[rows]))
            parts.append(jax.tree.map(lambda x, n=count: self._fetched(x)[:n], found))
        out = jax.tree.map(lambda *x: np.concatenate(x), *parts)
        bad = int((~np.isfinite(out.score)).sum())
        if bad:
            raise UserError(f"{bad} of {len(image)} scores of abnormality are not finite; this run finds no anomalies")
        return out

    def _dealt(self, x: np.ndarray) -> Any:
        return self._placement.deal(x.shape, lambda at: x[at]) if self._placement and not self._exact else x

    def _fetched(self, x: jax.Array) -> np.ndarray:
        return self._placement.fetch(x) if self._placement else np.asarray(x)


def make_detector(plan: Any, nets: Any, normal: Images, placement: Placement | None = None) -> Detector:
    """The detector that the section `eval.detector` of a run names.

    plan, nets: of the run, `generate.trained`. normal: the run's training images, which `pca` and `patches` learn from.
    placement: devices to share a batch; None: the first. A batch has about `eval.batch_size` images, or searches.
    Raises UserError where the detector does not suit the run.
    """
    wanted, devices = plan.detector, placement.size if placement else 1
    wanted.check(plan)
    size = -(-plan.run.eval.batch_size // devices) * devices
    found = wanted.make(plan, nets, normal, size)
    own = -(-(found.size or size) // devices) * devices
    return Detector(found, own, placement, getattr(wanted, "batch_norm", "") == BATCH)
