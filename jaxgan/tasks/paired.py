"""pix2pix (Isola et al. 2017): each picture has its translation, and the generator is told how far it is from it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import among
from jaxgan.errors import UserError
from jaxgan.keys import Keys, stream
from jaxgan.nets import CRITICS, TRANSLATORS
from jaxgan.nets.layers import wide
from jaxgan.objectives.terms import Examples
from jaxgan.state import GanState
from jaxgan.tasks.adversarial import Adversarial, Batch


@dataclass(frozen=True, kw_only=True)
class Paired(Adversarial):
    """l1: weight of E |y - G(x)| a pixel and channel in the generator's loss (equations 3 and 4); none leaves it out.
    conditional: the discriminator sees the source beside the image (equation 1), or the image alone (equation 2).
    adversarial: false leaves the discriminator out, and l1 alone trains the generator.
    gen_norm: BatchNorm of the generator during the discriminator's rounds: statistics of its batch ("batch"), or the
      running ones ("running"). The running ones move in the generator's own update alone, either way.

    The discriminator's step comes first, and the generator then meets the discriminator after it, as in the paper: so each
    player translates anew, the generator being differentiated through its translation.
    """

    source_shape: tuple[int, int, int]
    l1: Scalar | None = 100.0
    conditional: bool = True
    adversarial: bool = True
    gen_norm: str = among(("batch", "running"), "batch")

    nets = {"disc": CRITICS, "gen": TRANSLATORS}
    ways = ("ab",)

    def __post_init__(self):
        super().__post_init__()
        if self.l1 is None and not self.adversarial:
            raise UserError("task.adversarial=false leaves nothing to train by but task.l1, which is none")
        if self.conditional and self.augment.kinds:
            raise UserError(
                "augmentation would move the image and not the source beside it; --config.augment.name=none, or "
                "--config.task.conditional=false"
            )

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}."""
        return self._init(rng, jnp.zeros((2, *self.source_shape), wide(self.dtype)))

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """A generator's inputs but for "source" [N, H, W, C'] in [-1, 1]: {"noise": [N] keys}, of its dropout."""
        return {"noise": keys}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Translations [N, H, W, C] in [-1, 1] of the inputs' sources, from {"gen": variables} as after training."""
        return self._translate(variables["gen"], inputs["source"], partial(stream, inputs["noise"]), train=False)[0]

    def _translate(self, variables: dict[str, Any], source: jax.Array, keys: Callable, train: bool):
        """Images, and the generator's collections that training changes."""
        mutable = ["batch_stats"] if train else []
        return self.gen.apply(variables, source, None, train=train, keys=keys, mutable=mutable)

    def _fake(self, state: GanState, batch: Batch, keys: Keys, train: bool) -> tuple[jax.Array, dict[str, Any]]:
        variables = state.variables("gen")
        image, changed = self._translate(variables, batch["source"], lambda role: keys(f"gen/{role}"), train)
        return image, {**state.model_state["gen"], **changed}

    def _shown(self, image: jax.Array, batch: Batch) -> Examples:
        return {"image": image, "cond": batch["source"] if self.conditional else None}

    def _empty(self, n: int) -> Examples:
        image, source = (jnp.zeros((n, *shape), wide(self.dtype)) for shape in (self.image_shape, self.source_shape))
        return {"image": image, "cond": source if self.conditional else None}

    def _beside(self, batch: Batch, image: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        if self.l1 is None:
            return super()._beside(batch, image)
        distance = jnp.mean(jnp.abs(batch["image"] - image))
        return self.l1 * distance, {"gen/l1": distance}

    def updates(self, rounds: dict[str, int]):
        every = super().updates(rounds)
        return every if self.adversarial else [update for update in every if update.player == "gen"]
