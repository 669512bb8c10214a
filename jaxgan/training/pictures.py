"""The picture that a run writes of its samples, whatever its task can show."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from jaxgan.data.source import Images
from jaxgan.generate import Trained, given_inputs, make_generate
from jaxgan.images import grid_picture, sheet_picture, to_uint8
from jaxgan.plan import Plan
from jaxgan.tasks.protocols import Generates, Shows
from jaxgan.training.landscape import draw_points, make_landscape

Sampler = Callable[[Trained], Callable[[], np.ndarray]]


def make_sampler(plan: Plan, images: Images) -> Sampler | None:
    """`nets -> (() -> picture)`: starts the computation at once, and draws the picture, uint8 [H, W, C], when it is called.

    Columns of a task that has `show`; a sheet of what a generator was given, what it made, and the data's image (of a
    translator both ways also the way back; a source that is enlarged has its pixels repeated); else a grid of images, or a
    plot of points. None if a task can do none of these.
    """
    if plan.can(Shows):
        return _shown(plan, images)
    if not plan.can(Generates):
        return None
    return _sheet(plan, images) if plan.given else _grid(plan, images)


def data_picture(images: Images, num: int) -> np.ndarray:
    """The first real images as the networks see them: a wrong crop or colour shows before an hour is lost."""
    real = images.gather(np.arange(min(num, len(images))))["image"]
    return draw_points(real) if real.ndim == 2 else grid_picture(real)


def _shown(plan: Plan, images: Images) -> Sampler:
    examples = {}
    for name in images.features:
        x = images.gather_feature(name, np.arange(plan.run.sample.num))
        is_picture = images.features[name].kind == "picture"
        examples[name] = x.astype(np.float32) / 127.5 - 1 if is_picture else x

    @jax.jit
    def show(nets: Trained, examples: dict[str, Any]):
        return plan.task(frozen=nets.frozen).show(nets.players, examples)

    def sampler(nets: Trained):
        columns = show(nets, examples)
        return lambda: sheet_picture(*map(to_uint8, columns.values()), most=plan.run.sample.num)

    return sampler


def _sheet(plan: Plan, images: Images) -> Sampler:
    numbers = np.arange(plan.run.sample.num)
    given, own = given_inputs(plan, images, numbers), images.gather(numbers % len(images))["image"]
    pictures = [x for name, x in given.items() if images.features[name].kind == "picture"]
    pictures = [x for x in map(partial(_as_large, own.shape), pictures) if x.shape[1:3] == own.shape[1:3]]
    generate = jax.jit(make_generate(plan))
    back = jax.jit(make_generate(plan, "ba")) if "ba" in plan.ways else None

    def sampler(nets: Trained):
        made = generate(nets, numbers, **given)
        home = [back(nets, numbers, source=own)] if back else []
        true = [] if plan.given == ("image",) else [own]
        return lambda: sheet_picture(*pictures, to_uint8(made), *true, *map(to_uint8, home), most=len(numbers))

    return sampler


def _as_large(shape: tuple[int, ...], pictures: np.ndarray) -> np.ndarray:
    """uint8 [N, h, w, C], each pixel repeated until they are of the size of [N, H, W, C'], if that takes a whole factor."""
    factor = shape[1] // pictures.shape[1]
    fits = factor > 1 and shape[1:3] == (factor * pictures.shape[1], factor * pictures.shape[2])
    return pictures.repeat(factor, 1).repeat(factor, 2) if fits else pictures


def _grid(plan: Plan, images: Images) -> Sampler:
    numbers, real = np.arange(plan.run.sample.num), images.reference()
    generate = jax.jit(make_generate(plan))
    landscape = make_landscape(plan, real) if plan.image_shape == (2,) and real is not None else None

    def sampler(nets: Trained):
        made = generate(nets, numbers)
        around = landscape(nets, made) if landscape else None
        return lambda: draw_points(np.asarray(made), real, around) if made.ndim == 2 else grid_picture(to_uint8(made))

    return sampler
