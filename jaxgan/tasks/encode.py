"""The second stage of f-AnoGAN (Schlegl et al. 2019): an encoder E that inverts a frozen generator G of another run.

The generator has seen normal images alone, so G(E(x)) is a normal image that is like x, and what x has beyond it is
abnormal. The frozen discriminator says by its hidden layers how much the two differ. Both are in evaluation mode, with
running statistics, in training as in scoring: an image's score does not depend on its batch.

`objective.terms` are the paper's three ways to train, none of which is adversarial (section 2.2):

  izi     l2, of=image                                    E (x - G(E(x)))^2
  izi_f   l2, and feature_distance, of=image, net=first   and kappa E (f(x) - f(G(E(x))))^2
  ziz     l2, of=latent                                   E (z - E(G(z)))^2, of generated images alone
"""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schema import bounded
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets import ENCODERS
from jaxgan.nets.layers import wide
from jaxgan.objectives.context import Facts
from jaxgan.objectives.objective import CRITIC, MAKER, SIDES
from jaxgan.state import GanState
from jaxgan.tasks import networks
from jaxgan.tasks.adversarial import Making, ObjectiveTask, coupled, player_of
from jaxgan.tasks.protocols import Anomaly, Describes, HasLatent
from jaxgan.tasks.residuals import columns, per_example, residual_map
from jaxgan.tasks.task import Batch

WHAT = {MAKER: "generator", CRITIC: "discriminator"}


@dataclass(frozen=True, kw_only=True)
class Encode(ObjectiveTask):
    """z_dim: entries of z, those of the frozen generator's. kappa: of the features' residual in an image's score; in
    training it is the weight of the term.

    Pairs, for terms: "image", the data's and what generator and encoder make of it; "latent", a random z and what the
    encoder makes of its image.
    """

    enc: nn.Module
    image_shape: tuple[int, int, int]
    z_dim: int = bounded(100, least=1)
    kappa: float = bounded(1.0)

    nets = {"enc": ENCODERS}
    players = {"enc": {"enc": "enc"}}
    sides = {"enc": MAKER}
    averaged = ("enc",)
    asks = {"first": (HasLatent, Describes)}
    offers = frozenset({"pairs.image", "pairs.latent"})
    given = ("image",)
    tiny = {"z_dim": 4}

    def check(self, facts: Facts) -> None:
        """Refuses an adversarial loss, and frozen runs that have not what it needs. Raises UserError."""
        if any(self.objective.half(side) for side in SIDES):
            raise UserError("task.name=encode trains an encoder by terms alone: --config.objective.loss=none")
        first, variables = self.frozen["first"]
        for side in WHAT:
            if side in first.sides.values() and player_of(first, side) not in variables:
                raise UserError(
                    f"frozen.first has no {WHAT[side]} ('{player_of(first, side)}'); name a run, and not an exported model, "
                    "and leave frozen.first.players empty"
                )
        if getattr(first, "num_classes", 0):
            raise UserError("frozen.first is told labels, and an encoder finds z alone; take a run with task.num_classes=0")
        z_dim = getattr(first, "z_dim", self.z_dim)
        if z_dim != self.z_dim:
            raise UserError(
                f"task.z_dim={self.z_dim}, but the generator of frozen.first has a z of {z_dim}; --config.task.z_dim={z_dim}"
            )
        several = max(coupled(getattr(first, "disc", None)), getattr(getattr(first, "critic", None), "pack", 1))
        if several > 1:
            raise UserError(
                f"the discriminator of frozen.first judges {several} images together, and a score is of one; take a run "
                "with critic.pack=1 and nets.disc.minibatch=none"
            )

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{"enc": flax variables}."""
        image = jnp.zeros((2, *self.image_shape), wide(self.dtype))
        return {"enc": networks.init(self.enc, rng, "enc", image, train=False)}

    def make(self, player: str, state: GanState, batch: Batch, keys: Keys, wants: frozenset[str]) -> Making:
        """The pairs that terms ask for. The encoder's statistics are of what it sees in training: of real images, of
        generated ones, or of both."""
        first, variables, pairs = self.frozen["first"].task, state.variables("enc"), {}

        def encode(image: jax.Array) -> jax.Array:
            nonlocal variables
            z, collections = networks.run(self.enc, variables, image, train=True)
            variables = {**variables, **collections}
            return z

        if "pairs.image" in wants:
            pairs["image"] = batch["image"], self._generated(encode(batch["image"]), keys("first/noise"))
        if "pairs.latent" in wants:
            z = first.draw(keys("z"))["z"]
            pairs["latent"] = z, encode(self._generated(z, keys("first/noise")))
        return Making(collections={name: x for name, x in variables.items() if name != "params"}, pairs=pairs)

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """Inputs but for "image": {"noise": [N] keys}, of a generator that draws more than z."""
        return {"noise": keys}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Reconstructions G(E(x)) [N, H, W, C] in [-1, 1] of images x, from {"enc": variables} as after training."""
        return self._generated(self.encode(variables, inputs["image"]), inputs["noise"])

    def anomalies(self, variables: dict[str, Any], image: jax.Array) -> Anomaly:
        """Of images [N, H, W, C] in [-1, 1], from {"enc": variables} as after training.

        score: the image residual E (x - G(E(x)))^2, plus kappa times the features' E (f(x) - f(G(E(x))))^2; means over an
        image's pixels, and its features. map: |x - G(E(x))|. parts: "image", "features", and "latent", E |E(G(E(x)))
        - E(x)|.
        """
        first, noise = self.frozen["first"], jnp.broadcast_to(jax.random.key(0), (len(image),))
        z = self.encode(variables, image)
        nearest = self._generated(z, noise)
        seen, again = (first.task.features(first.variables, x) for x in (image, nearest))
        parts = {
            "image": per_example((image - nearest) ** 2),
            "features": per_example((seen - again) ** 2),
            "latent": per_example(jnp.abs(self.encode(variables, nearest) - z)),
        }
        score = parts["image"] + self.kappa * parts["features"]
        return Anomaly(score, residual_map(image, nearest), nearest, parts)

    def show(self, variables: dict[str, Any], examples: Batch) -> dict[str, jax.Array]:
        """Images, their reconstructions, and where they differ."""
        return columns(examples["image"], self.anomalies(variables, examples["image"]))

    def encode(self, variables: dict[str, Any], image: jax.Array) -> jax.Array:
        """z [N, z_dim] of images [N, H, W, C] in [-1, 1], from {"enc": variables} as after training."""
        return networks.run(self.enc, variables["enc"], image, train=False)[0]

    def _generated(self, z: jax.Array, noise: jax.Array) -> jax.Array:
        """Images of z by the frozen generator, in evaluation mode. noise: one key for each."""
        first = self.frozen["first"]
        return first.task.generate(first.variables, {"z": z, "noise": noise})
