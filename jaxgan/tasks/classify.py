"""A classifier: one network that says which class a picture is of, trained on any data with labels."""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets.classifier import CLASSIFIERS
from jaxgan.objectives import affine
from jaxgan.objectives.context import Facts
from jaxgan.objectives.draws import Draw
from jaxgan.state import Aux, GanState
from jaxgan.tasks import networks
from jaxgan.tasks.task import BaseTask, Batch


@dataclass(frozen=True, kw_only=True)
class Classify(BaseTask):
    """num_classes: how many the data have. augmentation: of training pictures: "none", or "classical": each is turned,
    scaled and shifted at random.

    turn: radians either way. stretch: height and width change by this share at most. shift: of the side, either way.
    """

    net: nn.Module
    image_shape: tuple[int, int, int]
    dtype: Any
    num_classes: int = bounded(10, least=2)
    augmentation: str = among(("none", "classical"), "none")
    turn: float = bounded(0.2, most=3.2)
    stretch: float = bounded(0.12, below=1)
    shift: float = bounded(0.07, below=1)

    nets = {"net": CLASSIFIERS}
    players = {"net": {"net": "net"}}
    averaged = ("net",)

    def check(self, facts: Facts) -> None:
        """Refuses points, and data without labels or of other classes. Raises UserError."""
        if len(self.image_shape) != 3:
            raise UserError("task.name=classify is of pictures, and these data are points")
        if not facts.opened:
            return
        label = facts.data.get("label")
        if label is None:
            raise UserError("task.name=classify learns labels, and the data have none")
        if label.shape:
            raise UserError(
                f"task.name=classify wants one class a picture, and the label is a vector of {label.classes} attributes"
            )
        if label.classes != self.num_classes:
            raise UserError(
                f"task.num_classes={self.num_classes}, but the data have {label.classes} classes; "
                f"--config.task.num_classes={label.classes}"
            )

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{"net": flax variables}."""
        image = jnp.zeros((2, *self.image_shape), self.dtype)
        return {"net": networks.init(self.net, rng, "net", image, train=False)}

    def loss(self, name: str, state: GanState, batch: Batch, keys: Keys, advance: Any) -> tuple[jax.Array, Aux]:
        """The cross-entropy, and the share of the batch that is right."""
        image = batch["image"]
        if self.augmentation == "classical":
            image = jax.vmap(self._moved)(image, keys("net/augment"))
        logits, collections = networks.run(
            self.net, state.variables("net"), image, train=True, keys=lambda role: keys(f"net/{role}")
        )
        value = jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, batch["label"]))
        right = jnp.mean(jnp.argmax(logits, -1) == batch["label"])
        return value, Aux({"net/loss": value, "net/right": right}, {"net": collections})

    def predict(self, variables: dict[str, Any], image: jax.Array) -> jax.Array:
        """Logits [N, K] of images [N, H, W, C] in [-1, 1], from {"net": variables} as after training."""
        return networks.run(self.net, variables["net"], image, train=False)[0]

    def _moved(self, x: jax.Array, key: jax.Array) -> jax.Array:
        draw, (height, width, _) = Draw(key, x.dtype), x.shape
        turn = affine.rotation(draw.uniform("turn", -self.turn, self.turn))
        sizes = (draw.uniform(f"stretch/{axis}", 1 - self.stretch, 1 + self.stretch) for axis in "xy")
        dx, dy = (side * draw.uniform(f"shift/{side_of}", -self.shift, self.shift)
                  for side_of, side in (("x", width), ("y", height)))  # fmt: skip
        return affine.warped(x, affine.shift(dx, dy) @ turn @ affine.scale(*sizes)).astype(x.dtype)
