"""What is in a zip or tar file: names as folders and files, and contents, with a bound on what they may take in memory."""

import bz2
import gzip
import lzma
import posixpath
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from jaxgan.data import picture
from jaxgan.errors import UserError

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")
LARGEST = 2**29  # bytes of one file inside an archive
COMPRESSED = {rb"\x1f\x8b": gzip.open, rb"BZh[1-9]1AY&SY": bz2.open, rb"\xfd7zXZ\0": lzma.open}  # by their first bytes
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


class Member(NamedTuple):
    """A file in an archive: its name with "/" between folders, and how to open it.

    size: bytes. trouble: why it cannot be read; "" if it can. link: "" or what kind of one it is that leads to no content.
    """

    name: str
    size: int
    open: Any
    trouble: str = ""
    link: str = ""

    def content(self) -> bytes | str:
        """The bytes of a picture, or why there are none."""
        return self.trouble or self._read(LARGEST, picture.may_be_one, "no picture that Pillow can read")

    def text(self, most: int = LARGEST) -> bytes | str:
        """The bytes, or why there are none, or are more than `most`."""
        return self.trouble or self._read(most, lambda head: True, "")

    def _read(self, most: int, accept: Any, otherwise: str) -> bytes | str:
        if self.size > most:
            return f"{self.size / 2**30:.1f} GiB of one file, perhaps a decompression bomb"
        try:
            with self.open() as file:
                head = file.read(picture.HEAD)
                return head + file.read() if accept(head) else otherwise
        except DAMAGE as error:
            return str(error) or type(error).__name__


def members(archive: Path, corrupt: str = "skip") -> Iterator[Member]:
    """The files in an archive, in its order; each can be read until the next is asked for. Raises UserError for an archive
    that cannot be read, or is cut short, unless `corrupt` is "skip"; it is "" where a person has no such choice."""
    try:
        yield from _in_zip(archive) if archive.suffix.lower() == ".zip" else _in_tar(archive, corrupt)
    except DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(": -")
        raise UserError(f"'{archive}' cannot be read: {reason}") from error


def _in_zip(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            name = _zip_name(info)
            if not name.endswith("/"):
                trouble = "it is encrypted" if info.flag_bits & 1 else ""
                yield Member(name, info.file_size, partial(opened.open, info), trouble)


def _zip_name(info: zipfile.ZipInfo) -> str:
    r"""A file's name whatever system wrote it: Windows' \ is a separator, macOS writes UTF-8 without saying so."""
    name, between = info.filename, r"\\"
    if not info.flag_bits & 0x800:  # no UTF-8, by the file's own account
        try:
            name = name.encode("cp437").decode("utf-8")  # as which zipfile has read it
        except UnicodeError:
            between = r"(?<![^\x00-\x7f])\\"  # elsewhere the second byte of a character, in Shift-JIS or GBK
    return _plain_name(re.sub(between, "/", name))


def _plain_name(name: str) -> str:
    """Without parts that say nothing, as in "./a//b"."""
    start, end = "/" * name.startswith("/"), "/" * name.endswith("/")
    return start + "/".join(part for part in name.split("/") if part not in ("", ".")) + end


def _in_tar(archive: Path, corrupt: str) -> Iterator[Member]:
    targets: dict[str, tarfile.TarInfo] = {}
    with archive.open("rb") as file:
        head = file.read(10)
    open_as: Any = next((way for first, way in COMPRESSED.items() if re.match(first, head)), open)
    with open_as(archive, "rb") as plain, tarfile.open(fileobj=_Bounded(plain), mode="r:") as opened:  # pyright: ignore
        for member in opened:
            name = _plain_name(member.name)
            if member.issym():
                yield Member(name, 0, None, link="links in tar files")
            elif member.isfile() or member.islnk():
                source = targets.get(posixpath.normpath(member.linkname)) if member.islnk() else member
                if source is None:
                    yield Member(name, 0, None, link="links to nothing")
                else:
                    targets[posixpath.normpath(member.name)] = source
                    yield Member(name, source.size, partial(opened.extractfile, source))
        if corrupt != "skip" and not _ends_well(opened):
            choice = ", or take what there is with --config.data.corrupt=skip" if corrupt else ""
            raise UserError(f"'{archive}' is damaged or cut short after {len(targets)} files; fetch it again{choice}")


def _ends_well(opened: Any) -> bool:
    """Whether what follows the last member that `tarfile` found is the end marker, a block of zeros. It stops without a word
    at a damaged header, and where the file is cut between two members."""
    opened.fileobj.seek(opened.offset)
    return opened.fileobj.read(tarfile.BLOCKSIZE) == bytes(tarfile.BLOCKSIZE)


class _Bounded:
    """A file of which nobody reads more than `LARGEST` bytes at once: a header can ask `tarfile` for any number."""

    def __init__(self, file: Any):
        self._file, self.seek, self.tell = file, file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= LARGEST:
            raise tarfile.ReadError(f"a header of {size / 2**30:.1f} GiB, perhaps a decompression bomb")
        return self._file.read(size)


def key(name: str) -> str:
    """What the files of one WebDataset example share: the path up to the first dot of the last part."""
    path = PurePosixPath(name)
    return str(path.with_name(path.name.partition(".")[0] or path.name))
