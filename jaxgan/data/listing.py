"""Finding pictures below a folder, in zip and tar files and in folders of those, and getting at their bytes."""

import difflib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from PIL import Image

from jaxgan.data import cache
from jaxgan.errors import UserError

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".jp2", ".avif")
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")
LARGEST = 2**30  # bytes of one file inside an archive
DAMAGE = (
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)


class Item(NamedTuple):
    """A picture that was found: its unique name, the folders that it lies in, the file or archive that holds it, and its
    class where a `.cls` file beside it says one (WebDataset)."""

    name: str
    folders: tuple[str, ...]
    file: Path
    cls: str = ""


def found(root: Path, corrupt: str) -> list[Item]:
    """Every picture below a folder, in an archive, or in a folder of archives. corrupt: "skip" what an archive that is cut
    short lacks; "refuse" it, or "" where a person has no such choice."""
    if root.is_file():
        items = _in_archive(root, corrupt)
        tops = {item.folders[:1] for item in items}
        if len(tops) == 1 and () not in tops:  # zip and tar put the folder itself in front
            top = f"{items[0].folders[0]}/" if items else ""
            items = [item._replace(name=item.name.removeprefix(top), folders=item.folders[1:]) for item in items]
        return items
    files = sorted(_walk(root))
    paths = [(file, PurePosixPath(file.relative_to(root).as_posix())) for file in files]
    items = [Item(str(path), path.parts[:-1], file) for file, path in paths if path.suffix.lower() in PICTURES]
    shards = [(file, path) for file, path in paths if file.name.lower().endswith(ARCHIVES)]
    if items and shards:
        raise UserError(
            f"'{root}' holds {len(items)} pictures and {len(shards)} archives ({shards[0][1]}): which are meant? "
            "--config.data.dir can name an archive, or a folder of one kind"
        )
    for file, path in shards:
        for item in _in_archive(file, corrupt):
            items.append(item._replace(name=f"{path}/{item.name}", folders=path.parts[:-1] + item.folders))
    return items


def nearest_beside(path: Path, kinds: tuple[str, ...]) -> Path | None:
    """The folder, or the file of one of these endings, whose name is nearly `path`'s; None if there is none."""
    try:
        beside = [p.name for p in path.parent.iterdir() if p.is_dir() or p.name.lower().endswith(kinds)]
    except OSError:  # no such parent
        return None
    close = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.7)
    return path.with_name(close[0]) if close else None


def _walk(folder: Path, seen: frozenset = frozenset()) -> Iterator[Path]:
    """Files below a folder, through links but never round in circles; hidden ones aside."""
    real = folder.resolve()
    if real in seen:
        return
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        if path.is_dir():
            yield from _walk(path, seen | {real})
        elif path.is_file():
            yield path


def _is_picture(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in PICTURES and not hidden and not name.endswith("/")


def _in_archive(archive: Path, corrupt: str) -> list[Item]:
    """The pictures in a zip or tar file. Raises UserError for one that cannot be read, or is cut short and not to be."""
    classes: dict[str, str] = {}
    try:
        if archive.suffix.lower() == ".zip":
            with zipfile.ZipFile(archive) as opened:
                names = opened.namelist()
        else:
            with tarfile.open(archive) as opened:
                names = []
                for member in opened:
                    if member.isfile() or member.islnk():
                        names.append(member.name.removeprefix("./"))
                        if names[-1].endswith(".cls"):
                            content: Any = opened.extractfile(member)
                            classes[_key(names[-1])] = content.read(4096).decode(errors="replace").strip()
                if corrupt != "skip" and not _ends_well(opened):
                    choice = ", or take what there is with --config.data.corrupt=skip" if corrupt else ""
                    raise UserError(f"'{archive}' is damaged or cut short after {len(names)} files; fetch it again{choice}")
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(": -")  # tarfile adds a line for each method
        raise UserError(f"'{archive}' cannot be read: {reason}") from error
    counts: dict[str, int] = {}
    items = []
    for name in names:
        if _is_picture(name):
            counts[name] = counts.get(name, 0) + 1
            unique = name if counts[name] == 1 else f"{name}#{counts[name]}"  # an archive may hold a name twice
            items.append(Item(unique, PurePosixPath(name).parts[:-1], archive, classes.get(_key(name), "")))
    return items


def _ends_well(opened: Any) -> bool:
    """Whether what follows the last member that `tarfile` found is the end marker, a block of zeros. It stops without a word
    at a damaged header, and where the file is cut between two members."""
    opened.fileobj.seek(opened.offset)
    return opened.fileobj.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)


def _key(name: str) -> str:
    """What the files of one WebDataset example share: the path up to the first dot of the last part."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0] or path.name))


def entries(items: list[Item], labels: list[str]) -> Iterator[cache.Entry]:
    """The items to decode, an archive's from front to back, which is all that a compressed one allows."""
    archive, contents = None, iter(())
    for item, label in zip(items, labels):
        if item.file.suffix.lower() in PICTURES:
            yield cache.Entry(item.name, label, partial(Image.open, item.file))
            continue
        if item.file != archive:
            archive, contents = item.file, _contents(item.file)
        yield cache.Entry(item.name, label, partial(_opened, next(contents)))


def _contents(archive: Path) -> Iterator[bytes | str]:
    """The bytes of each picture in an archive, or why there are none."""
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if _is_picture(info.filename):
                    encrypted = "it is encrypted" if info.flag_bits & 1 else ""
                    yield encrypted or _content(info.file_size, partial(opened.read, info))
    else:
        with tarfile.open(archive) as opened:
            for member in opened:
                if (member.isfile() or member.islnk()) and _is_picture(member.name.removeprefix("./")):
                    file: Any = opened.extractfile(member)
                    yield _content(member.size, file.read)


def _content(size: int, read: Any) -> bytes | str:
    if size > LARGEST:
        return f"{size / 2**30:.1f} GiB of one file, perhaps a decompression bomb"
    try:
        return read()
    except DAMAGE as error:
        return str(error) or type(error).__name__


def _opened(content: bytes | str) -> Image.Image:
    if isinstance(content, str):
        raise ValueError(content)
    return cache.from_bytes(content)
