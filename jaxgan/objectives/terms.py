"""Terms: what an objective adds to the adversarial loss. Each is a class whose fields are its section of the config.

A term receives a `Context` and returns `(scalar, metrics, memory)`; the objective multiplies the scalar by `weight`. Slopes
are of the *sum* of an example's logits (over patches, scales, heads) with respect to its image, their norm over all of its
pixels and channels. No term changes running statistics: these belong to the main pass. A network with BatchNorm couples the
examples, and its slopes then include the others' share.

`context.Term` says what a term must have.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import bounded
from jaxgan.objectives.captions import Condition, Damsm, MatchingGp
from jaxgan.objectives.context import Context, Examples, Result, by_example, squared_slopes
from jaxgan.objectives.distances import L1, L2, FeatureDistance
from jaxgan.objectives.labels import AcGan, Contrast, Orthogonal

SLOPES = frozenset({"judged", "judged.answers"})


def _norm(squared: jax.Array) -> jax.Array:
    return jnp.sqrt(squared + 1e-12)  # the root has no derivative at 0, where a dead critic starts


def _uniform(keys: jax.Array, image: jax.Array) -> jax.Array:
    """One number in [0, 1) for each example, [N, 1, ...]: a number a pixel would leave the straight lines."""
    draw = jax.vmap(lambda key: jax.random.uniform(key, dtype=image.dtype))(keys)
    return draw.reshape(-1, *[1] * (image.ndim - 1))


@dataclass(frozen=True)
class WganGp:
    """E (|grad D(x')| - target)^2 at random points x' between a real and a fake example (Gulrajani et al. 2017, eq. 3).

    target: the slope that the critic should have. The papers' lambda is `weight`, 10 for images.
    """

    weight: Scalar = 10.0
    target: Scalar = 1.0
    every: int = bounded(1, least=1)
    side, needs = "critic", SLOPES

    def __call__(self, ctx: Context) -> Result:
        alpha = _uniform(ctx.keys("wgan_gp/alpha"), ctx.judged.real["image"])
        between = ctx.judged.real["image"] * alpha + ctx.judged.fake["image"] * (1 - alpha)
        slopes = _norm(squared_slopes(ctx.judged.answers, {**ctx.judged.real, "image": between}))
        return jnp.mean((slopes - self.target) ** 2), {"slope": jnp.mean(slopes)}, {}


@dataclass(frozen=True)
class Dragan:
    """E (|grad D(x')| - 1)^2 near the data, x' = x + alpha scale std(x) u, with alpha uniform in [0, 1) for each example
    and u for each pixel (Kodali et al. 2017).

    scale: how far from the data, as a share of their standard deviation.

    This is the authors' code; their text has Gaussian noise. std is one number, over all pixels of the global batch.
    """

    weight: Scalar = 10.0
    scale: Scalar = 0.5
    every: int = bounded(1, least=1)
    side, needs = "critic", SLOPES

    def __call__(self, ctx: Context) -> Result:
        image = ctx.judged.real["image"]
        mean = parallel.batch_mean(jnp.mean(image))
        std = jnp.sqrt(parallel.mean(jnp.mean((image - mean) ** 2)))
        draw = jax.vmap(lambda key: jax.random.uniform(key, image.shape[1:], image.dtype))
        noise = self.scale * std * draw(ctx.keys("dragan/noise"))
        near = image + _uniform(ctx.keys("dragan/alpha"), image) * noise
        slopes = _norm(squared_slopes(ctx.judged.answers, {**ctx.judged.real, "image": near}))
        return jnp.mean((slopes - 1) ** 2), {"slope": jnp.mean(slopes)}, {}


@dataclass(frozen=True)
class R1:
    """(1/2) E |grad D(x)|^2 on real examples (Mescheder et al. 2018, eq. 9, whose gamma is `weight`)."""

    weight: Scalar = 1.0
    every: int = bounded(1, least=1)
    side, needs = "critic", SLOPES

    def __call__(self, ctx: Context) -> Result:
        return jnp.mean(squared_slopes(ctx.judged.answers, ctx.judged.real)) / 2, {}, {}


@dataclass(frozen=True)
class R2:
    """(1/2) E |grad D(G(z))|^2 on fake examples (Mescheder et al. 2018, eq. 10)."""

    weight: Scalar = 1.0
    every: int = bounded(1, least=1)
    side, needs = "critic", SLOPES

    def __call__(self, ctx: Context) -> Result:
        return jnp.mean(squared_slopes(ctx.judged.answers, ctx.judged.fake)) / 2, {}, {}


@dataclass(frozen=True)
class LeCam:
    """E (D(x) - a_fake)^2 + E (D(G(z)) - a_real)^2, each a the moving average of the logits of the other kind (Tseng et al.
    2021, "Regularizing Generative Adversarial Networks under Limited Data", equation 5; the authors' code leaves out reals
    below a_fake and fakes above a_real).

    weight: the authors' 0.3 is for logits of the hinge loss (BigGAN); for StyleGAN2's they have 1e-6. decay: the share of
      the global batch's mean in a, at each update.

    Both averages begin as the first means. An example's logit is the mean of its own.
    """

    weight: Scalar = 0.3
    decay: Scalar = 0.01
    every: int = bounded(1, least=1)
    side, needs = "critic", frozenset({"judged"})
    memory = {"lecam/real": 0.0, "lecam/fake": 0.0, "lecam/begun": 0.0}

    def __call__(self, ctx: Context) -> Result:
        logits = {"real": by_example(ctx.judged.real_out.logits), "fake": by_example(ctx.judged.fake_out.logits)}
        begun = ctx.memory["lecam/begun"]
        memory = {"lecam/begun": jnp.ones_like(begun)}
        for kind, each in logits.items():
            before, here = ctx.memory[f"lecam/{kind}"], jax.lax.stop_gradient(parallel.batch_mean(jnp.mean(each)))
            memory[f"lecam/{kind}"] = jnp.where(begun > 0, before + self.decay * (here - before), here)
        real, fake = logits["real"] - memory["lecam/fake"], logits["fake"] - memory["lecam/real"]
        return jnp.mean(real**2) + jnp.mean(fake**2), {}, memory


@dataclass(frozen=True)
class Consensus:
    """(1/2) |v|^2, v both players' gradients of their adversarial losses by their own params, added to both players'
    losses (Mescheder et al. 2017, "The Numerics of GANs", section 4.1, whose gamma is `weight`)."""

    weight: Scalar = 1.0
    every: int = bounded(1, least=1, below=2)
    side, needs = "both", frozenset({"gradients"})

    def __call__(self, ctx: Context) -> Result:
        return jnp.sum(jnp.stack([jnp.sum(x**2) for x in jax.tree.leaves(ctx.gradients())])) / 2, {}, {}


@dataclass(frozen=True)
class PathLength:
    """E (|J^T y| - a)^2, J the derivative of the image by its latent, y normal noise in the image over the root of its
    number of pixels, and a the moving average of |J^T y| (Karras et al. 2020, equation 4 and appendix B): a step in the
    latent should change any image by as much. The norm of latents that are several vectors w is the root of the mean of
    theirs squared.

    decay: of a, an update. shrink: one in so many of the batch is drawn for it.

    a is over the global batch, a constant to the gradient, and begins as the first mean: one that rises from 0 would press
    all lengths down with it.
    """

    weight: Scalar = 2.0
    decay: Scalar = 0.01
    shrink: int = bounded(2, least=1)
    every: int = bounded(4, least=1)
    side, needs = "maker", frozenset({"path"})
    memory = {"path_length": 0.0}

    def __call__(self, ctx: Context) -> Result:
        keys = ctx.keys.grouped(self.shrink)
        latents, paint = ctx.path(keys)

        def seen(latents):
            image = paint(latents)
            draw = jax.vmap(lambda key: jax.random.normal(key, image.shape[1:], image.dtype))
            return jnp.sum(image * draw(keys("path_length/noise"))) / math.sqrt(math.prod(image.shape[1:-1]))

        squares = jnp.sum(jax.grad(seen)(latents) ** 2, -1)
        lengths = _norm(jnp.mean(squares, tuple(range(1, squares.ndim))))
        before = ctx.memory["path_length"]
        here = parallel.batch_mean(jnp.mean(lengths))
        mean = jax.lax.stop_gradient(jnp.where(before > 0, before + self.decay * (here - before), here))
        return jnp.mean((lengths - mean) ** 2), {"mean": mean}, {"path_length": mean}


TERMS = {
    "wgan_gp": WganGp,
    "dragan": Dragan,
    "r1": R1,
    "r2": R2,
    "matching_gp": MatchingGp,
    "damsm": Damsm,
    "condition": Condition,
    "lecam": LeCam,
    "consensus": Consensus,
    "path_length": PathLength,
    "l1": L1,
    "l2": L2,
    "feature_distance": FeatureDistance,
    "acgan": AcGan,
    "contrast": Contrast,
    "orthogonal": Orthogonal,
}

__all__ = ["Context", "Examples", "Result", "TERMS", "by_example", "squared_slopes"]
