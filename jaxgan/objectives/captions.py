"""Terms of text-to-image runs: the critic's penalty, what the generator learns of a DAMSM, and the condition's width."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import bounded
from jaxgan.errors import UserError
from jaxgan.objectives import matching
from jaxgan.objectives.context import Context, Facts, Result


@dataclass(frozen=True)
class MatchingGp:
    """E |(grad_x D(x, s), grad_s D(x, s))|^power on real pictures x with the codes s of their captions, the two gradients as
    one vector (matching-aware gradient penalty, Tao et al. 2022, equation 2, whose k is `weight`).

    power: the exponent, the paper's p.
    """

    weight: Scalar = 2.0
    power: Scalar = 6.0
    every: int = bounded(1, least=1)
    side, needs = "critic", frozenset({"judged", "judged.answers", "judged.caption"})

    def __call__(self, ctx: Context) -> Result:
        real = ctx.judged.real

        def total(image: jax.Array, sentence: jax.Array) -> jax.Array:
            out = ctx.judged.answers({**real, "image": image, "cond": real["cond"]._replace(sentence=sentence)})
            return sum((jnp.sum(leaf) for leaf in jax.tree.leaves(out.logits)), jnp.zeros(()))

        slopes = jax.grad(total, (0, 1))(real["image"], real["cond"].sentence)
        image, sentence = (jnp.sum(x.reshape(len(x), -1) ** 2, 1) for x in slopes)
        lengths = jnp.sqrt(image + sentence + 1e-12)  # the root has no derivative at 0, where a dead critic starts
        return jnp.mean(lengths**self.power), {"slope": jnp.mean(lengths)}, {}


@dataclass(frozen=True)
class Damsm:
    """How badly a frozen DAMSM matches made pictures with their captions, among those of the global batch: its losses of
    words and of sentences (Xu et al. 2018, equations 10 to 13, whose lambda is `weight`).

    mask_equal: whether pictures of equal captions are left out of each other's mistakes.
    """

    weight: Scalar = 5.0
    mask_equal: bool = True
    every: int = bounded(1, least=1)
    side, needs = "maker", frozenset({"frozen.damsm", "values.codes", "values.drawn"})

    def check(self, facts: Facts) -> None:
        """Refuses a frozen network that has no such losses."""
        if not hasattr((facts.frozen or {}).get("damsm"), "losses"):
            raise UserError("objective.terms.damsm has the losses of a run of configs/damsm.py, and frozen.damsm is none")

    def __call__(self, ctx: Context) -> Result:
        damsm = ctx.frozen["damsm"]
        tokens, text, image = jax.tree.map(
            parallel.gather,
            (ctx.batch["tokens"], ctx.values["codes"], damsm.task.image_codes(damsm.variables, ctx.values["drawn"])),
        )
        words, sentences, _ = damsm.task.losses(text, image, matching.no_mistakes(tokens, self.mask_equal))
        return words + sentences, {"words": words, "sentences": sentences}, {}


@dataclass(frozen=True)
class Condition:
    """The Kullback-Leibler divergence of the generator's condition from a standard normal, a mean over its entries (Zhang et
    al. 2017, equation 2)."""

    weight: Scalar = 1.0
    every: int = bounded(1, least=1)
    side, needs = "maker", frozenset({"values.mean", "values.log_variance"})

    def __call__(self, ctx: Context) -> Result:
        mean, log_variance = ctx.values["mean"], ctx.values["log_variance"]
        return jnp.mean(mean**2 + jnp.exp(log_variance) - 1 - log_variance) / 2, {}, {}
