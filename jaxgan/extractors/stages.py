"""Maps within fixed networks, by which a loss compares pictures: of a stage or a layer, before its activation.

A picture keeps its size, where a score may resize it: what the maps say of a place does not depend on how large the picture
is. A network of another person has an attribute `stages`, a `Stages`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxgan.extractors import convnet, efficientnet, efficientnet_lite2, vgg19
from jaxgan.nets.conv import conv


class Stages(NamedTuple):
    """names: of the stages, from the picture inwards. map: (the network's variables, images [N, H, W, C] in [-1, 1], a
    name) -> [N, h, w, F], differentiable; pixels are not rounded to 8 bits."""

    names: tuple[str, ...]
    map: Callable[[Any, jax.Array, str], jax.Array]


def stages_of(network: Any) -> Stages | None:
    """The stages of a loaded extractor, or of another network that has some; None where it has none."""
    own, name = getattr(network, "stages", None), getattr(network, "name", None)
    if isinstance(own, Stages) or not isinstance(name, str):
        return own if isinstance(own, Stages) else None
    return next((stages for known, stages in STAGES.items() if name == known or name.startswith(f"{known}_")), None)


def _efficientnet(weights: Any, images: jax.Array, stage: str, walk: Callable = efficientnet.stage) -> jax.Array:
    x = jnp.broadcast_to((images + 1) * 127.5, (*images.shape[:3], 3))
    return walk(_conv_of(weights), (x - 127) / 128, stage)


def _conv_of(weights: Any) -> Callable:
    """`convnet.conv_of` with the project's own convolutions, because XLA has a slow loop for the slopes of a strided one on
    CPUs; in the dtype of the images."""
    depthwise_conv = convnet.conv_of(weights)

    def normed(x, kernel, norm, features, size, depthwise=False, stride=1):
        if depthwise:
            return depthwise_conv(x, kernel, norm, features, size, True, stride=stride)
        gain, bias, mean, variance = (weights[f"{norm}.{part}"].astype(x.dtype) for part in convnet.NORM)
        scale = gain * lax.rsqrt(variance + convnet.EPSILON)
        return (conv(x, weights[f"{kernel}.weight"].astype(x.dtype), stride) - mean) * scale + bias

    return normed


def _vgg19(weights: Any, images: jax.Array, stage: str) -> jax.Array:
    return vgg19.layer(weights, (images + 1) * 127.5, stage)


def _random(kernels: list[jax.Array], images: jax.Array, stage: str) -> jax.Array:
    x = images
    for kernel in kernels[: RANDOM.index(stage)]:
        x = jax.nn.relu(conv(x, kernel.astype(x.dtype), 2))
    return conv(x, kernels[RANDOM.index(stage)].astype(x.dtype), 2)


RANDOM = ("conv_1", "conv_2", "conv_3")
VGG19 = tuple(name for own in vgg19.LAYERS for name in (own, own.replace("conv", "relu")))
STAGES = {
    "efficientnet_lite0": Stages(efficientnet.MAPS, _efficientnet),
    "efficientnet_lite2": Stages(efficientnet.MAPS, partial(_efficientnet, walk=efficientnet_lite2.stage)),
    "vgg19": Stages(VGG19, _vgg19),
    "random": Stages(RANDOM, _random),
}
