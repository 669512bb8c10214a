"""`image_folder`: a person's own pictures, in a folder with or without sub-folders, in a zip file, or in tar files."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxgan.config.schema import among, bounded
from jaxgan.data import cache, groups, layout, listing
from jaxgan.data.archives import ARCHIVES
from jaxgan.data.features import features_of
from jaxgan.data.resize import Fit
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError, as_path


@dataclass(frozen=True)
class ImageFolder(Fit):
    """Pictures of any sizes and modes, fitted to one shape and cached as uint8 after the first pass.

    The table at the top of `jaxgan/data/layout.py` says what folders mean.

    dir: the folder; a zip or tar file; or a folder of such files. Hidden files are passed over, and others are told of.
    split: "train", "test" or "all". Folders `train/` and `test/` (or `val/`) are the splits. Else a picture's side follows
      from a hash of its path below `dir` (in an archive, below the folder that holds all of it) without the ending, so that
      adding pictures moves none. test_share: of them, about.
    group: a regular expression on names below `dir`, "patient(\\d+)"; pictures in which it finds the same text are on one
      side of the split, and one group to scores.
    labels: sub-folders are classes ("folders"; where there are, StyleGAN's `dataset.json` and the `.cls` files of tar files
      say the classes), numbered in the order of their names; "auto": if every picture has one and there are two; or "none".
    corrupt: "refuse" to go on when a picture cannot be read or an archive is cut short, or "skip" what is lost.
    flip: mirror every other picture, at random. resident: keep the split in (device) memory, "auto" up to 1 GiB.
    cache: folder of first passes; empty: ~/.cache/jaxgan/images.
    """

    dir: str = ""
    split: str = among(("train", "test", "all"), "train")
    test_share: float = bounded(0.1, below=1)
    group: str = ""
    labels: str = among(("auto", "folders", "none"), "auto")
    corrupt: str = among(("refuse", "skip"), "refuse")
    flip: bool = False
    resident: str = among(("auto", "on", "off"), "auto")
    cache: str = ""
    size: tuple[int, ...] = bounded((64,), least=1, below=8193)
    channels: int = among((1, 3, 4), 3)

    image_shape = Fit.asked_shape

    def open(self) -> Images:
        """Finds the pictures and, once, fits them. Raises UserError."""
        (height, width, channels), group = self.image_shape, groups.pattern(self.group)
        root = self._root()
        try:
            there = listing.found(root, self.corrupt)
        except OSError as error:
            raise UserError(f"'{self.dir}' cannot be read: {error.strerror}") from error
        items = there.items
        if not items:
            raise listing.none_in(self.dir, there, f" and no {' '.join(ARCHIVES[:2])} of them")
        whole = self.split == "all" and self.labels == "none"
        sides = [""] * len(items) if whole else layout.sides(items, self.dir)
        is_split, mine = any(sides), layout.in_split(sides, self.split)
        title, labels = root.resolve().name, layout.classes(there, mine, is_split, self.labels, self.dir)
        identity = [[*listing.stamp(item), label] for item, label in zip(items, labels)]
        cached = cache.first_pass(
            title=title,
            identity=[str(root.resolve()), hashlib.sha256(json.dumps(identity).encode()).hexdigest()],
            entries=lambda: listing.entries(items, labels),
            total=len(items),
            fit=self,
            folder=as_path(self.cache) if self.cache else cache.default_folder(),
            corrupt=self.corrupt,
        )
        keys = groups.keys(cached.names, group)
        kept = np.array(self._kept(cached.names, keys, {item.name for item, one in zip(items, mine) if one}, is_split), int)
        if not len(kept):
            why = "" if is_split else f", test_share={self.test_share:g}"
            raise UserError(f"split {self.split} of '{self.dir}' is empty: {len(cached.names)} pictures{why}")
        names = sorted(set(cached.labels) - {""}, key=_in_order)
        index = {name: i for i, name in enumerate(names)}
        by = f" by '{self.group}'" if self.group else ""
        labelled = np.array([index.get(label, -1) for label in cached.labels]) if names else None
        return Images(
            name=f"{title}, split {self.split}{by} ({height}x{width}, {self.fit}, {self.filter})",
            examples=Arrays(cached.images, labelled, kept, groups.numbers(keys) if group else None),
            features=features_of((height, width, channels), len(names), names=names),
            resident=is_resident(self.resident, len(kept) * height * width * channels),
            flip=self.flip,
            jitter=self.jitter,
            digest=cached.digest,
        )

    def _root(self) -> Path:
        if not self.dir:
            raise UserError("say where the pictures are: --config.data.dir=FOLDER (or a zip or tar file)")
        root = as_path(self.dir)
        try:
            if root.is_dir() or (root.is_file() and root.name.lower().endswith(ARCHIVES)):
                return root
            if root.exists():
                raise UserError(f"'{self.dir}' is neither a folder nor an archive ({' '.join(ARCHIVES)})")
        except OSError:  # no such name
            pass
        close = listing.nearest_beside(root, ARCHIVES)
        raise UserError(f"there is no '{self.dir}'" + (f"; did you mean '{close}'?" if close else ""))

    def _kept(self, names: list[str], keys: list[str], mine: set[str], is_split: bool) -> list[int]:
        """Positions of this split's pictures in the order of their names, which no archive's order changes."""
        order = [i for i in sorted(range(len(names)), key=names.__getitem__) if names[i] in mine]
        if self.split == "all" or is_split:
            return order
        return [i for i in order if (groups.share(keys[i]) < self.test_share) == (self.split == "test")]


def _in_order(label: str) -> tuple[int, str]:
    """Numbers by their value, other classes by name."""
    return (int(label), label) if label.isdecimal() else (0, label)
