"""A detector: one network that says where the objects of a picture are, and of which class.

It learns from pictures with maps of classes beside them (`data.source`). The pixels of a class are one object, whose box is
the smallest around them; so it is known exactly, also after a picture and its map were mirrored, cut or translated.

Each cell of a grid has a logit of each class and one box. An object belongs to the cell that holds its box' centre: that
cell learns its class by the focal loss (Lin et al. 2017, equation 5) against all other cells, and its box by the generalised
IoU (Rezatofighi et al. 2019, algorithm 1). There are no anchors.
"""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan.config.schema import bounded
from jaxgan.data.features import MAIN
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets.detector import DETECTORS
from jaxgan.objectives.context import Facts
from jaxgan.state import Aux, GanState
from jaxgan.tasks import networks
from jaxgan.tasks.task import BaseTask, Batch

ALPHA, GAMMA = 0.25, 2.0  # of the focal loss, the paper's
UNIT = 0.25  # the side of a box of raw size 0
SPAN = 4.0  # of raw sizes: beyond it a box is of no use, and its exponential of no meaning


@dataclass(frozen=True, kw_only=True)
class Detect(BaseTask):
    """palette: the colour of each class in the maps, RRGGBB; a pixel of any other colour is of no object.
    box_weight: of the boxes' loss, that of the classes being 1.

    Boxes are (top, left, bottom, right) with the side as unit, the last two where the first pixel outside begins.
    """

    net: nn.Module
    image_shape: tuple[int, int, int]
    dtype: Any
    palette: tuple[str, ...] = ()
    box_weight: float = bounded(1.0)

    nets = {"net": DETECTORS}
    players = {"net": {"net": "net"}}
    averaged = ("net",)

    def check(self, facts: Facts) -> None:
        """Refuses points, palettes that are none, and data without maps of classes. Raises UserError."""
        if len(self.image_shape) != 3:
            raise UserError("task.name=detect is of pictures, and these data are points")
        if not self.palette:
            raise UserError("task.palette is empty; say which colours the classes have: --config.task.palette=ff0000,00ff00")
        for colour in self.palette:
            if len(colour) != 6 or set(colour.lower()) - set("0123456789abcdef"):
                raise UserError(f"task.palette: '{colour}' is no colour RRGGBB, as ff0000 is")
        if len({colour.lower() for colour in self.palette}) < len(self.palette):
            raise UserError("task.palette names a colour twice; each class has one of its own")
        if not facts.opened:
            return
        source = facts.data.get("source")
        if source is None or source.stream != MAIN:
            raise UserError(
                "task.name=detect learns from a map of classes beside each picture, and these data have none; "
                "--config.data.source=FEATURE (of `shapes`: labels)"
            )
        if source.shape[-1] != 3:
            raise UserError(f"task.name=detect reads classes from colours, and the maps have {source.shape[-1]} channel")

    @property
    def num_classes(self) -> int:
        return len(self.palette)

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{"net": flax variables}."""
        image = jnp.zeros((2, *self.image_shape), self.dtype)
        return {"net": networks.init(self.net, rng, "net", image, self.num_classes, train=False)}

    def loss(self, name: str, state: GanState, batch: Batch, keys: Keys, advance: Any) -> tuple[jax.Array, Aux]:
        """Sums over a picture's cells and objects, means over pictures; and the objects' mean IoU."""
        out, collections = networks.run(
            self.net, state.variables("net"), batch["image"], self.num_classes, train=True,
            keys=lambda role: keys(f"net/{role}"),
        )  # fmt: skip
        logits, boxes = self._read(out)
        true, there = self.objects(batch["source"])
        cell = _cell(true, out.shape[1:3])
        of_cells = jax.nn.one_hot(cell, logits.shape[1], axis=1) * there[:, None]
        classes = jnp.sum(optax.sigmoid_focal_loss(logits, of_cells, alpha=ALPHA, gamma=GAMMA), (1, 2))
        own = jnp.take_along_axis(boxes, cell[..., None], 1)
        iou, generalised = _overlap(own, true)
        apart = jnp.sum(jnp.where(there, 1 - generalised, 0), 1)
        value = jnp.mean(classes + self.box_weight * apart)
        seen = jnp.sum(jnp.where(there, iou, 0), 1) / jnp.maximum(jnp.sum(there, 1), 1)  # 0 of a picture without objects
        metrics = {"net/loss": value, "net/class_loss": jnp.mean(classes), "net/iou": jnp.mean(seen)}
        return value, Aux(metrics, {"net": collections})

    def detect(self, variables: dict[str, Any], image: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Boxes [N, M, 4] and each one's score of each class [N, M, K], in [0, 1], of images [N, H, W, C] in [-1, 1], from
        {"net": variables} as after training. Boxes of one object are several."""
        logits, boxes = self._read(networks.run(self.net, variables["net"], image, self.num_classes, train=False)[0])
        return boxes, jax.nn.sigmoid(logits)

    def objects(self, source: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The boxes [N, K, 4] of maps of classes [N, H, W, 3] in [-1, 1], and which there are, bool [N, K]. A box that is
        not there means nothing."""
        colours = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in self.palette])
        pixels = jnp.rint((source + 1) * 127.5).astype(int)
        of_class = (pixels[..., None, :] == colours).all(-1)  # [N, H, W, K]
        ends = [_ends(of_class.any(axis)) for axis in (2, 1)]
        (top, bottom), (left, right) = ends
        boxes = jnp.stack([top, left, bottom, right], -1).astype(source.dtype)
        return boxes, of_class.any((1, 2))

    def _read(self, out: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Logits [N, M, K] and boxes [N, M, 4] of a grid [N, G, G', K + 4], row by row: M = G G'."""
        n, rows, columns, _ = out.shape
        out = out.reshape(n, rows * columns, -1)
        raw, grid = out[..., self.num_classes :], jnp.array([rows, columns], out.dtype)
        at = jnp.stack(jnp.meshgrid(jnp.arange(rows), jnp.arange(columns), indexing="ij"), -1).reshape(-1, 2)
        centre = (at + 0.5 + raw[..., :2]) / grid
        half = UNIT / 2 * jnp.exp(jnp.clip(raw[..., 2:], -SPAN, SPAN))
        return out[..., : self.num_classes], jnp.concatenate([centre - half, centre + half], -1)


def _ends(seen: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Where what is seen [N, side, K] begins and ends [N, K], with the side as unit."""
    side = seen.shape[1]
    return jnp.argmax(seen, 1) / side, 1 - jnp.argmax(seen[:, ::-1], 1) / side


def _cell(boxes: jax.Array, grid: tuple[int, ...]) -> jax.Array:
    """Which cell, row by row, holds the centre of boxes [..., 4]: int [...]."""
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    at = jnp.clip(jnp.floor(centre * jnp.array(grid)), 0, jnp.array(grid) - 1).astype(int)
    return at[..., 0] * grid[1] + at[..., 1]


def _overlap(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """IoU [...] in [0, 1] and generalised IoU in (-1, 1] of boxes [..., 4], of which `a` have an area."""

    def area(low: jax.Array, high: jax.Array) -> jax.Array:
        return jnp.prod(jnp.maximum(high - low, 0), -1)

    (low_a, high_a), (low_b, high_b) = ((x[..., :2], x[..., 2:]) for x in (a, b))
    both = area(jnp.maximum(low_a, low_b), jnp.minimum(high_a, high_b))
    either = area(low_a, high_a) + area(low_b, high_b) - both
    around = area(jnp.minimum(low_a, low_b), jnp.maximum(high_a, high_b))
    return both / either, both / either - (around - either) / around
