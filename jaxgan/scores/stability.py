"""Whether training converges near an equilibrium: eigenvalues of the step itself (Mescheder et al. 2017, 2018)."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxgan import program
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.step import make_train_step


def stability(plan: Any, images: Images, state: Any) -> dict[str, float]:
    """{"spectral_radius", "eigenvalue_real", "eigenvalue_imaginary", "distance"} of a Dirac-GAN.

    The step, with all its updates and rounds, maps params and momentum to new ones; its Jacobian at the equilibrium, where
    all are 0, has the eigenvalues that tell whether nearby params come nearer: all moduli below 1 (Mescheder et al. 2017,
    proposition 3).
    The largest is returned, and how far the params are from the equilibrium, |(theta, psi)|. Derivatives are JAX's, of the
    very losses and terms that the run trains with, on the batch and the draws of its next step.

    Raises UserError for other networks, whose equilibrium is not known, and for optimizers that have no derivative there.
    """
    if {net.name for net in plan.config.nets.values()} != {"dirac"}:
        raise UserError(
            "the metric 'stability' is of networks whose equilibrium is known: "
            + " ".join(f"--config.nets.{net}.name=dirac" for net in plan.config.nets)
        )
    if {optimizer.name for optimizer in plan.config.optim.values()} != {"sgd"}:
        sgd = " ".join(f"--config.optim.{player}.name=sgd" for player in plan.config.optim)
        raise UserError(f"the metric 'stability' differentiates the optimizers at 0: {sgd}")
    start, unravel = ravel_pytree((state.params, state.opt_state))
    step = make_train_step(plan.assemble, plan.updates, plan.run.simultaneous)
    batch = program.make_batch(plan, images)(state.step, images.load(), plan.inputs.order)

    def move(at: jax.Array) -> jax.Array:
        params, opt_state = unravel(at)
        after = step(state.replace(params=params, opt_state=opt_state), batch, plan.inputs)[0]
        return ravel_pytree((after.params, after.opt_state))[0]

    eigenvalues = np.linalg.eigvals(np.asarray(jax.jit(jax.jacfwd(move))(jnp.zeros_like(start)), np.float64))
    largest = max(eigenvalues, key=lambda x: (abs(x), x.imag))
    return {
        "spectral_radius": float(abs(largest)),
        "eigenvalue_real": float(largest.real),
        "eigenvalue_imaginary": float(abs(largest.imag)),
        "distance": float(jnp.linalg.norm(ravel_pytree(state.params)[0])),
    }
