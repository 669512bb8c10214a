"""Pictures from a trained generator, at latents that are a function of the run's seed and an image's number alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxgan.asked_labels import attributes_of, check_labels
from jaxgan.batches import each_batch, in_batches
from jaxgan.console import say
from jaxgan.errors import UserError
from jaxgan.generate import (
    CHUNK,
    given_inputs,
    make_interpolate,
    make_labels,
    make_mix,
    make_pictures,
    takes_labels,
    trained,
    truncated,
)
from jaxgan.images import grid_picture, save_gif, save_png, sheet_picture, to_uint8
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.prompts import prompt_tokens
from jaxgan.standing import Standing
from jaxgan.tasks.protocols import Attends, Generates, HasLatent, HasStyles
from jaxgan.training.landscape import draw_points
from jaxgan.verbs.attended import attended
from jaxgan.verbs.sample_files import Samples, spelled, write_arrays, write_pictures
from jaxgan.verbs.sample_request import APART, SampleRequest, strip_of
from jaxgan.workdir.data import open_data
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import check_weights, load_run, weights_digest

STRIP = 9  # pictures in a row of an interpolation's strip, both ends included
SHEET = 2**30 // 12  # pixels of one picture, which is made in memory; Pillow warns of larger ones
ANIMATION = 2**30  # pixels of all frames, of which Pillow keeps a byte each


def sample(folder: Path, wanted: SampleRequest) -> Path:
    """Writes what is asked for from a run's newest checkpoint, and returns the path. The same request gives the same bytes.

    A folder of pictures, or an npz file, takes any number of images, and goes on where the same request was stopped.

    Raises UserError where the folder holds no run or no checkpoint, or `out` cannot be written.
    """
    placement = Placement()
    check_weights(folder, wanted.ema)
    plan, step, state = load_run(folder, placement)
    if jax.process_index() != 0:
        return folder
    _check(plan, wanted)
    if wanted.truncation:
        plan = truncated(plan, wanted.truncation[0])
    state = placement.local(state)
    if wanted.standing:
        state = Standing(plan, wanted.standing, CHUNK, wanted.ema)(state)
    nets = trained(plan, state, wanted.ema)
    raw, rows = "" if wanted.ema else "_raw", wanted.rows.removesuffix("_psi")
    try:
        if wanted.frames:
            path = wanted.out or Workdir(folder).samples / f"interpolation_{step:08d}{raw}.gif"
            _interpolation(plan, nets, wanted, path)
        elif wanted.mix:
            path = wanted.out or Workdir(folder).samples / f"mix_{step:08d}{raw}.png"
            _mixed(plan, nets, wanted, path)
        elif wanted.attention:
            path = wanted.out or Workdir(folder).samples / f"attention_{step:08d}{raw}.png"
            save_png(path, attended(plan, nets, wanted.prompts, np.array(wanted.seeds, np.uint32)))
        else:
            name = f"{rows}_{step:08d}" if rows else f"sample_{step:08d}_{len(wanted.seeds)}"
            path = wanted.out or Workdir(folder).samples / f"{name}{raw}.png"
            _each(plan, nets, wanted, path, step, weights_digest(folder, step))
    except OSError as error:
        raise UserError(f"{wanted.out or folder} cannot be written: {error.strerror}") from error
    what = f"interpolation of {wanted.frames} frames a leg" if wanted.frames else f"{len(wanted.seeds)} samples"
    what = f"{what} of each of {wanted.axes[rows]} {rows}" if rows in APART else what
    what = f"{what} at {len(wanted.psi or wanted.truncation)} truncations" if rows == "truncation" else what
    what = f"styles of {len(wanted.mix)} in {len(wanted.seeds)}" if wanted.mix else what
    say(f"{what}, step {step}: {path}")
    return path


def _each(plan: Plan, nets: Any, wanted: SampleRequest, path: Path, step: int, checkpoint: str | None) -> None:
    """An image of each number, perhaps in a row for each of several values: a grid, arrays, or a file each."""
    points = len(plan.image_shape) == 1
    starts = bool(plan.given) and not wanted.prompts  # from the data's examples
    data = open_data(plan.config) if points or starts else None
    make, samples = make_pictures(plan, nets, data if starts else None), _samples(plan, wanted)
    if path.suffix.lower() == ".png":
        made = np.concatenate([*each_batch(make, CHUNK, samples.numbers, **samples.asked)])
        source = _sources(plan, given_inputs(plan, data, samples.numbers)) if data else None
        if source is not None and source.shape[1:3] == made.shape[1:3]:
            picture = sheet_picture(source, made, most=len(made))
        else:
            real = data.reference() if data else None
            columns = len(wanted.seeds) if wanted.rows else wanted.columns
            picture = draw_points(made, real) if points else grid_picture(made, columns)
        save_png(path, picture)
        return
    request = {"mode": "sample", "step": step, "checkpoint": checkpoint, "ema": wanted.ema, "psi": [*wanted.psi]}
    request |= {"label": wanted.labels[0]} if len(wanted.labels) == 1 else {}
    request |= {"labels": spelled(wanted.labels)} if len(wanted.labels) > 1 else {}
    request |= {"attributes": [*wanted.attributes]} if wanted.attributes else {}
    request |= {"truncation": str(wanted.truncation[0])} if wanted.truncation else {}
    request |= {"standing": wanted.standing} if wanted.standing else {}
    request |= {"prompts": [*wanted.prompts]} if wanted.prompts else {}
    request |= {"data": data.digest} if starts and data else {}
    write = write_arrays if path.suffix else write_pictures
    write(path, make, samples, request | {"seeds": spelled(wanted.seeds)}, CHUNK, wanted.overwrite)


def _samples(plan: Plan, wanted: SampleRequest) -> Samples:
    """What is asked for, one after the other: all numbers with the first value of what `wanted.rows` names, then with the
    second, and so on."""
    t = tuple(one.t for one in wanted.truncation)
    values = {"label": np.array(wanted.labels, np.int32), "psi": np.array(wanted.psi, np.float32)}
    values["t"] = np.array(t, np.float32)
    values |= {"tokens": prompt_tokens(plan, wanted.prompts)} if wanted.prompts else {}
    values |= {"label": attributes_of(plan, wanted.attributes)} if wanted.attributes else {}
    numbers = np.tile(np.array(wanted.seeds, np.uint32), max(1, *map(len, values.values())))
    asked = {name: np.repeat(x, len(numbers) // len(x), 0) for name, x in values.items() if len(x)}
    labels = asked.get("label")
    if labels is None and takes_labels(plan):
        labels = in_batches(make_labels(plan), CHUNK, numbers).astype(np.int32)
    each = len(wanted.seeds)
    prompts = np.repeat(np.array(wanted.prompts), len(numbers) // len(wanted.prompts)) if wanted.prompts else None
    apart = {
        "labels": [f"label{label:03d}_" for label in wanted.labels for _ in range(each)],
        "attributes": [f"attributes{i:03d}_" for i in range(len(wanted.attributes)) for _ in range(each)],
        "prompts": [f"prompt{i:03d}_" for i in range(len(wanted.prompts)) for _ in range(each)],
    }
    return Samples(numbers, asked, labels, prompts, tuple(apart.get(wanted.rows, ())))


def _generate(fn: Callable, nets: Any, *arguments: np.ndarray) -> Iterator[np.ndarray]:
    """`fn` in batches of one compiled size, uint8 images."""
    fn = jax.jit(fn)
    return each_batch(lambda *some: to_uint8(np.asarray(fn(nets, *some))), CHUNK, *arguments)


def _sources(plan: Plan, given: dict[str, np.ndarray]) -> np.ndarray | None:
    """The first picture that the generator was given, of each example; None where it was given none."""
    return next((x for name, x in given.items() if plan.features[name].kind == "picture"), None)


def _starts_from_pictures(plan: Plan) -> bool:
    return any(plan.features[name].kind == "picture" for name in plan.given)


def _check(plan: Plan, wanted: SampleRequest) -> None:
    """Refuses what the run's task cannot do. Raises UserError."""
    if not plan.can(Generates):
        raise UserError(f"this run's task ({plan.config.task.name}) generates nothing; --mode=evaluate scores it")
    pictures = _starts_from_pictures(plan)
    if pictures and wanted.columns:
        raise UserError("--grid has no effect on translations, which stand beside their sources")
    if wanted.frames and (plan.given or not plan.can(HasLatent)):
        what = "translates pictures" if pictures else f"starts from {', '.join(plan.given) or 'no latent'}, too"
        raise UserError(f"--interpolate goes from latent to latent; this run's generator {what}")
    if wanted.styled and not plan.can(HasStyles):
        raise UserError(f"{wanted.styled} is of generators with styles (configs/stylegan_lite.py); this run's has none")
    if wanted.attention and not plan.can(Attends):
        raise UserError("--attention is of runs that draw captions (configs/attngan.py)")
    if wanted.labels:
        check_labels(plan, wanted.labels)
    if wanted.attributes:
        attributes_of(plan, wanted.attributes)
    if len(plan.image_shape) == 1 and (wanted.frames or (wanted.out and not wanted.out.suffix)):
        raise UserError("points have no pictures of their own: --out=FILE.png (a scatter plot) or FILE.npz")
    if len(plan.image_shape) == 1 and wanted.is_table:
        raise UserError(f"points make no table: give one value of --{wanted.rows}")
    styles = plan.task().num_styles if wanted.layers else 0
    if wanted.layers and max(wanted.layers) >= styles:
        raise UserError(f"--layers goes to {max(wanted.layers)}, and this generator has layers 0 to {styles - 1}")
    if len(plan.image_shape) == 3 and (not wanted.out or wanted.out.suffix.lower() in (".png", ".gif")):
        _check_size(plan, wanted)


