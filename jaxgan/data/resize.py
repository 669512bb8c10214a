"""Pictures of any size and mode to uint8 arrays of one shape, by a stated policy and filter."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from jaxgan.config.schema import among, bounded
from jaxgan.data import picture
from jaxgan.errors import UserError

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class Fit:
    """How pictures become arrays. Filters are Pillow's, with antialiasing; colours are taken as sRGB.

    The table at the top of `jaxgan/data/picture.py` says what becomes of orientation, palettes, transparency and bit depths.

    size: side, or height,width, in pixels; empty: as they are.
    jitter: pictures are fitted to so many pixels more each way, of which training takes a random part of `size` (pix2pix: 30
      for 256), and all else the middle.
    crop: first the centre of this side, or height,width, of the original (CelebA's usual 148).
    fit: how another shape is made to fit: "crop" what juts out, "stretch", or "pad" with the background; "refuse" takes
      pictures of that size alone.
    filter: of the resizing.
    channels: 1 grey (ITU-R 601), 3 RGB, 4 RGBA; 0: as they are.
    background: what shows through transparent pixels and fills the padding; a grey level or red,green,blue.
    white: the level that is white in grey pictures of more than 8 bits: 4095 for 12 bits stored as 16, 1 for floats from 0
      to 1. 0: 65535 for 16 bits, whatever levels occur; floats, 32-bit and signed integers are refused. A higher level than
      white is refused too.
    """

    size: tuple[int, ...] = bounded((), least=1, below=8193)
    jitter: int = bounded(0, below=1024)
    crop: tuple[int, ...] = bounded((), least=1)
    fit: str = among(("crop", "stretch", "pad", "refuse"), "crop")
    filter: str = among(FILTERS, "lanczos")
    channels: int = among((0, 1, 3, 4), 0)
    background: tuple[int, ...] = bounded((255,), below=256)
    white: float = 0.0

    def __post_init__(self):
        for name, allowed in (("size", (0, 1, 2)), ("crop", (0, 1, 2)), ("background", (1, 3))):
            value = getattr(self, name)
            if len(value) not in allowed:
                raise UserError(f"data.{name} must be {' or '.join(map(str, allowed[-2:]))} numbers, not {value}")
        if self.jitter and not self.size:
            raise UserError(f"data.jitter={self.jitter} is beyond a size: --config.data.size=SIDE")

    @property
    def changes(self) -> bool:
        """Whether a picture can come out as another."""
        return bool(self.size or self.crop or self.channels)

    @property
    def asked_shape(self) -> tuple[int, int, int]:
        """[H, W, C] of pictures of many sizes, known before a picture is. Raises UserError where no size is given."""
        if not self.size:
            raise UserError("pictures of many sizes need one for the networks: --config.data.size=SIDE")
        return self.shape

    @property
    def shape(self) -> tuple[int, int, int]:
        """[H, W, C] of what comes out, where size and channels are given."""
        height, width = _sides(self.size)
        return height, width, self.channels

    @property
    def stored(self) -> tuple[int, int, int]:
        """[H, W, C] of what is kept, `jitter` included; zeros where that follows from the pictures."""
        if not self.size:
            return 0, 0, 0
        height, width, channels = self.shape
        return height + self.jitter, width + self.jitter, channels or 4

    def __call__(self, image: Image.Image) -> np.ndarray:
        """uint8 [H, W, C] of a picture as it was opened. Raises ValueError for pixels without a known range, and what Pillow
        raises."""
        image = self._coloured(picture.seen(image, self.white))
        if self.crop:
            height, width = (min(wanted, given) for wanted, given in zip(_sides(self.crop), image.size[::-1]))
            left, top = (image.width - width) // 2, (image.height - height) // 2
            image = image.crop((left, top, left + width, top + height))
        if self.size:
            image = self._resized(image)
        pixels = np.asarray(image)
        return pixels[..., None] if pixels.ndim == 2 else pixels

    def _coloured(self, image: Image.Image) -> Image.Image:
        """The picture in one of `MODES`, transparency over the background."""
        if image.mode in ("LA", "RGBA") and self.channels != 4:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, (*self._rgb, 255)), image).convert("RGB")
        if self.channels:
            return image.convert(MODES[self.channels])
        return image if image.mode in MODES.values() else image.convert("RGB")

    def _resized(self, image: Image.Image) -> Image.Image:
        height, width = (side + self.jitter for side in _sides(self.size))
        how = Image.Resampling[self.filter.upper()]
        if image.size == (width, height):
            return image
        if self.fit == "refuse":
            raise ValueError(f"its size is {image.height}x{image.width}, not {height}x{width}")
        if self.fit == "stretch":
            return image.resize((width, height), how)
        if self.fit == "crop":
            return ImageOps.fit(image, (width, height), how)
        colour = self._rgb if image.mode == "RGB" else (*self._rgb, 255)
        if image.mode == "L":
            colour = Image.new("RGB", (1, 1), self._rgb).convert("L").getpixel((0, 0))
        return ImageOps.pad(image, (width, height), how, color=colour)  # pyright: ignore[reportArgumentType]

    @property
    def _rgb(self) -> tuple[int, ...]:
        return self.background * 3 if len(self.background) == 1 else self.background


def _sides(sides: tuple[int, ...]) -> tuple[int, int]:
    return (sides[0], sides[-1])
