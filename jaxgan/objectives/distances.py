"""Terms that compare pairs: what the maker should have made, and what it made."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError, nearest
from jaxgan.extractors.stages import STAGES, stages_of
from jaxgan.objectives.context import Context, Facts, Result, pairs_called


@dataclass(frozen=True)
class L1:
    """E |want - got|, a mean over pixels and channels (Isola et al. 2017, equation 3; Zhu et al. 2017, equation 2).

    of: the name of the pair. "image" is the true translation and the generator's; "cycle" is the sum over "cycle/a" and
    "cycle/b".
    """

    weight: Scalar = 1.0
    of: str = "image"
    every: int = bounded(1, least=1)
    side = "maker"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({f"pairs.{self.of}"})

    def __call__(self, ctx: Context) -> Result:
        return _distances(ctx, self.of, lambda gap: jnp.mean(jnp.abs(gap)))


@dataclass(frozen=True)
class L2(L1):
    """E (want - got)^2, a mean over pixels and channels.

    of: the name of the pair, as for `L1`. "features" are the critic's hidden layers, compared example by example (Salimans
    et al. 2016, section 3.1, compare batch means).
    """

    def __call__(self, ctx: Context) -> Result:
        return _distances(ctx, self.of, lambda gap: jnp.mean(gap**2))


@dataclass(frozen=True)
class FeatureDistance(L1):
    """E (f(want) - f(got))^2, f the features of a frozen network (Johnson et al. 2016, equation 2; of SRGAN: Ledig et al.
    2017, equation 5).

    net: the network, a name of the section `frozen`. stage: which map of an extractor is compared, at the pictures' own size
    and before its activation, stem, stage_1 to stage_7 or head of efficientnet_lite0, conv1_1 to conv5_4 of vgg19, there
    also relu5_4, after it; empty: the features that scores use, of pictures as scores resize them. criterion: "l2", or "l1",
    E |f(want) - f(got)|, as ESRGAN's authors have it. Means are over features and places.
    """

    net: str = "eye"
    stage: str = ""
    criterion: str = among(("l2", "l1"), "l2")

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({f"pairs.{self.of}", f"frozen.{self.net}"})

    def check(self, facts: Facts) -> None:
        """Refuses a frozen network that has no features, or no such stage."""
        network = (facts.frozen or {}).get(self.net)
        if not hasattr(network, "features"):
            raise UserError(
                f"feature_distance needs a network with features, and frozen.{self.net} has none; an extractor has"
            )
        if not self.stage:
            return
        stages = stages_of(network)
        if stages is None:
            raise UserError(
                f"feature_distance compares the stage '{self.stage}', and frozen.{self.net} has no stages; those that have "
                f"some: {', '.join(STAGES)}"
            )
        if self.stage not in stages.names:
            raise UserError(f"frozen.{self.net} has no stage '{self.stage}'; {nearest(self.stage, stages.names)}")

    def __call__(self, ctx: Context) -> Result:
        eye = ctx.frozen[self.net]
        stages = stages_of(eye.task) if self.stage else None

        def features(x: jax.Array) -> jax.Array:
            return stages.map(eye.variables, x, self.stage) if stages else eye.task.features(eye.variables, x)

        own = {key: pair for key, pair in ctx.pairs.items() if key == self.of or key.startswith(f"{self.of}/")}
        seen = {key: tuple(features(x) for x in pair) for key, pair in own.items()}
        is_l1 = self.criterion == "l1"
        return _distances(ctx._replace(pairs=seen), self.of, lambda gap: jnp.mean(jnp.abs(gap) if is_l1 else gap**2))


def _distances(ctx: Context, of: str, distance: Any) -> Result:
    """The sum of a distance over the pairs called `of`, each a mean over the leaves; each pair's own as metrics, where there
    are several."""
    found = {}
    for part, (want, got) in pairs_called(ctx.pairs, of).items():
        leaves = jax.tree.leaves(jax.tree.map(lambda a, b: distance(a - b), want, got))
        found[part] = leaves[0] if len(leaves) == 1 else jnp.mean(jnp.stack(leaves))
    if not found:
        raise UserError(f"a term compares the pair '{of}', and there are {', '.join(ctx.pairs) or 'none'}")
    several = "" not in found
    return sum(found.values(), start=jnp.zeros(())) if several else found[""], found if several else {}, {}
