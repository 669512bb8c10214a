"""The first pass over pictures: decoded and fitted once, kept as one uint8 file that later runs map into memory.

Each start reads the file once and compares it with its digest: 1.6 GB/s a core where the disk keeps up.
"""

import hashlib
import json
import math
import os
import re
import shutil
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan import records
from jaxgan.console import bar, say
from jaxgan.data import listing, picture
from jaxgan.data.decode import CHUNK, Entry, dark_ones, decoded
from jaxgan.data.listing import Item
from jaxgan.data.resize import Fit
from jaxgan.errors import UserError, as_path
from jaxgan.files import user_cache

VERSION = 2  # of the format and of what pictures become; another one never reads this one's files
INDEX = {"shape": [range(1 << 31), ...], "names": [str, ...], "labels": [str, ...], "digest": str}
_intact: set[tuple] = set()  # files that this process has found to be what was written, by path, size and time


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
    total: int | Callable[[], int],
    fit: Fit,
    folder: Path,
    corrupt: str = "",
) -> Cached:
    """The pictures of `entries`, from the cache if the same ones were fitted in the same way before.

    Args:
      title: what a person calls the data. identity: JSON that changes whenever the pictures may have.
      entries: called if there is no cached pass; total: how many there are, or what finds that out then, before.
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
    if found is not None and _is_intact(home, found, title):
        return found
    if found is not None or (home.exists() and _read(home) is None):  # else another process has just made it
        say(f"the fitted pictures of {title} in {home} are damaged; they are made anew")
        shutil.rmtree(home, ignore_errors=True)
    unfinished = home.with_name(f".{home.name}.{uuid.uuid4().hex}")  # other hosts may share the folder
    try:
        _sweep(folder)
        unfinished.mkdir(parents=True)
        count = total if isinstance(total, int) else total()
        _write(title, unfinished, entries(), count, fit, corrupt)
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


def of_items(
    root: Path, part: str, items: list[Item], ways: Sequence[Callable], fit: Fit, folder: str, others: Sequence[Item] = ()
) -> Cached:
    """`first_pass` over the pictures `part` below `root`, each opened in its way; none may be left out. folder: the field
    `data.cache`. others: further pictures whose change makes these others. Raises UserError."""
    stamps = [listing.stamp(item) for item in (*items, *others)]
    return first_pass(
        title=f"{root.name} {part}",
        identity=[str(root), part, hashlib.sha256(json.dumps(stamps).encode()).hexdigest()],
        entries=lambda: [Entry(item.name, "", way) for item, way in zip(items, ways)],
        total=len(items),
        fit=fit,
        folder=as_path(folder) if folder else default_folder(),
    )


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
        if index is None:
            return None
        pixels, shape = home / "pixels.bin", (len(index["names"]), *index["shape"])
        if pixels.stat().st_size != math.prod(shape) or len(index["labels"]) != shape[0]:
            return None
        images = np.memmap(pixels, np.uint8, "r", shape=shape)
        return Cached(images, index["names"], index["labels"], index["digest"])
    except (OSError, ValueError, UserError, OverflowError):  # damaged
        return None


def _is_intact(home: Path, cached: Cached, title: str) -> bool:
    """Whether what was kept is what was written; a process looks once."""
    status = [(home / name).stat() for name in ("pixels.bin", "index.json")]
    stamp = (str(home.resolve()), *((one.st_size, one.st_mtime_ns) for one in status))
    if stamp not in _intact:
        parts = [cached.images[i : i + CHUNK] for i in range(0, len(cached.images), CHUNK)]
        hashes: list[str] = []
        shown = bar(None, f"{title}, checked", len(cached.images), "pictures")
        with ThreadPoolExecutor(os.cpu_count()) as pool, shown:
            for found in pool.map(lambda part: [hashlib.sha256(one).hexdigest() for one in part], parts):
                hashes += found
                shown.update(len(found))
        if _digest(cached.images.shape[1:], cached.names, cached.labels, hashes) != cached.digest:
            return False
        _intact.add(stamp)
    return True


def _digest(shape: Any, names: list[str], labels: list[str], hashes: list[str]) -> str:
    content = json.dumps([shape, sorted(zip(names, labels, hashes))])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _write(title: str, home: Path, entries: Iterable[Entry], total: int, fit: Fit, corrupt: str) -> None:
    names, labels, hashes, bad, tops, shape, size = [], [], [], [], [], None, 0
    with (home / "pixels.bin").open("wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about odd metadata; what it cannot decode raises
        for entry, pixels in bar(decoded(entries, fit, tops), title, total, "pictures"):
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
        say(f"left out {len(bad)} of {total} pictures in {title}: {left_out}")
    if dark := dark_ones(tops, total, title):
        say(f"{dark}; for pictures of 12 bits say --config.data.white={picture.DIM}")
    digest = _digest(shape, names, labels, hashes)
    index = {"shape": shape, "names": names, "labels": labels, "digest": digest}
    (home / "index.json").write_text(json.dumps(index))
