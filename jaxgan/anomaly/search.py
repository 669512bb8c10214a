"""AnoGAN (Schlegl et al. 2017, "Unsupervised Anomaly Detection with Generative Adversarial Networks to Guide Marker
Discovery"): the generated image that is nearest to a given one, looked for by gradient descent in z."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxgan.anomaly.base import Found, OfNetworks, seen
from jaxgan.config.schema import among, bounded
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.keys import role_id
from jaxgan.tasks.protocols import Anomaly, Describes, HasLatent


@dataclass(frozen=True, kw_only=True)
class Search(OfNetworks):
    """(1 - l) |x - G(z)| + l |f(x) - f(G(z))| at the best z that Adam finds, both sums, where f are the critic's features
    and l is `features_weight`. The starts of a search follow from the run's seed and the picture's pixels.

    steps: of the search; the paper has 500. lr: of Adam.
    restarts: starts for each picture, of which the one with the least loss at the end counts; the paper has one.
    features_weight: l.
    start: "random", drawn as the generator's z is; or "encoder", where the first one is what the run's encoder says.
    """

    steps: int = bounded(500, least=1)
    lr: float = bounded(0.1, least=1e-9)
    restarts: int = bounded(4, least=1)
    features_weight: float = bounded(0.1, most=1)
    start: str = among(("random", "encoder"), "random")

    def check(self, plan: Any) -> None:
        """Refuses runs without a generator that starts from z, or without a critic that has features. Raises UserError."""
        task, name = plan.task(), plan.config.task.name
        gan = _gan(task, None)[0]
        if not _searchable(gan):
            raise UserError(
                f"eval.detector.name=search looks for the z of a generator, with the features of its critic, and "
                f"task.name={name} has not both; name a run of configs/anogan.py"
            )
        if getattr(getattr(gan, "critic", None), "pack", 1) > 1:
            raise UserError("eval.detector.name=search needs a critic of single images: --config.critic.pack=1")
        if self.start == "encoder" and not hasattr(task, "encode"):
            raise UserError(
                f"eval.detector.start=encoder is of a run with an encoder, and task.name={name} has none; name one of "
                "configs/fanogan.py, or --config.eval.detector.start=random"
            )
        self.traced(plan, self._finder(plan))

    def make(self, plan: Any, nets: Any, normal: Images, size: int) -> Found:
        starts = f"{self.restarts} start{'s' * (self.restarts > 1)}"
        title = f"search in z: {self.steps} steps of Adam at {self.lr:g} from {starts} ({self.start})"
        return Found(title, self._finder(plan), nets, max(1, size // self.restarts))

    def _finder(self, plan: Any) -> Any:
        key = jax.random.fold_in(jax.random.key(plan.run.seed), role_id("search"))

        def find(nets: Any, image: jax.Array, numbers: jax.Array) -> Anomaly:
            with self.mode():
                return self._searched(plan.task(frozen=nets.frozen), nets.players, seen(image), numbers, key)

        return find

    def _searched(self, task: Any, players: Any, x: jax.Array, numbers: jax.Array, key: jax.Array) -> Anomaly:
        restarts, weight = jnp.arange(self.restarts), self.features_weight
        gan, nets = _gan(task, players)
        keys = jax.vmap(lambda i: jax.vmap(lambda r: jax.random.fold_in(jax.random.fold_in(key, i), r))(restarts))(numbers)
        inputs = gan.draw(keys.reshape(-1))  # [N * restarts, ...], an image's starts beside each other
        true = jax.tree.map(lambda a: jnp.repeat(a, self.restarts, 0), (x, gan.features(nets, x)))

        def residuals(z: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            made = gan.generate(nets, {**inputs, "z": z})
            image, features = (
                jnp.abs(a - b).reshape(len(z), -1).sum(-1) for a, b in zip(true, (made, gan.features(nets, made)))
            )
            return image, (features, made)

        def loss(z: jax.Array) -> tuple[jax.Array, Any]:
            image, (features, made) = residuals(z)
            each = (1 - weight) * image + weight * features
            return each.sum(), (each, image, features, made)

        def step(_, carry):
            z, state = carry
            moves, state = adam.update(jax.grad(loss, has_aux=True)(z)[0], state)
            return optax.apply_updates(z, moves), state

        adam, z = optax.adam(self.lr), inputs["z"]
        if self.start == "encoder":
            z = z.reshape(len(x), self.restarts, -1).at[:, 0].set(task.encode(players, x)).reshape(z.shape)
        z, _ = lax.fori_loop(0, self.steps, step, (z, adam.init(z)))
        by_start = jax.tree.map(lambda a: a.reshape(len(x), self.restarts, *a.shape[1:]), loss(z)[1])
        best = jnp.argmin(by_start[0], -1)
        score, image, features, made = jax.tree.map(lambda a: jax.vmap(lambda row, i: row[i])(a, best), by_start)
        return Anomaly(score, jnp.abs(x - made).mean(-1), made, {"image": image, "features": features})


def _gan(task: Any, players: Any) -> tuple[Any, Any]:
    """(A GAN to search in, its players' variables): the run's own, or the frozen one that its encoder is of."""
    frozen = [one for one in getattr(task, "frozen", {}).values() if _searchable(one.task)]
    return (task, players) if _searchable(task) or not frozen else tuple(frozen[0])


def _searchable(task: Any) -> bool:
    return isinstance(task, HasLatent) and isinstance(task, Describes) and hasattr(task, "z_dim")
