"""Pictures from a trained generator, at latents that are a function of the run's seed and an image's number alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.console import say
from jaxgan.errors import UserError
from jaxgan.generate import given_inputs, make_generate, make_interpolate, make_mix, trained
from jaxgan.images import grid_picture, save_gif, save_npz, save_png, sheet_picture, to_uint8
from jaxgan.parallel import Placement
from jaxgan.plan import Plan
from jaxgan.sections import open_data
from jaxgan.tasks.task import Generates, HasLatent, HasStyles
from jaxgan.training.landscape import draw_points
from jaxgan.verbs.sample_request import SampleRequest
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

CHUNK = 64  # images generated at once
STRIP = 9  # pictures in a row of an interpolation's strip, both ends included


def sample(folder: Path, wanted: SampleRequest) -> Path:
    """Writes what is ordered from a run's newest checkpoint, and returns the path. The same order gives the same bytes.

    Raises UserError where the folder holds no run or no checkpoint, or `out` cannot be written.
    """
    placement = Placement()
    plan, step, state = load_run(folder, placement)
    if jax.process_index() != 0:
        return folder
    points = len(plan.image_shape) == 1
    _check(plan, wanted)
    if points and (wanted.frames or (wanted.out and not wanted.out.suffix)):
        raise UserError("points have no pictures of their own: --out=FILE.png (a scatter plot) or FILE.npz")
    nets = placement.local(trained(plan, state, wanted.ema))
    raw = "" if wanted.ema else "_raw"
    try:
        if wanted.frames:
            path = wanted.out or Workdir(folder).samples / f"interpolation_{step:08d}{raw}.gif"
            _interpolation(plan, nets, wanted, path)
        elif wanted.mix or len(wanted.psi) > 1:
            path = wanted.out or Workdir(folder).samples / f"{'mix' if wanted.mix else 'truncation'}_{step:08d}{raw}.png"
            _table(plan, nets, wanted, path)
        else:
            numbers = np.array(wanted.seeds, np.uint32)
            psi = [np.full(len(numbers), wanted.psi[0], np.float32)] if wanted.psi else []
            data = open_data(plan.config) if points or plan.given else None
            beside = given_inputs(plan, data, numbers) if data else {}
            made = _generate(make_generate(plan), nets, numbers, *psi, points=points, **beside)
            path = wanted.out or Workdir(folder).samples / f"sample_{step:08d}_{len(wanted.seeds)}{raw}.png"
            _write(path, made, wanted, step, data.reference() if data else None, _pictures(plan, beside))
    except OSError as error:
        raise UserError(f"{wanted.out or folder} cannot be written: {error.strerror}") from error
    what = f"interpolation of {wanted.frames} frames a leg" if wanted.frames else f"{len(wanted.seeds)} samples"
    what = f"{what} at {len(wanted.psi)} truncations" if len(wanted.psi) > 1 else what
    what = f"styles of {len(wanted.mix)} in {len(wanted.seeds)}" if wanted.mix else what
    say(f"{what}, step {step}: {path}")
    return path


def _generate(fn: Callable, nets: Any, *arguments: np.ndarray, points: bool = False, **named: np.ndarray) -> np.ndarray:
    """`fn` in chunks of one compiled size: uint8 images, or float points."""
    fn = jax.jit(fn)

    def made(*arguments: np.ndarray, **named: np.ndarray) -> np.ndarray:
        out = np.asarray(fn(nets, *arguments, **named))
        return out if points else to_uint8(out)

    return in_batches(made, CHUNK, *arguments, **named)


def _write(path: Path, made: np.ndarray, wanted: SampleRequest, step: int, real: Any, source: Any) -> None:
    """real: points, behind the made ones. source: pictures, beside their translations. None where there are none."""
    if path.suffix.lower() == ".npz":
        save_npz(path, images=made, seeds=np.array(wanted.seeds), step=np.array(step))
    elif path.suffix:
        if source is not None and source.shape[1:3] == made.shape[1:3]:
            picture = sheet_picture(source, made, most=len(made))
        else:
            picture = draw_points(made, real) if made.ndim == 2 else grid_picture(made, wanted.columns)
        save_png(path, picture)
    else:
        for seed, picture in zip(wanted.seeds, made):
            save_png(path / f"seed{seed:08d}.png", picture)


def _pictures(plan: Plan, given: dict[str, np.ndarray]) -> np.ndarray | None:
    """The first picture that the generator was given, of each example; None where it was given none."""
    return next((x for name, x in given.items() if plan.features[name].kind == "picture"), None)


def _check(plan: Plan, wanted: SampleRequest) -> None:
    """Refuses what the run's task cannot do. Raises UserError."""
    if not plan.can(Generates):
        raise UserError(f"this run's task ({plan.config.task.name}) generates nothing; --mode=evaluate scores it")
    if plan.given and wanted.columns:
        raise UserError("--grid has no effect on translations, which stand beside their sources")
    if wanted.frames and (plan.given or not plan.can(HasLatent)):
        raise UserError("--interpolate goes from latent to latent; this run's generator translates pictures")
    if wanted.styled and not plan.can(HasStyles):
        raise UserError(f"{wanted.styled} is of generators with styles (configs/stylegan_lite.py); this run's has none")
    styles = plan.task().num_styles if wanted.layers else 0
    if wanted.layers and max(wanted.layers) >= styles:
        raise UserError(f"--layers goes to {max(wanted.layers)}, and this generator has layers 0 to {styles - 1}")


