"""A function of images applied to a picture tile by tile, with the result that it has on the whole picture.

Tiles have one shape, so the function is compiled once. Each lies inside the picture, and the outer ones end with it: the
function meets a border, and its own padding, at true borders alone. What lies within the receptive radius of an inner edge
is cut off, since it would depend on what is outside of the tile. The rest is what the whole picture would give, to the
rounding of a convolution of another size. No tile is blended with its neighbour.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxgan.errors import UserError
from jaxgan.memory import human

PROBES = 64, 128  # sides of the tiles whose memory is measured; that of others is between or beyond on a line in the pixels
STEP = 16  # sides of tiles are multiples of it, so that a few bytes more or less do not compile anew
LEAST = 16  # pixels of a tile that are kept at least, on a side
ROOMY = 4  # a tile of this many radii keeps half of each side
SPARE = 0.75  # the compiler's number leaves out what convolutions use inside, up to three tenths of it on a CPU


class Cut(NamedTuple):
    """Where a tile begins along an axis, and which pixels [first, last) of the picture it gives."""

    start: int
    first: int
    last: int


def cuts(n: int, side: int, radius: int) -> list[Cut]:
    """Tiles of `side` along an axis of n pixels, one where n is not larger. What they give makes up the axis, in order, and
    is `radius` pixels away from edges inside of the picture. side: more than two radii, unless there is one tile."""
    if n <= side:
        return [Cut(0, 0, n)]
    if side <= 2 * radius:
        raise ValueError(f"tiles of {side} px have nothing left inside of a radius of {radius} px")
    out, first = [], 0
    while first < n:
        start = min(max(first - radius, 0), n - side)
        last = n if start == n - side else start + side - radius
        out.append(Cut(start, first, last))
        first = last
    return out


class Tiled:
    """A function of pictures, applied by tiles.

    Args:
      fn: (variables, images [1, h, w, C]) -> images [1, scale h, scale w, C'], of any h and w.
      variables: a tree of arrays on the device. scale: by which the output is larger.
      radius: of `receptive.radius`; None: every pixel depends on all, and a picture is one tile.
    """

    def __init__(self, fn: Callable[[Any, jax.Array], jax.Array], variables: Any, scale: int, radius: int | None):
        self.scale, self.radius, self._variables = scale, radius, variables
        self._fn, self._compiled, self._lines = jax.jit(fn), {}, {}

    def move(self, variables: Any) -> None:
        """Goes on with other arrays of the same shapes; nothing is compiled anew."""
        self._variables = variables

    def side(self, shape: tuple[int, int, int], dtype: Any, limit: float) -> int:
        """The largest side of tiles of a picture [H, W, C] that take no more than `limit` bytes, with the rows of the output
        that they make up. It is a picture's longer side where that is one tile. Raises UserError as `check` does."""
        largest = max(shape[:2])
        self.check(shape, dtype, limit)
        if self.need(largest, shape, dtype) <= limit:
            return largest
        for side in range(largest // STEP * STEP, self._least(shape) - 1, -STEP):
            if self.need(side, shape, dtype) <= limit and self._measured(side, shape, dtype) <= limit:
                return side
        return self._least(shape)

    def check(self, shape: tuple[int, int, int], dtype: Any, limit: float) -> None:
        """Refuses pictures [H, W, C] whose least tiles take more than `limit` bytes. Raises UserError."""
        need = self.need(self._least(shape), shape, dtype)
        if need > limit:
            why = "depends on the whole picture" if self.radius is None else f"sees {self.radius} px each way"
            raise UserError(
                f"a picture of {shape[1]}x{shape[0]} takes at least {human(need)} beside what the program has already, "
                f"since the network {why}, and --memory leaves {human(max(limit, 0))}"
            )

    def roomy(self, shape: tuple[int, int, int], dtype: Any) -> float:
        """Bytes that tiles of a picture [H, W, C] take which are not mostly overlap, nor smaller than `check` takes."""
        side = min(ROOMY * (self.radius or 0), max(shape[:2]))
        return self.need(max(side, self._least(shape)), shape, dtype)

    def _least(self, shape: tuple[int, int, int]) -> int:
        """The side of the smallest tiles of pictures [H, W, C]."""
        largest = max(shape[:2])
        return largest if self.radius is None else min(2 * self.radius + LEAST, largest)

    def need(self, side: int, shape: tuple[int, int, int], dtype: Any) -> float:
        """Bytes that tiles of this side of a picture [H, W, C] take, by the line through what `PROBES` take."""
        height, width, channels = shape
        base, each = self._line(channels, dtype)
        rows = min(side, height)
        band = 3 * rows * self.scale**2 * width * channels * np.dtype(dtype).itemsize  # tiles, the band of them, its copy
        return (base + each * rows * min(side, width)) / SPARE + band

    def bands(self, picture: np.ndarray, side: int) -> Iterator[np.ndarray]:
        """The result for a picture [H, W, C], some rows at a time, [h, scale W, C'], from the top down. side: of tiles."""
        height, width, _ = picture.shape
        radius, k = self.radius or 0, self.scale
        columns = cuts(width, side, radius)
        for row in cuts(height, side, radius):
            parts = []
            for column in columns:
                tile = picture[row.start : row.start + side, column.start : column.start + side]
                made = self(tile)
                rows, places = (slice((x.first - x.start) * k, (x.last - x.start) * k) for x in (row, column))
                parts.append(made[rows, places])
            yield np.concatenate(parts, 1)

    def count(self, shape: tuple[int, int, int], side: int) -> int:
        """How many tiles a picture [H, W, C] has."""
        return math.prod(len(cuts(n, side, self.radius or 0)) for n in shape[:2])

    def __call__(self, tile: np.ndarray) -> np.ndarray:
        """The function of one tile [h, w, C], on the host."""
        compiled = self._program(tile.shape, tile.dtype)
        return np.asarray(compiled(self._variables, np.ascontiguousarray(tile)[None]))[0]

    def _program(self, shape: tuple[int, ...], dtype: Any) -> Any:
        key = (*shape, np.dtype(dtype).name)
        if key not in self._compiled:
            wanted = jax.ShapeDtypeStruct((1, *shape), dtype)
            self._compiled[key] = self._fn.lower(self._variables, wanted).compile()
        return self._compiled[key]

    def _bytes(self, height: int, width: int, channels: int, dtype: Any) -> int:
        """What the compiler says that a tile takes, but for the variables, which are there already."""
        found: Any = self._program((height, width, channels), dtype).memory_analysis()
        own = sum(x.nbytes for x in jax.tree.leaves(self._variables))
        return found.temp_size_in_bytes + found.output_size_in_bytes + found.argument_size_in_bytes - own

    def _measured(self, side: int, shape: tuple[int, int, int], dtype: Any) -> float:
        """`need`, by the tile itself in place of the line."""
        height, width = (min(side, n) for n in shape[:2])
        base, each = self._line(shape[2], dtype)
        more = self._bytes(height, width, shape[2], dtype) - base - each * height * width
        return self.need(side, shape, dtype) + more / SPARE

    def _line(self, channels: int, dtype: Any) -> tuple[float, float]:
        """(Bytes of any tile, bytes of each of its pixels)."""
        key = channels, np.dtype(dtype).name
        if key not in self._lines:
            small, large = (self._bytes(n, n, channels, dtype) for n in PROBES)
            each = max(large - small, 0) / (PROBES[1] ** 2 - PROBES[0] ** 2)
            self._lines[key] = max(small - each * PROBES[0] ** 2, 0), each
        return self._lines[key]
