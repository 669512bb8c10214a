"""Whole pictures of many sizes, of which a data set's examples are parts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from jaxgan.data import picture
from jaxgan.data.decode import Entry
from jaxgan.data.resize import Fit
from jaxgan.errors import UserError

COLOUR = Fit(channels=3)


@dataclass(frozen=True)
class Wholes:
    """The whole pictures of a split, in the order of their names. `wholes[i]` is (name, uint8 [H, W, 3]), decoded anew.

    names: of the pictures. at: opens number i. entries: all of them, named so, in the order in which they are read fastest.
    scale, lower: of data with sources, how many times smaller those are, and (pixels [H, W, 3] of multiples of the scale,
    number) -> uint8 [H / scale, W / scale, 3]. how: what a person calls that, "down4".
    """

    names: list[str]
    at: Callable[[int], Entry]
    entries: Callable[[], Iterable[Entry]]
    scale: int = 1
    lower: Callable[[np.ndarray, int], np.ndarray] | None = None
    how: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, i: int) -> tuple[str, np.ndarray]:
        """Raises IndexError, and UserError for a picture that cannot be decoded."""
        name = self.names[i]
        try:
            return name, colours(self.at(range(len(self))[i]))
        except MemoryError:
            raise
        except Exception as error:
            raise UserError(f"'{name}' cannot be used: {picture.reason(error)}") from error

    def pair(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Picture i of data with sources, cut to multiples of the scale, and the same in low resolution."""
        assert self.lower
        whole = cut(self[i][1], self.scale)
        return whole, self.lower(whole, i)


def of_list(entries: list[Entry]) -> Wholes:
    """Pictures that are opened one by one."""
    entries = sorted(entries)
    return Wholes([entry.name for entry in entries], entries.__getitem__, lambda: entries)


def colours(entry: Entry) -> np.ndarray:
    """uint8 [H, W, 3] of a picture as a person sees it, over white where it is clear. Raises what Pillow raises."""
    with entry.open() as image:
        return COLOUR(image)


def cut(pixels: np.ndarray, scale: int) -> np.ndarray:
    """Pictures [H, W, C] without what is beyond the last multiple of the scale, to the right and below."""
    height, width = (side // scale * scale for side in pixels.shape[:2])
    return pixels[:height, :width]
