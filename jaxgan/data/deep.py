"""Pictures with all the bits that they have: uint8 or uint16, where `jaxgan.data.picture` brings all to 8.

| stored | becomes |
|---|---|
| up to 8 bits | what `picture.seen` makes of it |
| grey of 9 to 16 bits | uint16, white being 65535 |
| PNG and TIFF: colours of 16 bits, and their alpha | uint16 |
| JPEG 2000, PPM, CMYK: colours of 16 bits | uint8, the high byte |
| several frames or pages | refused; of a camera's MPO the first |

Pillow has no colours of 16 bits. It decodes a file's high bytes alone, and it can be told to take the low ones for them. So
such a file is decoded twice.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxgan.data.picture import PHOTOMETRIC, STORED, WHITE_IS_ZERO, graded, orientation, seen, white_level

MOST = 65535
NATIVE = {"little": "L", "big": "B"}[sys.byteorder]
OTHER = {"B": "L", "L": "B", "N": "L" if NATIVE == "B" else "B"}  # the order of bytes that takes the low for the high one
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # of [H, W, C], by EXIF's orientation
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x),
}


class Deep(NamedTuple):
    """A picture as a person sees it.

    pixels: uint8 or uint16 [H, W, C]; C: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. profile: the ICC profile, which is not
    applied, or b"".
    """

    pixels: np.ndarray
    profile: bytes


def read(open_it: Callable[[], AbstractContextManager[Image.Image]], white: float = 0.0) -> Deep:
    """A picture. open_it: `picture.opened` of it, called once or twice. white: as for `picture.seen`.

    Raises ValueError for several frames and for pixels without a known range, and what Pillow raises on damaged bytes.
    """
    with open_it() as image:
        frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if frames > 1:
            raise ValueError(f"it has {frames} frames or pages, and one is wanted; save that as a file of its own")
        profile, tags, low = image.info.get("icc_profile") or b"", getattr(image, "tag_v2", {}), _low(image)
        scale = white_level(image, tags, white)
        if not scale and not low:
            pixels = np.asarray(seen(image, white))
            return Deep(pixels if pixels.ndim == 3 else pixels[..., None], profile)
        image.load()  # first: TIFF's decoder turns the picture itself, and takes the tag away
        turn, clear = TURNS.get(orientation(image), lambda x: x), image.info.get("transparency")
        found = np.asarray(image)
        if scale:
            inverted = tags.get(PHOTOMETRIC) == WHITE_IS_ZERO
            pixels = graded(found, scale, inverted, MOST)[0].astype(np.uint16)[..., None]
            levels = found[..., None]
    if low:
        levels = pixels = _joined(found, _decoded(open_it, *low), low[0])
    if clear is not None:
        opaque = (levels != np.asarray(clear)).any(-1, keepdims=True)
        pixels = np.concatenate([pixels, np.where(opaque, np.uint16(MOST), np.uint16(0))], -1)
    return Deep(np.ascontiguousarray(turn(pixels)), profile)


def _low(image: Image.Image) -> tuple[str, str] | None:
    """(mode, raw mode) by which Pillow decodes the low bytes of a picture's 16 bits a colour; None for others."""
    raw = image.info.get(STORED, "")
    raw = raw[0] if isinstance(raw, tuple) else raw
    if raw == "LA;16B":
        return "LA", "RGBA"  # all four bytes of a pixel at once
    if raw in ("RGB;16B", "RGB;16L", "RGB;16N", "RGBA;16B", "RGBA;16L", "RGBA;16N"):
        return image.mode, raw[:-1] + OTHER[raw[-1]]
    return None


def _decoded(open_it: Callable[[], AbstractContextManager[Image.Image]], mode: str, raw: str) -> np.ndarray:
    """The pixels of a picture, its bytes taken for those of another raw mode."""
    with open_it() as image:
        hidden: Any = image
        hidden._mode = "RGBA" if mode == "LA" else mode
        hidden.tile = [_retold(tile, raw) for tile in hidden.tile]
        return np.asarray(image)


def _retold(tile: Any, raw: str) -> Any:
    """One of the parts that Pillow decodes, with another raw mode."""
    args = (raw, *tile[3][1:]) if isinstance(tile[3], tuple) else raw
    return tile._replace(args=args) if hasattr(tile, "_replace") else (*tile[:3], args)


def _joined(high: np.ndarray, low: np.ndarray, mode: str) -> np.ndarray:
    """uint16 of the high and the low bytes."""
    if mode == "LA":
        high, low = low[..., ::2], low[..., 1::2]
    return high.astype(np.uint16) << 8 | low
