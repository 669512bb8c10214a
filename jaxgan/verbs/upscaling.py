"""A folder of pictures in, a folder of larger ones and a page of crops out; it goes on where it stopped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan.console import bar, say
from jaxgan.data import listing
from jaxgan.data.deep import Deep, read
from jaxgan.data.picture import reason, size_of
from jaxgan.errors import Failure, UserError
from jaxgan.files import write_text
from jaxgan.generate import trained
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.png import png
from jaxgan.upscaler import Upscaler, blended, check_upscales, makers
from jaxgan.verbs import outputs
from jaxgan.verbs.given_pictures import listed, png_names, stamp
from jaxgan.verbs.upscaling_page import CROPS, Crops, Page, crop_names, shown_of
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import check_weights, load_run, weights_digest

PAGE = "index.html"
SHOWN = 200  # pictures on the page, at the most
NAMED = 10  # pictures without a result that the last line names


class Asked(NamedTuple):
    """memory: bytes that the process may take, or None for what `Upscaler` says. scale: that the run must have, or None.
    base, strength: the folder of another run, and the share of this one's weights beside its. ema: moving averages of the
    weights."""

    memory: int | None = None
    scale: int | None = None
    base: Path | None = None
    strength: float = 1.0
    ema: bool = True


DEFAULT = Asked()


def upscale(folder: Path, source: Path, out: Path | None, asked: Asked = DEFAULT, overwrite: bool = False) -> Path:
    """Writes every picture of `source`, a folder, an archive or a picture, enlarged, as pictures/NAME.png below `out`, by
    default the run's upscaled/; of the first `SHOWN` also crops; and index.html, whose path is returned.

    Pictures that cannot be read are passed over and told of. In memory there is one picture, and some rows of its result.
    overwrite: take the place of what another command has made there.

    Raises UserError where the run does not enlarge, or not by `asked.scale`; where `asked.base` has other networks; where
    the bound has no room for a picture; and where `out` holds what the same command has not made. Raises Failure where no
    picture can be read.
    """
    items = listed(source, corrupt="skip", alone=True)
    plan, step, players = _loaded(folder, asked.ema)
    scale = plan.task().scale
    if asked.scale not in (None, scale):
        raise UserError(f"this run enlarges by {scale}, and not by {asked.scale}: --scale={scale}, or leave it out")
    request = {"mode": "upscale", "step": step, "checkpoint": weights_digest(folder, step), "ema": asked.ema}
    request |= {"input": str(source.resolve()), "pictures": stamp(items)}
    if asked.base:
        other, base_step, theirs = _loaded(asked.base, asked.ema)
        players = blended((plan, players), (other, theirs), asked.strength, asked.base)
        request |= {"base": weights_digest(asked.base, base_step), "strength": asked.strength}
    if jax.process_index() != 0:
        return folder
    out = out or Workdir(folder).outputs / "upscaled"
    outputs.check_folder(out, [source])
    names = png_names([item.name for item in items], source)
    upscaler = Upscaler(plan, players, asked.memory, whole=True)
    _check_sizes(upscaler, items)
    files = [f"pictures/{name}" for name in names]
    files += [file for name in names[:SHOWN] for k in range(CROPS) for file in crop_names(name, k)]
    try:
        there = outputs.claim_folder(out, request, [*files, PAGE], overwrite)
        white = plan.config.data.get("white", 0.0)
        damaged = _write(upscaler, items, names, there, out, white)
        lost = {name for name, _ in damaged}
        shown = [(item.name, name) for item, name in zip(items, names) if item.name not in lost][:SHOWN]
        total = len(items) - len(damaged)
        page = Page(
            f"Enlarged: {folder.name}, step {step}",
            [
                ("Run", f"{folder}, step {step}, {'moving averages of the ' if asked.ema else ''}weights"),
                *([("Strength", f"{asked.strength:g}; 0 is {asked.base}")] if asked.base else []),
                ("Pictures", str(source)),
                ("Scale", f"{scale} times as many pixels on a side"),
            ],
            [shown_of(out, file, name, scale) for file, name in shown],
            total,
            damaged,
        )
        write_text(out / PAGE, page.html())
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error
    _tell(total, damaged, scale, step, out / PAGE)
    return out / PAGE


def _loaded(folder: Path, ema: bool) -> tuple[Plan, int, dict[str, Any]]:
    """(plan, step, what its makers have learned) of a run. Raises UserError."""
    placement = Placement()
    check_weights(folder, ema)
    plan, step, state = load_run(folder, placement)
    check_upscales(plan)
    return plan, step, makers(plan, placement.local(trained(plan, state, ema)).players)


def _check_sizes(upscaler: Upscaler, items: list[listing.Item]) -> None:
    """Refuses, before anything is written, pictures that the bound has no room for. Raises UserError."""
    for entry in listing.entries(items, [""] * len(items)):
        try:
            with entry.open() as image:
                size = size_of(image)
        except Exception:  # told of when it is its turn
            continue
        upscaler.check(*size)


def _write(
    upscaler: Upscaler, items: list[listing.Item], names: list[str], there: set[str], out: Path, white: float
) -> list[tuple[str, str]]:
    """Writes what is not there yet, each picture after its crops; returns those that cannot be read, with the reason."""
    damaged = []
    with bar(None, "enlarged", len(items), "pictures") as progress:
        for i, entry in enumerate(listing.entries(items, [""] * len(items))):
            if f"pictures/{names[i]}" not in there:
                try:
                    deep = read(entry.open, white)
                except MemoryError:
                    raise
                except Exception as error:  # whatever a decoder raises on damaged bytes
                    damaged.append((entry.name, reason(error)))
                else:
                    _write_one(upscaler, deep, out, names[i], i < SHOWN, progress)
            progress.update(1)
    return damaged


def _write_one(upscaler: Upscaler, deep: Deep, out: Path, name: str, is_shown: bool, progress: Any) -> None:
    pixels, scale = deep.pixels, upscaler.scale
    side = upscaler.side(pixels)
    height, width, channels = pixels.shape
    crops = Crops(pixels, scale) if is_shown else None
    bits = pixels.dtype.itemsize * 8
    path = out / "pictures" / name
    with png(path, height * scale, width * scale, channels, bits, deep.profile) as write:
        for band in _counted(upscaler, pixels, side, progress):
            write(band)
            if crops:
                crops.add(band)
        if crops:
            crops.save(out, name)


def _counted(upscaler: Upscaler, pixels: np.ndarray, side: int, progress: Any) -> Iterator[np.ndarray]:
    """The rows of a result; the bar says how far it is."""
    total, done = upscaler.count(pixels, side), 0
    bands = upscaler.bands(pixels, side)
    for band in bands:
        done += len(band)
        if total > 1:
            share = done / (len(pixels) * upscaler.scale)
            progress.set_postfix_str(f"{share:.0%} of {pixels.shape[1]}x{pixels.shape[0]}, {total} tiles of {side} px")
        yield band
    progress.set_postfix_str("")


def _tell(total: int, damaged: list[tuple[str, str]], scale: int, step: int, path: Path) -> None:
    """The last lines. Raises Failure where no picture could be read."""
    if not total:
        name, why = damaged[0]
        some = f"none of the {len(damaged)} pictures can be read, the first " if len(damaged) > 1 else ""
        raise Failure(f"{some}'{name}': {why}")
    for name, why in damaged[:NAMED]:
        say(f"passed over: '{name}': {why}")
    if len(damaged) > NAMED:
        say(f"passed over: {len(damaged) - NAMED} more; {path} has all")
    say(f"{total} {'pictures' if total > 1 else 'picture'} enlarged by {scale}, step {step}: {path}")
