"""Which style makes a given picture: search among w for real images (Karras et al. 2020, section 5 and appendix D)."""

import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan.console import say
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.generate import Trained, trained
from jaxgan.images import grid_picture, save_npz, save_png, to_uint8
from jaxgan.keys import stream
from jaxgan.nets import resample
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.tasks.protocols import HasStyles
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

LR = 0.1
RAMP_UP, RAMP_DOWN = 0.05, 0.25  # shares of the steps in which the step size rises and falls
NOISE, QUIET = 0.05, 0.75  # of w, in its standard deviations, at the start; and after which share of the steps there is none
KNOWN = 10_000  # styles of which the mean and the spread are taken
PART = 50  # steps between two lines on the screen


def project(folder: Path, targets: Images, num: int, steps: int, out: Path | None) -> Path:
    """Writes FILE.png, two rows, the first `num` targets and what was found for each, and FILE.npz: "w" [N, w_dim], "images"
    uint8 [N, H, W, C], "rmse" [N] of 8-bit pixels. Returns the PNG's path.

    One w an image, for all layers, without noise; Adam from the mean of w. The loss is the squared error of pixels and of
    the image at every half of its resolution down to 4 pixels, each the mean of 2x2 (the paper has LPIPS).

    Raises UserError where the run has no styles, or the pictures are not of its shape.
    """
    placement = Placement()
    plan, step, state = load_run(folder, placement)
    if not plan.can(HasStyles):
        raise UserError("--mode=project is of generators with styles (configs/stylegan_lite.py); this run's has none")
    if targets.image_shape != plan.image_shape:
        theirs, ours = ("x".join(map(str, shape)) for shape in (targets.image_shape, plan.image_shape))
        raise UserError(f"{targets.name} is {theirs} and the run makes {ours}; bring the pictures to that shape first")
    if jax.process_index() != 0:
        return folder
    pixels = targets.gather(np.arange(min(num, len(targets))))["image"]
    nets = placement.local(trained(plan, state, ema=True))
    w = _search(plan, nets, jnp.asarray(pixels, jnp.float32) / 127.5 - 1, steps)
    found = to_uint8(np.asarray(jax.jit(lambda w: _paint(plan, nets, w))(w)))
    rmse = np.sqrt(np.mean((found.astype(np.float64) - pixels) ** 2, (1, 2, 3)))
    path = out or Workdir(folder).samples / f"projection_{step:08d}.png"
    save_png(path, grid_picture(np.concatenate([pixels, found]), len(pixels)))
    save_npz(path.with_suffix(".npz"), w=np.asarray(w), images=found, rmse=rmse)
    say(f"{len(pixels)} pictures, root mean square error {rmse.mean():.1f} of 255 (step {step}): {path}")
    return path


def _paint(plan: Plan, nets: Trained, w: jax.Array) -> jax.Array:
    task = plan.task(frozen=nets.frozen)
    return task.paint(nets.players, jnp.broadcast_to(w[:, None], (len(w), task.num_styles, w.shape[-1])))


def _error(image: jax.Array, target: jax.Array) -> jax.Array:
    """The squared errors of both at every resolution, [N]."""
    total = jnp.mean((image - target) ** 2, (1, 2, 3))
    while min(image.shape[1:3]) >= 8 and not (image.shape[1] % 2 or image.shape[2] % 2):
        image, target = (resample.down(x, resample.FILTERS["box"]) for x in (image, target))
        total += jnp.mean((image - target) ** 2, (1, 2, 3))
    return total


def _search(plan: Plan, nets: Trained, target: jax.Array, steps: int) -> jax.Array:
    """The w [N, w_dim] whose pictures are nearest to targets [N, H, W, C] in [-1, 1]."""
    keys = jax.random.split(jax.random.key(0), KNOWN)
    task = plan.task(frozen=nets.frozen)
    known = jax.jit(lambda keys: task.styles(nets.players, task.draw(keys))["w"][:, 0])(keys)
    mean, std = jnp.mean(known, 0), jnp.sqrt(jnp.mean(jnp.sum((known - jnp.mean(known, 0)) ** 2, 1)))

    def size(i: jax.Array) -> jax.Array:
        t = i / steps
        down = 0.5 - 0.5 * jnp.cos(math.pi * jnp.minimum(1.0, (1 - t) / RAMP_DOWN))
        return LR * down * jnp.minimum(1.0, (t + 1 / steps) / RAMP_UP)

    tx = optax.adam(size)  # pyright: ignore[reportArgumentType]
    roots = jax.vmap(lambda i: jax.random.fold_in(jax.random.key(1), i))(jnp.arange(len(target)))

    def one(carry, i):
        w, opt_state = carry
        strength = NOISE * std * jnp.maximum(0.0, 1 - i / steps / QUIET) ** 2
        draw = jax.vmap(lambda key: jax.random.normal(jax.random.fold_in(key, i), mean.shape))(stream(roots, "noise"))
        errors, grads = jax.value_and_grad(lambda w: jnp.sum(_error(_paint(plan, nets, w + strength * draw), target)))(w)
        updates, opt_state = tx.update(grads, opt_state, w)
        return (optax.apply_updates(w, updates), opt_state), errors / len(target)

    part = jax.jit(lambda carry, at: jax.lax.scan(one, carry, at))
    carry: Any = (jnp.tile(mean, (len(target), 1)), None)
    carry = (carry[0], tx.init(carry[0]))
    for start in range(0, steps, PART):
        carry, errors = part(carry, jnp.arange(start, min(start + PART, steps)))
        say(f"step {min(start + PART, steps)}/{steps}  error {float(errors[-1]):.4f}")
    return carry[0]
