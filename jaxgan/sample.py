"""Pictures from a trained generator, at latents that are a function of the seed and an image's number alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import images, screen, workdir
from jaxgan.build import Blueprint
from jaxgan.errors import UserError
from jaxgan.noise import role_id
from jaxgan.parallel import Placement
from jaxgan.schedules import evaluate
from jaxgan.state import GanState

CHUNK = 64  # images generated at once


def variables(state: GanState, ema: bool) -> dict[str, Any]:
    """Every player's flax variables, the moving averages where `ema` and it has them."""
    return {player: state.variables(player, ema and player in state.ema) for player in state.params}


def make_generate(plan: Blueprint) -> Callable:
    """`(variables, numbers [N]) -> images [N, H, W, C]` in [-1, 1]: number i has the same latent in every picture."""
    task = plan.task(evaluate(plan.hparams, jnp.float32(0)))

    def generate(nets: dict[str, Any], numbers: jax.Array) -> jax.Array:
        key = jax.random.fold_in(jax.random.key(plan.config.seed), role_id("sample"))
        return task.generate(nets, task.draw(jax.vmap(lambda i: jax.random.fold_in(key, i))(numbers)))

    return generate


def sample(folder: Path, num: int, ema: bool = True) -> Path:
    """Writes a grid of `num` images of a run's newest checkpoint into its samples, and returns the path.

    Raises UserError where the folder holds no run or no checkpoint.
    """
    if num < 1:
        raise UserError(f"--num must be at least 1, not {num}")
    placement = Placement()
    plan, step, state = workdir.load(folder, placement)
    nets = placement.local(variables(state, ema))
    generate = jax.jit(make_generate(plan))
    numbers = np.arange(-(-num // CHUNK) * CHUNK)
    made = [np.asarray(generate(nets, numbers[i : i + CHUNK])) for i in range(0, len(numbers), CHUNK)]
    path = folder / "samples" / f"sample_{step:08d}_{num}{'' if ema else '_raw'}.png"
    if jax.process_index() == 0:
        images.save_png(path, images.grid(images.to_uint8(np.concatenate(made)[:num])))
        screen.say(f"{num} samples of step {step}: {path}")
    return path
