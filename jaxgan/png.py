"""PNG files written some rows at a time, with 8 or 16 bits a channel: pictures that need not be in memory, and colours of 16
bits, which Pillow does not write. As PNG (Third Edition, W3C 2025) has it, each row filtered by Paeth's predictor."""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from jaxgan.files import replacing

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KINDS = {1: 0, 2: 4, 3: 2, 4: 6}  # PNG's colour type, by channels: grey, grey and alpha, RGB, RGBA
PAETH = 4  # the filter's number
AT_ONCE = 2**21  # bytes that are filtered together
SPACES = {1: b"GRAY", 2: b"GRAY", 3: b"RGB ", 4: b"RGB "}  # of ICC profiles, by channels


@contextmanager
def png(
    path: Path, height: int, width: int, channels: int, bits: int = 8, profile: bytes = b""
) -> Iterator[Callable[[np.ndarray], None]]:
    """A function that writes the next rows, uint8 or uint16 [h, W, channels], of a file that is there once all rows are.

    channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA. bits: 8 or 16. profile: an ICC profile, which is left out where it is
    of other colours. Raises ValueError for rows of another shape, and at the end for too few.
    """
    with replacing(path) as file:
        file.write(SIGNATURE)
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, bits, KINDS[channels], 0, 0, 0))
        if profile[16:20] == SPACES[channels]:
            _chunk(file, b"iCCP", b"profile\0\0" + zlib.compress(profile))
        packer, done = zlib.compressobj(6), 0
        above = np.zeros((1, width * channels * bits // 8), np.uint8)

        def write(rows: np.ndarray) -> None:
            nonlocal above, done
            done += len(rows)
            if rows.shape[1:] != (width, channels) or rows.dtype.itemsize * 8 != bits or done > height:
                raise ValueError(f"{rows.dtype} {rows.shape} is no part of {bits} bits {(height, width, channels)}")
            step = max(1, AT_ONCE // above.size)
            for start in range(0, len(rows), step):
                some = np.ascontiguousarray(rows[start : start + step], ">u2" if bits == 16 else np.uint8)
                raw = some.view(np.uint8).reshape(len(some), -1)
                packed = packer.compress(_filtered(raw, above, channels * bits // 8).tobytes())
                above = raw[-1:]
                if packed:
                    _chunk(file, b"IDAT", packed)

        yield write
        if done != height:
            raise ValueError(f"{done} rows of {height} were written")
        _chunk(file, b"IDAT", packer.flush())
        _chunk(file, b"IEND", b"")


def size(path: Path) -> tuple[int, int]:
    """(height, width) of a PNG file, however large. Raises OSError, and ValueError for another file."""
    with path.open("rb") as file:
        head = file.read(24)
    if len(head) < 24 or not head.startswith(SIGNATURE):
        raise ValueError(f"{path} is no PNG file")
    width, height = struct.unpack(">II", head[16:24])
    return height, width


def _chunk(file, name: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content)))


def _filtered(raw: np.ndarray, above: np.ndarray, pixel: int) -> np.ndarray:
    """Rows of bytes uint8 [h, n], less what Paeth's predictor says of each, [h, 1 + n] with the filter's number first.
    above: the row before them, [1, n]. pixel: bytes of one."""
    here = np.pad(raw, ((0, 0), (pixel, 0))).astype(np.int16)
    up = np.concatenate([np.pad(above, ((0, 0), (pixel, 0))), here[:-1]]).astype(np.int16)
    a, b, c = here[:, :-pixel], up[:, pixel:], up[:, :-pixel]  # left, above, above left
    to_a, to_b = abs(b - c), abs(a - c)
    to_c = abs(a + b - 2 * c)
    predicted = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    out = np.empty((len(raw), 1 + raw.shape[1]), np.uint8)
    out[:, 0], out[:, 1:] = PAETH, (raw - predicted).astype(np.uint8)
    return out
