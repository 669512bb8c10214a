"""Where a verb writes: --out never replaces, and never mixes with, what the command has not made.

A file that exists is refused unless the command says --overwrite. A folder gets a note, `.made.json`, of the request and the
files that belong to it. The same request goes on there; another one is refused, or takes their place with --overwrite. A
folder with other contents is always refused.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from absl import flags

from jaxgan import records
from jaxgan.errors import UserError, as_path
from jaxgan.files import write_json

NOTE = ".made.json"


def define_flags(values: flags.FlagValues, out: str) -> None:
    """Defines --out, with this help, and --overwrite."""
    flags.DEFINE_string("out", "", out, flag_values=values)
    flags.DEFINE_boolean(
        "overwrite", False, "Replace what is at --out: a file, or what an earlier command made in a folder.", values
    )


def check(values: flags.FlagValues, paths: Collection[Path], inputs: Collection[str]) -> None:
    """`check_files` with the flags of the command line. paths: all that --out=FILE makes; none without it. inputs: what is
    read, as it was typed; a data set's name is no path. Raises UserError."""
    if values.overwrite and not values.out:
        raise UserError("--overwrite goes with --out")
    check_files(paths, values.overwrite, [as_path(text) for text in inputs if as_path(text).exists()])


def check_files(paths: Collection[Path], overwrite: bool, inputs: Collection[Path] = ()) -> None:
    """Refuses to write files of which one exists, unless `overwrite`, or lies in what is read. Raises UserError."""
    for path in paths:
        check_apart(path, inputs)
        if os.path.lexists(path) and (path.is_dir() or not overwrite):
            hint = "name a file in it" if path.is_dir() else "choose another --out, or replace it with --overwrite"
            raise UserError(f"{path} exists already; {hint}")


def check_apart(out: Path, inputs: Collection[Path]) -> None:
    """Refuses an output that lies in what is read, or around it, links resolved. Raises UserError."""
    for given in inputs:
        written, read = out.resolve(), given.resolve()
        if written.is_relative_to(read):
            raise UserError(f"{out} is among what is read, {given}; choose another --out")
        if read.is_relative_to(written):
            raise UserError(f"{out} holds what is read, {given}; choose another --out")


def folder_of(values: flags.FlagValues, inputs: Collection[Path]) -> Path | None:
    """The folder that --out names, None without it. inputs: what is read. Raises UserError as `check_folder`, and for a
    file."""
    out = as_path(values.out) if values.out else None
    if out and out.is_file():
        raise UserError(f"--out={values.out} must be a folder, and not a file")
    if out:
        check_folder(out, inputs)
    return out


def check_folder(folder: Path, inputs: Collection[Path] = ()) -> dict[str, Any]:
    """The note of a folder, {"request", "files"}; {} for a new or empty one. Raises UserError where it has contents and no
    note, or lies in what is read or around it."""
    check_apart(folder, inputs)
    try:
        there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}; choose another --out") from error
    if there and NOTE not in there:
        raise UserError(f"{folder} holds '{there[0]}', which this command has not made; choose another --out")
    return records.read_json(folder / NOTE, {"request": dict, "files": [str]}, "choose another --out") or {}


def claim_folder(folder: Path, request: dict[str, Any], files: Collection[str], overwrite: bool = False) -> set[str]:
    """Makes a folder the place of a request's files, and returns those that the same request has written already.

    request: what the files follow from, as JSON. files: their paths below the folder. An earlier command's files that are
    not among them are removed, where its request is the same or `overwrite` says so. Raises UserError as `check_folder`
    does, where the files there are another request's, and where one of `files` is nobody's.
    """
    note, wanted = check_folder(folder), {*files}
    before, own = note.get("request", request), {*note.get("files", ())}
    if before != request and not overwrite:
        key = next(key for key in {**request, **before} if request.get(key) != before.get(key))
        old, new = (str(one.get(key, "none"))[:40] for one in (before, request))
        raise UserError(
            f"{folder} holds files of another command ({key}: {old}, now {new}); choose another --out, or replace them with "
            "--overwrite"
        )
    for name in sorted(wanted - own):
        if os.path.lexists(folder / name):
            raise UserError(f"{folder} holds '{name}', which this command has not made; choose another --out")
    there = dict(_written(folder, own))
    kept = {name for path, name in there.items() if name in wanted and path.stat().st_size} if before == request else set()
    for path, name in there.items():
        if name not in kept:
            path.unlink()
    write_json(folder / NOTE, {"request": request, "files": sorted(wanted)})
    return kept


def clear_folder(folder: Path) -> None:
    """Removes what a request has written in a folder, and the folder itself where nothing else is in it."""
    for path, _ in _written(folder, {*check_folder(folder)["files"]}):
        path.unlink()
    (folder / NOTE).unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _written(folder: Path, files: set[str]) -> list[tuple[Path, str]]:
    """(path, name) of a note's files that are there; and (path, "") of what a killed command has left half written."""
    out = []
    for above in {(folder / name).parent for name in files}:
        if not above.is_dir() or not above.resolve().is_relative_to(folder.resolve()):
            continue
        for path in above.iterdir():
            name, parts = str(path.relative_to(folder)), str(path.relative_to(folder)).split(".")
            if name in files:
                out.append((path, name))
            elif parts[-1] == "tmp" and any(".".join(parts[:n]) in files for n in range(1, len(parts))):
                out.append((path, ""))
    return [(path, name) for path, name in out if path.is_file() or path.is_symlink()]
