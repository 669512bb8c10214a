"""`image_folder`: a person's own pictures, in a folder with or without sub-folders, in a zip file, or in tar files."""

import difflib
import hashlib
import json
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from PIL import Image

from jaxgan.data import cache
from jaxgan.data.fit import Fit
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError
from jaxgan.fields import among, bounded

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pnm", ".jp2", ".avif")
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")
LARGEST = 2**30  # bytes of one file inside an archive


class Item(NamedTuple):
    """A picture that was found: its path inside, whose first folder may be its class, the file or archive it is in, and
    its class as a `.cls` file beside it says (WebDataset)."""

    path: PurePosixPath
    file: Path
    cls: str = ""


@dataclass(frozen=True)
class ImageFolder(Fit):
    """Pictures of any sizes and modes, fitted to one shape and cached as uint8 after the first pass.

    dir: the folder; a zip or tar file; or a folder of such files. Hidden files are passed over.
    split: "train", "test" or "all". A picture's side follows from a hash of its path without the ending, so that adding
      pictures moves none. test_share: of the pictures, about.
    labels: sub-folders are classes ("folders"; of tar files, `.cls` files are); "auto": if every picture has one and
      there are two; or "none".
    corrupt: "refuse" to go on when a picture cannot be read, or "skip" it.
    flip: mirror every other picture, at random. resident: keep the split in (device) memory, "auto" up to 1 GiB.
    cache: folder of first passes; empty: ~/.cache/jaxgan/images.
    """

    dir: str = ""
    split: str = among(("train", "test", "all"), "train")
    test_share: float = bounded(0.1, below=1)
    labels: str = among(("auto", "folders", "none"), "auto")
    corrupt: str = among(("refuse", "skip"), "refuse")
    flip: bool = False
    resident: str = among(("auto", "on", "off"), "auto")
    cache: str = ""
    size: tuple[int, ...] = bounded((64,), least=1)
    channels: int = among((1, 3, 4), 3)

    def open(self) -> Images:
        """Finds the pictures and, once, fits them. Raises UserError."""
        if not self.size:
            raise UserError("pictures of many sizes need one for the networks: --config.data.size=64")
        root = self._root()
        items = _found(root)
        if not items:
            raise UserError(f"'{self.dir}' holds no pictures ({' '.join(PICTURES)}) and no {' '.join(ARCHIVES[:2])} of them")
        classes = self._classes(items)
        identity = [[str(item.path), *_stamp(item.file), item.cls] for item in items]
        cached = cache.first_pass(
            title=root.name,
            identity=[str(root.resolve()), hashlib.sha256(json.dumps(identity).encode()).hexdigest()],
            entries=lambda: _entries(root, items),
            total=len(items),
            fit=self,
            folder=Path(self.cache) if self.cache else cache.default_folder(),
            corrupt=self.corrupt,
        )
        kept = np.array(self._kept(cached.names), int)
        if not len(kept):
            raise UserError(
                f"split {self.split} of '{self.dir}' is empty: {len(cached.names)} pictures, test_share={self.test_share:g}"
            )
        labels = [classes[name] for name in cached.names] if classes else []
        names = sorted(set(labels))
        index = {name: i for i, name in enumerate(names)}
        height, width, channels = self.shape
        return Images(
            name=f"{root.name}, split {self.split} ({height}x{width}, {self.fit}, {self.filter})",
            examples=Arrays(cached.images, np.array([index[label] for label in labels]) if labels else None, kept),
            image_shape=(height, width, channels),
            num_classes=len(names),
            resident=is_resident(self.resident, len(kept) * height * width * channels),
            flip=self.flip,
            digest=cached.digest,
        )

    def _root(self) -> Path:
        if not self.dir:
            raise UserError("say where the pictures are: --config.data.dir=FOLDER (or a zip or tar file)")
        root = Path(self.dir).expanduser()
        if not root.exists():
            beside = (
                [p for p in root.parent.iterdir() if p.is_dir() or p.name.endswith(ARCHIVES)] if root.parent.is_dir() else []
            )
            close = difflib.get_close_matches(root.name, [p.name for p in beside], n=1)
            raise UserError(f"there is no '{self.dir}'" + (f"; did you mean '{root.with_name(close[0])}'?" if close else ""))
        if root.is_file() and not root.name.lower().endswith(ARCHIVES):
            raise UserError(f"'{self.dir}' is neither a folder nor an archive ({' '.join(ARCHIVES)})")
        return root

    def _classes(self, items: list[Item]) -> dict[str, str]:
        """The class of each name, or nothing if the pictures have none."""
        if self.labels == "none":
            return {}
        labels = {str(item.path): item.cls or (item.path.parts[0] if len(item.path.parts) > 1 else "") for item in items}
        bare = [name for name, label in labels.items() if not label]
        if not bare and len(set(labels.values())) > 1:
            return labels
        if self.labels == "folders":
            why = f"{bare[0]} is in no sub-folder" if bare else "there is one sub-folder alone"
            raise UserError(f"'{self.dir}' has no labels: {why}; leave out --config.data.labels")
        return {}

    def _kept(self, names: list[str]) -> list[int]:
        """Positions of this split's pictures in the order of their names, which no archive's order changes."""
        order = sorted(range(len(names)), key=names.__getitem__)
        if self.split == "all":
            return order
        return [i for i in order if (_share(names[i]) < self.test_share) == (self.split == "test")]


