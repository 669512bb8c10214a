"""The adversarial losses, by their public name. See `jaxgan.objectives.losses`."""

from jaxgan.objectives.losses import (
    BOUNDARIES,
    LOSSES,
    Logits,
    Loss,
    find,
    hinge_disc,
    lsgan_disc,
    lsgan_gen,
    minimax_disc,
    minimax_gen,
    nonsaturating_gen,
    relativistic_disc,
    relativistic_gen,
    wasserstein_disc,
    wasserstein_gen,
)

__all__ = [
    "BOUNDARIES",
    "LOSSES",
    "Logits",
    "Loss",
    "find",
    "hinge_disc",
    "lsgan_disc",
    "lsgan_gen",
    "minimax_disc",
    "minimax_gen",
    "nonsaturating_gen",
    "relativistic_disc",
    "relativistic_gen",
    "wasserstein_disc",
    "wasserstein_gen",
]
