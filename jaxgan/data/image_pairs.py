"""`image_pairs`: a person's own pictures in two domains A and B, in the layouts of pix2pix's and CycleGAN's data sets."""

import hashlib
import json
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from jaxgan.data import cache, listing
from jaxgan.data.cache import Cached
from jaxgan.data.fit import ORIENTATION, TURNS, Fit, size_of
from jaxgan.data.listing import Item
from jaxgan.data.pairs import AsSource, Beside
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError, as_path
from jaxgan.fields import among, bounded

LAYOUTS = "{0}/ with A|B side by side, or {0}A/ and {0}B/"


@dataclass(frozen=True)
class ImagePairs(Fit):
    """Pictures of any sizes, fitted to one shape and cached as uint8 after the first pass.

    dir: a folder with one for each split: `train` of pictures whose left half is A and whose right half is B (pix2pix), or
      `trainA` and `trainB` (CycleGAN).
    paired: of the second layout, whether pictures of one name (but for the ending) are a pair, of one size; else those of A
      and B belong to none of the others.
    direction: "ab", from A to B, or "ba". split: "train", "test", "val": what the folders are called.
    flip: mirror every other pair, at random. resident: keep all in (device) memory, "auto" up to 1 GiB.
    cache: folder of first passes; empty: ~/.cache/jaxgan/images.
    """

    dir: str = ""
    paired: bool = False
    direction: str = among(("ab", "ba"), "ab")
    split: str = "train"
    flip: bool = False
    resident: str = among(("auto", "on", "off"), "auto")
    cache: str = ""
    size: tuple[int, ...] = bounded((256,), least=1, below=8193)
    channels: int = among((1, 3), 3)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, C], known before a picture is."""
        if not self.size:
            raise UserError("pictures of many sizes need one for the networks: --config.data.size=256")
        return self.shape

    @property
    def source_shape(self) -> tuple[int, int, int]:
        """The same."""
        return self.image_shape

    def open(self) -> Images:
        """Finds the pictures and, once, fits them. Raises UserError, naming the first file that is wrong."""
        height, width, channels = self.image_shape
        layouts = LAYOUTS.format(self.split)
        if not self.dir:
            raise UserError(f"say where the pictures are: --config.data.dir=FOLDER, with {layouts}")
        root = as_path(self.dir)
        if not root.is_dir():
            close = listing.nearest_beside(root, ())
            raise UserError(f"there is no folder '{self.dir}'" + (f"; did you mean '{close}'?" if close else ""))
        folders = {domain: root / f"{self.split}{domain}" for domain in "AB"}
        beside = (root / self.split).is_dir()
        if beside:
            items = _found(root / self.split)
            for item in items:
                _check_halves(item)
            sides = {domain: self._fitted(root, self.split, items, domain) for domain in folders}
        elif all(folder.is_dir() for folder in folders.values()):
            found = {domain: _found(folder) for domain, folder in folders.items()}
            if self.paired:
                _check_pairs(folders, found)
            sides = {domain: self._fitted(root, folders[domain].name, items) for domain, items in found.items()}
        else:
            there = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir())[:12])
            raise UserError(f"'{self.dir}' has no {layouts}; it has " + (f"the folders {there}" if there else "no folders"))
        source, image = (sides[domain] for domain in self.direction.upper())
        examples, sources = (Arrays(x.images, None, np.arange(len(x.names))) for x in (image, source))
        pairs = beside or self.paired
        return Images(
            name=f"{root.resolve().name}, split {self.split} {self.direction} ({height}x{width}, {self.fit}, {self.filter})",
            examples=Beside(examples, sources) if pairs else examples,
            image_shape=(height, width, channels),
            num_classes=0,
            resident=is_resident(self.resident, (len(examples) + len(sources)) * height * width * channels),
            source_shape=self.source_shape,
            sources=None if pairs else AsSource(sources),
            flip=self.flip,
            jitter=self.jitter,
            digest=source.digest + image.digest,
        )

    def _fitted(self, root: Path, part: str, items: list[Item], half: str = "") -> Cached:
        """The pictures of one of the folders, or one of their halves, "A" or "B"."""
        status = [(item.name, item.file.stat().st_size, item.file.stat().st_mtime_ns) for item in items]
        opened = partial(_half, right=half == "B") if half else Image.open
        try:
            return cache.first_pass(
                title=f"{root.resolve().name} {part}" + (f" {half}" if half else ""),
                identity=[str(root.resolve()), part, half, hashlib.sha256(json.dumps(status).encode()).hexdigest()],
                entries=lambda: [cache.Entry(item.name, "", partial(opened, item.file)) for item in items],
                total=len(items),
                fit=self,
                folder=as_path(self.cache) if self.cache else cache.default_folder(),
                corrupt="refuse",  # one left out would shift the others' partners
            )
        except UserError as error:
            raise UserError(str(error).replace(", or leave them out with --config.data.corrupt=skip", "")) from error


def _found(folder: Path) -> list[Item]:
    """Pictures below a folder in the order of their names. Raises UserError for none."""
    try:
        items = [item for item in listing.found(folder, strict=True) if item.file.suffix.lower() in listing.PICTURES]
    except OSError as error:
        raise UserError(f"'{folder}' cannot be read: {error.strerror}") from error
    if not items:
        raise UserError(f"'{folder}' holds no pictures ({' '.join(listing.PICTURES)})")
    return sorted(items, key=_stem)


def _stem(item: Item) -> str:
    return str(PurePosixPath(item.name).with_suffix(""))


def _half(file: Path, right: bool) -> Image.Image:
    """The left or right half as a person sees the picture."""
    with Image.open(file) as picture:
        turn = TURNS.get(picture.getexif().get(ORIENTATION, 1))
        upright = picture if turn is None else picture.transpose(turn)
        middle, (width, height) = upright.width // 2, upright.size
        half = upright.crop((middle, 0, width, height) if right else (0, 0, middle, height))
    half.getexif()[ORIENTATION] = 1  # so that nobody turns it again
    return half


def _check_halves(item: Item) -> None:
    height, width = _size(item)
    if width % 2:
        raise UserError(f"'{item.file}' is {width} pixels wide, and a pair side by side has two halves of one size")
    if width < height:
        raise UserError(f"'{item.file}' is {height}x{width}, taller than two pictures side by side")


def _check_pairs(folders: dict[str, Path], found: dict[str, list[Item]]) -> None:
    """Refuses a picture without a counterpart, or with two, and pairs of unlike size. Raises UserError."""
    for items in found.values():  # in the order of their names
        for one, other in zip(items, items[1:]):
            if _stem(one) == _stem(other):
                raise UserError(f"'{one.file}' and '{other.file}' have one name, and a pair has one picture a side")
    names = {domain: {_stem(item) for item in items} for domain, items in found.items()}
    for domain, other in ("AB", "BA"):
        alone = [item for item in found[domain] if _stem(item) not in names[other]]
        if alone:
            more = f" (nor have {len(alone) - 1} others)" if len(alone) > 1 else ""
            raise UserError(f"'{alone[0].file}' has no counterpart {_stem(alone[0])}.* in '{folders[other]}'{more}")
    for one, other in zip(found["A"], found["B"]):
        (h, w), (h2, w2) = _size(one), _size(other)
        if (h, w) != (h2, w2):
            raise UserError(f"'{one.file}' is {h}x{w} and its counterpart '{other.file}' {h2}x{w2}: a pair has one size")


def _size(item: Item) -> tuple[int, int]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, about odd metadata
            with Image.open(item.file) as picture:
                return size_of(picture)
    except Image.UnidentifiedImageError as error:
        raise UserError(f"'{item.file}' is no picture that Pillow can read") from error
    except Exception as error:  # whatever a decoder raises on damaged bytes
        raise UserError(f"'{item.file}' cannot be read: {error}".rstrip(": ")) from error
