"""Opening pictures: the one place where the bytes of a file become what a person sees, with 8 bits a channel.

| stored | becomes |
|---|---|
| orientation: EXIF, XMP, TIFF's tag, AVIF's | applied, once |
| palettes; grey of 1, 2 and 4 bits | their colours; grey from 0 to 255 |
| transparency: alpha, a palette's, the one clear colour of a PNG or GIF | alpha |
| 16 bits: grey | levels / 257, rounded, whatever levels occur; 255 stands for 65535, or for `white` |
| 16 bits: colour | the high byte, as Pillow decodes it |
| 12 bits in a TIFF | 255 stands for 4095 |
| floats, 32-bit and signed integers | refused, unless `white` says which level is white |
| CMYK, YCbCr, LAB | sRGB as Pillow converts it; colour profiles are not applied |
| several frames or pages | the first |

Formats are told by content, never by the ending, and there are no others than `FORMATS`: some of Pillow's start programs.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF")
PIXELS = 2**27  # of all pictures that are open at a time, over all threads; a larger one is open alone
STORED = "stored"  # among what `opened` notes: how the pixels are in the file, which decoding forgets
HEAD = 16  # bytes that tell the format
DIM = 4095  # 16-bit levels up to here may be those of 12 bits
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
SPREAD = {"1": 255, "L;2": 85, "L;4": 17}  # PNG's grey of few bits: what its level 1 becomes
ALPHA = ("LA", "RGBA", "PA", "La", "RGBa")

ORIENTATION = 0x0112  # the EXIF tag: how the camera was held
# By hand: Pillow's exif_transpose also rewrites all other tags, and fails where one of them is damaged.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
WIDTH, HEIGHT, BITS, PHOTOMETRIC, SAMPLE_FORMAT = 256, 257, 258, 262, 339  # TIFF's tags
WHITE_IS_ZERO, SIGNED = 0, 2


@contextmanager
def opened(file: Path | BinaryIO) -> Iterator[Image.Image]:
    """A picture of which the header alone is read, until its pixels are asked for.

    It counts among `PIXELS` until it is closed: open none inside another. Raises ValueError for more than Pillow's bound of
    pixels, `Image.UnidentifiedImageError` for what is no picture, and what else Pillow raises on damaged bytes.
    """
    # Never by its name: Pillow maps such a file into memory, and a TIFF of another orientation with the wrong sides.
    with file.open("rb") if isinstance(file, Path) else file as content:
        try:
            image = Image.open(content, formats=_formats())
        except Image.DecompressionBombError as error:
            limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            raise ValueError(f"more than {limit:,} pixels, perhaps a decompression bomb") from error
        with image, _in_flight.of(image.width * image.height):
            tile: Any = getattr(image, "tile", None)
            image.info[STORED] = tile[0][3] if tile else ""
            yield image


def may_be_one(head: bytes) -> bool:
    """Whether a file that begins with these `HEAD` bytes can be a picture."""
    accepts = [Image.OPEN[name][1] for name in _formats()]
    return any(accept is None or accept(head) is True for accept in accepts)


def seen(image: Image.Image, white: float = 0) -> Image.Image:
    """A picture as a person sees it, of mode L, LA, RGB or RGBA. image: one that was opened; it may be what comes out.

    white: the level that is white in pictures of more than 8 bits; 0: as the table above says. What comes out has
    info["top"], its highest level, where 16 bits were taken for 16 bits. Raises ValueError for pixels without a known range.
    """
    few, tags = _few_bits(image), getattr(image, "tag_v2", {})
    inverted = tags.get(PHOTOMETRIC) == WHITE_IS_ZERO
    scale = white_level(image, tags, white)
    image.load()  # first: TIFF's decoder turns the picture itself, and takes the tag away
    turn = TURNS.get(orientation(image))
    out = image if turn is None else image.transpose(turn)
    clear = out.info.get("transparency")
    if few and clear is not None:
        clear = out.info["transparency"] = few(clear)
    top = None
    if scale:
        out, top = _eight_bits(out, scale, inverted, clear)
        top = None if white or scale < 65535 else top
    elif out.mode in ("La", "1", "RGBa") and clear is None:
        out = out.convert({"La": "LA", "1": "L", "RGBa": "RGBA"}[out.mode])
    elif out.mode not in ("L", "LA", "RGB", "RGBA") or clear is not None:
        out = out.convert("RGBA" if has_transparency(out) else "RGB")
    out.info.clear()  # what it says of orientation and transparency has been done
    if top is not None:
        out.info["top"] = top
    return out


def has_transparency(image: Image.Image) -> bool:
    """Whether some pixels may be clear."""
    palette = image.palette.mode if image.mode == "P" and image.palette else ""
    return image.mode in ALPHA or "transparency" in image.info or palette == "RGBA"


def channels_of(image: Image.Image) -> int:
    """1 grey, 3 colour, 4 with transparency; known from the header."""
    if has_transparency(image):
        return 4
    return 1 if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;") else 3


def size_of(image: Image.Image) -> tuple[int, int]:
    """(height, width) as a person sees it, the camera's rotation applied; known from the header."""
    turned, tags = orientation(image) >= 5, getattr(image, "tag_v2", {})
    # Some versions of Pillow turn a TIFF's size before its pixels.
    width, height = (tags[WIDTH], tags[HEIGHT]) if turned and tags else image.size
    return (width, height) if turned else (height, width)


