"""Augmentations of what the discriminator sees, real and fake alike, differentiable, each example by draws of its own.

They do not leak into the samples as long as the discriminator sees enough images as they are (Karras et al. 2020, "Training
Generative Adversarial Networks with Limited Data", section 2.2). Slopes are by the image as it is, through its
augmentation.

An augmentation is called `(images [N, H, W, C] in [-1, 1], keys [N], memory) -> images`; what comes out may leave [-1, 1].
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import bounded
from jaxgan.errors import UserError
from jaxgan.objectives import affine
from jaxgan.objectives.context import Facts
from jaxgan.objectives.draws import Draw, window

LUMA = np.full(3, 1 / math.sqrt(3), np.float32)  # the axis of grey; of numpy, since importing must not touch a device


@dataclass(frozen=True)
class Nothing:
    """Images as they are."""

    memory = {}
    kinds = ()

    def __call__(self, image: jax.Array, keys: jax.Array, memory: dict[str, Any]) -> jax.Array:
        return image

    def check(self, facts: Facts) -> None:
        """Refuses data that cannot be augmented in this way. Raises UserError."""

    def adapt(self, signs: jax.Array, images: int, memory: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """(metrics, changed memory) after a round of the discriminator. signs: +1 for each real that it took for real, else
        -1, [N], of this replica. images: in the whole round."""
        return {}, {}


@dataclass(frozen=True)
class DiffAugment(Nothing):
    """Every image is always augmented (Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training").

    kinds: "colour": brightness by U(-0.5, 0.5), saturation times U(0, 2), contrast times U(0.5, 1.5), in this order;
    "translation" by up to an eighth of each side; "cutout" of a square of half of each side. What comes from outside is 0.
    """

    kinds: tuple[str, ...] = ("colour", "translation", "cutout")

    def __post_init__(self):
        _check(self.kinds, ("colour", "translation", "cutout"))

    def check(self, facts: Facts) -> None:
        _refuse_points("diffaugment", facts)

    def __call__(self, image, keys, memory):
        return jax.vmap(self._one)(image, keys)

    def _one(self, x: jax.Array, key: jax.Array) -> jax.Array:
        draw = Draw(key, x.dtype)
        if "colour" in self.kinds:
            x = x + draw.uniform("brightness", -0.5, 0.5)
            grey = x.mean(-1, keepdims=True)
            x = grey + draw.uniform("saturation", 0, 2) * (x - grey)
            x = x.mean() + draw.uniform("contrast", 0.5, 1.5) * (x - x.mean())
        height, width, _ = x.shape
        if "translation" in self.kinds:
            reach = ((height + 4) // 8, (width + 4) // 8)
            dy, dx = (draw.integer(f"translation/{axis}", -reach[axis], reach[axis] + 1) for axis in (0, 1))
            x = affine.shifted(x, dy, dx)
        if "cutout" in self.kinds:
            across, down = (window(draw, f"cutout/{i}", n) for i, n in enumerate((width, height)))
            x = jnp.where((down[:, None] & across)[:, :, None], 0, x)
        return x


@dataclass(frozen=True)
class Ada(Nothing):
    """Each transformation with probability p, steered by how far the discriminator overfits (Karras et al. 2020, "Training
    Generative Adversarial Networks with Limited Data", section 3 and appendix B).

    p: where it begins, or, unless `adapt_p`, what it is, a number or a schedule. adapt_p: p moves, up while the
    discriminator overfits, else down. target: it overfits while more reals than (1 + target) / 2 are taken for real (r_t).
    adjust_kimg: p moves by one in so many thousand images. interval: rounds of the discriminator between two
    judgements.
    kinds: "blit": flips, quarter turns, shifts by whole pixels; "geometry": scales, rotations, shifts; "colour": brightness,
    contrast, inversion, hue, saturation; "cutout" of half of each side. colour_share: each colour change has probability p
    times this.

    Beyond the edge the image is mirrored; between pixels it is interpolated linearly, where the paper first enlarges it with
    wavelets. Of the paper's 18 its filters of four frequency bands and its noise are left out.
    """

    p: Scalar = bounded(0.0, most=1)
    adapt_p: bool = True
    target: Scalar = 0.6
    adjust_kimg: Scalar = bounded(500.0, least=0.001)
    interval: int = bounded(4, least=1)
    kinds: tuple[str, ...] = ("blit", "geometry", "colour")
    colour_share: Scalar = bounded(1.0, most=1)

    def __post_init__(self):
        _check(self.kinds, ("blit", "geometry", "colour", "cutout"))

    def check(self, facts: Facts) -> None:
        _refuse_points("ada", facts)
        if self.adapt_p and not facts.objective.has_boundary:
            raise UserError(
                "augment.adapt_p asks how many reals are taken for real, which this loss does not say (minimax, "
                "nonsaturating, hinge, lsgan do); give p or a schedule: --config.augment.adapt_p=False --config.augment.p=.3"
            )
        if self.adapt_p and "augment.p" in facts.schedules:
            raise UserError("augment.p is a schedule, and augment.adapt_p would leave it; --config.augment.adapt_p=False")
        channels = facts.data["image"].shape[2]
        if "colour" in self.kinds and channels not in (1, 3):
            raise UserError(
                f"augment.kinds=colour is of grey and RGB, not of {channels} channels; --config.data.channels=3, or "
                "--config.augment.kinds=blit,geometry"
            )

    @property
    def memory(self) -> dict[str, Any]:
        return {"augment/p": self.p, "augment/signs": 0.0, "augment/rounds": 0.0} if self.adapt_p else {}

    def __call__(self, image, keys, memory):
        p = memory["augment/p"] if self.adapt_p else self.p
        return jax.vmap(lambda x, key: self._one(x, Draw(key, x.dtype), p))(image, keys)

    def adapt(self, signs, images, memory):
        if not self.adapt_p:
            return {}, {}
        p, total, rounds = (memory[f"augment/{name}"] for name in ("p", "signs", "rounds"))
        here = parallel.batch_mean(jnp.mean(signs))
        total, rounds = total + here, rounds + 1
        due = rounds >= self.interval
        moved = p + jnp.sign(total / rounds - self.target) * rounds * images / (self.adjust_kimg * 1000)
        p = jnp.where(due, jnp.clip(moved, 0, 1), p)
        changed = {"augment/p": p, "augment/signs": jnp.where(due, 0, total), "augment/rounds": jnp.where(due, 0, rounds)}
        changed = {name: x.astype(memory[name].dtype) for name, x in changed.items()}
        return {"augment/p": p, "augment/overfitting": here}, changed

    def _one(self, x: jax.Array, draw: Draw, p: Any) -> jax.Array:
        steps = [step for kind in ("blit", "geometry") if kind in self.kinds for step in _MOVES[kind](draw, p, x.shape)]
        x = affine.warped(x, reduce(jnp.matmul, steps)) if steps else x
        if "colour" in self.kinds:
            x = affine.recoloured(x, reduce(jnp.matmul, _colours(draw, p * self.colour_share)[::-1]))
        return _cut(x, draw, p) if "cutout" in self.kinds else x


AUGMENTS = {"none": Nothing, "diffaugment": DiffAugment, "ada": Ada}


def _blits(draw: Draw, p: Any, shape: tuple[int, ...]) -> list[jax.Array]:
    height, width, _ = shape
    dx, dy = draw.uniform("blit/x", -0.125, 0.125), draw.uniform("blit/y", -0.125, 0.125)
    flip, turns = 1 - 2 * draw.integer("flip", 0, 2), draw.integer("turns", 0, 4)
    whole = affine.shift(jnp.round(dx * width), jnp.round(dy * height))
    return [
        draw.perhaps("flip?", p, affine.scale(flip, 1)),
        draw.perhaps("turns?", p, affine.quarters(turns)),
        draw.perhaps("blit?", p, whole),
    ]


def _geometry(draw: Draw, p: Any, shape: tuple[int, ...]) -> list[jax.Array]:
    height, width, _ = shape
    size, ratio = 2 ** (0.2 * draw.normal("scale")), 2 ** (0.2 * draw.normal("ratio"))
    rotate = 1 - jnp.sqrt(1 - p)  # either of two rotations, and so p together
    before, after = (affine.rotation(draw.uniform(name, -jnp.pi, jnp.pi)) for name in ("before", "after"))
    move = affine.shift(0.125 * width * draw.normal("move/x"), 0.125 * height * draw.normal("move/y"))
    return [
        draw.perhaps("scale?", p, affine.scale(size, size)),
        draw.perhaps("before?", rotate, before),
        draw.perhaps("ratio?", p, affine.scale(ratio, 1 / ratio)),
        draw.perhaps("after?", rotate, after),
        draw.perhaps("move?", p, move),
    ]


_MOVES: dict[str, Callable] = {"blit": _blits, "geometry": _geometry}


def _colours(draw: Draw, p: Any) -> list[jax.Array]:
    """4x4 matrices in the order in which they act."""

    def linear(m: jax.Array) -> jax.Array:
        return jnp.eye(4).at[:3, :3].set(m)

    eye, axis = jnp.eye(3), jnp.asarray(np.outer(LUMA, LUMA))
    angle, x = draw.uniform("hue", -jnp.pi, jnp.pi), LUMA
    cross = jnp.array([[0, -x[2], x[1]], [x[2], 0, -x[0]], [-x[1], x[0], 0]])
    hue = jnp.cos(angle) * eye + jnp.sin(angle) * cross + (1 - jnp.cos(angle)) * axis  # Rodrigues
    inverted = draw.integer("inverted", 0, 2)
    return [
        draw.perhaps("brightness?", p, jnp.eye(4).at[:3, 3].set(0.2 * draw.normal("brightness"))),
        draw.perhaps("contrast?", p, linear(eye * 2 ** (0.5 * draw.normal("contrast")))),
        draw.perhaps("inverted?", p, linear(eye - 2 * axis * inverted)),
        draw.perhaps("hue?", p, linear(hue)),
        draw.perhaps("saturation?", p, linear(axis + (eye - axis) * 2 ** draw.normal("saturation"))),
    ]


def _cut(x: jax.Array, draw: Draw, p: Any) -> jax.Array:
    """With probability p grey, 0, in a square of half of each side round a random point."""
    at = [(jnp.arange(n) + 0.5) / n for n in x.shape[:2]]
    down, across = (abs(where - draw.uniform(f"cut/{axis}", 0, 1)) < 0.25 for axis, where in enumerate(at))
    cut = (draw.uniform("cut?", 0, 1) < p) & down[:, None] & across
    return jnp.where(cut[:, :, None], 0, x)


def _refuse_points(name: str, facts: Facts) -> None:
    if facts.data["image"].kind == "points":
        raise UserError(f"augment.name={name} is of images, and these are points; --config.augment.name=none")


def _check(kinds: tuple[str, ...], known: tuple[str, ...]) -> None:
    for kind in kinds:
        if kind not in known:
            raise UserError(f"unknown augment.kinds '{kind}'; known: {', '.join(known)}")
