"""Examples that belong together, pictures of one patient or cells of one module: their groups, and sides of a split that
tear none apart."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from jaxgan.errors import UserError


def groups_of(examples: Any) -> np.ndarray | None:
    """The group of every example, int [N]; None where none are known. Examples may say so by `all_groups()`."""
    found = getattr(examples, "all_groups", lambda: None)()
    return None if found is None else np.asarray(found, int)


def share(key: str) -> float:
    """A number in [0, 1) that follows from a text alone: adding others moves none."""
    return int.from_bytes(hashlib.sha256(key.encode(errors="surrogateescape")).digest()[:8]) / 2**64


def pattern(text: str) -> re.Pattern[str] | None:
    """The regular expression of `data.group`; None for an empty one. Raises UserError."""
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise UserError(f"data.group='{text}' is no regular expression: {error}") from error


def keys(names: Iterable[str], group: re.Pattern[str] | None) -> list[str]:
    """What tells the groups of pictures apart: the part of each name that `group` finds, its first parenthesis if it has
    one. Without a group the name itself, the ending aside, so that two formats of one picture are together. Raises
    UserError, naming the first picture of none."""
    stems = [str(PurePosixPath(name).with_suffix("")) for name in names]
    if group is None:
        return stems
    found = [group.search(stem) for stem in stems]
    out = [(match[1] if group.groups else match[0]) if match else None for match in found]
    bare = [stem for stem, key in zip(stems, out) if not key]
    if bare:
        raise UserError(
            f"data.group='{group.pattern}' finds nothing in the names of {len(bare)} pictures, the first {bare[0]}"
        )
    return [key for key in out if key]


def numbers(keys: list[str]) -> np.ndarray:
    """The number of each key among those that there are, in their order, int [N]."""
    return np.unique(np.array(keys, dtype=object), return_inverse=True)[1] if keys else np.zeros(0, int)
