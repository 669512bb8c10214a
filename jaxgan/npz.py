"""Arrays out of an .npz or .npy file: each header is read first, so that no file takes more memory than it holds arrays."""

import math
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from jaxgan.errors import UserError


class Header(NamedTuple):
    """What a file says of an array before its numbers."""

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read(path: Path, choose: Callable[[dict[str, Header]], Iterable[str]] = tuple) -> dict[str, np.ndarray]:
    """Arrays of an .npz file by name: those that `choose` picks among the headers, or all.

    Raises OSError where the file cannot be read, and ValueError, in one line, where it is damaged, no such file, or more
    than the machine's memory takes.
    """
    with _one_line(), zipfile.ZipFile(path) as archive:
        headers = {}
        for info in archive.infolist():
            if info.filename.endswith(".npy"):
                with archive.open(info) as file:
                    header, start = _header(file)
                if header.nbytes != info.file_size - start:
                    raise ValueError(f"{info.filename} says {header.nbytes:,} bytes and has {info.file_size - start:,}")
                headers[info.filename.removesuffix(".npy")] = header
        chosen = list(choose(headers))
        _check_room(sum(headers[name].nbytes for name in chosen))
        out = {}
        for name in chosen:
            with archive.open(f"{name}.npy") as file:
                out[name] = np.lib.format.read_array(file, allow_pickle=False)
        return out


def read_npy(path: Path) -> np.ndarray:
    """The array of an .npy file, mapped into memory. Raises as `read` does."""
    with _one_line():
        with path.open("rb") as file:
            header, start = _header(file)
        if header.nbytes > path.stat().st_size - start:
            raise ValueError(f"it says {header.nbytes:,} bytes and has {path.stat().st_size - start:,}")
        return np.load(path, mmap_mode="r", allow_pickle=False)


def _header(file: BinaryIO | Any) -> tuple[Header, int]:
    """What precedes an array, and its length in bytes."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of its format is of records, not arrays")
    shape, _, dtype = readers[version](file)
    if dtype.hasobject or min(shape, default=0) < 0:
        raise ValueError("it holds Python objects, which would be run" if dtype.hasobject else f"its shape is {shape}")
    return Header(tuple(shape), dtype), file.tell()


def _check_room(nbytes: int) -> None:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if nbytes > memory:
        raise ValueError(f"its arrays have {nbytes / 1e9:,.1f} GB, and this machine {memory / 1e9:.1f} GB of memory")


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (OSError, UserError):
        raise
    except Exception as error:  # zip's, zlib's, numpy's and its parsers' own
        raise ValueError((str(error).strip().splitlines() or [type(error).__name__])[0]) from error