def _table(plan: Plan, nets: Any, wanted: SampleRequest, path: Path) -> None:
    """A row for each truncation; or a row for each number and a column for each whose styles it takes."""
    seeds, others = np.array(wanted.seeds, np.uint32), np.array(wanted.mix, np.uint32)
    if not wanted.mix:
        psi = np.repeat(np.array(wanted.psi, np.float32), len(seeds))
        made = _generate(make_generate(plan), nets, np.tile(seeds, len(wanted.psi)), psi)
        save_png(path, grid_picture(made, len(seeds)))
        return
    rows, columns = np.repeat(seeds, len(others)), np.tile(others, len(seeds))
    every = [np.concatenate([seeds, others, rows]), np.concatenate([seeds, others, columns])]
    psi = np.full(len(every[0]), wanted.psi[0] if wanted.psi else 1.0, np.float32)
    made = _generate(make_mix(plan, wanted.layers), nets, *every, psi)
    left, above, inside = np.split(made, [len(seeds), len(seeds) + len(others)])
    inside = inside.reshape(len(seeds), len(others), *inside.shape[1:])
    lines = [np.concatenate([np.full_like(left[:1], 255), above])]
    lines += [np.concatenate([left[i : i + 1], inside[i]]) for i in range(len(seeds))]
    save_png(path, grid_picture(np.concatenate(lines), 1 + len(others)))


def _interpolation(plan: Plan, nets: Any, wanted: SampleRequest, path: Path) -> None:
    """FILE.gif through all seeds and back to the first; FILE_strip.png with a row from each seed to the next."""
    seeds = np.array(wanted.seeds, np.uint32)
    fn = make_interpolate(plan, wanted.space)

    def legs(t: np.ndarray, after: np.ndarray, before: np.ndarray) -> np.ndarray:
        times = np.tile(t.astype(np.float32), len(before))
        psi = [np.full(len(times), wanted.psi[0], np.float32)] if wanted.psi else []
        return _generate(fn, nets, np.repeat(before, len(t)), np.repeat(after, len(t)), times, *psi)

    frames = legs(np.arange(wanted.frames) / wanted.frames, np.roll(seeds, -1), seeds)
    strip = legs(np.linspace(0, 1, STRIP), seeds[1:], seeds[:-1])
    save_gif(path, list(frames))
    save_png(path.with_name(f"{path.stem}_strip.png"), grid_picture(strip, STRIP))
