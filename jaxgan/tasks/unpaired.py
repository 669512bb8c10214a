"""CycleGAN (Zhu et al. 2017): two domains without pairs, a translator each way, each domain with a discriminator of its own,
and the way there and back leads home.

A batch has "source" of domain a and "image" of domain b. Player "gen" has both translators, {"ab", "ba"}, and "disc" both
discriminators, {"a", "b"}: one optimizer each, as the authors have it. The generator's update comes first, and the
discriminators are shown the translations that it made before it moved, or older ones from a pool: one translation serves
both players, and the discriminators' update runs no generator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxgan import parallel
from jaxgan.config.schema import bounded
from jaxgan.errors import UserError
from jaxgan.keys import Keys, stream
from jaxgan.nets import CRITICS, TRANSLATORS
from jaxgan.nets.layers import wide
from jaxgan.objectives.context import Examples, Facts
from jaxgan.objectives.objective import CRITIC, MAKER
from jaxgan.state import GanState, Update
from jaxgan.tasks import networks
from jaxgan.tasks.adversarial import AdversarialTask, Making, coupled, unmade
from jaxgan.tasks.networks import Variables, joined, part
from jaxgan.tasks.paired import check_sides
from jaxgan.tasks.task import Batch

DOMAINS = {"a": "source", "b": "image"}  # by what their pictures are called in a batch
WAYS = {"a": "ba", "b": "ab"}  # the translator into a domain


@dataclass(frozen=True, kw_only=True)
class Unpaired(AdversarialTask):
    """pool: how many earlier translations of each domain the discriminators may be shown in place of the newest, each with
      probability 1/2 (Shrivastava et al. 2017); 0: none.

    Pairs, for terms such as `l1`: "cycle/a" and "cycle/b", pictures of a domain and what comes back after the way there and
    back (equation 2); "identity/a" and "identity/b", pictures that are in the translator's domain already, and what it makes
    of them (section 5.2). "cycle" and "identity" are of both. The paper's weight of 10 for cycles, beside squared errors, is
    5 beside `lsgan`, which has them halved.
    """

    gen: nn.Module
    disc: nn.Module
    image_shape: tuple[int, int, int]
    source_shape: tuple[int, int, int]
    batch_size: int
    pool: int = bounded(50)

    nets = {"disc": CRITICS, "gen": TRANSLATORS}
    tiny = {"pool": 6}
    players = {"gen": {"ab": "gen", "ba": "gen"}, "disc": {"a": "disc", "b": "disc"}}
    offers = frozenset(
        {"judged", "judged.aux", "judged.answers", "pairs.cycle/a", "pairs.cycle/b", "pairs.identity/a", "pairs.identity/b"}
    )
    given = ("source",)
    ways = ("ab", "ba")

    def check(self, facts: Facts) -> None:
        """Refuses several rounds, simultaneous updates, and an augmentation that follows one discriminator."""
        check_sides(self.image_shape, self.source_shape)
        if facts.run.simultaneous:
            raise UserError("discriminators of task unpaired judge what its generators have just made: simultaneous=false")
        if self.objective.trains(CRITIC) and not (self.objective.half(CRITIC) and self.objective.trains(MAKER)):
            raise UserError(
                "discriminators of task unpaired need their adversarial loss, and translators that are trained: choose an "
                "objective.loss with both halves, or leave the terms on the discriminators out"
            )
        identity = any("pairs.identity" in need for term in self.objective.terms.values() for need in term.needs)
        if identity and self.image_shape != self.source_shape:
            raise UserError(
                "the pair 'identity' compares pictures of both domains, which have unlike shapes here; "
                "--config.objective.terms.identity=none"
            )
        if self.critic.pack > 1:
            raise UserError("task unpaired judges each translation by itself; --config.critic.pack=1")
        if getattr(self.augment, "adapt_p", False):
            raise UserError(
                "two discriminators overfit each in its way; a fixed --config.augment.p, adapt_p=False beside it"
            )

    def updates(self, rounds: dict[str, int]) -> list[Update]:
        """The translators', then the discriminators', which have the translations of the former alone."""
        if max(rounds.values()) > 1:
            raise UserError("a step of task unpaired has one round of each player: --config.rounds.disc=1, gen too")
        return super().updates(rounds)

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}, in each collection those of both ways, or of both domains."""
        shapes, n = {"a": self.source_shape, "b": self.image_shape}, 2 * coupled(self.disc)
        empty = {domain: jnp.zeros((n, *shape), wide(self.dtype)) for domain, shape in shapes.items()}
        discs = {domain: networks.init(self.disc, rng, domain, x, None, train=False) for domain, x in empty.items()}
        gens = {way: networks.init(self._gen(way), rng, way, empty[way[0]], train=False) for way in self.ways}
        return {"gen": joined(gens), "disc": joined(discs)}

    def init_memory(self) -> dict[str, Any]:
        """What terms carry, for each domain; the newest translations of a step, and the pools of earlier ones."""
        memory, dtype = super().init_memory(), wide(self.dtype)
        if not self.objective.half(CRITIC):
            return memory
        for domain, shape in (("a", self.source_shape), ("b", self.image_shape)):
            memory[f"shown/{domain}"] = jnp.zeros((self.batch_size, *shape), dtype)
            if self.pool:
                memory[f"pool/{domain}"] = jnp.zeros((self.pool, *shape), dtype)
        return memory | ({"pool/filled": jnp.zeros((), jnp.int32)} if self.pool else {})

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """A translator's inputs but for "source" [N, H, W, C'] in [-1, 1]: {"noise": [N] keys}."""
        return {"noise": keys}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array], way: str = "ab") -> jax.Array:
        """Translations [N, H, W, C] in [-1, 1] of the inputs' sources, from {"gen": variables} as after training; way "ba"
        takes images of domain b to domain a."""
        keys = partial(stream, inputs["noise"])
        return self._translate(variables["gen"], way, inputs["source"], keys, train=False)[0]

    def make(self, player: str, state: GanState, batch: Batch, keys: Keys, wants: frozenset[str]) -> Making:
        """Both translations, and the ways back and the pictures of the own domain that terms ask for. For the
        discriminators, what the translators' update has left in the memory."""
        if player == "disc":
            rows = parallel.rows(len(batch["image"]))
            return Making({domain: state.memory[f"shown/{domain}"][rows] for domain in DOMAINS}, batch)
        variables, fakes, pairs = state.variables("gen"), {}, {}

        def translate(way: str, x: jax.Array, role: str) -> jax.Array:
            nonlocal variables
            image, variables = self._translate(variables, way, x, lambda own: keys(f"{role}/{way}/{own}"), train=True)
            return image

        for domain, way in WAYS.items():
            fakes[domain] = translate(way, batch[DOMAINS[way[0]]], "fake")
        for home, away in (("a", "b"), ("b", "a")):
            if wants & {"pairs.cycle", f"pairs.cycle/{home}"}:
                pairs[f"cycle/{home}"] = batch[DOMAINS[home]], translate(WAYS[home], fakes[away], "back")
        for domain, way in WAYS.items():
            if wants & {"pairs.identity", f"pairs.identity/{domain}"}:
                pairs[f"identity/{domain}"] = batch[DOMAINS[domain]], translate(way, batch[DOMAINS[domain]], "identity")
        collections = {name: x for name, x in variables.items() if name != "params"}
        memory = self._remembered(state.memory, fakes, keys) if self.objective.half(CRITIC) else {}
        return Making(fakes, batch, fakes["b"], collections, pairs, memory=memory)

    def shown(self, making: Making, state: GanState, batch: Batch) -> dict[str, tuple[nn.Module, Any, dict[str, Examples]]]:
        """For each domain its pictures and the translations into it."""
        out, variables = {}, state.variables("disc")
        for domain, feature in DOMAINS.items():
            shown = {"real": {"image": batch[feature], "cond": None}, "fake": {"image": making.images[domain], "cond": None}}
            out[domain] = (self.disc, part(variables, domain), shown)
        return out

    def _remembered(self, memory: dict[str, Any], fakes: dict[str, jax.Array], keys: Keys) -> dict[str, Any]:
        """The pools after this step's translations of the global batch, in its order, and what is shown of them."""
        newest = {d: parallel.gather(lax.stop_gradient(x)).astype(wide(self.dtype)) for d, x in fakes.items()}
        if not self.pool:
            return {f"shown/{domain}": x for domain, x in newest.items()}
        filled, out = memory["pool/filled"], {}
        for domain, made in newest.items():
            own = jax.vmap(partial(jax.random.fold_in, keys.shared(f"pool/{domain}")))(jnp.arange(len(made)))
            out[f"pool/{domain}"], out[f"shown/{domain}"] = pooled(memory[f"pool/{domain}"], filled, made, own)
        return out | {"pool/filled": jnp.minimum(filled + self.batch_size, self.pool)}

    def _gen(self, way: str) -> Any:
        """The translator of a way, whose networks make pictures of the other domain's shape."""
        return self.gen if way == "ab" else self.gen.clone(image_shape=self.source_shape)

    def _translate(self, variables: Variables, way: str, x: jax.Array, keys: Callable, train: bool):
        """Pictures of the other domain, and both translators' variables after them."""
        out, collections = networks.run(self._gen(way), part(variables, way), x, None, train=train, keys=keys)
        moved = {name: {**variables[name], way: tree} for name, tree in collections.items()}
        return unmade(out)[0], {**variables, **moved}


def pooled(pool: jax.Array, filled: jax.Array, newest: jax.Array, keys: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(the pool [P, ...] afterwards, what is shown [N, ...]) of images one after the other: while the pool has room an image
    is kept and shown; then, each with probability 1/2, it is shown, or changes places with one of the pool's."""
    size = len(pool)

    def one(carry, x):
        pool, filled = carry
        image, key = x
        where, whether = jax.random.split(key)
        has_room = filled < size
        at = jnp.where(has_room, filled, jax.random.randint(where, (), 0, size))
        swaps = jax.random.bernoulli(whether) & ~has_room
        old = pool[at]
        kept = jnp.where(has_room | swaps, image, old)
        return (pool.at[at].set(kept), jnp.minimum(filled + 1, size)), jnp.where(swaps, old, image)

    (pool, _), shown = lax.scan(one, (pool, filled), (newest, keys))
    return pool, shown
