"""Adversarial losses on logits, as pairs of plain functions.

`LOSSES[name] = (disc(real_logits, fake_logits), gen(real_logits, fake_logits))`, always in that order, each a scalar
mean. Logits are any pytree of scores whose leaves have the examples first; every leaf (a scale, a patch map) is
averaged over its own entries and the leaves then count alike. A loss that is no mean over examples takes its statistics over
the global batch.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.nn import relu, softplus

from jaxgan import parallel
from jaxgan.errors import UserError, lookup

Logits = Any
Loss = Callable[[Logits, Logits], jax.Array]


def _mean(fn: Callable, *logits: Logits) -> jax.Array:
    leaves = jax.tree.leaves(jax.tree.map(lambda *x: jnp.mean(fn(*x)), *logits))
    return jnp.mean(jnp.stack(leaves))


def minimax_disc(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """-E log D(x) - E log(1 - D(G(z))), D the sigmoid of the logit (Goodfellow et al. 2014, eq. 1)."""
    return _mean(lambda r: softplus(-r), real_logits) + _mean(softplus, fake_logits)


def minimax_gen(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """E log(1 - D(G(z))), the saturating generator loss (Goodfellow et al. 2014, eq. 1)."""
    return _mean(lambda f: -softplus(f), fake_logits)


def nonsaturating_gen(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """-E log D(G(z)) (Goodfellow et al. 2014, section 3)."""
    return _mean(lambda f: softplus(-f), fake_logits)


def lsgan_disc(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2 (Mao et al. 2017, eq. 9)."""
    return _mean(lambda r: (r - 1) ** 2 / 2, real_logits) + _mean(lambda f: f**2 / 2, fake_logits)


def lsgan_gen(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """E (D(G(z)) - 1)^2 / 2 (Mao et al. 2017, eq. 9)."""
    return _mean(lambda f: (f - 1) ** 2 / 2, fake_logits)


def hinge_disc(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) (Lim and Ye 2017; Miyato et al. 2018, eq. 16)."""
    return _mean(lambda r: relu(1 - r), real_logits) + _mean(lambda f: relu(1 + f), fake_logits)


def wasserstein_disc(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """E D(G(z)) - E D(x), minus the critic's estimate of the distance (Arjovsky et al. 2017, eq. 2)."""
    return _mean(lambda f: f, fake_logits) - _mean(lambda r: r, real_logits)


def wasserstein_gen(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """-E D(G(z)), the hinge loss' generator as well (Miyato et al. 2018, eq. 17)."""
    return _mean(lambda f: -f, fake_logits)


def relativistic_disc(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """E log(1 + exp(-(D(x) - D(G(z))))), example i of one paired with example i of the other (RpGAN, Jolicoeur-Martineau
    2018; Huang et al. 2024, eq. 2)."""
    return _mean(lambda r, f: softplus(f - r), real_logits, fake_logits)


def relativistic_gen(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """`relativistic_disc` with the roles of real and fake exchanged."""
    return _mean(lambda r, f: softplus(r - f), real_logits, fake_logits)


def relativistic_average_disc(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """(E log(1 + exp(-(D(x) - m_fake))) + E log(1 + exp(D(G(z)) - m_real))) / 2, m the mean logit of the other kind over the
    global batch (RaGAN, Jolicoeur-Martineau 2018, "The relativistic discriminator", equation 15; halved as ESRGAN's code
    has it: Wang et al. 2018, equations 1 and 2). Gradients pass through both means."""

    def halves(r: jax.Array, f: jax.Array) -> jax.Array:
        mean_r, mean_f = parallel.batch_mean((jnp.mean(r), jnp.mean(f)))
        return (jnp.mean(softplus(mean_f - r)) + jnp.mean(softplus(f - mean_r))) / 2

    return _mean(halves, real_logits, fake_logits)


def relativistic_average_gen(real_logits: Logits, fake_logits: Logits) -> jax.Array:
    """`relativistic_average_disc` with the roles of real and fake exchanged."""
    return relativistic_average_disc(fake_logits, real_logits)


LOSSES: dict[str, tuple[Loss | None, Loss | None]] = {
    "minimax": (minimax_disc, minimax_gen),
    "nonsaturating": (minimax_disc, nonsaturating_gen),
    "lsgan": (lsgan_disc, lsgan_gen),
    "hinge": (hinge_disc, wasserstein_gen),
    "wasserstein": (wasserstein_disc, wasserstein_gen),
    "relativistic": (relativistic_disc, relativistic_gen),
    "relativistic_average": (relativistic_average_disc, relativistic_average_gen),
    "bce_critic": (minimax_disc, None),  # makers that match the critic's features by a term, as GANomaly's
    "none": (None, None),  # terms alone
}


# The logit at which a discriminator stands between "real" and "fake"; others know differences of logits alone.
BOUNDARIES: dict[Loss | None, float] = {minimax_disc: 0.0, hinge_disc: 0.0, lsgan_disc: 0.5}


def find(name: str) -> tuple[Loss | None, Loss | None]:
    """The pair that a config names, "package.module:PAIR" for one from elsewhere. Raises UserError."""
    pair = lookup(LOSSES, name, "loss")
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(half is None or callable(half) for half in pair)):
        raise UserError(
            f"loss '{name}' must be a pair of functions (critic's, maker's), each (real_logits, fake_logits) -> scalar; one "
            "that is None adds nothing"
        )
    return pair
