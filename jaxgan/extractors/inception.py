"""The Inception network of FID: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision", with the
weights of 5 December 2015 that Heusel et al. 2017 took their features from.

It is not torchvision's network of that name: average pooling leaves the padding out of the mean, the last block's
pooling branch takes the maximum instead, and there are 1008 classes.
"""

import hashlib
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxgan.errors import UserError, as_path
from jaxgan.extractors import convnet
from jaxgan.extractors.base import Network

SIDE = 299
FID_FILE = "6726825d"  # how the sha256 of pt_inception-2015-12-05-6726825d.pth begins


@dataclass(frozen=True)
class Inception:
    """2048 features after global average pooling, and 1008 logits.

    weights: the file pt_inception-2015-12-05-6726825d.pth, from pytorch-fid's or torch-fidelity's releases; or another
    of torch.save, or an .npz, with the same names. The network is called "inception" with that very file alone:
    otherwise "inception_" and the first digits of its hash, so that only FID is called FID.

    The resize is TensorFlow 1's bilinear one, without antialiasing, as in FID's own code and in torch-fidelity: output
    pixel i lies at input position i * (input side / output side). pytorch-fid resizes with half-pixel centres, which
    shifts an image of 32 px by almost half a pixel of its own, and scores with it.

    The logits leave out the bias, as the Inception Score's own code and torch-fidelity do: that score is their softmax's.
    """

    weights: str = ""

    def check(self) -> None:
        """Raises UserError where no file is named, or it is not there."""
        if not self.weights:
            raise UserError(
                "the extractor inception has no weights: --config.eval.features.weights=FILE names "
                "pt_inception-2015-12-05-6726825d.pth, which the GitHub project pytorch-fid has among its releases"
            )
        if not as_path(self.weights).exists():
            raise UserError(f"{self.weights} cannot be read: No such file or directory")

    def load(self, image_shape: tuple[int, ...]) -> Network:
        """Raises UserError for images that are neither grey nor RGB, and for a file that is absent or does not fit."""
        convnet.check_image_shape(image_shape, "inception")
        self.check()
        path = as_path(self.weights)
        state = convnet.read(path, shapes())
        with path.open("rb") as file:
            is_fid = hashlib.file_digest(file, "sha256").hexdigest().startswith(FID_FILE)
        sha = convnet.digest(state)
        return Network(
            name="inception" if is_fid else f"inception_{sha[:8]}",
            hash=sha,
            contract=f"bilinear to {SIDE}x{SIDE} as TensorFlow 1 (no half-pixel centres, no antialiasing), (x - 128) / 128",
            variables=convnet.variables(state),
            apply=_apply,
            is_fid=is_fid,
        )


def shapes() -> dict[str, tuple[int, ...]]:
    """The names and torch shapes of the weights."""
    return convnet.wanted(_pooled, SIDE) | {"fc.weight": (1008, 2048), "fc.bias": (1008,)}


def _apply(weights, images):
    x = (resize(convnet.rgb(images), SIDE) - 128) / 128
    features = _pooled(convnet.conv_of(weights), x)
    return features, features @ weights["fc.weight"]


def resize(images: jax.Array, side: int) -> jax.Array:
    """[N, H, W, C] -> [N, side, side, C] by TensorFlow 1's `resize_bilinear`, the last row and column repeated."""
    for axis in (2, 1):
        count = images.shape[axis]
        position = np.arange(side, dtype=np.float32) * np.float32(count / side)
        low = position.astype(np.int32)
        share = np.expand_dims(position - np.floor(position), [i for i in range(4) if i != axis])
        first = jnp.take(images, low, axis)
        images = first + (jnp.take(images, np.minimum(low + 1, count - 1), axis) - first) * share
    return images


def _pooled(conv, x):
    """Images [N, 299, 299, 3] in [-1, 1) -> [N, 2048]."""

    def unit(x, name, features, size, **how):
        return jax.nn.relu(conv(x, f"{name}.conv", f"{name}.bn", features, size, **how))

    def chain(x, name, *layers, **last):
        """Units NAME_1, NAME_2, ...: pairs of features and size; `last` is how the last one goes."""
        for i, (features, size) in enumerate(layers, 1):
            x = unit(x, f"{name}_{i}", features, size, **(last if i == len(layers) else {}))
        return x

    def spread(x, name):
        """Half of the features from a wide kernel, half from a tall one."""
        return [unit(x, f"{name}a", 384, (1, 3)), unit(x, f"{name}b", 384, (3, 1))]

    def fine(x, name, pooled):
        return _joined(
            unit(x, f"{name}.branch1x1", 64, 1),
            chain(x, f"{name}.branch5x5", (48, 1), (64, 5)),
            chain(x, f"{name}.branch3x3dbl", (64, 1), (96, 3), (96, 3)),
            unit(_mean(x), f"{name}.branch_pool", pooled, 1),
        )

    def factored(x, name, inner):
        wide, tall = (1, 7), (7, 1)
        deep = ((inner, 1), (inner, tall), (inner, wide), (inner, tall), (192, wide))
        return _joined(
            unit(x, f"{name}.branch1x1", 192, 1),
            chain(x, f"{name}.branch7x7", (inner, 1), (inner, wide), (192, tall)),
            chain(x, f"{name}.branch7x7dbl", *deep),
            unit(_mean(x), f"{name}.branch_pool", 192, 1),
        )

    def coarse(x, name, pool):
        return _joined(
            unit(x, f"{name}.branch1x1", 320, 1),
            *spread(unit(x, f"{name}.branch3x3_1", 384, 1), f"{name}.branch3x3_2"),
            *spread(chain(x, f"{name}.branch3x3dbl", (448, 1), (384, 3)), f"{name}.branch3x3dbl_3"),
            unit(pool(x), f"{name}.branch_pool", 192, 1),
        )

    halve = {"stride": 2, "padding": "VALID"}
    x = unit(x, "Conv2d_1a_3x3", 32, 3, **halve)
    x = unit(x, "Conv2d_2a_3x3", 32, 3, padding="VALID")
    x = _max(unit(x, "Conv2d_2b_3x3", 64, 3), **halve)
    x = unit(x, "Conv2d_3b_1x1", 80, 1)
    x = _max(unit(x, "Conv2d_4a_3x3", 192, 3, padding="VALID"), **halve)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = fine(x, name, pooled)
    x = _joined(
        unit(x, "Mixed_6a.branch3x3", 384, 3, **halve),
        chain(x, "Mixed_6a.branch3x3dbl", (64, 1), (96, 3), (96, 3), **halve),
        _max(x, **halve),
    )
    for name, inner in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = factored(x, name, inner)
    x = _joined(
        chain(x, "Mixed_7a.branch3x3", (192, 1), (320, 3), **halve),
        chain(x, "Mixed_7a.branch7x7x3", (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), **halve),
        _max(x, **halve),
    )
    x = coarse(x, "Mixed_7b", _mean)
    return coarse(x, "Mixed_7c", _max).mean((1, 2))


def _joined(*parts):
    return jnp.concatenate(parts, -1)


def _max(x, stride=1, padding="SAME"):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 3, 3, 1), (1, stride, stride, 1), padding)


def _mean(x):
    """Over 3x3 windows, of the pixels that there are."""

    def total(x):
        return lax.reduce_window(x, 0.0, lax.add, (1, 3, 3, 1), (1, 1, 1, 1), "SAME")

    return total(x) / total(jnp.ones((1, *x.shape[1:3], 1), x.dtype))
