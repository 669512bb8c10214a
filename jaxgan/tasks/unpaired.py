"""CycleGAN (Zhu et al. 2017): two domains without pairs, a translator each way, each domain with a discriminator of its own,
and the way there and back leads home.

A batch has "source" of domain a and "image" of domain b. Player "gen" has both translators, {"ab", "ba"}, and "disc" both
discriminators, {"a", "b"}: one optimizer each, as the authors have it. The generator's update comes first, and the
discriminators are shown the translations that it made before it moved, or older ones from a pool: one translation serves
both players, and the discriminators' update runs no generator.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.keys import Keys, stream
from jaxgan.nets import CRITICS, TRANSLATORS
from jaxgan.nets.layers import wide
from jaxgan.objectives.objective import diversity
from jaxgan.objectives.terms import Examples
from jaxgan.state import Aux, GanState, Update
from jaxgan.tasks import critic
from jaxgan.tasks.adversarial import Adversarial, Batch

Variables = dict[str, Any]
DOMAINS = {"a": "source", "b": "image"}  # by what their pictures are called in a batch
WAYS = {"a": "ba", "b": "ab"}  # the translator into a domain


@dataclass(frozen=True, kw_only=True)
class Unpaired(Adversarial):
    """cycle: weight of E |x - there and back| a pixel and channel (equation 2); none leaves it out. The paper's 10 beside
      squared errors is 5 beside `lsgan`, which has them halved.
    cycles: of both domains, or "forward" (a to b and back) or "backward" alone.
    identity: weight of E |G(y) - y| for y that are in the translator's domain already (section 5.2; half of `cycle` there);
      none leaves it out.
    pool: how many earlier translations of each domain the discriminators may be shown in place of the newest, each with
      probability 1/2 (Shrivastava et al. 2017); 0: none.
    adversarial: false leaves the discriminators out.
    """

    source_shape: tuple[int, int, int]
    batch_size: int
    cycle: Scalar | None = 5.0
    cycles: str = among(("both", "forward", "backward"), "both")
    identity: Scalar | None = None
    pool: int = bounded(50)
    adversarial: bool = True

    nets = {"disc": CRITICS, "gen": TRANSLATORS}
    tiny = {"pool": 6}
    players = ("gen", "disc")
    ways = ("ab", "ba")

    def __post_init__(self):
        super().__post_init__()
        if self.cycle is None and self.identity is None and not self.adversarial:
            raise UserError("task.adversarial=false leaves nothing to train by but task.cycle, which is none")
        if self.identity is not None and self.image_shape != self.source_shape:
            raise UserError("task.identity compares pictures of both domains, which have unlike shapes here; =none")
        if any(penalty.player != "disc" for penalty in self.objective.terms.values()):
            raise UserError("task unpaired has penalties on its discriminators alone; consensus, for one, is of one pair")
        if getattr(self.augment, "adapt_p", False):
            raise UserError(
                "two discriminators overfit each in its way; a fixed --config.augment.p, adapt_p=False beside it"
            )

    def updates(self, rounds: dict[str, int]) -> list[Update]:
        """The translators', then the discriminators', which have the translations of the former alone."""
        if max(rounds.values()) > 1:
            raise UserError("a step of task unpaired has one round of each player: --config.rounds.disc=1, gen too")
        return [update for update in super().updates(rounds) if self.adversarial or update.player == "gen"]

    def init(self, rng: jax.Array) -> dict[str, Any]:
        """{player: flax variables}, in each collection those of both ways, or of both domains."""
        shapes = {"a": self.source_shape, "b": self.image_shape}
        empty = {domain: jnp.zeros((2 * self._coupled, *shape), wide(self.dtype)) for domain, shape in shapes.items()}
        keys = {name: jax.random.fold_in(rng, i) for i, name in enumerate(("a", "b", "ab", "ba"))}
        discs = {domain: self.disc.init(keys[domain], x, None, train=False) for domain, x in empty.items()}
        gens = {way: self._gen(way).init(keys[way], empty[way[0]], train=False) for way in ("ab", "ba")}
        return jax.tree.map(lambda x: x.astype(wide(self.dtype)), {"gen": _joined(gens), "disc": _joined(discs)})

    def init_memory(self) -> dict[str, Any]:
        """What penalties carry, for each domain; the newest translations of a step, and the pools of earlier ones."""
        dtype, memory = wide(self.dtype), {}
        for domain, shape in (("a", self.source_shape), ("b", self.image_shape)):
            memory |= {f"{domain}/{name}": jnp.asarray(x, dtype) for name, x in self.objective.memory.items()}
            if self.adversarial:
                memory[f"shown/{domain}"] = jnp.zeros((self.batch_size, *shape), dtype)
            if self.adversarial and self.pool:
                memory[f"pool/{domain}"] = jnp.zeros((self.pool, *shape), dtype)
        return memory | ({"pool/filled": jnp.zeros((), jnp.int32)} if self.adversarial and self.pool else {})

    def draw(self, keys: jax.Array) -> dict[str, jax.Array]:
        """A translator's inputs but for "source" [N, H, W, C'] in [-1, 1]: {"noise": [N] keys}."""
        return {"noise": keys}

    def generate(self, variables: dict[str, Any], inputs: dict[str, jax.Array], way: str = "ab") -> jax.Array:
        """Translations [N, H, W, C] in [-1, 1] of the inputs' sources, from {"gen": variables} as after training; way "ba"
        takes images of domain b to domain a."""
        keys = partial(stream, inputs["noise"])
        return self._translate(variables["gen"], way, inputs["source"], keys, train=False)[0]

    def loss(
        self, name: str, state: GanState, batch: Batch, keys: Keys, advance: Callable[..., GanState]
    ) -> tuple[jax.Array, Aux]:
        """As `Adversarial.loss`; of both domains together."""
        if name == "gen":
            return self._generators(state, batch, keys)
        size = len(batch["image"])
        shown = {d: state.memory[f"shown/{d}"][parallel.rows(size)] for d in DOMAINS}
        disc = state.variables("disc")
        if name == "disc":
            disc = _joined(
                {d: critic.advanced(self.disc, _part(disc, d), self._shown(shown[d][:2], batch)) for d in DOMAINS}
            )
        return self._judged(name, state, disc, batch, shown, keys)

    def _shown(self, image: jax.Array, batch: Batch) -> Examples:
        return {"image": image, "cond": None}

    def _generators(self, state: GanState, batch: Batch, keys: Keys) -> tuple[jax.Array, Aux]:
        """Both translators' loss, and the memory with what they made."""
        variables, fakes, metrics = state.variables("gen"), {}, {}

        def translate(way: str, x: jax.Array, role: str) -> jax.Array:
            nonlocal variables
            image, variables = self._translate(variables, way, x, lambda own: keys(f"{role}/{way}/{own}"), train=True)
            return image

        for domain, way in WAYS.items():
            fakes[domain] = translate(way, batch[DOMAINS[way[0]]], "fake")
        value = jnp.zeros((), batch["image"].dtype)
        if self.cycle is not None:
            ways = {"both": "ab", "forward": "a", "backward": "b"}[self.cycles]  # the domains that are left and come home
            for home in ways:
                away = "b" if home == "a" else "a"
                back = translate(WAYS[home], fakes[away], "back")
                metrics[f"gen/cycle_{home}"] = jnp.mean(jnp.abs(back - batch[DOMAINS[home]]))
                value += self.cycle * metrics[f"gen/cycle_{home}"]
        if self.identity is not None:
            for domain, way in WAYS.items():
                same = translate(way, batch[DOMAINS[domain]], "identity")
                metrics[f"gen/identity_{domain}"] = jnp.mean(jnp.abs(same - batch[DOMAINS[domain]]))
                value += self.identity * metrics[f"gen/identity_{domain}"]
        changed = {"gen": {k: x for k, x in variables.items() if k != "params"}}
        if not self.adversarial:
            return value, Aux(metrics | {"gen/loss": value}, changed)
        judged, aux = self._judged("gen", state, state.variables("disc"), batch, fakes, keys)
        value += judged
        metrics |= aux.metrics | {"gen/loss": value, "gen/diversity": diversity(batch["image"], fakes["b"])}
        return value, Aux(metrics, changed, aux.memory | self._remembered(state.memory, fakes, keys))

    def _judged(
        self, name: str, state: GanState, disc: Variables, batch: Batch, fakes: dict[str, jax.Array], keys: Keys
    ) -> tuple[jax.Array, Aux]:
        """The objective's losses of both domains, added up; metrics are their means."""
        total, metrics, memory, after = jnp.zeros((), batch["image"].dtype), [], {}, {}
        for domain in DOMAINS:
            own = {k.removeprefix(f"{domain}/"): x for k, x in state.memory.items() if k.startswith(f"{domain}/")}
            pair, part = {f"real/{domain}": batch[DOMAINS[domain]], f"fake/{domain}": fakes[domain]}, _part(disc, domain)
            real, fake = (self._seen(x, batch, keys, draws, own) for draws, x in pair.items())
            real_out, fake_out, after[domain] = critic.compare(self.disc, part, real, fake, self.disc_batches == "joint")
            real, fake = (self._examples(x, batch, draws) for draws, x in pair.items())
            ctx = self._context(part, real, fake, real_out, fake_out, own, keys)
            if name in self.players:
                value, more, changed = self.objective(name, ctx)
            else:
                value, more, changed = self.objective.term(name.removeprefix("term/"), ctx, "disc")
            total += value
            metrics.append(more)
            memory |= {f"{domain}/{k}": x for k, x in changed.items()}
        means = jax.tree.map(lambda a, b: (a + b) / 2, *metrics)
        return total, Aux(means, {"disc": _joined(after)} if name == "disc" else {}, memory)

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
        mutable = ["batch_stats"] if train else []
        image, changed = self._gen(way).apply(_part(variables, way), x, None, train=train, keys=keys, mutable=mutable)
        moved = {name: {**variables[name], way: tree} for name, tree in changed.items()}
        return image, {**variables, **moved}


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


def _part(variables: Variables, name: str) -> Variables:
    """One network's variables of a player that has two."""
    return {collection: tree[name] for collection, tree in variables.items()}


def _joined(parts: Mapping[str, Any]) -> Variables:
    """The inverse of `_part`."""
    collections = next(iter(parts.values()))
    return {collection: {name: part[collection] for name, part in parts.items()} for collection in collections}
