"""Pictures: the edge where float images in [-1, 1] become 8-bit ones."""

import os
from pathlib import Path

import numpy as np
from PIL import Image


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Float images in [-1, 1] to uint8, rounded to the nearest of the 256 levels."""
    return np.clip(np.rint((np.asarray(images, np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """uint8 [N, H, W, C] to one picture [rows H, columns W, C]; by default as near to a square as it gets."""
    n, height, width, channels = images.shape
    across = min(n, int(np.ceil(np.sqrt(n))) if columns is None else columns)
    rows = -(-n // across)
    padded = np.concatenate([images, np.zeros((rows * across - n, height, width, channels), np.uint8)])
    tiles = padded.reshape(rows, across, height, width, channels).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(rows * height, across * width, channels)


def save_png(path: Path, picture: np.ndarray) -> None:
    """Writes uint8 [H, W, C] with 1, 3 or 4 channels (of other counts the first alone); whole or not at all."""
    channels = picture.shape[-1]
    image = Image.fromarray(picture[..., 0] if channels not in (3, 4) else picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    image.save(unfinished, "PNG")
    os.replace(unfinished, path)