def _share(name: str) -> float:
    """A number in [0, 1) for a picture's name, the ending aside: two formats of one picture share a side."""
    stem = str(PurePosixPath(name).with_suffix(""))
    return int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8]) / 2**64


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _found(root: Path) -> list[Item]:
    """Every picture, its path without the folders that all of them share."""
    if root.is_file():
        items = _in_archive(root)
    else:
        files = sorted(_walk(root))
        items = [Item(PurePosixPath(f.relative_to(root).as_posix()), f) for f in files if f.suffix.lower() in PICTURES]
        shards = [] if items else [f for f in files if f.name.lower().endswith(ARCHIVES)]
        for shard in shards:
            more = _in_archive(shard)
            # Unique among all shards; a class folder or .cls has its say first.
            items += [
                item._replace(path=PurePosixPath(*item.path.parts[:-1], f"{shard.name}-{item.path.name}")) for item in more
            ]
    shared = 0
    folders = [item.path.parts[:-1] for item in items]
    while items and all(len(parts) > shared and parts[shared] == folders[0][shared] for parts in folders):
        shared += 1
    return [item._replace(path=PurePosixPath(*item.path.parts[shared:])) for item in items]


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
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    return path.suffix.lower() in PICTURES and not hidden


def _in_archive(archive: Path) -> list[Item]:
    """The pictures in a zip or tar file. Raises UserError for one that cannot be read."""
    try:
        if archive.suffix.lower() == ".zip":
            with zipfile.ZipFile(archive) as opened:
                names, classes = opened.namelist(), {}
        else:
            with tarfile.open(archive) as opened:
                names, classes = [], {}
                for member in opened:
                    if member.isfile():
                        names.append(member.name.removeprefix("./"))
                        if member.name.endswith(".cls"):
                            content = opened.extractfile(member)
                            classes[_key(names[-1])] = content.read(4096).decode(errors="replace").strip() if content else ""
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise UserError(f"'{archive}' cannot be read: {error}") from error
    return [Item(PurePosixPath(name), archive, classes.get(_key(name), "")) for name in names if _is_picture(name)]


def _key(name: str) -> str:
    """What the files of one WebDataset example share: the path up to the first dot of the last part."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0]))


def _entries(root: Path, items: list[Item]) -> Iterator[cache.Entry]:
    """The items to decode. An archive is read from front to back, which is all that a compressed one allows."""
    if root.is_dir() and not any(item.file.name.lower().endswith(ARCHIVES) for item in items[:1]):
        for item in items:
            yield cache.Entry(str(item.path), item.cls, partial(Image.open, item.file))
        return
    by_archive: dict[Path, list[Item]] = {}
    for item in items:
        by_archive.setdefault(item.file, []).append(item)
    for archive, inside in by_archive.items():
        waiting = iter(inside)  # in the archive's own order
        for content in _contents(archive):
            item = next(waiting)
            yield cache.Entry(str(item.path), item.cls, partial(_opened, content))


def _contents(archive: Path) -> Iterator[bytes | str]:
    """The bytes of each picture in an archive, or why there are none."""
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if _is_picture(info.filename):
                    try:
                        yield opened.read(info) if info.file_size <= LARGEST else "more than 1 GiB"
                    except (OSError, EOFError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
                        yield str(error)  # RuntimeError: encrypted
    else:
        with tarfile.open(archive) as opened:
            for member in opened:
                if member.isfile() and _is_picture(member.name.removeprefix("./")):
                    content = opened.extractfile(member) if member.size <= LARGEST else None
                    yield content.read() if content else "more than 1 GiB"


def _opened(content: bytes | str) -> Image.Image:
    if isinstance(content, str):
        raise ValueError(content)
    return cache.from_bytes(content)
