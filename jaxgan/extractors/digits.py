"""The extractor `digits`: a small classifier of handwritten digits, trained on the split `train` of the data `digits`.

    python -m jaxgan.extractors.digits             # trains it anew, and says its accuracy on the split `test`; minutes
    python -m jaxgan.extractors.digits --validate  # within `train`, every tenth image held out: for choosing settings

Pictures of several channels are judged a channel at a time, as stacked digits (Metz et al. 2017) are: features are those of
all channels, and a class is the number that the digits spell. Square pictures of another size than 28x28 are resized to it:
it reads 99.3 % of the digits of `test` as they are, and 98.9 % of those shrunk to 16x16.
"""

import argparse
import hashlib
import io
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.nets.conv import conv

WEIGHTS = "digits.npz"
CLASSES, SIDE, LEAST = 10, 28, 16
SETTINGS = {
    "epochs": 80, "batch": 50, "lr": 2e-3, "decay": 1e-4, "dropout": 0.4,
    "average": 0.002,  # share of the newest in the weights' moving average
    "turn": 0.2, "scale": 0.12, "shift": 2.0,  # radians, share, pixels
}  # fmt: skip


class Classifier(nn.Module):
    """Images [N, 28, 28, 1] in [-1, 1] to (features [N, 128], logits [N, 10]); `keys` [N] for dropout in training."""

    @nn.compact
    def __call__(self, x: jax.Array, keys: Any = None):
        for i, (features, stride) in enumerate([(32, 1), (32, 2), (64, 1), (64, 2), (64, 2)]):
            kernel = self.param(f"kernel_{i}", nn.initializers.he_normal(), (3, 3, x.shape[-1], features))
            x = nn.relu(conv(x, kernel, stride) + self.param(f"bias_{i}", nn.initializers.zeros, (features,)))
        x = nn.relu(nn.Dense(128, name="hidden")(x.reshape(len(x), -1)))
        kept = x
        if keys is not None:
            rate = SETTINGS["dropout"]
            keep = jax.vmap(lambda key: jax.random.bernoulli(key, 1 - rate, x.shape[1:]))(keys)
            kept = jnp.where(keep, x / (1 - rate), 0)
        return x, nn.Dense(CLASSES, name="logits")(kept)


@dataclass(frozen=True)
class Digits:
    """No settings. Takes square pictures of at least 16x16, of one to three digits in as many channels."""

    def check(self) -> None:
        """Its weights travel with the package."""

    def load(self, image_shape: tuple[int, ...]) -> Network:
        """Raises UserError for pictures that are not square, are too small, or have more channels."""
        height, width, channels = image_shape
        if height != width or height < LEAST or channels > 3:
            shape = "x".join(map(str, image_shape))
            raise UserError(
                f"the extractor digits takes square pictures of at least {LEAST}x{LEAST} with up to 3 channels, "
                f"not {shape}; choose --config.eval.features.name=efficientnet_lite0"
            )
        content = resources.files("jaxgan.extractors").joinpath(WEIGHTS).read_bytes()
        flat = np.load(io.BytesIO(content))
        params = _nested({name: flat[name].astype(np.float32) for name in flat.files})
        resized = "" if height == SIDE else f"{height}x{height}, cubic to "
        how = f"{resized}{SIDE}x{SIDE}, each channel by itself, to [-1, 1]"
        return Network("digits", hashlib.sha256(content).hexdigest()[:16], how, params, judge)


