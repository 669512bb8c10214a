"""Pictures of many sizes as tiles of one size, each beside its part of the picture in low resolution.

1. A whole picture is cut to multiples of the scale, at its right and its lower border.
2. Its low resolution is made of all of that, to 8 bits, so that no tile has a border of its own.
3. Both are cut into tiles of `size` + `jitter` pixels, the low resolution's divided by the scale: as few in each direction
   as cover the picture, evenly spread, and so overlapping where they must.

Of "real2" and "real4" each tile is degraded for itself, by its own number: see `data.degrade`.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxgan.config.schema import among, bounded
from jaxgan.data import bicubic, cache, degrade, groups, picture
from jaxgan.data.cache import Cached
from jaxgan.data.decode import Entry
from jaxgan.data.features import features_of
from jaxgan.data.pairs import Beside
from jaxgan.data.resize import Fit
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.data.wholes import Wholes, colours, cut
from jaxgan.errors import UserError, as_path

KINDS = ("down2", "down3", "down4", "real2", "real4", "none")


@dataclass(frozen=True)
class Tiles:
    """What data sets of tiles have in common.

    size: side, or height,width, of tiles in pixels, multiples of the scale.
    jitter: tiles are stored with so many pixels more each way, of which training takes a random part of `size`, and all else
      the middle; a multiple of the scale.
    source: the low resolution beside each tile. down2, down3, down4: MATLAB's antialiased bicubic. real2, real4: blurred,
      shrunk, made noisy and compressed in two rounds, as Real-ESRGAN's training pictures. none: tiles alone.
    draw_seed: of the degradations of real2 and real4, apart from the run's seed.
    flip: mirror every other tile, at random. turns: turn each by a random number of quarters; with `flip` in eight ways.
    resident: keep the split in (device) memory, "auto" up to 1 GiB.
    cache: folder of first passes; empty: ~/.cache/jaxgan/images.
    """

    size: tuple[int, ...] = bounded((96,), least=1, below=8193)
    jitter: int = bounded(0, below=1024)
    source: str = among(KINDS, "down4")
    draw_seed: int = bounded(0, below=2**32)
    flip: bool = False
    turns: bool = False
    resident: str = among(("auto", "on", "off"), "auto")
    cache: str = ""

    def __post_init__(self):
        if len(self.size) not in (1, 2):
            raise UserError(f"data.size must be 1 or 2 numbers, not {self.size}")
        for name, number in (*(("size", side) for side in self.size), ("jitter", self.jitter)):
            if number % self.scale:
                near = max(1, round(number / self.scale)) * self.scale
                raise UserError(
                    f"data.{name}={number}, but data.source={self.source} needs multiples of {self.scale}: {near}"
                )
        if self.turns and len(set(self.size)) > 1:
            raise UserError(f"data.turns is of square tiles, not {self.size[0]}x{self.size[1]}; --config.data.size=SIDE")

    @property
    def scale(self) -> int:
        """How many times as large as its source an image is, on a side."""
        return int(self.source[-1]) if self._lowers else 1

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, 3]."""
        return self.size[0], self.size[-1], 3

    @property
    def source_shape(self) -> tuple[int, ...]:
        """[H / scale, W / scale, 3]; () without sources."""
        return (self.size[0] // self.scale, self.size[-1] // self.scale, 3) if self._lowers else ()

    @property
    def _lowers(self) -> bool:
        return self.source != "none"

    def lower(self, pixels: np.ndarray, number: int) -> np.ndarray:
        """uint8 [H, W, 3], multiples of the scale, in low resolution. number: of the tile, or of the whole picture."""
        if self.source.startswith("down"):
            return bicubic.shrink(pixels, self.scale)
        return degrade.degraded(pixels, self.scale, number, self.draw_seed)

    def tiles_of(self, title: str, identity: Any, wholes: Wholes, keys: list[str]) -> Images:
        """The tiles of whole pictures, from the cache after the first time; example i is tile number i.

        title: what a person calls the data. identity: JSON that changes whenever the pictures may have. keys: of each
        picture, alike for those that belong together. Raises UserError, naming the first picture that cannot be used."""
        cutting = _Cutting(self, title, wholes)
        image = self._pass(title, [identity, self.scale], cutting, cutting.images, 1)
        group = dict(zip(wholes.names, groups.numbers(keys).tolist()))
        index = np.arange(len(image.names))
        examples: Any = Arrays(image.images, None, index, np.array([group[name] for name in image.labels]))
        digest, size, told = image.digest, image.images.nbytes, self.source if self._lowers else ""
        if self._lowers:
            own = [self.source]
            if self.source.startswith("real"):
                own, told = [self.source, self.draw_seed, degrade.VERSION], f"{self.source}, draw_seed {self.draw_seed}"
            source = self._pass(f"{title} {self.source}", [identity, *own], cutting, cutting.sources, self.scale)
            examples = Beside(examples, Arrays(source.images, None, index))
            digest, size = digest + source.digest, size + source.images.nbytes
        return Images(
            name=f"{title} ({self.size[0]}x{self.size[-1]} of {len(wholes)} pictures{', ' * bool(told)}{told})",
            examples=examples,
            features=features_of(self.image_shape, source_shape=self.source_shape),
            resident=is_resident(self.resident, size),
            flip=self.flip,
            turns=self.turns,
            jitter=self.jitter,
            digest=digest,
            wholes=replace(wholes, scale=self.scale, lower=self.lower, how=told) if self._lowers else wholes,
        )

    def _pass(self, title: str, identity: Any, cutting: "_Cutting", entries: Callable, scale: int) -> Cached:
        """One of the two first passes, its tiles in the order of their numbers."""
        found = cache.first_pass(
            title=title,
            identity=identity,
            entries=entries,
            total=cutting.total,
            fit=Fit(size=tuple(side // scale for side in cutting.tile), channels=3, fit="refuse"),
            folder=as_path(self.cache) if self.cache else cache.default_folder(),
        )
        order = sorted(range(len(found.names)), key=lambda i: (found.labels[i], found.names[i]))
        if order != list(range(len(order))):  # an archive of another order
            found.images = found.images[order]
        return replace(found, names=[found.names[i] for i in order], labels=[found.labels[i] for i in order])


class _Part(NamedTuple):
    """A tile: its number among all, and where it begins."""

    number: int
    top: int
    left: int


class _Cutting:
    """Which tiles a split's pictures are cut into, found out where there is no first pass; and those to decode."""

    def __init__(self, of: Tiles, title: str, wholes: Wholes):
        self._of, self._title, self._wholes, self._parts = of, title, wholes, {}
        self.tile = tuple(side + of.jitter for side in of.image_shape[:2])

    def total(self) -> int:
        """How many tiles there are. Raises UserError, naming the first picture that is too small or has no size."""
        if self._parts:
            return sum(map(len, self._parts.values()))
        sizes, (height, width), number = {}, self.tile, 0
        for entry in self._wholes.entries():
            try:
                with entry.open() as image:
                    sizes[entry.name] = picture.size_of(image)
            except MemoryError:
                raise
            except Exception as error:
                raise UserError(f"'{entry.name}' of {self._title} cannot be used: {picture.reason(error)}") from error
        for name in self._wholes.names:
            tops, lefts = (starts(side, tile, self._of.scale) for side, tile in zip(sizes[name], self.tile))
            if not len(tops) or not len(lefts):
                size = "x".join(map(str, sizes[name]))
                more = f" and {self._of.jitter} of jitter" if self._of.jitter else ""
                raise UserError(
                    f"'{name}' of {self._title} has {size} pixels, fewer than a tile of {height}x{width}; remove it, or "
                    f"choose a smaller --config.data.size than {height - self._of.jitter}{more}"
                )
            places = list(product(tops.tolist(), lefts.tolist()))
            self._parts[name] = [_Part(number + i, *place) for i, place in enumerate(places)]
            number += len(places)
        return number

    def images(self) -> Iterator[Entry]:
        """The tiles themselves."""
        return self._entries(lambda pixels: pixels, 1)

    def sources(self) -> Iterator[Entry]:
        """The tiles of low resolution."""
        if self._of.source.startswith("real"):
            return self._entries(lambda pixels: pixels, 1, self._of.lower)
        return self._entries(lambda pixels: self._of.lower(pixels, 0), self._of.scale)

    def _entries(self, make: Callable, scale: int, after: Callable | None = None) -> Iterator[Entry]:
        """make: of a whole picture, cut to multiples of the scale, what tiles are parts of. scale: of that. after: what
        becomes of a part, by its number."""
        height, width = (side // scale for side in self.tile)
        for entry in self._wholes.entries():
            whole = _Once(lambda entry=entry: make(cut(colours(entry), self._of.scale)))
            held = len(self._parts[entry.name]) * self.tile[0] * self.tile[1] * 3
            for part in self._parts[entry.name]:
                at = (part.top // scale, part.left // scale, height, width)
                open_ = partial(_opened, whole, at, partial(after, number=part.number) if after else None)
                yield Entry(f"{entry.name} at {part.top:05},{part.left:05}", entry.name, open_, held)
                held = 0


def starts(side: int, tile: int, unit: int) -> np.ndarray:
    """Where tiles begin that cover a side, cut to a multiple of `unit`: as few as can, evenly spread, at multiples of
    `unit`, which divides `tile`; none where the side is smaller than a tile."""
    side, tile = side // unit, tile // unit
    if side < tile:
        return np.zeros(0, int)
    count = -(-side // tile)
    return np.rint(np.linspace(0, side - tile, count)).astype(int) * unit


class _Once:
    """What is made for the first who asks, and kept for the others: the whole picture of its tiles."""

    def __init__(self, make: Callable[[], np.ndarray]):
        self._make, self._lock, self._made = make, threading.Lock(), None

    def __call__(self) -> np.ndarray:
        """Raises what making it has raised."""
        with self._lock:
            if self._made is None:
                try:
                    self._made = self._make()
                except Exception as error:
                    self._made = error
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


def _opened(whole: _Once, at: tuple[int, int, int, int], after: Callable | None) -> Image.Image:
    top, left, height, width = at
    pixels = whole()[top : top + height, left : left + width]
    return Image.fromarray(after(pixels) if after else pixels)
