"""The first pass over pictures: decoded and fitted once, kept as one uint8 file that later runs map into memory."""

import hashlib
import io
import itertools
import json
import os
import re
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from jaxgan import records
from jaxgan.console import bar, say
from jaxgan.data.resize import Fit
from jaxgan.errors import UserError
from jaxgan.files import user_cache

CHUNK = 256  # pictures in memory at once
INDEX = {"shape": [range(1 << 31), ...], "names": [str, ...], "labels": [str, ...], "digest": str}
VERSION = 1  # of the format; another one never reads this one's files


class Entry(NamedTuple):
    """A picture to decode: its name, unique among all; the class it belongs to ("" for none); and how to open it."""

    name: str
    label: str
    open: Callable[[], Image.Image]


@dataclass
class Cached:
    """The pictures of a first pass, by name: images uint8 [N, H, W, C] on disk, labels by class name or None.

    digest: of names, labels and pixels: equal for the same pictures, whether from a folder, a zip or a tar file.
    """

    images: np.ndarray
    names: list[str]
    labels: list[str]
    digest: str


def default_folder() -> Path:
    """Where first passes are kept unless a config says otherwise."""
    return user_cache() / "images"


def first_pass(
    title: str,
    identity: Any,
    entries: Callable[[], Iterable[Entry]],
    total: int,
    fit: Fit,
    folder: Path,
    corrupt: str = "",
) -> Cached:
    """The pictures of `entries`, from the cache if the same ones were fitted in the same way before.

    Args:
      title: what a person calls the data. identity: JSON that changes whenever the pictures may have.
      entries: called if there is no cached pass; total: how many there are.
      folder: of all caches. corrupt: "refuse" pictures that cannot be decoded, or "skip" them; "" for
      data that have no such choice, which refuse.

    Raises UserError, naming the first corrupt picture; then nothing is kept.
    """
    # By hand, and not by the whole config: subclasses add fields that change no pixel.
    how = {key: value for key, value in asdict(fit).items() if key in Fit.__dataclass_fields__}
    key = json.dumps([VERSION, identity, how, corrupt], sort_keys=True, default=str)
    slug = "".join(c if c.isalnum() else "-" for c in title)[-40:].strip("-")
    home = folder / f"{slug}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    found = _read(home)
    if found is not None:
        return found
    unfinished = home.with_name(f".{home.name}.{uuid.uuid4().hex}")  # other hosts may share the folder
    try:
        _sweep(folder)
        unfinished.mkdir(parents=True)
        _write(title, unfinished, entries(), total, fit, corrupt)
        try:
            os.rename(unfinished, home)
        except OSError:
            if _read(home) is None:  # else another process was faster
                shutil.rmtree(home)
                os.rename(unfinished, home)
    except OSError as error:
        raise UserError(f"cannot keep pictures in {folder} ({error.strerror}); choose --config.data.cache=FOLDER") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    result = _read(home)
    assert result is not None
    return result


def _sweep(folder: Path) -> None:
    """Removes what passes that were killed a day ago or earlier have left: their own two files, in folders of their own
    names alone, since `folder` may be any of the user's."""
    for left in folder.glob(".*"):
        if re.fullmatch(r"\..*-[0-9a-f]{16}\.[0-9a-f]{32}", left.name) and left.stat().st_mtime < time.time() - 86400:
            for name in ("pixels.bin", "index.json"):
                (left / name).unlink(missing_ok=True)
            with suppress(OSError):  # something else is in it
                left.rmdir()


def _read(home: Path) -> Cached | None:
    try:
        index = records.read_json(home / "index.json", INDEX, "remove it")
        if index is None or len(index["labels"]) != len(index["names"]) or any(index["labels"]) != all(index["labels"]):
            return None
        images = np.memmap(home / "pixels.bin", np.uint8, "r", shape=(len(index["names"]), *index["shape"]))
        if images.nbytes != (home / "pixels.bin").stat().st_size:
            return None
        return Cached(images, index["names"], index["labels"], index["digest"])
    except (OSError, ValueError, UserError, OverflowError):  # damaged
        return None


def _write(title: str, home: Path, entries: Iterable[Entry], total: int, fit: Fit, corrupt: str) -> None:
    names, labels, hashes, bad, shape, size = [], [], [], [], None, 0
    with (home / "pixels.bin").open("wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about odd metadata; what it cannot decode raises
        for entry, pixels in bar(_decoded(entries, fit), title, total, "pictures"):
            if isinstance(pixels, np.ndarray) and shape not in (None, pixels.shape):
                pixels = f"its shape {pixels.shape} is not the others' {shape}: set --config.data.size and .channels"
            if isinstance(pixels, str):
                bad.append((entry.name, pixels))
                continue
            if shape is None:
                shape, size = pixels.shape, pixels.nbytes * total
                free = shutil.disk_usage(home).free
                if size > free:
                    raise UserError(
                        f"{title} needs {size / 1e9:.1f} GB in {home.parent}, which has {free / 1e9:.1f} GB left; "
                        "choose --config.data.cache=FOLDER or a smaller --config.data.size"
                    )
            file.write(pixels.tobytes())
            names.append(entry.name)
            labels.append(entry.label)
            hashes.append(hashlib.sha256(pixels.tobytes()).hexdigest())
    if bad and (corrupt != "skip" or not names):
        name, reason = bad[0]
        choice = ", or leave them out with --config.data.corrupt=skip" if corrupt else ""
        raise UserError(
            f"{len(bad)} of {total} pictures in {title} cannot be used, the first {name}: {reason}; remove them{choice}"
        )
    if bad:
        left_out = ", ".join(name for name, _ in bad[:5]) + (", ..." if len(bad) > 5 else "")
        printable = left_out.encode(errors="backslashreplace").decode()
        say(f"left out {len(bad)} of {total} pictures in {title}: {printable}")
    content = hashlib.sha256(json.dumps([shape, sorted(zip(names, labels, hashes))]).encode()).hexdigest()[:16]
    index = {"shape": shape, "names": names, "labels": labels, "digest": content}
    (home / "index.json").write_text(json.dumps(index))


def _decoded(entries: Iterable[Entry], fit: Fit) -> Iterator[tuple[Entry, np.ndarray | str]]:
    """Each entry with its pixels, or with the reason why there are none."""

    def decode(entry: Entry) -> np.ndarray | str:
        try:
            with entry.open() as image:
                return fit(image)
        except MemoryError:
            raise
        except Image.DecompressionBombError:
            limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            return f"more than {limit:,} pixels, perhaps a decompression bomb"
        except Exception as error:  # whatever a decoder raises on damaged bytes is an answer about this picture
            return _reason(error)

    rest = iter(entries)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while chunk := list(itertools.islice(rest, CHUNK)):
            yield from zip(chunk, pool.map(decode, chunk))


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "no picture that Pillow can read"
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text if len(text) < 120 else text[:120] + "..."


def from_bytes(content: bytes) -> Image.Image:
    """A picture in memory, its pixels not yet decoded."""
    return Image.open(io.BytesIO(content))