def judge(params: Any, images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """uint8 [N, S, S, C] to features [N, 128 C], of unit root mean square over real digits, and logits [N, 10^C]."""
    n, side, _, channels = images.shape
    singles = jnp.moveaxis(images, 3, 1).reshape(n * channels, side, side, 1).astype(jnp.float32)
    if side != SIDE:
        singles = jax.image.resize(singles, (n * channels, SIDE, SIDE, 1), "cubic").clip(0, 255)
    scale, params = params["scale"], params["net"]
    features, logits = run(params, singles / 127.5 - 1)
    digits = jax.nn.log_softmax(logits).reshape(n, channels, CLASSES)
    spelled = digits[:, 0]
    for i in range(1, channels):
        spelled = (spelled[:, :, None] + digits[:, i, None, :]).reshape(n, -1)
    return features.reshape(n, -1) / scale, spelled


def run(params: Any, x: jax.Array, keys: Any = None) -> tuple[jax.Array, jax.Array]:
    """A classifier's (features, logits) of images [N, 28, 28, C] in [-1, 1]."""
    return Classifier().apply({"params": params}, x, keys)  # pyright: ignore[reportReturnType]


def augmented(key: jax.Array, image: jax.Array) -> jax.Array:
    """A picture [28, 28, C] turned, scaled, sheared and shifted a little, at random."""
    turn, stretch, shear, shift = jax.random.split(key, 4)
    angle = jax.random.uniform(turn, minval=-1, maxval=1) * SETTINGS["turn"]
    scale = 1 + jax.random.uniform(stretch, (2,), minval=-1, maxval=1) * SETTINGS["scale"]
    slant = jax.random.uniform(shear, minval=-1, maxval=1) * SETTINGS["turn"]
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    matrix = jnp.array([[cos, -sin], [sin, cos]]) @ jnp.array([[1, slant], [0, 1]]) * scale
    centre = (SIDE - 1) / 2
    at = jnp.stack(jnp.meshgrid(jnp.arange(SIDE), jnp.arange(SIDE), indexing="ij")).reshape(2, -1) - centre
    moved = matrix @ at + centre + jax.random.uniform(shift, (2, 1), minval=-1, maxval=1) * SETTINGS["shift"]
    take = partial(jax.scipy.ndimage.map_coordinates, coordinates=list(moved), order=1, cval=-1.0)
    return jax.vmap(take, -1, -1)(image).reshape(image.shape)


def fit(images: np.ndarray, labels: np.ndarray, seed: int = 0, epochs: int = SETTINGS["epochs"]) -> Any:
    """Params of a classifier of uint8 images [N, 28, 28, C]: Adam with cosine decay, the average of its last weights."""
    batch = SETTINGS["batch"]
    per_epoch = len(images) // batch
    steps = epochs * per_epoch
    tx = optax.adamw(optax.cosine_decay_schedule(SETTINGS["lr"], steps), weight_decay=SETTINGS["decay"])
    pictures = jnp.asarray(images, jnp.float32) / 127.5 - 1
    root = jax.random.key(seed)
    params = Classifier().init(root, pictures[:1])["params"]

    @partial(jax.jit, donate_argnums=0)
    def step(carry, index, key):
        params, opt_state, average = carry
        keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(2 * batch))

        def loss_fn(params):
            x = jax.vmap(augmented)(keys[:batch], pictures[index])
            logits = run(params, x, keys[batch:])[1]
            return optax.softmax_cross_entropy_with_integer_labels(logits, jnp.asarray(labels)[index]).mean()

        updates, opt_state = tx.update(jax.grad(loss_fn)(params), opt_state, params)
        params = optax.apply_updates(params, updates)
        return params, opt_state, optax.incremental_update(params, average, SETTINGS["average"])

    carry = (params, tx.init(params), jax.tree.map(jnp.copy, params))
    rng = np.random.default_rng(seed)
    for epoch in range(epochs):
        order = rng.permutation(len(images))[: per_epoch * batch].reshape(per_epoch, batch)
        for i, index in enumerate(order):
            carry = step(carry, index, jax.random.fold_in(root, epoch * per_epoch + i))
    return jax.device_get(carry[2])


def accuracy(params: Any, images: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """The share of images that are named rightly, and its standard error."""
    with jax.default_matmul_precision("highest"):
        logits = np.concatenate([jax.jit(judge)(params, x)[1] for x in np.array_split(images, 10)])
    right = float((logits.argmax(1) == labels).mean())
    return right, float(np.sqrt(right * (1 - right) / len(labels)))


def _nested(flat: dict[str, np.ndarray]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, x in flat.items():
        *folders, last = name.split("/")
        at = out
        for folder in folders:
            at = at.setdefault(folder, {})
        at[last] = x
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validate", action="store_true", help="hold out a tenth of `train`; write nothing")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    from jaxgan.data.tfds import Tfds

    train, test = (Tfds(name="digits", split=split).open().load() for split in ("train", "test"))
    if args.validate:
        held = np.arange(len(train["label"])) % 10 == 9
        test = {name: x[held] for name, x in train.items()}
        train = {name: x[~held] for name, x in train.items()}
    params = fit(train["image"], train["label"], args.seed)
    scale = float(np.sqrt(np.mean(jax.jit(judge)({"net": params, "scale": 1.0}, train["image"])[0] ** 2)))
    # Halves travel; what is measured is what travels.
    flat = {
        "/".join(str(part.key) for part in path): np.asarray(x, np.float16)
        for path, x in jax.tree_util.tree_leaves_with_path({"net": params, "scale": scale})
    }
    rounded = _nested({name: x.astype(np.float32) for name, x in flat.items()})
    right, error = accuracy(rounded, test["image"], test["label"])
    print(f"accuracy {right:.4f} +- {error:.4f} on {len(test['label'])} held-out digits")
    if not args.validate:
        target = resources.files("jaxgan.extractors").joinpath(WEIGHTS)
        with open(str(target), "wb") as file:
            np.savez(file, **flat)  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main()