def _check_size(plan: Plan, wanted: SampleRequest) -> None:
    """Refuses one picture of more pixels than a viewer opens. Raises UserError."""
    height, width = plan.image_shape[:2]
    sheet = len(wanted.seeds) * (2 if _starts_from_pictures(plan) else max(1, *wanted.axes.values()))
    sheet = (len(wanted.seeds) + 1) * (len(wanted.mix) + 1) if wanted.mix else sheet
    sheet = (len(wanted.seeds) - 1) * STRIP if wanted.frames else sheet
    others = "ask for fewer" if wanted.frames or wanted.is_table else "--out=FOLDER or FILE.npz takes any"
    for kind, count, most in (("sheet", sheet, SHEET), ("animation", len(wanted.seeds) * wanted.frames, ANIMATION)):
        if count * height * width > most:
            raise UserError(
                f"a {kind} of {count:,} images of {height}x{width} has {count * height * width / 1e6:,.0f} million pixels, "
                f"and {most / 1e6:,.0f} is the most; {others}"
            )


def _mixed(plan: Plan, nets: Any, wanted: SampleRequest, path: Path) -> None:
    """A row for each number and a column for each whose styles it takes."""
    seeds, others = np.array(wanted.seeds, np.uint32), np.array(wanted.mix, np.uint32)
    rows, columns = np.repeat(seeds, len(others)), np.tile(others, len(seeds))
    every = [np.concatenate([seeds, others, rows]), np.concatenate([seeds, others, columns])]
    psi = np.full(len(every[0]), wanted.psi[0] if wanted.psi else 1.0, np.float32)
    made = np.concatenate([*_generate(make_mix(plan, wanted.layers), nets, *every, psi)])
    left, above, inside = np.split(made, [len(seeds), len(seeds) + len(others)])
    inside = inside.reshape(len(seeds), len(others), *inside.shape[1:])
    lines = [np.concatenate([np.full_like(left[:1], 255), above])]
    lines += [np.concatenate([left[i : i + 1], inside[i]]) for i in range(len(seeds))]
    save_png(path, grid_picture(np.concatenate(lines), 1 + len(others)))


def _interpolation(plan: Plan, nets: Any, wanted: SampleRequest, path: Path) -> None:
    """FILE.gif through all seeds and back to the first; FILE_strip.png with a row from each seed to the next."""
    seeds = np.array(wanted.seeds, np.uint32)
    fn = make_interpolate(plan, wanted.space)

    def legs(t: np.ndarray, after: np.ndarray, before: np.ndarray) -> Iterator[np.ndarray]:
        times = np.tile(t.astype(np.float32), len(before))
        psi = [np.full(len(times), wanted.psi[0], np.float32)] if wanted.psi else []
        return _generate(fn, nets, np.repeat(before, len(t)), np.repeat(after, len(t)), times, *psi)

    frames = legs(np.arange(wanted.frames) / wanted.frames, np.roll(seeds, -1), seeds)
    strip = legs(np.linspace(0, 1, STRIP), seeds[1:], seeds[:-1])
    save_gif(path, (frame for some in frames for frame in some))
    save_png(strip_of(path), grid_picture(np.concatenate([*strip]), STRIP))
