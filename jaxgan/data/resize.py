"""Pictures of any size and mode to uint8 arrays of one shape, by a stated policy and filter."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")


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


@dataclass(frozen=True)
class Fit:
    """How pictures become arrays. Filters are Pillow's, with antialiasing; colours are taken as sRGB.

    size: side, or height,width, in pixels; empty: as they are.
    jitter: pictures are fitted to so many pixels more each way, of which training takes a random part of `size` (pix2pix: 30
      for 256), and all else the middle.
    crop: first the centre of this side, or height,width, of the original (CelebA's usual 148).
    fit: how another shape is made to fit: "crop" what juts out, "stretch", or "pad" with the background; "refuse" takes
      pictures of that size alone.
    filter: of the resizing.
    channels: 1 grey (ITU-R 601), 3 RGB, 4 RGBA; 0: as they are.
    background: what shows through transparent pixels and fills the padding; a grey level or red,green,blue.
    """

    size: tuple[int, ...] = bounded((), least=1, below=8193)
    jitter: int = bounded(0, below=1024)
    crop: tuple[int, ...] = bounded((), least=1)
    fit: str = among(("crop", "stretch", "pad", "refuse"), "crop")
    filter: str = among(FILTERS, "lanczos")
    channels: int = among((0, 1, 3, 4), 0)
    background: tuple[int, ...] = bounded((255,), below=256)

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
    def shape(self) -> tuple[int, int, int]:
        """[H, W, C] of what comes out, where size and channels are given."""
        height, width = _sides(self.size)
        return height, width, self.channels

    def __call__(self, image: Image.Image) -> np.ndarray:
        """uint8 [H, W, C]. Raises ValueError for pixels without a known range, and what Pillow raises."""
        turn = TURNS.get(image.getexif().get(ORIENTATION, 1))
        image = self._coloured(image if turn is None else image.transpose(turn))
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
        if image.mode in SIXTEEN_BITS:
            image = _eight_bits(image)
        if image.mode == "F":
            raise ValueError("floating-point pixels have no known range; save it with 8 or 16 bits")
        transparent = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
        if transparent and self.channels != 4:
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


def size_of(image: Image.Image) -> tuple[int, int]:
    """(height, width) as a person sees it, the camera's rotation applied."""
    turned = image.getexif().get(ORIENTATION, 1) >= 5
    height, width = image.size if turned else image.size[::-1]
    return height, width


def _sides(sides: tuple[int, ...]) -> tuple[int, int]:
    return (sides[0], sides[-1])


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey to 8 bits, rounded, with its transparent level; Pillow's own conversion clips at 255."""
    levels = np.asarray(image).astype(np.int64)
    if levels.size and (levels.min() < 0 or levels.max() > 65535):
        raise ValueError("pixels of more than 16 bits have no known range; save it with 8 or 16 bits")
    grey = Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    clear = image.info.get("transparency")
    if clear is None:
        return grey
    return Image.merge("LA", (grey, Image.fromarray(np.where(levels == clear, 0, 255).astype(np.uint8))))
