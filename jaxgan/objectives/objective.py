"""An objective is an adversarial loss plus penalties; it knows neither the task nor the networks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.objectives.losses import BOUNDARIES, Loss
from jaxgan.objectives.terms import Context, Result, by_example
from jaxgan.state import Update


@dataclass(frozen=True)
class Objective:
    """loss: the pair (disc, gen) of `losses.LOSSES`. terms: by name, each with its weight and `every`."""

    loss: tuple[Loss, Loss]
    terms: dict[str, Any] = field(default_factory=dict)

    def __call__(self, player: str, ctx: Context) -> Result:
        """The loss of "disc" or "gen" with its penalties: (scalar, metrics, changed memory)."""
        real, fake = ctx.real_out.logits, ctx.fake_out.logits
        loss = self.loss[0 if player == "disc" else 1](real, fake)
        metrics, memory = {f"{player}/adversarial": loss}, {}
        if player == "disc":
            metrics |= self._answers(real, fake)
        for name, penalty in self.terms.items():
            if penalty.player in (player, "both") and penalty.every == 1:
                value, more, changed = self.term(name, ctx, player)
                loss, metrics, memory = loss + value, metrics | more, memory | changed
        return loss, metrics | {f"{player}/loss": loss}, memory

    @property
    def memory(self) -> dict[str, float]:
        """What penalties carry from step to step, as it begins."""
        return {name: x for p in self.terms.values() for name, x in getattr(p, "memory", {}).items()}

    @property
    def has_boundary(self) -> bool:
        """Whether logits say by themselves what is taken for real."""
        return self.loss[0] in BOUNDARIES

    def taken_for_real(self, logits: Any) -> jax.Array:
        """+1 where an example's mean logit is above the loss' boundary, else -1, [N]; of a loss without one, above 0."""
        return 2 * _above(BOUNDARIES.get(self.loss[0], 0.0))(by_example(logits)) - 1

    def lazy(self, player: str) -> list[Update]:
        """The updates of a player's penalties that are not part of its every loss."""
        those = {name: p for name, p in self.terms.items() if p.every > 1 and p.player == player}
        return [Update(player, f"term/{name}", 1, p.every) for name, p in those.items()]

    def _answers(self, real: Any, fake: Any) -> dict[str, jax.Array]:
        """What `monitor` says of the discriminator's logits."""
        gaps = jax.tree.map(lambda r, f: r - f, real, fake)
        out = {"disc/real_logits": _mean(real), "disc/fake_logits": _mean(fake), "disc/logit_gap": _mean(gaps)}
        out |= {"disc/ordered": _mean(gaps, _above(0.0))}
        boundary = BOUNDARIES.get(self.loss[0])
        if boundary is not None:
            out |= {"disc/accuracy_real": _mean(real, _above(boundary))}
            out |= {"disc/accuracy_fake": 1 - _mean(fake, _above(boundary))}
        return out

    def term(self, name: str, ctx: Context, player: str) -> Result:
        """One weighted penalty, in a player's loss. A lazy one counts `every` times, once for each step that it sits out."""
        penalty = self.terms[name]
        value, metrics, memory = penalty(ctx)
        prefix = f"{player}/{name}"
        metrics = {prefix: value} | {f"{prefix}_{key}": x for key, x in metrics.items()}
        return value * penalty.weight * penalty.every, metrics, memory


def _above(boundary: float) -> Callable[[jax.Array], jax.Array]:
    return lambda logits: (logits > boundary).astype(logits.dtype)


def _mean(logits: Any, fn=lambda x: x) -> jax.Array:
    return jnp.mean(jnp.stack([jnp.mean(fn(leaf)) for leaf in jax.tree.leaves(logits)]))


def diversity(real: jax.Array, fake: jax.Array) -> jax.Array:
    """sqrt(V(fake) / V(real)), V the total variance over the global batch's examples, half the mean squared distance
    between two of them: 0 where all fakes are the same. NaN where all reals are. real, fake: [N, ...]."""

    def total(x: jax.Array) -> jax.Array:
        x = x.reshape(len(x), -1).astype(jnp.promote_types(x.dtype, jnp.float32))
        centre = parallel.mean(jnp.mean(x, 0))
        spread, size = parallel.mean((jnp.mean(jnp.sum((x - centre) ** 2, 1)), jnp.mean(jnp.sum(x**2, 1))))
        return jnp.where(spread > 1e-10 * size, spread, 0)  # the rest is rounding

    of_real = total(real)
    return jnp.where(of_real > 0, jnp.sqrt(total(fake) / jnp.where(of_real > 0, of_real, 1)), jnp.nan)