def reason(error: Exception) -> str:
    """Why a picture cannot be used, on one line: whatever a decoder raises on damaged bytes is an answer."""
    if isinstance(error, Image.UnidentifiedImageError):
        return "no picture that Pillow can read"
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text if len(text) < 120 else text[:120] + "..."


class _Gate:
    """Lets so much in at a time; what is larger waits until it is alone."""

    def __init__(self, limit: int):
        self._limit, self._free, self._changed = limit, limit, threading.Condition()

    @contextmanager
    def of(self, amount: int) -> Iterator[None]:
        amount = min(amount, self._limit)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= amount)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


_in_flight = _Gate(PIXELS)


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow was built with."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def orientation(image: Image.Image) -> int:
    """How the camera was held, a key of `TURNS` or 1; known from the header, but of a PNG."""
    if image.format == "PNG":  # whose metadata may follow the pixels; damage of those is not for `except`
        image.load()
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged metadata say nothing
        return 1
    return found if isinstance(found, int) and found in TURNS else 1


def _few_bits(image: Image.Image) -> Any:
    """What makes the clear colour of a PNG, which has the bits of the file, one of 8 bits; None where it is one."""
    raw = image.info.get(STORED, "") if image.format == "PNG" else ""
    if raw in SPREAD:  # Pillow has spread the 1 of one bit already, or not
        return lambda level: min(level * SPREAD[raw], 255)
    return (lambda levels: tuple(level >> 8 for level in levels)) if raw == "RGB;16B" else None


def white_level(image: Image.Image, tags: Any, white: float) -> float:
    """The level that is white; 0 for pixels of 8 bits. Raises ValueError where it is not known."""
    signed = SIGNED in np.atleast_1d(tags.get(SAMPLE_FORMAT, 1))
    if signed and image.mode == "L":
        raise ValueError("signed pixels of 8 bits have no known range; save it with unsigned ones")
    if image.mode in SIXTEEN_BITS:
        return white or 2 ** int(np.atleast_1d(tags.get(BITS, 16))[0]) - 1
    if image.mode not in ("I", "F"):
        return 0
    if not white and image.mode == "F":
        raise ValueError("floating-point pixels have no known range; save it with 8 or 16 bits, or set data.white")
    if not white and image.format not in ("PNG", "PPM", "JPEG2000"):  # whose 16 bits some versions of Pillow keep in 32
        kind = "signed pixels" if signed else "pixels of 32 bits"
        raise ValueError(f"{kind} have no known range; save it with 8 or 16 bits, or set data.white")
    return white or 65535


def _eight_bits(image: Image.Image, white: float, inverted: bool, clear: Any) -> tuple[Image.Image, float]:
    """(Levels from 0 to `white` as 8 bits, with the one that is clear; the highest level)."""
    levels = np.asarray(image)
    scaled, high = graded(levels, white, inverted, 255)
    grey = Image.fromarray(scaled.astype(np.uint8))
    if clear is None:
        return grey, high
    return Image.merge("LA", (grey, Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8)))), high


def graded(levels: np.ndarray, white: float, inverted: bool, most: int) -> tuple[np.ndarray, float]:
    """(Levels from 0 to `white` as float32 whole numbers from 0 to `most`, the other way round if `inverted`; the highest
    level that there was). Raises ValueError for levels beyond."""
    low, high = (float(levels.min()), float(levels.max())) if levels.size else (0.0, 0.0)
    if not 0 <= low <= high <= white:  # nor where one is not a number
        raise ValueError(f"its levels are from {low:g} to {high:g}, beyond those from 0 to {white:g}")
    scaled = np.rint(levels.astype(np.float32) * np.float32(most / white))
    return most - scaled if inverted else scaled, high
