"""Terms by which a discriminator and a generator learn labels."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import bounded
from jaxgan.objectives.context import Context, Result

NEEDS = frozenset({"judged", "judged.aux"})


@dataclass(frozen=True)
class AcGan:
    """Cross-entropy of the discriminator's class logits, on both players (Odena et al. 2017, equation 3).

    fakes: whether the discriminator's classifier learns from generated images too, as in the paper. Without them it learns
      from real images alone (StudioGAN's "ACGAN-Mod"). The generator is told by it either way.

    Of attribute vectors: the mean of the attributes' binary cross-entropies. Its metric "accuracy" is the share of the fakes
    (of the discriminator: of the reals) whose likeliest class is their label, or of the attributes that are right.
    """

    weight: Scalar = 1.0
    fakes: bool = True
    every: int = bounded(1, least=1, below=2)
    side, needs, aux = "both", NEEDS, "classes"

    def __call__(self, ctx: Context) -> Result:
        real, fake = ctx.judged.real, ctx.judged.fake
        of_real, of_fake = (out.aux["classes"] for out in (ctx.judged.real_out, ctx.judged.fake_out))
        if ctx.side == "maker":
            return _entropy(of_fake, fake["label"]), {"accuracy": _right(of_fake, fake["label"])}, {}
        value = _entropy(of_real, real["label"])
        value = value + _entropy(of_fake, fake["label"]) if self.fakes else value
        return value, {"accuracy": _right(of_real, real["label"])}, {}


@dataclass(frozen=True)
class Contrast:
    """The data-to-data cross-entropy of ReACGAN (Kang et al. 2021, "Rebooting ACGAN", equations 7 and 8), of real images on
    the discriminator and of generated ones on the generator.

    With e the embedding of an image and v that of its label, both of length 1, and over all j of another label (a class, or
    a vector of attributes) in the global batch: a_i = max(0, (m - <e_i, v_i>) / t), s_ij = max(0, (<e_i, e_j> + m - 1) / t),
    and the loss is a_i + log(exp(-a_i) + sum_j exp(s_ij)).

    margin: m. temperature: t. The defaults are the authors' for CIFAR-10. Its metric "nearest" is the mean of <e_i, v_i>.
    """

    weight: Scalar = 0.5
    margin: Scalar = 0.98
    temperature: Scalar = 0.5
    every: int = bounded(1, least=1, below=2)
    side, needs, aux = "both", NEEDS, "embedding"

    def __call__(self, ctx: Context) -> Result:
        out, shown = (
            (ctx.judged.real_out, ctx.judged.real) if ctx.side == "critic" else (ctx.judged.fake_out, ctx.judged.fake)
        )
        own, proxy, label = out.aux["embedding"], out.aux["proxy"], shown["label"]
        others, theirs = parallel.gather(own), parallel.gather(label)
        to_proxy = jnp.sum(own * proxy, -1)
        pull = jax.nn.relu((self.margin - to_proxy) / self.temperature)
        push = jax.nn.relu((own @ others.T + self.margin - 1) / self.temperature)
        other = (label[:, None] != theirs[None]).reshape(*push.shape, -1).any(-1)
        push = jnp.where(other, push, -jnp.inf)
        total = jnp.logaddexp(-pull, jax.nn.logsumexp(push, 1))
        return jnp.mean(pull + total), {"nearest": jnp.mean(to_proxy)}, {}


@dataclass(frozen=True)
class Orthogonal:
    """|W^T W (1 - I)|^2 summed over the generator's kernels W as matrices [all else, outputs], the diagonal left out (Brock
    et al. 2019, equation 3, where W is transposed; 1e-4 is `weight`). Vectors, and tables called "embed", are left alone."""

    weight: Scalar = 1e-4
    every: int = bounded(1, least=1)
    side, needs = "maker", frozenset()

    def __call__(self, ctx: Context) -> Result:
        total = jnp.zeros(())
        for path, x in jax.tree_util.tree_leaves_with_path(ctx.params):
            if x.ndim < 2 or "embed" in jax.tree_util.keystr(path, simple=True, separator="/").split("/"):
                continue
            matrix = x.reshape(-1, x.shape[-1])
            gram = matrix.T @ matrix
            total += jnp.sum(gram**2) - jnp.sum(jnp.diagonal(gram) ** 2)
        return total, {}, {}


def _entropy(logits: jax.Array, label: Any) -> jax.Array:
    if label.ndim == 1:
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, label))
    return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, label.astype(logits.dtype)))


def _right(logits: jax.Array, label: Any) -> jax.Array:
    right = jnp.argmax(logits, -1) == label if label.ndim == 1 else (logits > 0) == (label > 0)
    return jnp.mean(right.astype(logits.dtype))
