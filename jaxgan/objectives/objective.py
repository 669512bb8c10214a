"""An objective is an adversarial loss plus terms; it knows neither the task nor the networks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.errors import UserError, nearest
from jaxgan.objectives.context import Context, Judged, Result, by_example
from jaxgan.objectives.losses import BOUNDARIES, Loss
from jaxgan.state import LAZY, Update

CRITIC, MAKER = SIDES = ("critic", "maker")


@dataclass(frozen=True)
class Objective:
    """loss: a pair (critic's, maker's) of `losses.LOSSES`; a half that is None adds nothing. terms: by name. weight: of the
    maker's adversarial loss."""

    loss: tuple[Loss | None, Loss | None]
    terms: dict[str, Any] = field(default_factory=dict)
    weight: Scalar = 1.0

    def half(self, side: str) -> Loss | None:
        """The adversarial loss of a side."""
        return self.loss[SIDES.index(side)]

    def wants(self, side: str, term: str = "") -> frozenset[str]:
        """What an update reads of its `Context`: a side's main update, or the one of a lazy term. Known before tracing."""
        terms = [self.terms[term]] if term else [x for x in self._of(side).values() if x.every == 1]
        needs = frozenset[str]().union(*(x.needs for x in terms))
        asks_critics = "pairs.features" in needs or (self.half(side) is not None and not term)
        return needs | {"judged"} if asks_critics else needs

    def has_update(self, side: str) -> bool:
        """Whether there is anything that a side's main update descends on."""
        return self.half(side) is not None or any(term.every == 1 for term in self._of(side).values())

    def trains(self, side: str) -> bool:
        """Whether a side has any update."""
        return self.has_update(side) or bool(self._of(side))

    def lazy(self, player: str, side: str) -> list[Update]:
        """The updates of a player's lazy terms, in the order of the config."""
        return [Update(player, f"{LAZY}{name}", 1, x.every) for name, x in self._of(side).items() if x.every > 1]

    def total(self, ctx: Context, judged: dict[str, Judged], memories: dict[str, dict[str, Any]]) -> Result:
        """The loss of a side's main update: (scalar, metrics, changed memory).

        judged, memories: by critic. Critics' losses and terms add up, and their metrics are means. The memory that a term
        changes for a critic called a is "a/NAME".
        """
        half, totals, told, memory = self.half(ctx.side), [], [], {}
        terms = {name: term for name, term in self._of(ctx.side).items() if term.every == 1}
        for critic, one in judged.items():
            own, value, metrics = ctx._replace(judged=one, memory=memories[critic]), None, {}
            if half:
                value = half(one.real_out.logits, one.fake_out.logits)
                metrics = {f"{ctx.player}/adversarial": value}
                value = value * self.weight if ctx.side == MAKER else value
                metrics |= self._answers(ctx.player, one) if ctx.side == CRITIC else {}
            for name, term in terms.items():
                if "judged" in term.needs:
                    more, shown, changed = self.one(name, own)
                    value, metrics = _sum(value, more), metrics | shown
                    memory |= {_own(critic, key): x for key, x in changed.items()}
            totals.append(value)
            told.append(metrics)
        metrics = told[0] if len(told) == 1 else _means(told)
        total = _sum(*totals)
        shown_total = total / len(totals) if ctx.side == CRITIC and len(totals) > 1 and total is not None else total
        for name, term in terms.items():
            if "judged" not in term.needs:
                more, shown, changed = self.one(name, ctx)
                total, shown_total = _sum(total, more), _sum(shown_total, more)
                metrics, memory = metrics | shown, memory | changed
        return total, metrics | {f"{ctx.player}/loss": shown_total}, memory  # pyright: ignore[reportReturnType]

    def lazy_term(self, name: str, ctx: Context, judged: dict[str, Judged], memories: dict[str, dict[str, Any]]) -> Result:
        """The loss of a lazy term's update, over all critics as in `total`."""
        if "judged" not in self.terms[name].needs:
            return self.one(name, ctx)
        each = [self.one(name, ctx._replace(judged=one, memory=memories[critic])) for critic, one in judged.items()]
        memory = {_own(critic, key): x for critic, (*_, changed) in zip(judged, each) for key, x in changed.items()}
        values, told, _ = zip(*each)
        return _sum(*values), told[0] if len(told) == 1 else _means(told), memory  # pyright: ignore[reportReturnType]

    def one(self, name: str, ctx: Context) -> Result:
        """One weighted term. A lazy one counts `every` times, because it runs at one step in `every`."""
        term = self.terms[name]
        value, metrics, memory = term(ctx)
        prefix = f"{ctx.player}/{name}"
        metrics = {prefix: value} | {f"{prefix}_{key}": x for key, x in metrics.items()}
        return value * term.weight * term.every, metrics, memory

    def memory(self, critics: tuple[str, ...]) -> dict[str, float]:
        """What terms carry from step to step, at step 0: once for each critic where they are called for each."""
        out = {}
        for term in self.terms.values():
            for name, x in getattr(term, "memory", {}).items():
                out |= {_own(critic, name): x for critic in (critics if "judged" in term.needs else ("",))}
        return out

    @property
    def has_boundary(self) -> bool:
        """Whether logits say by themselves what is taken for real."""
        return self.loss[0] in BOUNDARIES

    def taken_for_real(self, logits: Any) -> jax.Array:
        """+1 where an example's mean logit is above the loss' boundary, else -1, [N]; of a loss without one, above 0."""
        boundary = BOUNDARIES[self.loss[0]] if self.loss[0] in BOUNDARIES else 0.0
        return 2 * _above(boundary)(by_example(logits)) - 1

    def check(self, offers: frozenset[str], sides: dict[str, str], frozen: Any, task: str) -> None:
        """Refuses terms that a task cannot serve. offers: what its `Context` can hold. Raises UserError."""
        if self.half(MAKER) and not self.trains(CRITIC):
            raise UserError(
                "this loss trains no critic, whose answers its other half needs; objective.loss=none leaves both out"
            )
        for name, term in self.terms.items():
            remove = f"--config.objective.terms.{name}=none"
            asks_critics = any(need.partition(".")[0] == "judged" or need == "pairs.features" for need in term.needs)
            idle = [side for side in SIDES if not self.trains(side)]
            if asks_critics and idle:
                raise UserError(
                    f"objective.terms.{name} needs a critic and a maker, and nothing trains the {idle[0]}; {remove}"
                )
            if "gradients" in term.needs and None in self.loss:
                raise UserError(
                    f"objective.terms.{name} needs both players' losses, which this objective.loss lacks; {remove}"
                )
            if term.side == "both" and term.every > 1:
                raise UserError(f"objective.terms.{name} belongs to both players and is never lazy; every=1")
            if term.side != "both" and term.side not in sides.values():
                raise UserError(f"objective.terms.{name} is of a {term.side}, and task {task} has none; {remove}")
            for need in sorted(term.needs):
                kind, _, which = need.partition(".")
                if kind == "frozen":
                    if which not in frozen:
                        raise UserError(
                            f"objective.terms.{name} needs a frozen network '{which}'; --config.frozen.{which}.name=run, or "
                            f"an extractor's name" + (f" ({nearest(which, frozen)})" if frozen else "")
                        )
                elif kind == "pairs" and any(offer.partition("/")[0] == need or offer == need for offer in offers):
                    continue
                elif need not in offers and not (kind == "values" and kind in offers):
                    whole = {x.removeprefix("pairs.") for x in offers if x.startswith("pairs.")}
                    pairs = sorted(whole | {name.partition("/")[0] for name in whole})
                    hint = nearest(which, pairs) if kind == "pairs" and pairs else remove
                    what = f"the pair '{which}'" if kind == "pairs" else f"'{need}'"
                    raise UserError(f"objective.terms.{name} needs {what}, which task {task} does not have; {hint}")

    def _of(self, side: str) -> dict[str, Any]:
        return {name: term for name, term in self.terms.items() if term.side in (side, "both")}

    def _answers(self, player: str, one: Judged) -> dict[str, jax.Array]:
        """What `monitor` says of a critic's logits; gaps only where real and fake have the same kinds of scores."""
        real, fake = one.real_out.logits, one.fake_out.logits
        out = {f"{player}/real_logits": _mean(real), f"{player}/fake_logits": _mean(fake)}
        if jax.tree.structure(real) == jax.tree.structure(fake):
            gaps = jax.tree.map(lambda r, f: r - f, real, fake)
            out |= {f"{player}/logit_gap": _mean(gaps), f"{player}/ordered": _mean(gaps, _above(0.0))}
        if self.loss[0] in BOUNDARIES:
            above = _above(BOUNDARIES[self.loss[0]])
            out |= {f"{player}/accuracy_real": _mean(real, above), f"{player}/accuracy_fake": 1 - _mean(fake, above)}
        return out


def _own(critic: str, name: str) -> str:
    """A critic's part of the memory: "a/lecam/real"; without a name of its own it has the term's."""
    return f"{critic}/{name}" if critic else name


def _sum(*values: Any) -> Any:
    """Of those that are not None; None if all are."""
    total = None
    for value in values:
        if value is not None:
            total = value if total is None else total + value
    return total


def _means(told: Any) -> dict[str, jax.Array]:
    if not told:
        return {}
    added = told[0]
    for more in told[1:]:
        added = jax.tree.map(jnp.add, added, more)
    return jax.tree.map(lambda x: x / len(told), added)


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
