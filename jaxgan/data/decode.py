"""Decoding pictures by threads, with a bound on what is in memory at a time."""

import math
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from PIL import Image

from jaxgan.data import picture
from jaxgan.data.resize import Fit

CHUNK, HELD = 256, 2**28  # pictures that are read ahead, at most, and their bytes, packed or fitted
UNKNOWN = 2**23  # bytes of a fitted picture where they are not known before


class Entry(NamedTuple):
    """A picture to decode: its name, unique among all; the class it belongs to ("" for none); how to open it; and how many
    bytes in memory that needs already."""

    name: str
    label: str
    open: Callable[[], AbstractContextManager[Image.Image]]
    held: int = 0


def decoded(entries: Iterable[Entry], fit: Fit, tops: list) -> Iterator[tuple[Entry, np.ndarray | str]]:
    """Each entry with its pixels, or with the reason why there are none. tops: takes (highest level, name) of those with 16
    bits."""

    def decode(entry: Entry) -> np.ndarray | str:
        try:
            with entry.open() as opened:
                image = picture.seen(opened, fit.white)
                if image.info.get("top"):
                    tops.append((image.info["top"], entry.name))
                return fit(image)
        except MemoryError:
            raise
        except Exception as error:
            return picture.reason(error)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for chunk in _chunks(entries, math.prod(fit.stored) or UNKNOWN):
            yield from zip(chunk, pool.map(decode, chunk))


def dark_ones(tops: list, total: int, title: str) -> str:
    """A line on 16-bit pictures, none of which comes near to white; "" where one does, or there are none. tops: of
    `decoded`."""
    if not tops or max(tops)[0] > picture.DIM:
        return ""
    return (
        f"{len(tops)} of {total} pictures in {title} have 16 bits and no level above {max(tops)[0]:g}, {tops[0][1]} for one:"
        " 65535 is white, so they are dark"
    )


def _chunks(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """Entries to decode together. size: bytes of a fitted picture."""
    chunk, held = [], 0
    for entry in entries:
        chunk.append(entry)
        held += entry.held + size
        if len(chunk) == CHUNK or held >= HELD:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
