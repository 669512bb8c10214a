"""What every task with one generator and one discriminator shares: both losses, whatever the generator starts from."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import among
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets.layers import Out, packed, unpacked, wide
from jaxgan.objectives.objective import Objective, diversity
from jaxgan.objectives.terms import Context, Examples
from jaxgan.state import Aux, GanState, Update
from jaxgan.tasks import critic

# "image" [N, H, W, C] in [-1, 1]; "label" [N] and "source" [N, H, W, C'] where the data have them.
Batch = dict[str, jax.Array]


@dataclass(frozen=True)
class Adversarial:
    """A task owns networks and says what each player's loss is. Subclasses say what the generator starts from (`_fake`,
    `generate`) and what the discriminator is shown (`_shown`).

    disc_batches: whether the discriminator sees real and fake one batch after the other ("separate", each with its own
      BatchNorm statistics: DCGAN's advice) or in one ("joint").
    instance_noise: standard deviation of Gaussian noise on every image that the discriminator sees, real and fake (Sonderby
      et al. 2016, Arjovsky and Bottou 2017); none: no noise.
    """

    gen: nn.Module
    disc: nn.Module
    objective: Objective
    augment: Any
    image_shape: tuple[int, int, int]
    dtype: Any
    disc_batches: str = among(("separate", "joint"), "separate")
    instance_noise: Scalar | None = None

    players = ("disc", "gen")
    averaged = ("gen",)
    ways = ()  # of tasks that translate: "ab" from an example's "source" to its "image", "ba" back
    adversarial = True
    gen_norm = "batch"
    gen_batch = 1
    pack = 1
    unroll = 0

    def __post_init__(self):
        if not self.adversarial and self.objective.terms:
            raise UserError(
                "task.adversarial=false leaves the discriminator out, and the penalties on it; leave those out too"
            )
        if self.ways and "path_length" in self.objective.terms:
            raise UserError("path_length is of generators with a latent; --config.objective.terms.path_length=none")
        if getattr(self.augment, "adapt_p", False) and not self.objective.has_boundary:
            raise UserError(
                "augment.adapt_p asks how many reals are taken for real, which this loss does not say (minimax, "
                "nonsaturating, hinge, lsgan do); give p or a schedule: --config.augment.adapt_p=False --config.augment.p=.3"
            )

    def _fake(self, state: GanState, batch: Batch, keys: Keys, train: bool) -> tuple[jax.Array, dict[str, Any]]:
        """Fake images, and the generator's collections after them."""
        raise NotImplementedError

    def _shown(self, image: jax.Array, batch: Batch) -> Examples:
        """What the discriminator is shown of images [N, H, W, C] and told beside them."""
        raise NotImplementedError

    def _empty(self, n: int) -> Examples:
        """So many of the discriminator's inputs."""
        raise NotImplementedError

    def _path(self, state: GanState, keys: Keys) -> tuple[jax.Array, Callable]:
        """Latents drawn afresh, [N, ...], and the generator as a function of them."""
        raise NotImplementedError

    def _beside(self, batch: Batch, image: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        """What the generator's loss has beside the adversarial one: (scalar, metrics)."""
        return jnp.zeros((), image.dtype), {}

    @property
    def group(self) -> int:
        """A replica's batch must be a multiple of this."""
        shares = [getattr(penalty, "shrink", 1) for penalty in self.objective.terms.values()]
        return self.pack * math.lcm(self._coupled, *shares)

    @property
    def _coupled(self) -> int:
        """How many adjacent examples the discriminator judges together."""
        return getattr(self.disc, "coupled", 1)

    def updates(self, rounds: dict[str, int]) -> list[Update]:
        """The discriminator's rounds, its lazy penalties, then the generator's; the first update's images count as
        seen."""
        own = lambda player: Update(player, player, rounds[player])  # noqa: E731
        return [update for player in self.players for update in (own(player), *self.objective.lazy(player))]

    def _init(self, rng: jax.Array, *inputs: Any) -> dict[str, Any]:
        """{player: flax variables}; inputs: the generator's."""
        keys = {player: jax.random.fold_in(rng, i) for i, player in enumerate(self.players)}
        empty = self._empty(2 * self._coupled)
        variables = {
            "disc": self.disc.init(keys["disc"], empty["image"], empty["cond"], train=False),
            "gen": self.gen.init(keys["gen"], *inputs, train=False),
        }
        return jax.tree.map(lambda x: x.astype(wide(self.dtype)), variables)  # flax has statistics in float32 alone

    def init_memory(self) -> dict[str, Any]:
        """What penalties and augmentation carry from step to step, at step 0."""
        memory = {**self.objective.memory, **self.augment.memory}
        return {name: jnp.asarray(x, wide(self.dtype)) for name, x in memory.items()}

    def loss(
        self, name: str, state: GanState, batch: Batch, keys: Keys, advance: Callable[..., GanState]
    ) -> tuple[jax.Array, Aux]:
        """The scalar that a player descends on: "disc", "gen", or "term/NAME" for a lazy penalty.

        advance: (state, player, loss) -> the state after that player's step on this batch.
        """
        if not self.adversarial:
            image, changed = self._fake(state, batch, keys, train=True)
            value, metrics = self._beside(batch, image)
            return value, Aux(metrics | {"gen/loss": value}, {"gen": changed})
        for _ in range(self.unroll if name == "gen" else 0):
            state = advance(state, "disc", "disc")
        player = name if name in self.players else self.objective.terms[name.removeprefix("term/")].player
        one = self._pass(player, state, batch, keys, advance=name == "disc")

        def generate(keys: Keys) -> Examples:
            return self._examples(self._fake(state, batch, keys, train=True)[0], batch, "fake")

        ctx = self._context(one.critic, one.real, one.fake, one.real_out, one.fake_out, state.memory, keys)._replace(
            generate=generate,
            path=lambda keys: self._path(state, keys),
            gradients=lambda: self._gradients(state, batch, keys),
        )
        if name not in self.players:
            value, metrics, memory = self.objective.term(name.removeprefix("term/"), ctx, player)
            return value, Aux(metrics, {}, memory)
        value, metrics, memory = self.objective(player, ctx)
        if player == "disc":
            signs = self.objective.taken_for_real(one.real_out.logits)
            more, changed = self.augment.adapt(signs, len(batch["image"]) * parallel.size(), state.memory)
            metrics, memory = metrics | more, memory | changed
        if player == "gen":
            more, beside = self._beside(batch, one.image)
            value, metrics = value + more, metrics | beside
            metrics |= {"gen/loss": value, "gen/diversity": diversity(batch["image"], one.image)}
        return value, Aux(metrics, {player: one.changed[player]}, memory)

    def _context(
        self, disc: Any, real: Examples, fake: Examples, real_out: Out, fake_out: Out, memory: dict[str, Any], keys: Keys
    ) -> Context:
        """What penalties may look at of a discriminator's variables and answers; no generator."""
        exact = self.disc.clone(dtype=wide(self.dtype))  # penalties are float32 throughout

        def answers(x: Examples) -> Out:
            if "draws" in x:
                images = unpacked(x["image"], self.pack)
                x = {**x, "image": packed(self._disturbed(images, keys, x["draws"], memory), self.pack)}
            return critic.answers(exact, disc, x)[0]

        def none(*_: Any):
            raise UserError("a penalty of this objective asks for what this task has not")

        return Context(
            critic=answers,
            generate=none,
            path=none,
            real=real,
            fake=fake,
            real_out=real_out,
            fake_out=fake_out,
            memory=memory,
            keys=keys.grouped(self.pack),
            gradients=none,
        )

    def _pass(self, player: str, state: GanState, batch: Batch, keys: Keys, advance: bool) -> "_Pass":
        """Fakes, and the discriminator's answers on them and on the real examples, as `player`'s update sees them."""
        times = self.gen_batch if player == "gen" else 1
        beside = batch if times == 1 else jax.tree.map(lambda x: jnp.concatenate([x] * times), batch)  # beside the fakes
        own = keys.of(times * len(batch["image"]))
        image, gen_state = self._fake(state, beside, own, train=player == "gen" or self.gen_norm == "batch")
        disc = state.variables("disc")
        disc = critic.advanced(self.disc, disc, self._empty(self._coupled)) if advance else disc  # once for the whole loss
        pair = {"real": (batch["image"], batch), "fake": (image, beside)}
        real, fake = (self._seen(x, own, keys, which, state.memory) for which, (x, own) in pair.items())
        real_out, fake_out, disc_state = critic.compare(self.disc, disc, real, fake, self.disc_batches == "joint")
        real, fake = (self._examples(x, own, which) for which, (x, own) in pair.items())
        return _Pass(image, real, fake, real_out, fake_out, disc, {"gen": gen_state, "disc": disc_state})

    def _gradients(self, state: GanState, batch: Batch, keys: Keys) -> dict[str, Any]:
        """Of each player's adversarial loss by its own params, over the global batch."""

        def adversarial(params: Any, player: str) -> jax.Array:
            at = state.replace(params={**state.params, player: params})
            one = self._pass(player, at, batch, keys, advance=False)
            return self.objective.loss[self.players.index(player)](one.real_out.logits, one.fake_out.logits)

        return parallel.mean({player: jax.grad(adversarial)(state.params[player], player) for player in self.players})

    def _examples(self, image: jax.Array, batch: Batch, draws: str) -> Examples:
        """Images [N, H, W, C] for penalties: as they are, with the name of the draws that disturb them before they are
        judged. Slopes are by the image as it is, through augmentation and noise, as in ADA's and R3GAN's code."""
        return {**self._shown(image, batch), "draws": draws}

    def _seen(self, image: jax.Array, batch: Batch, keys: Keys, draws: str, memory: dict) -> Examples:
        """What the discriminator is shown of images [N, H, W, C]."""
        return self._shown(self._disturbed(image, keys, draws, memory), batch)

    def _disturbed(self, image: jax.Array, keys: Keys, draws: str, memory: dict) -> jax.Array:
        """Augmented, and with noise; of one name always by the same draws."""
        keys = keys.of(len(image))
        image = self.augment(image, keys(f"augment/{draws}"), memory)
        if self.instance_noise is not None:
            draw = jax.vmap(lambda key: jax.random.normal(key, image.shape[1:], image.dtype))
            image = image + self.instance_noise * draw(keys(f"instance_noise/{draws}"))
        return image


class _Pass(NamedTuple):
    """What the generator made, real and fake examples as they are, the discriminator's answers and variables, and both
    networks' collections afterwards."""

    image: jax.Array
    real: Examples
    fake: Examples
    real_out: Out
    fake_out: Out
    critic: dict[str, Any]
    changed: dict[str, Any]
