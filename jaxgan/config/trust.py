"""Whose code a saved record may run.

A run's config may name classes outside this package, and a table's record names a file. Both are code, and a workdir may
come from anybody. When a run or a table starts that uses such code, a note in the user's state folder says so, under a
random id that the record carries. The code of a record without a note is refused unless the command says --trust. The path
of a folder is no part of a note: a workdir may be moved, and another record in its place is not trusted.
"""

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jaxgan import errors, records
from jaxgan.config import bundled
from jaxgan.errors import UserError, is_reference
from jaxgan.files import user_state, write_json

_trusts_all = False


@contextmanager
def trusting(everything: bool) -> Iterator[None]:
    """Within it, code of every record is accepted, if `everything`. It is what --trust says."""
    global _trusts_all
    before, _trusts_all = _trusts_all, everything
    try:
        yield
    finally:
        _trusts_all = before


def is_trusting() -> bool:
    """Whether this command says --trust."""
    return _trusts_all


def classes_in(tree: Any) -> set[str]:
    """The names "package.module:Object" in a saved config that do not belong to this package: among values, and among keys,
    for a term's key is also its default name."""
    if isinstance(tree, dict):
        return set().union(*(classes_in(part) for pair in tree.items() for part in pair))
    if isinstance(tree, list | tuple):
        return set().union(*map(classes_in, tree))
    outside = isinstance(tree, str) and is_reference(tree) and re.split("[.:]", tree)[0] != "jaxgan"
    return {tree} if outside else set()


def file_in(spec: str) -> set[str]:
    """{spec}, if the file of "FILE.py" or "FILE.py:VARIANT" is not one of this package's configs, or would import from a
    folder `configs` that is not."""
    found, own = bundled.find(spec.partition(":")[0]), Path.cwd() / "configs"
    is_bundled = found is None or found.resolve().is_relative_to(bundled.CONFIGS)
    return set() if is_bundled and (not own.is_dir() or own.resolve() == bundled.CONFIGS) else {spec}


def check(names: Iterable[str], where: Path, identity: Any) -> None:
    """Refuses code that a record in `where` names, if nobody has vouched for it.

    names: of classes and files, from `classes_in` and `file_in`. identity: the record's id, or None. Names that this process
    has looked up already came from its own command, or were accepted. Raises UserError.
    """
    unknown = sorted({*names} - errors.looked_up - _noted(identity))
    if unknown and not _trusts_all:
        more = f" and {len(unknown) - 4} more" if len(unknown) > 4 else ""
        raise UserError(
            f"{where} would run code from outside jaxgan, {', '.join(map(repr, unknown[:4]))}{more}, and this machine has "
            "no note that you made it; read that code, then give --trust"
        )


def note(names: Iterable[str], where: Path, identity: Any) -> str | None:
    """Notes that this user made the record in `where`, which names this code. Returns the record's id.

    identity: its id so far, which it keeps if it is this user's. Without names there is nothing to note; without a state
    folder that can be written there is no note, and no error.
    """
    names, before, folder = {*names}, _noted(identity), user_state()
    if not names or not folder:
        return identity if before else None
    identity = identity if before else secrets.token_hex(16)
    content = {"names": sorted(names | before), "workdir": str(where.absolute()), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    try:
        write_json(folder / "made" / f"{identity}.json", content)
    except OSError:
        return None
    return identity


def _noted(identity: Any) -> set[str]:
    """The names that this user's note of a record has; none without a note."""
    folder = user_state()
    if not folder or not isinstance(identity, str) or not re.fullmatch("[0-9a-f]{32}", identity):
        return set()
    with suppress(UserError):  # a damaged note vouches for nothing
        note = records.read_json(folder / "made" / f"{identity}.json", {"names": [str]}, "")
        return {*note["names"]} if note else set()
    return set()
