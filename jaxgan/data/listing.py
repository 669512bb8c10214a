"""Finding pictures below a folder, in zip and tar files and in folders of those, and getting at their bytes."""

import difflib
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image

from jaxgan.console import say
from jaxgan.data import archives, picture
from jaxgan.data.archives import ARCHIVES, Member
from jaxgan.data.decode import Entry
from jaxgan.errors import UserError, as_path

PICTURES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".jp2"),
    ".avif",
)
# Files beside pictures that nobody takes for one.
BESIDE = (".cls", ".csv", ".html", ".ini", ".json", ".jsonl", ".md", ".tsv", ".txt", ".xml", ".yaml", ".yml")
INDEX = "dataset.json"  # of the archives that StyleGAN2-ADA's and StyleGAN3's tools make
MOST = 2**28  # bytes of it


class Item(NamedTuple):
    """A picture that was found: its unique name, the folders that it lies in, the file or archive that holds it, and its
    class where a `dataset.json` (StyleGAN) or a `.cls` file beside it (WebDataset) says one."""

    name: str
    folders: tuple[str, ...]
    file: Path
    cls: str = ""


class Found(NamedTuple):
    """items: the pictures. passed_over: how many other files there are, by kind; hidden ones and texts aside. trouble: why
    the labels of a `dataset.json` cannot be classes."""

    items: list[Item]
    passed_over: Counter
    trouble: str = ""

    def told(self) -> str:
        """ ".heic 12, links to nothing 1"; "" for nothing passed over."""
        return ", ".join(f"{kind} {n}" for kind, n in sorted(self.passed_over.items()))


def found(root: Path, corrupt: str, quiet: bool = False) -> Found:
    """Every picture below a folder, in an archive, or in a folder of archives. quiet: do not say what was passed over.
    Raises UserError, and OSError for a folder that cannot be read."""
    out = _in_archive(root, corrupt) if root.is_file() else _in_folder(root, corrupt)
    tops = {item.name.partition("/")[0] for item in out.items if "/" in item.name}
    if root.is_file() and len(tops) == 1 and all("/" in item.name for item in out.items):
        [top] = tops  # zip and tar put the folder itself in front
        out = out._replace(items=[item._replace(name=item.name.removeprefix(f"{top}/")) for item in out.items])
    if out.items and out.passed_over and not quiet:
        say(f"passed over in {root.name}, as no pictures: {out.told()}")
    return out


def none_in(what: str, there: Found, kinds: str = "") -> UserError:
    """The mistake of naming a place without pictures. kinds: what else is taken."""
    beside = f"; it holds {there.told()}" if there.passed_over else ""
    return UserError(f"'{what}' holds no pictures ({' '.join(PICTURES)}){kinds}{beside}")


def folder(text: str) -> Path:
    """The folder that a person names. Raises UserError, with the nearest one that there is."""
    root = as_path(text)
    if not root.is_dir():
        close = nearest_beside(root, ())
        raise UserError(f"there is no folder '{text}'" + (f"; did you mean '{close}'?" if close else ""))
    return root


def stamp(item: Item) -> tuple[str, int, int]:
    """What changes with a picture: its name, and the size and time of its file."""
    status = item.file.stat()
    return item.name, status.st_size, status.st_mtime_ns


def nearest_beside(path: Path, kinds: tuple[str, ...]) -> Path | None:
    """The folder, or the file of one of these endings, whose name is nearly `path`'s; None if there is none."""
    try:
        beside = [p.name for p in path.parent.iterdir() if p.is_dir() or p.name.lower().endswith(kinds)]
    except OSError:  # no such parent
        return None
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.7)
    return path.with_name(close[0]) if close else None


def _in_folder(root: Path, corrupt: str) -> Found:
    there = sorted(_walk(root))
    paths = [(file, PurePosixPath(file.relative_to(root).as_posix())) for file in there]
    items = [Item(str(path), path.parts[:-1], file) for file, path in paths if is_picture(str(path)) and file.exists()]
    shards = [(file, path) for file, path in paths if file.name.lower().endswith(ARCHIVES) and file.exists()]
    if items and shards:
        raise UserError(
            f"'{root}' holds {len(items)} pictures and {len(shards)} archives ({shards[0][1]}): which are meant? "
            "--config.data.dir can name an archive, or a folder of one kind"
        )
    indexes = {
        path.parts[:-1]: _labels(file.read_bytes() if file.stat().st_size <= MOST else "it is too large", file)
        for file, path in paths
        if path.name == INDEX and file.exists()
    }
    items, trouble = _indexed(items, indexes, root)
    known = {*(item.file for item in items), *(file for file, _ in shards)}
    passed_over = Counter(
        _kind(path, "" if file.exists() else "links to nothing") for file, path in paths if file not in known
    )
    del passed_over[""]
    for file, path in shards:
        inside = _in_archive(file, corrupt)
        trouble, passed_over = trouble or inside.trouble, passed_over + inside.passed_over
        for item in inside.items:
            items.append(item._replace(name=f"{path}/{item.name}", folders=path.parts[:-1] + item.folders))
    return Found(items, passed_over, trouble)


