"""Pictures that a person names in one word: a folder or archive, an npz file, or a data set and its split."""

import hashlib
import warnings
from pathlib import Path

import numpy as np

from jaxgan import npz
from jaxgan.data import listing
from jaxgan.data.archives import ARCHIVES
from jaxgan.data.builders import check_name
from jaxgan.data.features import features_of
from jaxgan.data.folder import ImageFolder
from jaxgan.data.picture import channels_of, size_of
from jaxgan.data.source import Arrays, Images
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError, as_path

ARRAY_NAMES = ("images", "arr_0")  # this project's, and what numpy calls an array that was given no name


def open_by_name(text: str, folder: str = "", corrupt: str = "", cache: str = "", labelled: bool = False) -> Images:
    """The images behind `text`: a folder, a zip or tar file, FILE.npz or .npy, or NAME or NAME@SPLIT of a TFDS data set (by
    default the split train), kept in TFDS's data folder `folder`. Pictures are taken as they are, and must be of one size.
    corrupt: "refuse" those that cannot be decoded, or "skip" them; "" where a person has no such choice. cache: the folder
    of decoded pictures, "" for the default. labelled: with labels, where there are: sub-folders, an array "labels", or the
    data set's own. Raises UserError."""
    path = as_path(text)
    if path.suffix.lower() in (".npz", ".npy"):
        return _from_arrays(path, labelled)
    if path.is_file() and not path.name.lower().endswith(ARCHIVES):
        raise UserError(f"'{text}' is no folder of pictures, archive ({' '.join(ARCHIVES)}), .npz or .npy file")
    if path.exists() or text.lower().endswith(ARCHIVES) or text.startswith((".", "/", "~")):
        return _from_folder(text, corrupt, cache, "auto" if labelled else "none")
    name, _, split = text.partition("@")
    close = listing.nearest_beside(path, (".npz", ".npy", *ARCHIVES))
    if close:
        raise UserError(f"there is no '{text}'; did you mean '{close}'?")
    try:
        check_name(name)
    except UserError as error:
        raise UserError(f"'{text}' is no folder, archive or .npz file, and as a data set: {error}") from error
    label = "label" if labelled else "none"
    return Tfds(name=name, split=split or "train", dir=folder, label=label, resident="off").open()


def _from_arrays(path: Path, labelled: bool) -> Images:
    def named(headers: dict[str, npz.Header]) -> list[str]:
        names = [name for name in ARRAY_NAMES if name in headers] or list(headers)[: len(headers) == 1]
        if not names:
            raise UserError(f"'{path}' has no array 'images', but {', '.join(headers) or 'nothing'}")
        check(headers[names[0]])
        return names[:1] + ["labels"] * (labelled and "labels" in headers)

    def check(found: npz.Header | np.ndarray) -> None:
        shape = found.shape if len(found.shape) == 4 else (*found.shape, 1)
        if len(shape) != 4 or found.dtype != np.uint8 or shape[-1] not in (1, 3, 4) or not shape[0]:
            raise UserError(f"'{path}' must hold uint8 images [N, H, W, C], not {found.dtype} {list(found.shape)}")

    try:
        images, *labels = npz.read(path, named).values() if path.suffix.lower() == ".npz" else [npz.read_npy(path)]
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"'{path}' is no {path.suffix[1:].lower()} file: {error}") from error
    check(images)
    images = images[..., None] if images.ndim == 3 else images
    classes = _classes(path, labels[0], len(images)) if labels else 0
    digest = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()[:16]
    examples = Arrays(images, labels[0] if labels else None, np.arange(len(images)))
    return Images(path.name, examples, features_of(images.shape[1:], classes), False, digest=digest)


def _classes(path: Path, labels: np.ndarray, count: int) -> int:
    """How many classes labels are of, as far as they tell. Raises UserError for what are no labels of the images."""
    if labels.shape != (count,) or labels.dtype.kind not in "iu" or (count and labels.min() < 0):
        what = f"{labels.dtype} {list(labels.shape)}"
        raise UserError(f"'{path}' must hold one label for each of its {count} images, whole numbers from 0, not {what}")
    return int(labels.max()) + 1


def _from_folder(text: str, corrupt: str, cache: str, labels: str) -> Images:
    path = as_path(text)
    try:
        items = listing.found(path, corrupt, quiet=True).items if path.exists() else []
    except OSError as error:
        raise UserError(f"'{text}' cannot be read: {error.strerror}") from error
    size, kinds = (64, 64), {}  # of nothing: opening says what is wrong
    for entry in listing.entries(items, [""] * len(items)):
        try:
            with warnings.catch_warnings(), entry.open() as image:
                warnings.simplefilter("ignore")  # Pillow's, about odd metadata
                size = size if kinds else size_of(image)
                kinds.setdefault(channels_of(image), entry.name)
        except MemoryError:
            raise
        except Exception:  # whatever a decoder raises on damaged bytes; the first pass tells of it
            continue
    if len(kinds) > 1:
        told = ", ".join(f"{name} has {channels}" for channels, name in sorted(kinds.items()))
        raise UserError(f"'{text}' holds pictures of unlike channels ({told}); bring them to one kind first")
    channels = next(iter(kinds), 3)
    fit = {"size": size, "channels": channels, "fit": "refuse"}
    source = ImageFolder(dir=text, split="all", labels=labels, resident="off", corrupt=corrupt, cache=cache, **fit)
    return source.open()
