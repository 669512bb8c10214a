"""Text to image: a generator turns noise and a caption into a picture, a critic judges pictures with their captions.

Captions are read by the text encoder of a frozen run of `damsm`. The critic is shown real pictures with their captions and
made ones with the captions that they were made of; in its own update also real pictures with the captions of others
(matching-aware: Reed et al. 2016). A generator of several stages (Zhang et al. 2017, "StackGAN++") has a critic for each
stage's picture, which is shown real ones of that size.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import latents, parallel
from jaxgan.config.schema import among, bounded
from jaxgan.data.features import Feature
from jaxgan.errors import UserError
from jaxgan.keys import Keys, stream
from jaxgan.nets import TEXT_CRITICS, TEXT_GENERATORS
from jaxgan.nets.layers import wide
from jaxgan.objectives.context import Examples, Facts
from jaxgan.state import GanState
from jaxgan.tasks import networks
from jaxgan.tasks.adversarial import AdversarialTask, Making, unmade
from jaxgan.tasks.critic import refuse_packs
from jaxgan.tasks.protocols import Matches, TextCodes
from jaxgan.tasks.task import Batch

SCALES = ("quarter", "half", "full")  # critics of stages


@dataclass(frozen=True, kw_only=True)
class Text(AdversarialTask):
    """z_dim: entries of z. z: their distribution, "normal" or "uniform" in [-1, 1].
    mismatched: whether the critic is shown real pictures with others' captions, as if they were made.

    Values, for terms: "drawn", the picture; "codes", the `TextCodes` of the captions; what a `Made` has besides.
    """

    gen: nn.Module
    disc: nn.Module
    image_shape: tuple[int, int, int]
    tokens: Feature | None
    z_dim: int = bounded(100, least=1)
    z: str = among(latents.DISTRIBUTIONS, "normal")
    mismatched: bool = True

    nets = {"disc": TEXT_CRITICS, "gen": TEXT_GENERATORS}
    players = {"disc": {"disc": "disc"}, "gen": {"gen": "gen"}}
    asks = {"damsm": (Matches,)}
    offers = frozenset({"judged", "judged.answers", "judged.caption", "pairs.features", "values", "gradients"})
    given = ("tokens",)
    tiny = {"z_dim": 4}

    @property
    def critics(self) -> tuple[str, ...]:
        """A critic for each stage of the generator, by what share of the picture's sides it sees."""
        stages = getattr(self.gen, "stages", 1)
        return SCALES[-stages:] if stages > 1 else ("",)

    def check(self, facts: Facts) -> None:
        """Refuses data without captions, and captions of other words than the text encoder knows. Raises UserError."""
        refuse_packs(self.critic, "caption")
        if len(self.image_shape) != 3:
            raise UserError("task.name=text draws pictures, and these data are points")
        times, sides = 2 ** (len(self.critics) - 1), self.image_shape[:2]
        if any(side % times or side < 4 * times for side in sides):
            raise UserError(
                f"{len(self.critics)} stages make pictures whose sides are multiples of {times}, {4 * times} or more, not "
                f"{sides[0]}x{sides[1]}; --config.data.size={max(4, min(sides) // times) * times}, or fewer nets.gen.stages"
            )
        if not facts.opened:
            return
        if self.tokens is None:
            raise UserError("task.name=text draws captions, and the data have none; --config.data.captions=FEATURE")
        theirs = getattr(self.frozen["damsm"].task, "tokens", None)
        if theirs is not None and theirs.names != self.tokens.names:
            raise UserError(
                f"frozen.damsm knows {theirs.classes} words, and the captions of these data have others "
                f"({self.tokens.classes}); train it on the same data"
            )

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}."""
        length = self.tokens.shape if self.tokens else (1,)
        codes = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(self._read, jnp.zeros((2, *length), int)))
        image, z = jnp.zeros((2, *self.image_shape), wide(self.dtype)), jnp.zeros((2, self.z_dim), wide(self.dtype))
        discs = {
            critic: networks.init(self.disc, rng, critic or "disc", self._shrunk(image, critic), codes, train=False)
            for critic in self.critics
        }
        return {
            "disc": discs[""] if "" in discs else networks.joined(discs),
            "gen": networks.init(self.gen, rng, "gen", z, codes, train=False),
        }

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """A generator's inputs but for "tokens" int32 [N, T]: {"z": [N, z_dim], "noise": [N] keys}."""
        return {"z": self._z(keys), "noise": keys}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Images [N, H, W, C] in [-1, 1] of the inputs' captions, from {"gen": variables} as after training."""
        return self.attention(variables, inputs)[0]

    def attention(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> tuple[jax.Array, jax.Array | None]:
        """`generate`'s images, and how much each place looked at each word before the last stage, [N, h, w, T]; None of a
        generator that looks at no words."""
        keys = partial(stream, inputs["noise"])
        made = networks.run(self.gen, variables["gen"], inputs["z"], self._read(inputs["tokens"]), train=False, keys=keys)
        image, values = unmade(made[0])
        return image, values["attention"][-1] if values.get("attention") else None

    def make(self, player: str, state: GanState, batch: Batch, keys: Keys, wants: frozenset[str]) -> Making:
        """A picture of each caption of the batch."""
        if not wants - {"gradients"}:
            return Making()
        codes = self._read(batch["tokens"])
        role = lambda role: keys(f"gen/{role}")  # noqa: E731
        out, collections = networks.run(self.gen, state.variables("gen"), self._z(keys("z")), codes, train=True, keys=role)
        image, values = unmade(out)
        values = values | {"drawn": image, "codes": codes}
        if self.mismatched and player == "disc":
            values["wrong"] = jax.tree.map(parallel.roll, codes)
        images = dict(zip(self.critics, (*values.get("stages", ()), image)))
        return Making(images, batch, image, collections, values=values)

    def shown(self, making: Making, state: GanState, batch: Batch) -> dict[str, tuple[nn.Module, Any, dict[str, Examples]]]:
        """Real and made pictures with their captions; for the critic also real ones with those of others."""
        codes, out, variables = making.values["codes"], {}, state.variables("disc")
        for critic, fake in making.images.items():
            real = self._shrunk(batch["image"], critic)
            shown = {"real": {"image": real, "cond": codes}, "fake": {"image": fake, "cond": codes}}
            if "wrong" in making.values:
                shown["wrong"] = {"image": real, "cond": making.values["wrong"]}
            out[critic] = self.disc, networks.part(variables, critic) if critic else variables, shown
        return out

    def _shrunk(self, image: jax.Array, critic: str) -> jax.Array:
        """Images [N, H, W, C] at the size that a critic sees, by means over squares."""
        if critic in ("", SCALES[-1]):
            return image
        n = 2 ** (len(SCALES) - 1 - SCALES.index(critic))
        return nn.avg_pool(image, (n, n), (n, n))

    def _read(self, tokens: jax.Array) -> TextCodes:
        """The frozen encoder's codes of captions int32 [N, T]."""
        damsm = self.frozen["damsm"]
        codes: TextCodes = damsm.task.text_codes(damsm.variables, tokens)
        return TextCodes(*map(jax.lax.stop_gradient, codes))

    def _z(self, keys: jax.Array) -> jax.Array:
        return latents.draw(self.z, keys, self.z_dim, wide(self.dtype))
