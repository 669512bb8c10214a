"""`anomaly_folder`: a person's normal and abnormal pictures in the layout of MVTec AD (Bergmann et al. 2019).

| below `dir` | means |
|---|---|
| `train/good` | normal pictures, to train on; a part of them is held out as the split `validation` |
| `test/good`, `test/DEFECT` | the split `test` |
| `ground_truth/DEFECT/NAME_mask.png`, or `NAME.png` | which pixels of `test/DEFECT/NAME.*` are abnormal: light ones |

Without `ground_truth/` there are no masks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from jaxgan.config.schema import among, bounded
from jaxgan.console import say
from jaxgan.data import cache, groups, listing
from jaxgan.data.cache import Cached
from jaxgan.data.features import Feature, features_of
from jaxgan.data.listing import Item
from jaxgan.data.picture import opened, seen, size_of
from jaxgan.data.resize import Fit
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError, as_path

GOOD, HALF = "good", 127
TRAIN, TEST, MASKS = "train", "test", "ground_truth"


@dataclass(frozen=True)
class AnomalyFolder(Fit):
    """Pictures of any sizes, fitted to one shape and cached as uint8 after the first pass; the classes are "good" and the
    defects. Only "good" is kept, unless `data.classes` says otherwise. The split `test` has masks, where there are any.

    dir: a folder with `train/good` and, to test, `test/good` and `test/DEFECT`.
    split: "train" and "validation", two parts of `train/good`; or "test". held_out: what share of `train/good` is for
      validation, about; a hash of each picture's name says which, so that adding pictures moves none.
    group: a regular expression on names below `dir`; pictures in which it finds the same text are on one side of the split.
    flip: mirror every other picture, at random. resident: keep the split in (device) memory, "auto" up to 1 GiB.
    cache: folder of first passes; empty: ~/.cache/jaxgan/images.
    """

    presets = {"classes": (GOOD,)}

    dir: str = ""
    split: str = among(("train", "validation", "test"), "train")
    held_out: float = bounded(0.2, below=1)
    group: str = ""
    flip: bool = False
    resident: str = among(("auto", "on", "off"), "auto")
    cache: str = ""
    size: tuple[int, ...] = bounded((64,), least=1, below=8193)
    channels: int = among((1, 3), 3)

    image_shape = Fit.asked_shape

    def open(self) -> Images:
        """Finds the pictures and, once, fits them. Raises UserError, naming the first file that is wrong."""
        (height, width, channels), group = self.image_shape, groups.pattern(self.group)
        if not self.dir:
            raise UserError(f"say where the pictures are: --config.data.dir=FOLDER, with {TRAIN}/{GOOD} and {TEST}/DEFECT")
        items = self._found(listing.folder(self.dir))
        pictures = items[TRAIN] + items[TEST]
        ways = [partial(opened, item.file) for item in pictures]
        home = as_path(self.dir).resolve()
        cached = cache.of_items(home, "pictures", pictures, ways, self, self.cache)
        classes = [_class(item) for item in pictures]
        names = (GOOD, *sorted({*classes} - {GOOD}))
        keys = groups.keys([item.name for item in pictures], group)
        sides = [self._side(item, key) for item, key in zip(pictures, keys)]
        index = np.flatnonzero([side == self.split for side in sides])
        if not len(index):
            raise UserError(f"split {self.split} of '{self.dir}' is empty: {len(items[TRAIN])} pictures in {TRAIN}, "
                            f"held_out={self.held_out:g}")  # fmt: skip
        labels, features = np.array([names.index(one) for one in classes]), features_of(self.shape, len(names), names=names)
        parts = (cached.images, labels, index, groups.numbers(keys) if group else None)
        examples, digest = Arrays(*parts), cached.digest
        if self.split == TEST and items[MASKS]:
            masks, place = self._masks(pictures, classes, items[MASKS])
            examples, digest = Masked(*parts, masks=masks.images, place=place), digest + masks.digest
            features["mask"] = Feature("mask", (height, width, 1), np.uint8)
        return Images(
            name=f"{as_path(self.dir).resolve().name}, {self._part()} ({height}x{width}, {self.fit}, {self.filter})",
            examples=examples,
            features=features,
            resident=is_resident(self.resident, len(index) * height * width * (channels + ("mask" in features))),
            flip=self.flip,
            jitter=self.jitter,
            digest=digest,
        )

    def _found(self, root: Path) -> dict[str, list[Item]]:
        """The pictures of each part, by name. Raises UserError for what is missing."""
        try:
            there = listing.found(root, corrupt="")
        except OSError as error:
            raise UserError(f"'{self.dir}' cannot be read: {error.strerror}") from error
        out: dict[str, list[Item]] = {TRAIN: [], TEST: [], MASKS: []}
        beside = []
        for item in sorted(there.items, key=lambda item: item.name):
            parts = PurePosixPath(item.name).parts
            (out[parts[0]] if len(parts) > 2 and parts[0] in out else beside).append(item)
        wanted = [(TRAIN, GOOD)] + [(TEST, GOOD)] * (self.split == TEST)
        for part, cls in wanted:
            if not any(_class(item) == cls for item in out[part]):
                inner = [path.parent.parent for path in sorted(root.glob(f"*/{TRAIN}/{GOOD}"))]
                here = ", ".join(
                    sorted(f"{path.parent.name}/{path.name}" for path in root.glob("*/*") if path.is_dir())[:12]
                )
                close = (
                    f"did you mean '{as_path(self.dir) / inner[0].name}'?"
                    if inner
                    else f"it has {here or 'no such folders'}"
                )
                raise UserError(f"'{self.dir}' has no pictures in {part}/{cls}; {close}")
        if self.split == TEST and all(_class(item) == GOOD for item in out[TEST]):
            raise UserError(f"'{self.dir}' has no abnormal pictures: none in {TEST}/DEFECT beside {TEST}/{GOOD}")
        if beside:
            say(f"passed over in {root.name}: {len(beside)} pictures elsewhere than in {TRAIN}/CLASS, {TEST}/CLASS and "
                f"{MASKS}/CLASS, the first {beside[0].name}")  # fmt: skip
        return out

    def _part(self) -> str:
        group = f" by '{self.group}'" if self.group else ""
        return f"split {self.split}" + (f", held_out {self.held_out:g}{group}" if self.split != TEST else "")

    def _side(self, item: Item, key: str) -> str:
        part = PurePosixPath(item.name).parts[0]
        held = part == TRAIN and _class(item) == GOOD and groups.share(key) < self.held_out
        return "validation" if held else part

    def _masks(self, pictures: list[Item], classes: list[str], masks: list[Item]) -> tuple[Cached, np.ndarray]:
        """The masks, and for each picture the number of its own, -1 for none. Raises UserError for one that lacks it."""
        known = {_stem(item, MASKS): item for item in masks}
        wanted, place, bare = [], np.full(len(pictures), -1), []
        for i, (item, cls) in enumerate(zip(pictures, classes)):
            if cls == GOOD or PurePosixPath(item.name).parts[0] != TEST:
                continue
            stem = _stem(item, TEST)
            mask = known.get(f"{stem}_mask", known.get(stem))
            if mask is None:
                bare.append((item.name, f"{MASKS}/{stem}_mask.png"))
                continue
            place[i] = len(wanted)
            wanted.append((mask, item))
        if bare:
            more = f" (the first of {len(bare)})" if len(bare) > 1 else ""
            raise UserError(f"'{self.dir}': {bare[0][0]} has no mask {bare[0][1]}{more}")
        fit = Fit(self.size, self.jitter, self.crop, self.fit, "box", channels=1, background=(0,))
        ways = [partial(_mask, mask.file, item.file) for mask, item in wanted]
        home, (marks, items) = as_path(self.dir).resolve(), ([one[i] for one in wanted] for i in (0, 1))
        cached = cache.of_items(home, "masks", marks, ways, fit, self.cache, items)
        lost = sum(int(one.max() <= HALF) for one in cached.images)
        if lost:
            height, width, _ = self.image_shape
            say(f"{lost} of {len(wanted)} masks in {self.dir} are too small to be seen at {height}x{width} pixels")
        return cached, place


@dataclass(kw_only=True)
class Masked(Arrays):
    """Examples with "mask", uint8 [H, W, 1], above 127 where abnormal: number `place[i]` of `masks` [M, H, W, 1], and 0
    everywhere for -1."""

    masks: np.ndarray
    place: np.ndarray

    def __getitem__(self, i: int) -> dict[str, Any]:
        at = self.place[self.index[i]]
        mask = np.zeros(self.masks.shape[1:], np.uint8) if at < 0 else self.masks[at]
        return super().__getitem__(i) | {"mask": mask}


def _class(item: Item) -> str:
    return PurePosixPath(item.name).parts[1]


def _stem(item: Item, part: str) -> str:
    """ "crack/003" of "test/crack/003.png"."""
    return str(PurePosixPath(item.name).relative_to(part).with_suffix(""))


@contextmanager
def _mask(file: Path, of: Path) -> Iterator[Image.Image]:
    """A mask as 0 and 255, as large as its picture. Raises ValueError where it is not, or shows nothing."""
    with opened(of) as picture:
        theirs = size_of(picture)
    with opened(file) as mask:
        if size_of(mask) != theirs:
            sizes = ["x".join(map(str, one)) for one in (size_of(mask), theirs)]
            raise ValueError(f"its size is {sizes[0]}, and that of its picture {of.name} {sizes[1]}")
        levels = np.asarray(seen(mask, 0.0).convert("L"))
    if levels.max() <= HALF:
        raise ValueError(f"its highest level is {levels.max()}; abnormal pixels of a mask are white, 255")
    yield Image.fromarray(np.where(levels > HALF, 255, 0).astype(np.uint8))
