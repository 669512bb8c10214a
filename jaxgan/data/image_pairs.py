"""`image_pairs`: a person's own pictures in two domains A and B, in the layouts of pix2pix's and CycleGAN's data sets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from jaxgan.config.schema import among, bounded
from jaxgan.data import cache, listing
from jaxgan.data.cache import Cached
from jaxgan.data.features import features_of
from jaxgan.data.listing import Item
from jaxgan.data.pairs import AsSource, Beside
from jaxgan.data.picture import opened, seen, size_of
from jaxgan.data.resize import Fit
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError

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

    image_shape = Fit.asked_shape

    @property
    def source_shape(self) -> tuple[int, int, int]:
        """The same."""
        return self.image_shape

    def open(self) -> Images:
        """Finds the pictures and, once, fits them. Raises UserError, naming the first file that is wrong."""
        height, width, channels = self.image_shape
        if not self.dir:
            raise UserError(f"say where the pictures are: --config.data.dir=FOLDER, with {LAYOUTS.format(self.split)}")
        root = listing.folder(self.dir)
        sides, pairs = self._sides(root)
        source, image = (sides[domain] for domain in self.direction.upper())
        examples, sources = (Arrays(x.images, None, np.arange(len(x.names))) for x in (image, source))
        return Images(
            name=f"{root.resolve().name}, split {self.split} {self.direction} ({height}x{width}, {self.fit}, {self.filter})",
            examples=Beside(examples, sources) if pairs else examples,
            features=features_of((height, width, channels), source_shape=self.source_shape, apart=not pairs),
            resident=is_resident(self.resident, source.images.nbytes + image.images.nbytes),
            others={} if pairs else {"source": AsSource(sources)},
            flip=self.flip,
            jitter=self.jitter,
            digest=source.digest + image.digest,
        )

    def _sides(self, root: Path) -> tuple[dict[str, Cached], bool]:
        """The pictures of "A" and "B", and whether they are pairs."""
        home = root.resolve()  # one picture left out would shift the others' partners, so none may be
        if (root / self.split).is_dir():
            items = _found(root / self.split)
            halves = {domain: [partial(_half, item.file, domain, self.white) for item in items] for domain in "AB"}
            return {
                domain: cache.of_items(home, f"{self.split} {domain}", items, halves[domain], self, self.cache)
                for domain in halves
            }, True
        folders = {domain: root / f"{self.split}{domain}" for domain in "AB"}
        if not all(folder.is_dir() for folder in folders.values()):
            there = ", ".join(sorted(path.name for path in root.iterdir() if path.is_dir())[:12])
            has = f"the folders {there}" if there else "no folders"
            raise UserError(f"'{self.dir}' has no {LAYOUTS.format(self.split)}; it has {has}")
        found = {domain: _found(folder) for domain, folder in folders.items()}
        ways: dict[str, list[Callable]] = {d: [partial(opened, item.file) for item in found[d]] for d in found}
        others = []
        if self.paired:
            _check_names(folders, found)
            ways["A"] = [partial(_of_one_size, a.file, b.file) for a, b in zip(found["A"], found["B"])]
            others = found["B"]
        a = cache.of_items(home, folders["A"].name, found["A"], ways["A"], self, self.cache, others)
        b = cache.of_items(home, folders["B"].name, found["B"], ways["B"], self, self.cache)
        return {"A": a, "B": b}, self.paired


def _found(folder: Path) -> list[Item]:
    """Pictures below a folder in the order of their names. Raises UserError for none."""
    try:
        there = listing.found(folder, corrupt="")
    except OSError as error:
        raise UserError(f"'{folder}' cannot be read: {error.strerror}") from error
    items = [item for item in there.items if item.file.suffix.lower() in listing.PICTURES]
    if not items:
        raise listing.none_in(str(folder), there)
    return sorted(items, key=_stem)


def _stem(item: Item) -> str:
    return str(PurePosixPath(item.name).with_suffix(""))


@contextmanager
def _half(file: Path, domain: str, white: float) -> Iterator[Image.Image]:
    """The left half, A, or the right, B, as a person sees the picture. Raises ValueError where it has none."""
    with opened(file) as picture:
        width, height = size_of(picture)[::-1]
        if width % 2:
            raise ValueError(f"it is {width} pixels wide, and a pair side by side has two halves of one size")
        if width < height:
            raise ValueError(f"it is {height}x{width}, taller than two pictures side by side")
        yield seen(picture, white).crop((0, 0, width // 2, height) if domain == "A" else (width // 2, 0, width, height))


@contextmanager
def _of_one_size(file: Path, other: Path) -> Iterator[Image.Image]:
    """A picture that is as large as its counterpart. Raises ValueError where it is not."""
    theirs = None
    with suppress(Exception), opened(other) as picture:  # damage is told where it is read for itself
        theirs = size_of(picture)
    with opened(file) as picture:
        size = size_of(picture)
        if theirs and size != theirs:
            sizes = ["x".join(map(str, one)) for one in (size, theirs)]
            raise ValueError(f"its size is {sizes[0]}, and that of its counterpart {other.name} {sizes[1]}")
        yield picture


def _check_names(folders: dict[str, Path], found: dict[str, list[Item]]) -> None:
    """Refuses a picture without a counterpart, or with two. Raises UserError."""
    for items in found.values():  # in the order of their names
        for one, other in zip(items, items[1:]):
            if _stem(one) == _stem(other):
                raise UserError(f"'{one.file}' and '{other.file}' have one name, and a pair has one picture a side")
    names = {domain: {_stem(item) for item in items} for domain, items in found.items()}
    for domain, other in ("AB", "BA"):
        alone = [item for item in found[domain] if _stem(item) not in names[other]]
        if alone:
            more = f" (the first of {len(alone)})" if len(alone) > 1 else ""
            raise UserError(f"'{alone[0].file}' has no counterpart {_stem(alone[0])}.* in '{folders[other]}'{more}")
