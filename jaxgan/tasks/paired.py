"""pix2pix (Isola et al. 2017): each picture has its translation, and the term `l1` tells the generator how far off it is.
Sources may be smaller than images by a whole factor, where the generator enlarges: SRGAN (Ledig et al. 2017).

The discriminator's step comes first, and the generator then meets the discriminator after it, as in the paper: so each
player translates anew, the generator being differentiated through its translation.

The paper halves the discriminator's loss, and this task does not. Adam divides gradients by their size: under it the factor
only makes `optim.disc.eps`, 1e-8, count twice as much.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import among
from jaxgan.errors import UserError
from jaxgan.keys import Keys, stream
from jaxgan.nets import CRITICS, TRANSLATORS
from jaxgan.nets.layers import wide
from jaxgan.objectives.context import Examples, Facts
from jaxgan.objectives.objective import CRITIC
from jaxgan.state import GanState
from jaxgan.tasks import networks
from jaxgan.tasks.adversarial import AdversarialTask, Making, coupled, unmade
from jaxgan.tasks.critic import refuse_packs
from jaxgan.tasks.task import Batch


@dataclass(frozen=True, kw_only=True)
class Paired(AdversarialTask):
    """conditional: the discriminator sees the source beside the image (equation 1), or the image alone (equation 2).
    gen_norm: BatchNorm of the generator during the discriminator's rounds: statistics of its batch ("batch"), or the
      running ones ("running"). The running ones move in the generator's own update alone, either way.

    The pair "image" is the true translation and the generator's: `objective.terms.l1` weighs E |y - G(x)| (equations 3, 4).

    A generator enlarges if it has a field `scale`, which follows from the data. The task then is an `Upscales`: it has
    `scale` and `upscale`.
    """

    gen: nn.Module
    disc: nn.Module
    image_shape: tuple[int, int, int]
    source_shape: tuple[int, int, int]
    conditional: bool = True
    gen_norm: str = among(("batch", "running"), "batch")

    nets = {"disc": CRITICS, "gen": TRANSLATORS}
    players = {"disc": {"disc": "disc"}, "gen": {"gen": "gen"}}
    offers = frozenset({"judged", "judged.aux", "judged.answers", "pairs.image", "pairs.features", "values", "gradients"})
    given = ("source",)
    ways = ("ab",)

    def __post_init__(self) -> None:
        scale = getattr(self.gen, "scale", 1)
        if scale > 1:  # attributes of the instance: a protocol asks whether there are any
            object.__setattr__(self, "scale", scale)
            object.__setattr__(self, "upscale", self._upscale)

    def check(self, facts: Facts) -> None:
        """Refuses sources that belong to no image, and what would part the two."""
        if hasattr(self.gen, "scale"):
            self._check_scale()
        else:
            check_sides(self.image_shape, self.source_shape, "--config.nets.gen.name=srresnet enlarges them")
        if facts.opened and facts.data["source"].stream != facts.data["image"].stream:
            raise UserError(
                "task.name=paired compares with true translations, and in these data no picture has one; "
                "--config.data.source=FEATURE (of image_pairs: paired=true), or configs/cyclegan.py"
            )
        if self.conditional and self.objective.half(CRITIC):
            refuse_packs(self.critic, "source")
            if self.augment.kinds:
                raise UserError(
                    "augmentation would move the image and not the source beside it; --config.augment.name=none, or "
                    "--config.task.conditional=false"
                )

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}."""
        n = 2 * coupled(self.disc)
        empty = lambda n: jnp.zeros((n, *self.source_shape), wide(self.dtype))  # noqa: E731
        image, cond = self.critic.empty(n, self.image_shape, self.dtype), empty(n) if self.conditional else None
        return {
            "disc": networks.init(self.disc, rng, "disc", image, cond, train=False),
            "gen": networks.init(self.gen, rng, "gen", empty(2), train=False),
        }

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """A generator's inputs but for "source" [N, H, W, C'] in [-1, 1]: {"noise": [N] keys}, of its dropout."""
        return {"noise": keys}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Translations [N, H, W, C] in [-1, 1] of the inputs' sources, from {"gen": variables} as after training."""
        return unmade(self._translate(variables["gen"], inputs["source"], partial(stream, inputs["noise"]), train=False)[0])[
            0
        ]

    def _upscale(self, variables: dict[str, Any], source: jax.Array) -> jax.Array:
        """See `protocols.Upscales`."""
        return unmade(self._translate(variables["gen"], source, None, train=False)[0])[0]

    def _check_scale(self) -> None:
        """Refuses sizes and a critic that do not fit a generator that enlarges. Raises UserError."""
        image, source, scale = self.image_shape[:2], self.source_shape[:2], self.gen.scale
        if tuple(scale * side for side in source) != tuple(image):
            sizes = " and ".join("x".join(map(str, sides)) for sides in (source, image))
            raise UserError(
                f"sources and images are of {sizes}, and a generator enlarges by a whole factor; --config.data.source=down4"
            )
        if self.conditional and scale > 1:
            raise UserError(
                "the discriminator cannot see a source beside an image of another size; --config.task.conditional=false"
            )

    def make(self, player: str, state: GanState, batch: Batch, keys: Keys, wants: frozenset[str]) -> Making:
        """Translations of the batch's sources."""
        if not wants - {"gradients"}:
            return Making()  # "gradients" makes its own
        train = player == "gen" or self.gen_norm == "batch"
        role = lambda role: keys(f"gen/{role}")  # noqa: E731
        out, collections = self._translate(state.variables("gen"), batch["source"], role, train)
        image, values = unmade(out)
        return Making({"": image}, batch, image, collections, {"image": (batch["image"], image)}, values)

    def shown(self, making: Making, state: GanState, batch: Batch) -> dict[str, tuple[nn.Module, Any, dict[str, Examples]]]:
        """True translations and the generator's, beside their sources if `conditional`."""
        cond = batch["source"] if self.conditional else None
        shown = {"real": {"image": batch["image"], "cond": cond}, "fake": {"image": making.images[""], "cond": cond}}
        return {"": (self.disc, state.variables("disc"), shown)}

    def _translate(self, variables: dict[str, Any], source: jax.Array, keys: Callable | None, train: bool):
        """Images, and the generator's collections afterwards."""
        return networks.run(self.gen, variables, source, None, train=train, keys=keys)


def check_sides(image_shape: tuple[int, ...], source_shape: tuple[int, ...], enlarges: str = "") -> None:
    """Refuses sources and images of unlike sizes. enlarges: what to do where sources are smaller by a whole factor. Raises
    UserError."""
    image, source = image_shape[:2], source_shape[:2]
    if source != image:
        sizes = " and ".join("x".join(map(str, shape)) for shape in (source, image))
        factor = image[0] // source[0]
        fits = factor > 1 and tuple(factor * side for side in source) == tuple(image)
        hint = enlarges if enlarges and fits else "--config.data.size=SIDE fits both"
        raise UserError(f"sources and images are of unlike sizes, {sizes}; {hint}")
