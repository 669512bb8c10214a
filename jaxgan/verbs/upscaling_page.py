"""`index.html` of `--mode=upscale`: of each picture the parts with most detail, beside bicubic enlargement."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxgan.images import save_png
from jaxgan.png import size
from jaxgan.upscaler import REACH, enlarged
from jaxgan.verbs.page_parts import left_out, text, url

CROPS = 2  # of a picture
SIDE = 32  # pixels of a crop, before it is enlarged
WIDE = 256  # pixels of a crop on the page, at least
KINDS = {"bicubic": "enlarged bicubically", "upscaled": "enlarged by the network"}
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:84rem;padding:0 1rem}"
    "main{display:flex;flex-wrap:wrap;gap:1.5rem}figure{margin:0;content-visibility:auto;contain-intrinsic-size:auto 320px}"
    "img{image-rendering:pixelated;margin-right:2px;background:#eee}table{border-collapse:collapse;font-size:13px}"
    "figcaption{font-size:12px;color:#555;overflow-wrap:anywhere}td{overflow-wrap:anywhere}"
    "th{text-align:left;font-weight:600;padding:0 1rem 0 0;vertical-align:top}"
    "@media(max-width:40rem){img{height:auto;width:45%}}"
)


def crop_names(picture: str, k: int) -> list[str]:
    """The files of crop number k of a picture, by `KINDS`."""
    return [f"crops/{picture}.{k + 1}.{kind}.png" for kind in KINDS]


class Crops:
    """The parts of a picture with most detail, from its result as that comes, some rows at a time.

    Args: pixels: the picture, uint8 or uint16 [H, W, C]. scale: of the result.
    """

    def __init__(self, pixels: np.ndarray, scale: int):
        self._scale, self._row = scale, 0
        channels = pixels.shape[2] - (pixels.shape[2] % 2 == 0)  # without alpha
        self._places = detailed(pixels[..., :channels], SIDE, CROPS)
        self._bicubic, self._upscaled = [], []
        for top, left, height, width in self._places:
            near = pixels[max(top - REACH, 0) : top + height + REACH, max(left - REACH, 0) : left + width + REACH, :channels]
            y, x = (at - max(at - REACH, 0) for at in (top, left))
            part = enlarged(near, scale)[y * scale :, x * scale :]
            self._bicubic.append(_eight_bits(part[: height * scale, : width * scale]))
            self._upscaled.append(np.zeros((height * scale, width * scale, channels), np.uint8))

    def add(self, rows: np.ndarray) -> None:
        """The next rows of the result, [h, scale W, C]."""
        for (top, left, _, _), crop in zip(self._places, self._upscaled):
            height, width, channels = crop.shape
            first, last = (np.clip(at - top * self._scale, 0, height) for at in (self._row, self._row + len(rows)))
            if first < last:
                start = top * self._scale + first - self._row
                across = slice(left * self._scale, left * self._scale + width)
                crop[first:last] = _eight_bits(rows[start : start + last - first, across, :channels])
        self._row += len(rows)

    def save(self, out: Path, name: str) -> None:
        """Writes the crops of the picture of this name."""
        for k, both in enumerate(zip(self._bicubic, self._upscaled)):
            for file, crop in zip(crop_names(name, k), both):
                save_png(out / file, crop)


def detailed(pixels: np.ndarray, side: int, count: int) -> list[tuple[int, int, int, int]]:
    """(top, left, height, width) of the squares, out of a grid, in which pixels [H, W, C] have the largest variance; in the
    order of their places. A picture that is smaller than two squares has one."""
    height, width, _ = pixels.shape
    h, w = min(side, height), min(side, width)
    found = []
    for top in range(0, height - h + 1, h):
        row = pixels[top : top + h].astype(np.float32).mean(-1)
        for left in range(0, width - w + 1, w):
            found.append((-float(row[:, left : left + w].var()), top, left, h, w))
    return sorted(place for _, *place in sorted(found)[:count])  # pyright: ignore


class Shown(NamedTuple):
    """A picture on the page.

    file: its name. png: that of the result, below pictures/. sizes: (H, W) of both. crops: of each the files, by `KINDS`,
    and its width in pixels.
    """

    file: str
    png: str
    sizes: tuple[tuple[int, int], tuple[int, int]]
    crops: list[tuple[list[str], int]]


def shown_of(out: Path, file: str, png: str, scale: int) -> Shown:
    """A picture whose result and crops are in a folder. Raises OSError."""
    height, width = size(out / "pictures" / png)
    there = (names for names in (crop_names(png, k) for k in range(CROPS)) if all((out / x).exists() for x in names))
    crops = [(names, size(out / names[0])[1]) for names in there]
    return Shown(file, png, ((height // scale, width // scale), (height, width)), crops)


class Page(NamedTuple):
    """What the page says. asked: lines (what, value). total: pictures that were enlarged. damaged: (file, reason)."""

    title: str
    asked: list[tuple[str, str]]
    shown: list[Shown]
    total: int
    damaged: list[tuple[str, str]]

    def html(self) -> str:
        """The whole document; it loads its crops as they come into sight, and nothing from elsewhere."""
        title, rows = html.escape(self.title), "".join(f"<tr><th>{a}</th><td>{text(b)}</td></tr>" for a, b in self.asked)
        count = f"{self.total:,} pictures"
        if self.total > len(self.shown):
            count = f"The first {len(self.shown):,} of {count}; pictures/ has all"
        about = "Of each, the parts with most detail: " + ", then ".join(KINDS.values())
        figures = "\n".join(self._figures())
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
            f"<style>{STYLE}</style></head><body><h1>{title}</h1><table>{rows}</table>"
            f"<p>{count}. {about}. A pixel here is a square of pixels.</p>"
            f"<main>\n{figures}\n</main>{left_out(self.damaged)}</body></html>\n"
        )

    def _figures(self) -> Iterator[str]:
        for one in self.shown:
            pictures = "<br>".join("".join(map(_crop, files, KINDS.values(), [width] * 2)) for files, width in one.crops)
            (height, width), (large_height, large_width) = one.sizes
            sizes = f"{width}x{height} to {large_width}x{large_height}"
            link = f'<a href="{url("pictures", one.png)}">{text(one.file)}</a>'
            yield f"<figure>{pictures}<figcaption>{link}<br>{sizes}</figcaption></figure>"


def _crop(file: str, alt: str, width: int) -> str:
    """A crop, each of its pixels as large as the others."""
    folder, _, name = file.partition("/")
    wide = width * -(-WIDE // width)
    return f'<img loading="lazy" decoding="async" width="{wide}" alt="{alt}" src="{url(folder, name)}">'


def _eight_bits(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else (pixels // 257).astype(np.uint8)
