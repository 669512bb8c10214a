"""How networks are told labels: what lies beside z, planes beside an image, and heads of discriminators.

A label is one of K classes, int32 [N], or a vector of K attributes, 0 or 1, int32 [N, K]. Both become weights [N, K], a one
for each class or attribute that holds. An embedding is a linear layer of these weights without a bias; that of several
attributes is the sum of theirs.
"""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.errors import UserError
from jaxgan.nets import layers

HEADS = ("projection", "concat", "auxiliary", "contrast", "none")
LONGEST = 512  # entries of an embedding that labels are contrasted in (Kang et al. 2021)


def weights(cond: Any, classes: int, dtype: Any) -> jax.Array:
    """Labels [N] or attributes [N, K] as numbers [N, K]."""
    return jax.nn.one_hot(cond, classes, dtype=dtype) if cond.ndim == 1 else cond.astype(dtype)


def beside(module: nn.Module, z: jax.Array, cond: Any, kind: str, classes: int, std: float = 1.0) -> jax.Array:
    """z [N, Z], and what a generator is told of the label at its input, of `kind`.

    "concat": the one-hot label (Mirza and Osindero 2014). "embed": an embedding as long as z, the param "embed" of `module`,
    drawn from N(0, std^2). "norm": nothing here, for the norms are told.
    """
    if not classes or kind == "norm":
        return z
    told = weights(cond, classes, z.dtype)
    if kind == "embed":
        told = told @ module.param("embed", nn.initializers.normal(std), (classes, z.shape[-1]), z.dtype)
    return jnp.concatenate([z, told], -1)


def of_norms(cond: Any, kind: str, classes: int, norm: str, dtype: Any) -> jax.Array | None:
    """What `layers.Norm` is told: the one-hot label where `kind` is "norm", else None. Raises UserError without norms."""
    if not classes or kind != "norm":
        return None
    if norm == "none":
        raise UserError("nets.gen.cond=norm tells labels to the norms, and nets.gen.norm=none; choose nets.gen.cond=concat")
    return weights(cond, classes, layers.wide(dtype))


def planes(image: jax.Array, cond: Any, head: str, classes: int) -> jax.Array:
    """An image [N, H, W, C], or flat values [N, D], with the one-hot label beside each pixel's channels where the head is
    "concat" (as DCGAN's followers have Mirza and Osindero's 2014 discriminator)."""
    if not classes or head != "concat":
        return image
    told = weights(cond, classes, image.dtype)
    told = told.reshape(len(told), *[1] * (image.ndim - 2), classes)
    return jnp.concatenate([image, jnp.broadcast_to(told, (*image.shape[:-1], classes))], -1)


def head(
    kind: str,
    features: jax.Array,
    cond: Any,
    classes: int,
    linear: Callable[..., nn.Module],
    scale: float = 1.0,
) -> layers.Out:
    """The discriminator's `Out` from its last features [N, F], in the scope of the network that calls it.

    linear: (outputs, name=..., use_bias=...) -> a linear layer. scale: multiplies the projection.

    "projection": the logit gains the scalar product of the features with the label's embedding (Miyato and Koyama 2018,
    equation 3). "auxiliary": class logits, aux["classes"] [N, K] (Odena et al. 2017). "contrast": normalised embeddings of
    the image and of its label, aux["embedding"] and aux["proxy"] (Kang et al. 2021). "concat", "none": the logit alone.
    """
    logits, aux = linear(1)(features)[:, 0], None
    if not classes or kind in ("concat", "none"):
        return layers.Out(logits, features)
    told = weights(cond, classes, features.dtype)
    if kind == "projection":
        embedded = linear(features.shape[-1], name="embed", use_bias=False)(told)
        logits += jnp.sum(features * embedded, -1) * scale
    elif kind == "auxiliary":
        aux = {"classes": linear(classes, name="classes")(features)}
    else:
        dims = min(LONGEST, features.shape[-1])
        embedding = linear(dims, name="embedding")(features)
        proxy = linear(dims, name="proxies", use_bias=False)(told)
        aux = {"embedding": _unit(embedding), "proxy": _unit(proxy)}
    return layers.Out(logits, features, aux)


def _unit(x: jax.Array) -> jax.Array:
    """Rows over their lengths."""
    return x * jax.lax.rsqrt(jnp.sum(x**2, -1, keepdims=True) + 1e-12)
