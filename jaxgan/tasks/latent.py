"""The GAN of Goodfellow et al. 2014: a generator turns noise z into an image, a discriminator scores images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import latents
from jaxgan.config.schema import among, bounded
from jaxgan.data.features import Feature
from jaxgan.errors import UserError
from jaxgan.keys import Keys, stream
from jaxgan.nets import DISCRIMINATORS, GENERATORS
from jaxgan.nets.layers import wide
from jaxgan.objectives.context import Examples, Facts
from jaxgan.objectives.objective import MAKER
from jaxgan.state import GanState
from jaxgan.tasks import labelling, networks
from jaxgan.tasks.adversarial import AdversarialTask, Making, coupled, unmade
from jaxgan.tasks.critic import refuse_packs
from jaxgan.tasks.task import Batch


@dataclass(frozen=True, kw_only=True)
class Latent(AdversarialTask):
    """z_dim: entries of z. z: their distribution, "normal" or "uniform" in [-1, 1].
    gen_norm: BatchNorm of the generator during the discriminator's rounds: statistics of its batch ("batch"), or the
      running ones ("running"). The running ones move in the generator's own update alone, either way.
    gen_batch: how many fakes the generator's own update has for each real example of the batch; in SNGAN's and WGAN-GP's
      code two.
    unroll: how many more updates of the discriminator the generator's loss looks ahead, through which it is differentiated
      (Metz et al. 2017), on the same batch and noise; the discriminator itself does not take them.
    num_classes: how many classes, or attributes, both networks are told of; 0: none.
    fake_labels: those of fakes in training: of the real examples beside them ("batch"), drawn by the shares that classes
      have in the data ("data"), all equally likely ("uniform"), or by `fake_weights` ("weights"). Samples have labels of the
      same kind, with "batch" uniform ones. Attributes are drawn one by one.
    fake_weights: a number for each class, how likely it is in proportion to the others; of attributes their probabilities.
    """

    gen: nn.Module
    disc: nn.Module
    image_shape: tuple[int, int, int]
    z_dim: int = bounded(100, least=1)
    z: str = among(latents.DISTRIBUTIONS, "normal")
    gen_norm: str = among(("batch", "running"), "batch")
    gen_batch: int = bounded(1, least=1)
    unroll: int = bounded(0, least=0)
    num_classes: int = bounded(0, least=0)
    fake_labels: str = among(("batch", "data", "uniform", "weights"), "batch")
    fake_weights: tuple[float, ...] = ()
    label: Feature | None

    nets = {"disc": DISCRIMINATORS, "gen": GENERATORS}
    players = {"disc": {"disc": "disc"}, "gen": {"gen": "gen"}}
    offers = frozenset({"judged", "judged.aux", "judged.answers", "pairs.features", "values", "path", "gradients"})
    given = ()
    tiny = {"z_dim": 4}

    def check(self, facts: Facts) -> None:
        """Refuses labels that the data or the networks have not, and losses that fakes without a real do not suit."""
        if self.num_classes:
            refuse_packs(self.critic, "label")
            for section, table in self.nets.items():
                net = type(getattr(self, section))
                if not hasattr(net, "num_classes") and "num_classes" not in net.__dataclass_fields__:
                    name = next((name for name, cls in table.items() if cls is net), net.__name__)
                    raise UserError(
                        f"nets.{section}.name={name} takes no labels; dcgan, for one, does, or --config.task.num_classes=0"
                    )
            have = facts.data["label"].classes if "label" in facts.data else 0
            if facts.opened and have != self.num_classes:
                what = f"has labels of {have} classes" if have else "has no labels"
                raise UserError(
                    f"task.num_classes={self.num_classes}, but the data set {what}; --config.task.num_classes={have or 0}"
                )
        labelling.check_fake_labels(self, facts)
        labelling.check_heads(self)
        if self.gen_batch > 1 and any("pairs.features" in term.needs for term in self.objective.terms.values()):
            raise UserError("feature matching pairs each fake with a real one: --config.task.gen_batch=1")
        loss = self.objective.half(MAKER)
        if self.gen_batch > 1 and loss:
            real, fake = (jax.ShapeDtypeStruct((n,), jnp.float32) for n in (2, 2 * self.gen_batch))
            try:
                jax.eval_shape(loss, real, fake)
            except (TypeError, ValueError) as error:
                raise UserError("this loss pairs each fake with a real one: --config.task.gen_batch=1") from error

    @property
    def differentiated(self) -> tuple[str, ...]:
        """Players through whose optimizer a loss is differentiated."""
        return ("disc",) if self.unroll else ()

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}."""
        shape = self.label.shape if self.label else ()
        label = (lambda n: jnp.zeros((n, *shape), int)) if self.num_classes else lambda n: None
        n = 2 * coupled(self.disc)
        image, z = self.critic.empty(n, self.image_shape, self.dtype), jnp.zeros((2, self.z_dim), wide(self.dtype))
        return {
            "disc": networks.init(self.disc, rng, "disc", image, label(n), train=False),
            "gen": networks.init(self.gen, rng, "gen", z, label(2), train=False),
        }

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """A generator's inputs, one example for each key of [N]: {"z": [N, z_dim], "noise": [N] keys} and perhaps
        "label"."""
        inputs = {"z": self._z(keys), "noise": keys}
        if self.num_classes:
            inputs["label"] = labelling.draw(self, stream(keys, "label"))
        return inputs

    @property
    def truncations(self) -> tuple[str, ...]:
        """Kinds of truncation that z has; none before a mapping to styles, which normalises z."""
        return () if hasattr(type(self.gen), "styles") else latents.truncations(self.z)

    def truncate(self, inputs: dict[str, jax.Array], kind: str, t: Any) -> dict[str, jax.Array]:
        """What `draw` returns, with z truncated; t: a number or [N]. An example's key draws the same again."""
        return {**inputs, "z": latents.truncate(inputs["z"], kind, t, stream(inputs["noise"], "truncation"))}

    def blend(self, a: dict[str, jax.Array], b: dict[str, jax.Array], t: jax.Array) -> dict[str, jax.Array]:
        """Inputs the share t [N] of the way from a to b, with all but z of a."""
        return {**a, "z": latents.blend(self.z, a["z"], b["z"], t)}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Images [N, H, W, C] in [-1, 1] for the inputs' examples, from {"gen": variables} as after training."""
        return unmade(self._make(variables["gen"], inputs, partial(stream, inputs["noise"]), train=False)[0])[0]

    def settle(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> dict[str, Any]:
        """{"gen": variables} after a pass over the inputs in training mode, which moves BatchNorm's statistics."""
        moved = self._make(variables["gen"], inputs, partial(stream, inputs["noise"]), train=True)[1]
        return {"gen": {**variables["gen"], **moved}}

    def judge(self, variables: dict[str, Any], image: jax.Array) -> Any:
        """The discriminator's logits of images or packs, from {"disc": variables} as after training."""
        return self.disc.apply(variables["disc"], image, None, train=False).logits  # pyright: ignore

    def features(self, variables: dict[str, Any], image: jax.Array) -> jax.Array:
        """The discriminator's last hidden layers [N, D] of images or packs, from {"disc": variables} as after training."""
        found = jax.tree.leaves(self.disc.apply(variables["disc"], image, None, train=False).features)  # pyright: ignore
        return jnp.concatenate([x.reshape(len(x), -1) for x in found], -1)

    def make(self, player: str, state: GanState, batch: Batch, keys: Keys, wants: frozenset[str]) -> Making:
        """Fakes for a player's update; the generator's own may have several for each real example."""
        if not any(need == "judged" or need.startswith("values.") for need in wants):
            return Making()  # "path" and "gradients" make their own
        times, variables = self.gen_batch if self.sides[player] == MAKER else 1, state.variables("gen")
        beside = batch if times == 1 else jax.tree.map(lambda x: jnp.concatenate([x] * times), batch)
        own = keys.of(times * len(batch["image"]))
        if self.num_classes and self.fake_labels != "batch":
            beside = {**beside, "label": labelling.draw(self, own("fake_label"))}
        inputs, train = {"z": self._z(own("z")), "label": beside.get("label")}, player == "gen" or self.gen_norm == "batch"
        out, collections = self._make(variables, inputs, lambda role: own(f"gen/{role}"), train)
        image, values = unmade(out)
        return Making({"": image}, beside, image, collections, values=values)

    def shown(self, making: Making, state: GanState, batch: Batch) -> dict[str, tuple[nn.Module, Any, dict[str, Examples]]]:
        """Real and fake images, with their labels."""
        pairs = {"real": (batch["image"], batch), "fake": (making.images[""], making.batch)}
        label = {which: beside["label"] if self.num_classes else None for which, (_, beside) in pairs.items()}
        shown = {which: {"image": x, "cond": label[which], "label": label[which]} for which, (x, _) in pairs.items()}
        return {"": (self.disc, state.variables("disc"), shown)}

    def _z(self, keys: jax.Array) -> jax.Array:
        return latents.draw(self.z, keys, self.z_dim, wide(self.dtype))

    def _make(
        self, variables: dict[str, Any], inputs: dict[str, Any], keys: Callable, train: bool
    ) -> tuple[Any, dict[str, Any]]:
        """Images, or a `Made`, and the generator's collections afterwards. keys: role -> one key an example."""
        label = inputs["label"] if self.num_classes else None
        return networks.run(self.gen, variables, inputs["z"], label, train=train, keys=keys)

    def path(self, state: GanState, keys: Keys) -> tuple[jax.Array, Callable]:
        """Latents drawn afresh, [N, ...], and the generator as a function of them."""
        inputs, noise = self.draw(keys("path")), lambda role: keys(f"path/{role}")
        return inputs["z"], lambda z: unmade(self._make(state.variables("gen"), {**inputs, "z": z}, noise, train=True)[0])[0]