def _walk(folder: Path, seen: frozenset = frozenset()) -> Iterator[Path]:
    """Files below a folder, through links but never round in circles, and links to nothing; hidden ones aside."""
    real = folder.resolve()
    if real in seen:
        return
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        if path.is_dir():
            yield from _walk(path, seen | {real})
        elif path.is_file() or path.is_symlink():
            yield path


def is_picture(name: str) -> bool:
    """Whether a file's name is a picture's."""
    path = PurePosixPath(name)
    return path.suffix.lower() in PICTURES and not _hidden(path)


def _hidden(path: PurePosixPath) -> bool:
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in path.parts)


def _kind(path: PurePosixPath, link: str) -> str:
    """Under what a file that is passed over is counted; "" where nobody misses it."""
    ending = path.suffix.lower()
    return "" if _hidden(path) or ending in BESIDE else link or ending or "without an ending"


def _in_archive(archive: Path, corrupt: str) -> Found:
    """The pictures in a zip or tar file, as `archives.members` finds them. Raises UserError."""
    names, classes, indexes, passed_over = [], {}, {}, Counter()
    for member in archives.members(archive, corrupt):
        path = PurePosixPath(member.name)
        if _is_item(member):
            names.append(member.name)
        elif path.suffix == ".cls" and not member.link and archive.suffix.lower() != ".zip":
            content = member.text(4096)
            if isinstance(content, bytes):
                classes[archives.key(member.name)] = content.decode(errors="replace").strip()
        elif path.name == INDEX and not member.link and not _hidden(path):
            indexes[path.parts[:-1]] = _labels(member.text(MOST), archive / member.name)
        else:
            passed_over[_kind(path, member.link)] += 1
    del passed_over[""]
    counts, items = Counter(), []
    for name in names:
        counts[name] += 1
        items.append(Item(name, PurePosixPath(name).parts[:-1], archive, classes.get(archives.key(name), "")))
    items, trouble = _indexed(items, indexes, archive)
    if max(counts.values(), default=0) > 1:  # an archive may hold a name twice
        counts = Counter()
        for i, item in enumerate(items):
            counts[item.name] += 1
            items[i] = item if counts[item.name] == 1 else item._replace(name=f"{item.name}#{counts[item.name]}")
    return Found(items, passed_over, trouble)


def _is_item(member: Member) -> bool:
    return is_picture(member.name) and not member.link


def _labels(content: bytes | str, where: Path) -> dict[str, str] | str:
    """{file: class} of a `dataset.json`, {} where it has no labels, or why they cannot be classes."""
    try:
        labels = json.loads(content)["labels"] if isinstance(content, bytes) else {}[0]
        if labels is None:
            return {}
        pairs = [(str(name), label) for name, label in labels]
    except KeyError:
        return {} if isinstance(content, bytes) else f"'{where}' cannot be read: {content}"
    except (ValueError, TypeError, RecursionError):
        return f"'{where}' is damaged, or not StyleGAN's {{\"labels\": [[file, class], ...]}}"
    other = next((name for name, label in pairs if isinstance(label, bool) or not isinstance(label, int | str)), None)
    return f"'{where}' has labels that are no classes, the first of {other}" if other else {k: str(v) for k, v in pairs}


def _indexed(items: list[Item], indexes: dict[tuple, dict[str, str] | str], root: Path) -> tuple[list[Item], str]:
    """The items with the classes that the `dataset.json` above them gives; folders below it are shards and no classes. With
    them, why a label cannot be used."""
    trouble = next((labels for labels in indexes.values() if isinstance(labels, str)), "")
    for above, labels in indexes.items():
        for i, item in enumerate(items):
            if item.folders[: len(above)] == above:
                name = "/".join(PurePosixPath(item.name).parts[len(above) :])
                cls = labels.get(name, "") if isinstance(labels, dict) else ""
                items[i] = item._replace(folders=above, cls=cls)
                if labels and not cls:
                    trouble = trouble or f"'{'/'.join((str(root), *above, INDEX))}' has no label of {name}"
    return items, trouble


def entries(items: list[Item], labels: list[str]) -> Iterator[Entry]:
    """The items to decode, an archive's from front to back, which is all that a compressed one allows."""
    archive, contents = None, iter(())
    for item, label in zip(items, labels):
        if item.file.suffix.lower() in PICTURES:
            yield Entry(item.name, label, partial(picture.opened, item.file))
            continue
        if item.file != archive:
            archive, contents = item.file, filter(_is_item, archives.members(item.file))
        content = next(contents).content()
        yield Entry(item.name, label, partial(_opened, content), len(content))


def _opened(content: bytes | str) -> AbstractContextManager[Image.Image]:
    if isinstance(content, str):
        raise ValueError(content)
    return picture.opened(io.BytesIO(content))
