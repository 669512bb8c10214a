"""The GAN of Goodfellow et al. 2014: a generator turns noise z into an image, a discriminator scores images."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import latents, parallel
from jaxgan.errors import UserError
from jaxgan.fields import among, bounded
from jaxgan.monitor import diversity
from jaxgan.nets import DISCRIMINATORS, GENERATORS
from jaxgan.nets.layers import Out, packed, wide
from jaxgan.noise import Keys, stream
from jaxgan.objective import Objective
from jaxgan.penalties import Context, Examples
from jaxgan.schedules import Scalar
from jaxgan.state import Aux, GanState, Update
from jaxgan.tasks import critic


@dataclass(frozen=True)
class Latent:
    """A task owns networks and says what each player's loss is.

    z_dim: entries of z. z: their distribution, "normal" or "uniform" in [-1, 1].
    disc_batches: whether the discriminator sees real and fake one batch after the other ("separate", each with its own
      BatchNorm statistics: DCGAN's advice) or in one ("joint").
    gen_norm: BatchNorm of the generator during the discriminator's rounds: statistics of its batch ("batch"), or the
      running ones ("running"). The running ones move in the generator's own update alone, either way.
    pack: how many images, adjacent ones of the batch, the discriminator judges as one, their channels side by side (PacGAN,
      Lin et al. 2018): a batch holds batch_size / pack packs. Penalties act on packs.
    unroll: how many more updates of the discriminator the generator's loss looks ahead, through which it is differentiated
      (Metz et al. 2017), on the same batch and noise; the discriminator itself does not take them.
    num_classes: how many classes both networks are told of, by a label beside z or the image; 0: none. Fakes in training
      have the labels of the real examples beside them, others uniform ones.
    instance_noise: standard deviation of Gaussian noise on every image that the discriminator sees, real and fake (Sonderby
      et al. 2016, Arjovsky and Bottou 2017); none: no noise.
    """

    gen: nn.Module
    disc: nn.Module
    objective: Objective
    augment: Any
    image_shape: tuple[int, int, int]
    dtype: Any
    z_dim: int = bounded(100, least=1)
    z: str = among(latents.DISTRIBUTIONS, "normal")
    disc_batches: str = among(("separate", "joint"), "separate")
    gen_norm: str = among(("batch", "running"), "batch")
    pack: int = bounded(1, least=1)
    unroll: int = bounded(0, least=0)
    num_classes: int = bounded(0, least=0)
    instance_noise: Scalar | None = None

    def __post_init__(self):
        if self.num_classes and self.pack > 1:
            raise UserError("a pack of images has no label of its own: task.pack or task.num_classes, not both")
        if getattr(self.augment, "adapt_p", False) and not self.objective.has_boundary:
            raise UserError(
                "augment.adapt_p asks how many reals are taken for real, which logits of this loss do not say; give a fixed "
                "one, --config.augment.adapt_p=False --config.augment.p=.3, or a schedule"
            )

    nets = {"disc": DISCRIMINATORS, "gen": GENERATORS}
    players = ("disc", "gen")
    averaged = ("gen",)

    @property
    def group(self) -> int:
        """A replica's batch must be a multiple of this."""
        shares = [getattr(penalty, "shrink", 1) for penalty in self.objective.penalties.values()]
        return self.pack * math.lcm(self._coupled, *shares)

    @property
    def _coupled(self) -> int:
        """How many adjacent examples the discriminator judges together."""
        return getattr(self.disc, "coupled", 1)

    @property
    def differentiated(self) -> tuple[str, ...]:
        """Players through whose optimizer a loss is differentiated."""
        return ("disc",) if self.unroll else ()

    def updates(self, rounds: dict[str, int]) -> list[Update]:
        """The discriminator's rounds, its lazy penalties, then the generator's; the first update's images count as
        seen."""
        own = lambda player: Update(player, player, rounds[player])  # noqa: E731
        return [update for player in self.players for update in (own(player), *self.objective.lazy(player))]

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}."""
        keys = {player: jax.random.fold_in(rng, i) for i, player in enumerate(self.players)}
        z, label = jnp.zeros((2, self.z_dim), wide(self.dtype)), jnp.zeros(2, int) if self.num_classes else None
        empty = self._empty(2 * self._coupled)
        variables = {
            "disc": self.disc.init(keys["disc"], empty["image"], empty["cond"], train=False),
            "gen": self.gen.init(keys["gen"], z, label, train=False),
        }
        return jax.tree.map(lambda x: x.astype(wide(self.dtype)), variables)  # flax has statistics in float32 alone

    def init_memory(self) -> dict[str, Any]:
        """What penalties and augmentation carry from step to step, at step 0."""
        memory = {**self.objective.memory, **self.augment.memory}
        return {name: jnp.asarray(x, wide(self.dtype)) for name, x in memory.items()}

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

    def loss(
        self, name: str, state: GanState, batch: dict[str, jax.Array], keys: Keys, advance: Callable[..., GanState]
    ) -> tuple[jax.Array, Aux]:
        """The scalar that a player descends on: "disc", "gen", or "penalty/NAME" for a lazy penalty.

        batch: "image" [N, H, W, C] in [-1, 1], and "label" [N] where the data has labels. advance: (state, player, loss) ->
        the state after that player's step on this batch.
        """
        for _ in range(self.unroll if name == "gen" else 0):
            state = advance(state, "disc", "disc")
        player = name if name in self.players else self.objective.penalties[name.removeprefix("penalty/")].player
        one = self._pass(player, state, batch, keys, advance=name == "disc")
        exact = self.disc.clone(dtype=wide(self.dtype))  # slopes of slopes do not survive bfloat16

        def generate(keys: Keys) -> Examples:
            return self._seen(self._fake(state, batch, keys, train=True)[0], batch, keys, "fake", state.memory)

        ctx = Context(
            critic=lambda x: critic.answers(exact, one.critic, x)[0],
            generate=generate,
            path=lambda keys: self._path(state, keys),
            real=one.real,
            fake=one.fake,
            real_out=one.real_out,
            fake_out=one.fake_out,
            memory=state.memory,
            keys=keys.grouped(self.pack),
            gradients=lambda: self._gradients(state, batch, keys),
        )
        if name not in self.players:
            value, metrics, memory = self.objective.penalty(name.removeprefix("penalty/"), ctx, player)
            return value, Aux(metrics, {}, memory)
        value, metrics, memory = self.objective(player, ctx)
        if player == "disc":
            signs = self.objective.taken_for_real(one.real_out.logits)
            more, changed = self.augment.adapt(signs, len(batch["image"]) * parallel.size(), state.memory)
            metrics, memory = metrics | more, memory | changed
        if player == "gen":
            metrics |= {"gen/diversity": diversity(batch["image"], one.image)}
        return value, Aux(metrics, {player: one.changed[player]}, memory)

    def _pass(self, player: str, state: GanState, batch: dict[str, jax.Array], keys: Keys, advance: bool) -> "_Pass":
        """Fakes, and the discriminator's answers on them and on the real examples, as `player`'s update sees them."""
        image, gen_state = self._fake(state, batch, keys, train=player == "gen" or self.gen_norm == "batch")
        disc = state.variables("disc")
        disc = critic.advanced(self.disc, disc, self._empty(self._coupled)) if advance else disc  # once for the whole loss
        shown = {"real": batch["image"], "fake": image}
        real, fake = (self._seen(x, batch, keys, which, state.memory) for which, x in shown.items())
        real_out, fake_out, disc_state = critic.compare(self.disc, disc, real, fake, self.disc_batches == "joint")
        return _Pass(image, real, fake, real_out, fake_out, disc, {"gen": gen_state, "disc": disc_state})

    def _gradients(self, state: GanState, batch: dict[str, jax.Array], keys: Keys) -> dict[str, Any]:
        """Of each player's adversarial loss by its own params, over the global batch."""

        def adversarial(params: Any, player: str) -> jax.Array:
            at = state.replace(params={**state.params, player: params})
            one = self._pass(player, at, batch, keys, advance=False)
            return self.objective.loss[self.players.index(player)](one.real_out.logits, one.fake_out.logits)

        return parallel.mean({player: jax.grad(adversarial)(state.params[player], player) for player in self.players})

    def _seen(self, image: jax.Array, batch: dict[str, jax.Array], keys: Keys, which: str, memory: dict) -> Examples:
        """What the discriminator is shown of images [N, H, W, C]: augmented, with noise, in packs [N / pack, H, W, pack C],
        and with the batch's labels beside them."""
        image = self.augment(image, keys(f"augment/{which}"), memory)
        if self.instance_noise is not None:
            draw = jax.vmap(lambda key: jax.random.normal(key, image.shape[1:], image.dtype))
            image = image + self.instance_noise * draw(keys(f"instance_noise/{which}"))
        return {"image": packed(image, self.pack), "cond": batch["label"] if self.num_classes else None}

    def _empty(self, n: int) -> Examples:
        """So many of the discriminator's inputs."""
        *sides, channels = self.image_shape
        image = jnp.zeros((n, *sides, channels * self.pack), wide(self.dtype))
        return {"image": image, "cond": jnp.zeros(n, int) if self.num_classes else None}

    def _fake(
        self, state: GanState, batch: dict[str, jax.Array], keys: Keys, train: bool
    ) -> tuple[jax.Array, dict[str, Any]]:
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


class _Pass(NamedTuple):
    """What the generator made, real and fake examples as the discriminator sees them, its answers and variables, and both
    networks' collections afterwards."""

    image: jax.Array
    real: Examples
    fake: Examples
    real_out: Out
    fake_out: Out
    critic: dict[str, Any]
    changed: dict[str, Any]
