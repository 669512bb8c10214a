"""The oldest baseline: how far an image is from the affine subspace that normal images span."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan.anomaly.base import Detecting, Found, seen, some
from jaxgan.config.schema import bounded
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.tasks.protocols import Anomaly


@dataclass(frozen=True, kw_only=True)
class Pca(Detecting):
    """The mean square error of an image's reconstruction from principal components of the training images' pixels, by
    scikit-learn. No network of the run is used.

    components: how many; below 1 as many as explain this share of the variance.
    images: how many training images they are taken from at most, chosen once; 0: all.
    """

    components: float = bounded(0.95, least=1e-6)
    images: int = bounded(5000, least=0)

    def check(self, plan: Any) -> None:
        """Refuses a number of components that is none. Raises UserError."""
        _library()
        if self.components >= 1 and self.components != int(self.components):
            raise UserError(
                f"eval.detector.components={self.components:g} is a whole number, or below 1 a share of the variance"
            )

    def make(self, plan: Any, nets: Any, normal: Images, size: int) -> Found:
        pixels = normal.gather(some(normal, self.images))["image"]
        rows = pixels.reshape(len(pixels), -1).astype(np.float32) / 127.5 - 1
        whole = self.components >= 1
        if whole and self.components > min(rows.shape):
            what = f"{rows.shape[0]} images of {rows.shape[1]} numbers"
            raise UserError(f"eval.detector.components={self.components:.0f}, and {what} have {min(rows.shape)} at most")
        fitted = _library()(int(self.components) if whole else self.components, random_state=0).fit(rows)
        share = 100 * float(fitted.explained_variance_ratio_.sum())
        variables = {"mean": fitted.mean_.astype(np.float32), "axes": fitted.components_.astype(np.float32)}
        title = f"PCA, {len(fitted.components_)} components ({share:.3g} % of the variance) of {len(rows):,} images"
        return Found(title, _find, variables)


def _find(variables: Any, image: jax.Array, numbers: jax.Array) -> Anomaly:
    x = seen(image)
    away, axes = x.reshape(len(x), -1) - variables["mean"], variables["axes"]
    nearest = ((away @ axes.T) @ axes + variables["mean"]).reshape(x.shape)
    squares = (x - nearest) ** 2
    parts = {"image": jnp.abs(x - nearest).mean((1, 2, 3))}
    return Anomaly(squares.mean((1, 2, 3)), squares.mean(-1), jnp.clip(nearest, -1, 1), parts)


def _library() -> Any:
    try:
        from sklearn.decomposition import PCA  # takes a second
    except ImportError as error:
        raise UserError('the detector pca needs scikit-learn: pip install -e ".[anomaly]"') from error
    return PCA
