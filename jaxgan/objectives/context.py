"""What a term of an objective receives: the batch, a critic's answers, pairs of images, and functions for the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from jaxgan.config.schedules import Scalar
from jaxgan.nets.layers import Out

Examples = dict[str, Any]
"""What a critic is shown: "image" [N, H, W, C] in [-1, 1]; "cond", the condition of each image (a class, another image), or
None; "label" [N], the class, or None; "draws", the name of the random draws that augment the images."""

Result = tuple[jax.Array, dict[str, jax.Array], dict[str, Any]]
"""What a term returns: a scalar, metrics by name, and its changed memory by name."""


class Judged(NamedTuple):
    """One critic in one round.

    real, fake: examples, undisturbed. real_out, fake_out: its `Out`s of the main pass. Mismatched examples, where the task
      has some, are the leaf "wrong" of `fake_out.logits`.
    answers: examples -> `Out`, in float32 or wider. The function augments and disturbs the images first, with this round's
      draws. A slope is therefore taken with respect to the original image. No state changes.
      `{**judged.real, "image": x}` is disturbed as the real examples are.

    With `critic.pack` above 1 an example is a pack of images.
    """

    real: Examples
    fake: Examples
    real_out: Out
    fake_out: Out
    answers: Callable[[Examples], Out]


class Context(NamedTuple):
    """What a term may read. It can rely on the fields named in `Term.needs`, and on player, side, batch, params, memory and
    keys.

    player, side: whose loss it is ("disc", "critic"). batch: this round's examples. params: that player's, differentiable.
    judged: one critic's answers; a term that needs them is called once for each critic.
    pairs: {name: (want, got)}, two trees of one structure; the task says which there are.
    values: what else the networks returned, by name ("mean", "log_variance").
    path: keys -> (new latents [N, ...], the function from them to images), differentiable in the maker's params.
    gradients: () -> {player: gradient of its adversarial loss by its own params}, over the global batch, differentiable.
    frozen: networks of other runs, and extractors, {name: `Frozen`}.
    memory: what terms carry from step to step, by name; in a call for one critic, that critic's.
    keys: this round's random streams, one key for each pack of `critic.pack` examples.
    """

    player: str
    side: str
    batch: dict[str, jax.Array] = {}
    params: Any = None
    judged: Any = None  # Judged | None, whose fields a checker would else refuse to terms that need it
    pairs: dict[str, tuple[Any, Any]] = {}
    values: dict[str, jax.Array] = {}
    path: Any = None
    gradients: Any = None
    frozen: dict[str, Any] = {}
    memory: dict[str, Any] = {}
    keys: Any = None  # jaxgan.keys.Keys


class Term(Protocol):
    """Anything that is added to a player's loss. A term is a frozen dataclass, whose fields are `objective.terms.NAME`.

    weight: multiplies the returned scalar. every: 1 for a part of every loss; k > 1 for an update of its own at every k-th
      step with k times the weight (lazy regularisation, Karras et al. 2020).
    side: whose loss it belongs to, "critic", "maker" or "both". A term of both sides is never lazy.
    memory: what it carries from step to step, with its values at step 0.
    needs: the fields of `Context` that it reads: "judged" ("judged.aux" for `Out.aux`, "judged.answers" for slopes,
      "judged.caption" for a `TextCodes` as the examples' "cond"),
      "pairs.NAME", "values.NAME", "path", "gradients", "frozen.NAME". It may depend only on fields that are not `Scalar`,
      because a `Scalar` is a tracer inside the step.
    """

    weight: Scalar
    every: int
    side: ClassVar[str]
    needs: frozenset[str]

    def __call__(self, ctx: Context) -> Result: ...


@dataclass(frozen=True)
class Facts:
    """What a class of the config is checked against, by its method `check(facts)`, before anything is compiled.

    run: the run's own fields, a `config.run.Run`. data: {name: `Feature`}. opened: whether `data` is complete; before the
    data are opened it may hold the pictures alone. objective: the task's, or None. frozen: {name: task or network}.
    schedules: paths of numbers that are schedules, "augment.p".
    """

    run: Any
    data: dict[str, Any]
    opened: bool = True
    objective: Any = None
    frozen: dict[str, Any] | None = None
    schedules: frozenset[str] = frozenset()


def squared_slopes(answers: Callable[[Examples], Out], examples: Examples) -> jax.Array:
    """|d sum(logits) / d image|^2 of each example, [N]. The sum is over an example's patches, scales and heads."""

    def total(image):
        return sum(jnp.sum(leaf) for leaf in jax.tree.leaves(answers({**examples, "image": image}).logits))

    slope = jax.grad(total)(examples["image"])
    return jnp.sum(slope**2, axis=tuple(range(1, slope.ndim)))


def by_example(logits: Any) -> jax.Array:
    """Each example's logit, [N]: the mean over the entries of each leaf, then over the leaves."""
    return jnp.mean(jnp.stack([jnp.mean(leaf.reshape(len(leaf), -1), 1) for leaf in jax.tree.leaves(logits)]), 0)


def pairs_called(pairs: dict[str, Any], name: str) -> dict[str, Any]:
    """The pair of this name, or all of "NAME/PART", by part: {"": pair} or {"a": pair, "b": pair}."""
    if name in pairs:
        return {"": pairs[name]}
    return {key.removeprefix(f"{name}/"): pair for key, pair in pairs.items() if key.startswith(f"{name}/")}
