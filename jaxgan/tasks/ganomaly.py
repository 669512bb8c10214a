"""GANomaly (Akcay et al. 2018): an encoder, a decoder and a second encoder, which learn normal images together.

z = E(x), x' = G(z), z' = E'(x'). The decoder makes a normal image of any, so the second code of an abnormal one is far from
the first: the score of an image is the mean of (z - z')^2 over z.

The makers' loss is terms alone: `l2` of the discriminator's features, `l1` of images and `l2` of codes, with weights 1, 50
and 1. The adversarial loss `bce_critic` has the discriminator's half and none of theirs: they match its features and not
its answer. The authors' code begins its discriminator anew where its loss falls below 1e-5; this task does not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import bounded
from jaxgan.keys import Keys, stream
from jaxgan.nets import DISCRIMINATORS, ENCODERS, GENERATORS
from jaxgan.nets.layers import wide
from jaxgan.objectives.context import Examples
from jaxgan.state import GanState
from jaxgan.tasks import networks
from jaxgan.tasks.adversarial import AdversarialTask, Making, coupled, unmade
from jaxgan.tasks.networks import Variables, joined, part
from jaxgan.tasks.protocols import Anomaly
from jaxgan.tasks.residuals import columns, per_example, residual_map
from jaxgan.tasks.task import Batch


@dataclass(frozen=True, kw_only=True)
class Ganomaly(AdversarialTask):
    """z_dim: entries of both codes.

    Pairs, for terms: "image", the data's and its reconstruction; "latent", the code of each; "features", the discriminator's
    hidden layers of each.
    """

    enc: nn.Module
    dec: nn.Module
    disc: nn.Module
    image_shape: tuple[int, int, int]
    z_dim: int = bounded(100, least=1)

    nets = {"enc": ENCODERS, "dec": GENERATORS, "disc": DISCRIMINATORS}
    players = {"disc": {"disc": "disc"}, "gen": {"enc": "enc", "dec": "dec", "enc2": "enc"}}
    offers = frozenset(
        {"judged", "judged.aux", "judged.answers", "pairs.image", "pairs.latent", "pairs.features", "gradients"}
    )
    given = ("image",)
    tiny = {"z_dim": 4}

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}, of "gen" in each collection those of "enc", "dec" and "enc2"."""
        shown = self.critic.empty(2 * coupled(self.disc), self.image_shape, self.dtype)
        image, z = jnp.zeros((2, *self.image_shape), wide(self.dtype)), jnp.zeros((2, self.z_dim), wide(self.dtype))
        makers = {name: networks.init(self.enc, rng, name, image, train=False) for name in ("enc", "enc2")}
        makers["dec"] = networks.init(self.dec, rng, "dec", z, None, train=False)
        return {"disc": networks.init(self.disc, rng, "disc", shown, None, train=False), "gen": joined(makers)}

    def make(self, player: str, state: GanState, batch: Batch, keys: Keys, wants: frozenset[str]) -> Making:
        """Reconstructions of the batch, and the second code where a term asks for it."""
        if not wants - {"gradients"}:
            return Making()  # "gradients" makes its own
        own = lambda role: keys(f"gen/{role}")  # noqa: E731
        image, z, after = self._again(state.variables("gen"), batch["image"], own, train=True)
        pairs = {"image": (batch["image"], image)}
        if "pairs.latent" in wants:
            second, after["enc2"] = networks.run(self.enc, part(state.variables("gen"), "enc2"), image, train=True)
            pairs["latent"] = z, second
        return Making({"": image}, batch, image, joined(after), pairs)

    def shown(self, making: Making, state: GanState, batch: Batch) -> dict[str, tuple[nn.Module, Any, dict[str, Examples]]]:
        """Images and their reconstructions."""
        shown = {"real": {"image": batch["image"], "cond": None}, "fake": {"image": making.images[""], "cond": None}}
        return {"": (self.disc, state.variables("disc"), shown)}

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """Inputs but for "image": {"noise": [N] keys}, of a decoder that draws some."""
        return {"noise": keys}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Reconstructions [N, H, W, C] in [-1, 1] of images, from {"gen": variables} as after training."""
        return self._again(variables["gen"], inputs["image"], partial(stream, inputs["noise"]), train=False)[0]

    def anomalies(self, variables: dict[str, Any], image: jax.Array) -> Anomaly:
        """Of images [N, H, W, C] in [-1, 1], from {"gen": variables} as after training, with running statistics.

        score: E (z - z')^2, a mean over the code. map: |x - x'|. parts: "latent", the score; "image", E (x - x')^2.
        """
        noise = jnp.broadcast_to(jax.random.key(0), (len(image),))
        nearest, z, _ = self._again(variables["gen"], image, partial(stream, noise), train=False)
        second = networks.run(self.enc, part(variables["gen"], "enc2"), nearest, train=False)[0]
        parts = {"latent": per_example((z - second) ** 2), "image": per_example((image - nearest) ** 2)}
        return Anomaly(parts["latent"], residual_map(image, nearest), nearest, parts)

    def show(self, variables: dict[str, Any], examples: Batch) -> dict[str, jax.Array]:
        """Images, their reconstructions, and where they differ."""
        return columns(examples["image"], self.anomalies(variables, examples["image"]))

    def _again(
        self, variables: Variables, image: jax.Array, keys: Callable, train: bool
    ) -> tuple[jax.Array, jax.Array, dict[str, Variables]]:
        """(Reconstructions, their codes, the makers' collections afterwards by network)."""
        after = {name: {k: x for k, x in part(variables, name).items() if k != "params"} for name in ("enc", "dec", "enc2")}
        z, after["enc"] = networks.run(self.enc, part(variables, "enc"), image, train=train)
        out, after["dec"] = networks.run(self.dec, part(variables, "dec"), z, None, train=train, keys=keys)
        return unmade(out)[0], z, after
