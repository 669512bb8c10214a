"""Pictures: the edge where float images in [-1, 1] become 8-bit ones."""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.lib.format as npy
from PIL import Image

from jaxgan.files import replacing


def to_uint8(images: Any, xp: Any = np) -> Any:
    """Float images in [-1, 1] to uint8, rounded to the nearest of the 256 levels. xp: numpy, or jax.numpy inside a trace."""
    return xp.clip(xp.rint((xp.asarray(images, xp.float32) + 1) * 127.5), 0, 255).astype(xp.uint8)


def grid_picture(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """uint8 [N, H, W, C] to one picture [rows H, columns W, C]; by default as near to a square as it gets."""
    n, height, width, channels = images.shape
    across = min(n, int(np.ceil(np.sqrt(n))) if columns is None else columns)
    rows = -(-n // across)
    padded = np.concatenate([images, np.zeros((rows * across - n, height, width, channels), np.uint8)])
    tiles = padded.reshape(rows, across, height, width, channels).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(rows * height, across * width, channels)


def sheet_picture(*columns: np.ndarray, most: int = 16) -> np.ndarray:
    """Stacks uint8 [N, H, W, C] of one size as one picture: a row for each of the first `most` examples, a column for each
    stack; grey ones are coloured alike beside coloured ones, and beyond eight rows there are two in a line."""
    channels = max(x.shape[-1] for x in columns)
    columns = tuple(np.repeat(x, channels, -1) if x.shape[-1] == 1 else x for x in columns)
    rows = np.stack([x[:most] for x in columns], 1)
    return grid_picture(rows.reshape(-1, *rows.shape[2:]), len(columns) * (2 if len(rows) > 8 else 1))


def as_picture(pixels: np.ndarray) -> Image.Image:
    """uint8 [H, W, C] with 1, 3 or 4 channels; of other counts the first alone."""
    return Image.fromarray(pixels if pixels.shape[-1] in (3, 4) else pixels[..., 0])


def save_png(path: Path, picture: np.ndarray) -> None:
    """Writes uint8 [H, W, C]; whole or not at all."""
    _save(path, as_picture(picture), "PNG")


def save_gif(path: Path, frames: Iterable[np.ndarray], per_second: int = 20) -> None:
    """Writes uint8 [H, W, C] frames as an endless animation; whole or not at all. Pillow keeps a byte of each pixel."""
    rest = (as_picture(frame).convert("RGB") for frame in frames)
    _save(path, next(rest), "GIF", save_all=True, append_images=rest, duration=1000 // per_second, loop=0)


class Rows(NamedTuple):
    """An array [N, ...] that need not be in memory: its shape, its dtype, and parts that make it up, one after the other."""

    shape: tuple[int, ...]
    dtype: np.dtype
    parts: Iterable[np.ndarray]


def save_npz(path: Path, **arrays: np.ndarray | Rows) -> None:
    """Writes a compressed npz file, a part of `Rows` at a time; whole or not at all."""
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, array in arrays.items():
            with out.open(f"{name}.npy", "w", force_zip64=True) as member:
                rows = array if isinstance(array, Rows) else Rows(array.shape, array.dtype, [array])
                header = {"descr": npy.dtype_to_descr(rows.dtype), "fortran_order": False, "shape": rows.shape}
                npy.write_array_header_1_0(member, header)
                for part in rows.parts:
                    member.write(np.ascontiguousarray(part, rows.dtype).data)


def save_npy(path: Path, array: np.ndarray) -> None:
    """Writes an array as it is; whole or not at all."""
    with replacing(path) as file:
        np.save(file, array)


def _save(path: Path, image: Image.Image, kind: str, **options) -> None:
    with replacing(path) as file:
        image.save(file, kind, **options)
