"""The GAN of Goodfellow et al. 2014: a generator turns noise z into an image, a discriminator scores images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan import latents
from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.keys import Keys, stream
from jaxgan.nets import DISCRIMINATORS, GENERATORS
from jaxgan.nets.layers import packed, wide
from jaxgan.objectives.terms import Examples
from jaxgan.state import GanState
from jaxgan.tasks.adversarial import Adversarial, Batch


@dataclass(frozen=True)
class Latent(Adversarial):
    """z_dim: entries of z. z: their distribution, "normal" or "uniform" in [-1, 1].
    gen_norm: BatchNorm of the generator during the discriminator's rounds: statistics of its batch ("batch"), or the
      running ones ("running"). The running ones move in the generator's own update alone, either way.
    gen_batch: how many fakes the generator's own update has for each real example of the batch; in SNGAN's and WGAN-GP's
      code two.
    pack: how many images, adjacent ones of the batch, the discriminator judges as one, their channels side by side (PacGAN,
      Lin et al. 2018): a batch holds batch_size / pack packs. Penalties act on packs.
    unroll: how many more updates of the discriminator the generator's loss looks ahead, through which it is differentiated
      (Metz et al. 2017), on the same batch and noise; the discriminator itself does not take them.
    num_classes: how many classes both networks are told of, by a label beside z or the image; 0: none. Fakes in training
      have the labels of the real examples beside them, others uniform ones.
    """

    z_dim: int = bounded(100, least=1)
    z: str = among(latents.DISTRIBUTIONS, "normal")
    gen_norm: str = among(("batch", "running"), "batch")
    gen_batch: int = bounded(1, least=1)
    pack: int = bounded(1, least=1)
    unroll: int = bounded(0, least=0)
    num_classes: int = bounded(0, least=0)

    nets = {"disc": DISCRIMINATORS, "gen": GENERATORS}
    tiny = {"z_dim": 4}

    def __post_init__(self):
        super().__post_init__()
        if self.num_classes and self.pack > 1:
            raise UserError("a pack of images has no label of its own: task.pack or task.num_classes, not both")
        if self.gen_batch > 1:
            real, fake = (jax.ShapeDtypeStruct((n,), jnp.float32) for n in (2, 2 * self.gen_batch))
            try:
                jax.eval_shape(self.objective.loss[1], real, fake)
            except (TypeError, ValueError) as error:
                raise UserError("this loss pairs each fake with a real one: --config.task.gen_batch=1") from error

    @property
    def differentiated(self) -> tuple[str, ...]:
        """Players through whose optimizer a loss is differentiated."""
        return ("disc",) if self.unroll else ()

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}."""
        z, label = jnp.zeros((2, self.z_dim), wide(self.dtype)), jnp.zeros(2, int) if self.num_classes else None
        return self._init(rng, z, label)

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """A generator's inputs, one example for each key of [N]: {"z": [N, z_dim], "noise": [N] keys} and perhaps
        "label"."""
        inputs = {"z": self._z(keys), "noise": keys}
        if self.num_classes:
            of = partial(jax.random.randint, shape=(), minval=0, maxval=self.num_classes)
            inputs["label"] = jax.vmap(of)(stream(keys, "label"))
        return inputs

    def _z(self, keys: jax.Array) -> jax.Array:
        return latents.draw(self.z, keys, self.z_dim, wide(self.dtype))

    def blend(self, a: dict[str, jax.Array], b: dict[str, jax.Array], t: jax.Array) -> dict[str, jax.Array]:
        """Inputs the share t [N] of the way from a to b, with all but z of a."""
        return {**a, "z": latents.blend(self.z, a["z"], b["z"], t)}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array]) -> jax.Array:
        """Images [N, H, W, C] in [-1, 1] for the inputs' examples, from {"gen": variables} as after training."""
        return self._make(variables["gen"], inputs, partial(stream, inputs["noise"]), train=False)[0]

    def judge(self, variables: dict[str, Any], image: jax.Array) -> Any:
        """The discriminator's logits of images or packs, from {"disc": variables} as after training."""
        return self.disc.apply(variables["disc"], image, None, train=False).logits  # pyright: ignore

    def _shown(self, image: jax.Array, batch: Batch) -> Examples:
        """In packs [N / pack, H, W, pack C], with the batch's labels."""
        return {"image": packed(image, self.pack), "cond": batch["label"] if self.num_classes else None}

    def _empty(self, n: int) -> Examples:
        """So many of the discriminator's inputs."""
        *sides, channels = self.image_shape
        image = jnp.zeros((n, *sides, channels * self.pack), wide(self.dtype))
        return {"image": image, "cond": jnp.zeros(n, int) if self.num_classes else None}

    def _fake(self, state: GanState, batch: Batch, keys: Keys, train: bool) -> tuple[jax.Array, dict[str, Any]]:
        """Fake images, and the generator's collections after them."""
        inputs = {"z": self._z(keys("z")), "label": batch.get("label")}
        image, changed = self._make(state.variables("gen"), inputs, lambda role: keys(f"gen/{role}"), train)
        return image, {**state.model_state["gen"], **changed}

    def _make(
        self, variables: dict[str, Any], inputs: dict[str, Any], keys: Callable, train: bool
    ) -> tuple[jax.Array, dict[str, Any]]:
        """Images, and the generator's collections that training changes. keys: role -> one key an example."""
        label = inputs["label"] if self.num_classes else None
        mutable = ["batch_stats"] if train else []
        return self.gen.apply(variables, inputs["z"], label, train=train, keys=keys, mutable=mutable)  # pyright: ignore

    def _path(self, state: GanState, keys: Keys) -> tuple[jax.Array, Callable]:
        """Latents drawn afresh, [N, ...], and the generator as a function of them."""
        inputs, noise = self.draw(keys("path")), lambda role: keys(f"path/{role}")
        return inputs["z"], lambda z: self._make(state.variables("gen"), {**inputs, "z": z}, noise, train=True)[0]
