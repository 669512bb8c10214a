"""A folder of pictures in, a folder of their translations out, of any size, and a page that shows both side by side."""

import base64
import html
import io
import math
import warnings
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from PIL import Image

from jaxgan.console import bar, say
from jaxgan.data import listing
from jaxgan.data.picture import reason
from jaxgan.data.resize import Fit
from jaxgan.errors import UserError
from jaxgan.files import write_text
from jaxgan.generate import make_generate, trained
from jaxgan.images import as_picture, save_png, to_uint8
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.tasks.protocols import Upscales
from jaxgan.verbs import outputs
from jaxgan.verbs.given_pictures import listed, png_names
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import check_weights, load_run, weights_digest

SHOWN = 200  # pairs on the page at the most
SIDE = 256  # pixels of a picture there, at the most
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}"
    "main{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}img{height:128px;image-rendering:auto}"
    "figcaption{font-size:12px;color:#555;overflow-wrap:anywhere;max-width:272px}"
)


def translate(
    folder: Path, source: Path, out: Path | None, way: str = "ab", ema: bool = True, overwrite: bool = False
) -> Path:
    """Writes the translation of every picture below `source`, a folder or an archive, as NAME.png below `out` (the run's
    translated/WAY by default), and index.html. Returns its path.

    A picture keeps its size. For a network that knows one size alone (a U-Net down to one pixel) it is brought to that and
    back; else it is mirrored beyond its right and lower edges up to what the network needs, which is cut off again. way:
    "ab", as the run's data have source and image, or "ba". overwrite: take the place of what another command has made there.

    Raises UserError where the run does not translate (that way), where `out` holds what the same command has not made, and
    naming the first picture that cannot be read, before any is written.
    """
    placement = Placement()
    check_weights(folder, ema)
    plan, step, state = load_run(folder, placement)
    if not plan.ways:
        raise UserError("--mode=translate is of runs that translate pictures (configs/pix2pix.py); this one makes its own")
    if plan.can(Upscales):
        raise UserError("--mode=translate keeps a picture's size, and this run enlarges pictures; --mode=upscale does")
    if way not in plan.ways:
        raise UserError("this run translates one way alone; leave --direction=ba out, or train configs/cyclegan.py")
    if jax.process_index() != 0:
        return folder
    out = out or Workdir(folder).outputs / "translated" / way
    outputs.check_folder(out, [source])
    shape = plan.source_shape if way == "ab" else plan.image_shape
    data, items = plan.config.data, listed(source)
    fit = Fit(channels=shape[2], background=tuple(data.get("background", (255,))), white=data.get("white", 0.0))
    names = png_names([item.name for item in items], source)
    for _ in bar(_decoded(items, source, fit), "checked", len(names), "pictures"):
        pass  # read twice, so that none is kept and nothing is written where one cannot be read
    nets = placement.local(trained(plan, state, ema))
    generate = jax.jit(make_generate(plan, way))
    shown, one_size = [], getattr(plan.task().gen, "one_size", False)
    try:
        request = {"mode": "translate", "step": step, "checkpoint": weights_digest(folder, step)}
        request |= {"input": str(source.resolve()), "direction": way, "ema": ema}
        outputs.claim_folder(out, request, [*names, "index.html"], overwrite)
        pixels = _decoded(items, source, fit)
        for i, (name, picture) in enumerate(bar(zip(names, pixels), "translated", len(names), "pictures")):
            given = _resized(picture, shape) if one_size else _padded(picture, plan, shape)
            whole = to_uint8(np.asarray(generate(nets, np.array([i], np.uint32), source=given[None])))[0]
            made = _resized(whole, picture.shape) if one_size else whole[: picture.shape[0], : picture.shape[1]]
            save_png(out / name, made)
            if i < SHOWN:
                shown.append((name, _small(picture), _small(made)))
        page = out / "index.html"
        write_text(page, _page(f"{folder.name}, step {step}, {way}", shown, len(names)))
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error
    say(f"{len(names)} pictures translated, step {step}: {page}")
    return page


def _decoded(items: list[listing.Item], source: Path, fit: Fit) -> Iterator[np.ndarray]:
    """uint8 pictures [H, W, C] of any sizes, one at a time. Raises UserError naming one that cannot be read."""
    for entry in listing.entries(items, [""] * len(items)):
        try:
            with warnings.catch_warnings(), entry.open() as opened:
                warnings.simplefilter("ignore")  # Pillow's, about odd metadata
                pixels = fit(opened)
        except MemoryError:
            raise
        except Exception as error:  # whatever a decoder raises on damaged bytes
            why = reason(error)
            why = f"is {why}" if why.startswith("no picture") else f"cannot be read: {why}"
            raise UserError(f"'{entry.name}' in '{source}' {why}") from error
        yield pixels


def _padded(picture: np.ndarray, plan: Plan, shape: tuple[int, ...]) -> np.ndarray:
    """The picture mirrored to sides that the network takes. shape: of the run's own pictures."""
    multiple, own = getattr(plan.task().gen, "multiple", 1), shape[:2]
    sides = [math.ceil(max(n, min(16, least)) / multiple) * multiple for n, least in zip(picture.shape, own)]
    down, right = (side - n for side, n in zip(sides, picture.shape))
    return np.pad(picture, ((0, down), (0, right), (0, 0)), mode="reflect" if min(picture.shape[:2]) > 1 else "edge")


def _resized(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels [H, W, C] as many as `shape` has, whatever their sides."""
    picture = as_picture(pixels).resize((shape[1], shape[0]), Image.Resampling.LANCZOS)
    return np.asarray(picture).reshape(*shape[:2], pixels.shape[2])


def _page(title: str, shown: list[tuple[str, str, str]], total: int) -> str:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    count = f"{total} pictures" if total == len(shown) else f"the first {len(shown)} of {total} pictures"
    figures = "\n".join(_figures(shown))
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>{html.escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><h1>{html.escape(title)}</h1><p>{count}: what went in, what came out.</p>"
        f"<main>\n{figures}\n</main></body></html>\n"
    )


def _figures(shown: list[tuple[str, str, str]]) -> Iterator[str]:
    for name, *both in shown:
        alts = ("source", "translation")
        pair = "".join(f'<img alt="{alt}" src="data:image/png;base64,{x}">' for alt, x in zip(alts, both))
        yield f"<figure>{pair}<figcaption>{html.escape(name)}</figcaption></figure>"


def _small(pixels: np.ndarray) -> str:
    """A picture as the page has it, PNG in base64."""
    picture, file = as_picture(pixels), io.BytesIO()
    picture.thumbnail((SIDE, SIDE))
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
