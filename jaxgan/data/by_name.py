"""Pictures that a person names in one word: a folder or archive, an npz file, or a data set and its split."""

import hashlib
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from jaxgan.data import listing
from jaxgan.data.builders import check_name
from jaxgan.data.features import features_of
from jaxgan.data.folder import ImageFolder
from jaxgan.data.resize import size_of
from jaxgan.data.source import Arrays, Images
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError, as_path

ARRAY_NAMES = ("images", "arr_0")  # this project's, and what numpy calls an array that was given no name


def open_by_name(text: str, folder: str = "", corrupt: str = "", cache: str = "") -> Images:
    """The images behind `text`: a folder, a zip or tar file, FILE.npz, or NAME or NAME@SPLIT of a TFDS data set (by default
    the split train), kept in TFDS's data folder `folder`. Pictures are taken as they are, and must be of one size. corrupt:
    "refuse" those that cannot be decoded, or "skip" them; "" where a person has no such choice. cache: the folder of
    decoded pictures, "" for the default. Raises UserError."""
    path = as_path(text)
    if path.suffix.lower() == ".npz":
        return _from_npz(path)
    if path.exists() or text.lower().endswith(listing.ARCHIVES) or text.startswith((".", "/", "~")):
        return _from_folder(text, corrupt, cache)
    name, _, split = text.partition("@")
    close = listing.nearest_beside(path, (".npz", *listing.ARCHIVES))
    if close:
        raise UserError(f"there is no '{text}'; did you mean '{close}'?")
    try:
        check_name(name)
    except UserError as error:
        raise UserError(f"'{text}' is no folder, archive or .npz file, and as a data set: {error}") from error
    return Tfds(name=name, split=split or "train", dir=folder, label="none", resident="off").open()


def _from_npz(path: Path) -> Images:
    try:
        with np.load(path, allow_pickle=False) as file:
            names = [name for name in ARRAY_NAMES if name in file.files] or file.files[: len(file.files) == 1]
            if not names:
                raise UserError(f"'{path}' has no array 'images', but {', '.join(file.files) or 'nothing'}")
            images = file[names[0]]
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"'{path}' is no npz file: {str(error).splitlines()[0]}") from error
    images = images[..., None] if images.ndim == 3 else images
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] not in (1, 3, 4) or not len(images):
        raise UserError(f"'{path}' must hold uint8 images [N, H, W, C], not {images.dtype} {list(images.shape)}")
    digest = hashlib.sha256(images.tobytes()).hexdigest()[:16]
    return Images(
        path.name, Arrays(images, None, np.arange(len(images))), features_of(images.shape[1:]), False, digest=digest
    )


def _from_folder(text: str, corrupt: str, cache: str) -> Images:
    path = as_path(text)
    try:
        items = listing.found(path, corrupt) if path.exists() else []
        size, kinds = (64, 64), {}  # of nothing: opening says what is wrong
        for entry in listing.entries(items, [""] * len(items)):
            with suppress(OSError, ValueError), entry.open() as image:  # the first pass tells of damage
                size = size if kinds else size_of(image)
                kinds.setdefault(_channels(image), entry.name)
    except (OSError, ValueError) as error:
        raise UserError(f"'{text}' cannot be read: {error}") from error
    if len(kinds) > 1:
        told = ", ".join(f"{name} has {channels}" for channels, name in sorted(kinds.items()))
        raise UserError(f"'{text}' holds pictures of unlike channels ({told}); bring them to one kind first")
    channels = next(iter(kinds), 3)
    fit = {"size": size, "channels": channels, "fit": "refuse"}
    source = ImageFolder(dir=text, split="all", labels="none", resident="off", corrupt=corrupt, cache=cache, **fit)
    return source.open()


def _channels(image: Image.Image) -> int:
    """1 grey, 3 colour, 4 with transparency."""
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return 4
    return 1 if image.mode in ("1", "L", "I", "F") or image.mode.startswith("I;") else 3
