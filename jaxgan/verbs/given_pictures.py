"""A person's pictures that a verb reads one after the other: where they are, and what the PNG made of each is called."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

from jaxgan.errors import UserError, as_path


def input_of(text: str, mode: str) -> Path:
    """What `--input` names. Raises UserError where it is empty, and where there is nothing, with the nearest name."""
    from jaxgan.data import listing
    from jaxgan.data.archives import ARCHIVES

    if not text:
        raise UserError(f"--mode={mode} needs --input: a folder or archive of pictures")
    source = as_path(text)
    if not source.exists():
        close = listing.nearest_beside(source, ARCHIVES)
        raise UserError(f"there is no '{text}'" + (f"; did you mean '{close}'?" if close else ""))
    return source


def listed(source: Path, corrupt: str = "", alone: bool = False) -> list[Any]:
    """The `data.listing.Item`s below a folder, in the order of their names, or in an archive, in its own. corrupt: as for
    `data.archives.members`. alone: `source` may be a picture. Raises UserError where there are none."""
    from jaxgan.data import listing
    from jaxgan.data.archives import ARCHIVES

    if alone and source.is_file() and listing.is_picture(source.name):
        return [listing.Item(source.name, (), source)]
    if source.is_file() and not source.name.lower().endswith(ARCHIVES):
        kinds = "no picture, no folder and no archive" if alone else "neither a folder nor an archive"
        raise UserError(f"'{source}' is {kinds} ({' '.join(ARCHIVES)})")
    try:
        there = listing.found(source, corrupt)
    except OSError as error:
        raise UserError(f"'{source}' cannot be read: {error.strerror}") from error
    if not there.items:
        raise listing.none_in(str(source), there)
    return there.items


def png_names(found: Collection[str], source: Path) -> list[str]:
    """A name that ends in .png for each picture, all unlike. Raises UserError for names that lead out of the folder."""
    paths = [PurePosixPath(name) for name in found]
    for path in paths:
        if path.is_absolute() or ".." in path.parts:  # which an archive may hold
            raise UserError(f"'{path}' in '{source}' would be written outside of --out")
    stems, taken = [path.with_suffix("") for path in paths], set(paths)
    counts = Counter(stems)
    return [f"{path if counts[stem] > 1 or stem in taken else stem}.png" for path, stem in zip(paths, stems)]


def stamp(items: Collection[Any]) -> str:
    """Which pictures `listed` has found: how many, and a digest of their names, sizes and times."""
    stats = ((item.name, item.file.stat()) for item in items)
    return f"{len(items)}, {digest([[name, found.st_size, found.st_mtime_ns] for name, found in stats])}"


def digest(content: Any) -> str:
    """A short digest of what JSON can hold."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
