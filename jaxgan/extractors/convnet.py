"""What the extractors that read a torch state dict share: images in, weights checked, convolutions.

A network is written once, as a function of the `conv` that it calls; called with one that takes notes it tells which
weights it wants.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxgan import npz
from jaxgan.errors import UserError, as_path
from jaxgan.extractors import torch_file

EPSILON = 1e-3  # of BatchNorm, in both networks
NORM = ("weight", "bias", "running_mean", "running_var")


def check_image_shape(image_shape: tuple[int, ...], extractor: str) -> None:
    """Raises UserError for anything but grey or RGB images (height, width, 1 or 3)."""
    if len(image_shape) != 3 or image_shape[-1] not in (1, 3):
        shape = "x".join(map(str, image_shape))
        raise UserError(
            f"the extractor {extractor} takes pictures of 1 or 3 channels, not {shape}; score them without the rest"
        )


def rgb(images: jax.Array) -> jax.Array:
    """uint8 [N, H, W, 1 or 3] -> float32 [N, H, W, 3] in [0, 255]."""
    return jnp.broadcast_to(images, (*images.shape[:3], 3)).astype(jnp.float32)


def wanted(network: Callable, side: int) -> dict[str, tuple[int, ...]]:
    """The names and torch shapes of the weights behind every `conv` of network(conv, images [N, side, side, 3])."""
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(x, kernel, norm, features, size, depthwise=False, **how):
        sizes = (size, size) if isinstance(size, int) else size
        shape = (features, 1 if depthwise else x.shape[-1], *sizes)
        shapes[f"{kernel}.weight"] = shape
        shapes.update({f"{norm}.{part}": (features,) for part in NORM})
        return _convolve(x, jnp.zeros(shape, x.dtype).transpose(2, 3, 1, 0), depthwise, **how)

    jax.eval_shape(lambda x: network(conv, x), jax.ShapeDtypeStruct((1, side, side, 3), jnp.float32))
    return shapes


def read(path: str | Path, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """These weights, float32 and in torch's shapes, out of a file of torch.save or an .npz; what else it has is left.

    Raises UserError for a file that cannot be read or is for another network.
    """
    path = as_path(path)

    def check(there: Any) -> Any:
        """Of arrays, or of their headers."""
        for name, shape in shapes.items():
            if name not in there:
                raise UserError(f"{path} is for another network: it has no '{name}'")
            if tuple(there[name].shape) != shape or there[name].dtype.kind != "f":
                found = f"{there[name].dtype} {tuple(there[name].shape)}"
                raise UserError(f"{path} is for another network: its '{name}' is {found}, not float {shape}")
        return shapes

    try:
        state = npz.read(path, check) if path.suffix == ".npz" else torch_file.read(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged, or no .npz of numpy.savez: {error}") from error
    check(state)
    return {name: np.asarray(state[name], np.float32) for name in shapes}


def digest(state: dict[str, np.ndarray]) -> str:
    """The first 16 hex digits of the sha256 of the weights' names and bytes, in the names' order."""
    sha = hashlib.sha256()
    for name in sorted(state):
        sha.update(name.encode())
        sha.update(state[name].tobytes())
    return sha.hexdigest()[:16]


def variables(state: dict[str, np.ndarray]) -> dict[str, jax.Array]:
    """The same in JAX's layout: kernels [height, width, in, out], dense ones [in, out]."""
    axes = {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}
    return {name: jnp.asarray(np.ascontiguousarray(array.transpose(axes[array.ndim]))) for name, array in state.items()}


def conv_of(weights: dict[str, jax.Array]) -> Callable:
    """The `conv` of a network: convolution with the weights `kernel`, then BatchNorm with the statistics `norm`.

    conv(x, kernel, norm, features, size, depthwise=False, stride=1, padding="SAME"): x [N, H, W, C]; size is a side or
    (height, width).
    """

    def conv(x, kernel, norm, features, size, depthwise=False, **how):
        gain, bias, mean, variance = (weights[f"{norm}.{part}"] for part in NORM)
        scale = gain * lax.rsqrt(variance + EPSILON)
        return (_convolve(x, weights[f"{kernel}.weight"], depthwise, **how) - mean) * scale + bias

    return conv


def _convolve(x: jax.Array, kernel: jax.Array, depthwise: bool, stride: int = 1, padding: str = "SAME") -> jax.Array:
    if depthwise:
        return _depthwise(x, kernel[:, :, 0], stride, padding)
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding, dimension_numbers=numbers)


def _depthwise(x: jax.Array, kernel: jax.Array, stride: int, padding: str) -> jax.Array:
    """Each feature convolved by itself with kernel [height, width, C].

    A sum of shifted images: on CPUs XLA's grouped convolution takes five times as long.
    """
    size = kernel.shape[:2]
    pads = lax.padtype_to_pads(x.shape[1:3], size, (stride, stride), padding)
    x = jnp.pad(x, ((0, 0), *pads, (0, 0)))
    last = [(n - k) // stride * stride + 1 for n, k in zip(x.shape[1:3], size)]
    shifted = [
        x[:, i : i + last[0] : stride, j : j + last[1] : stride] * kernel[i, j]
        for i in range(size[0])
        for j in range(size[1])
    ]
    return functools.reduce(jnp.add, shifted)
