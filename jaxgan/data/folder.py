"""`image_folder`: a person's own pictures, in a folder with or without sub-folders, in a zip file, or in tar files."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxgan.config.schema import among, bounded
from jaxgan.data import cache, captions_file, groups, layout, listing
from jaxgan.data.archives import ARCHIVES
from jaxgan.data.captions import Captioned, with_tokens
from jaxgan.data.features import features_of
from jaxgan.data.resize import Fit
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError, as_path, nearest

SPLITS = ("train", "test", "all")


@dataclass(frozen=True)
class ImageFolder(Captioned, Fit):
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
    captions: a file of captions, JSON Lines with a file and a caption each (`jaxgan.data.captions_file`); its path, or its
      name in the folder; empty: none are read.
    words: how many of a caption count; the rest of a longer one is cut off.
    vocabulary_split: "train", "test" or "all", whose words are the vocabulary; other words count as unknown.
    unseen: words that follow each other, "red crown"; no example with one of these in any caption is trained on.
    corrupt: "refuse" to go on when a picture cannot be read or an archive is cut short, or "skip" what is lost.
    flip: mirror every other picture, at random. resident: keep the split in (device) memory, "auto" up to 1 GiB.
    cache: folder of first passes; empty: ~/.cache/jaxgan/images.
    """

    dir: str = ""
    split: str = among(SPLITS, "train")
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
        if self.vocabulary_split not in SPLITS:
            raise UserError(
                f"data.vocabulary_split cannot be '{self.vocabulary_split}'; {nearest(self.vocabulary_split, SPLITS)}"
            )
        root, there = found(self.dir, self.corrupt)
        items = there.items
        whole = self.split == "all" and self.labels == "none" and not self.captions
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
        # In the order of their names, which no archive's order changes.
        order = sorted(range(len(keys)), key=cached.names.__getitem__)

        def chosen(split: str) -> list[int]:
            ours = {item.name for item, one in zip(items, layout.in_split(sides, split)) if one}
            side = [True] * len(keys) if is_split else on_side(keys, split, self.test_share)
            return [i for i in order if cached.names[i] in ours and side[i]]

        kept = np.array(chosen(self.split), int)
        if not len(kept):
            why = "" if is_split else f", test_share={self.test_share:g}"
            raise UserError(f"split {self.split} of '{self.dir}' is empty: {len(cached.names)} pictures{why}")
        names = sorted(set(cached.labels) - {""}, key=_in_order)
        index = {name: i for i, name in enumerate(names)}
        by = f" by '{self.group}'" if self.group else ""
        labelled = np.array([index.get(label, -1) for label in cached.labels]) if names else None
        name = f"{title}, split {self.split}{by} ({height}x{width}, {self.fit}, {self.filter})"
        name += self.told_unseen
        examples = Arrays(cached.images, labelled, kept, groups.numbers(keys) if group else None)
        features, digest = features_of((height, width, channels), len(names), names=names), cached.digest
        if self.captions:
            told = captions_file.read(self.captions, root, [item.name for item in items])
            rows = {split: [cached.names[i] for i in chosen(split)] for split in (self.split, self.vocabulary_split)}
            texts = {split: told.of(some, f"'{self.captions}'") for split, some in rows.items()}
            examples, features["tokens"] = with_tokens(
                examples, texts[self.split], texts[self.vocabulary_split], self.words, name, self.flip, self.unseen
            )
            digest += told.digest
        return Images(
            name=name,
            examples=examples,
            features=features,
            resident=is_resident(self.resident, len(kept) * height * width * channels),
            flip=self.flip,
            jitter=self.jitter,
            digest=digest,
        )


def place(text: str) -> Path:
    """The folder or archive that `data.dir` names. Raises UserError, with the nearest that there is."""
    if not text:
        raise UserError("say where the pictures are: --config.data.dir=FOLDER (or a zip or tar file)")
    root = as_path(text)
    try:
        if root.is_dir() or (root.is_file() and root.name.lower().endswith(ARCHIVES)):
            return root
        if root.exists():
            raise UserError(f"'{text}' is neither a folder nor an archive ({' '.join(ARCHIVES)})")
    except OSError:  # no such name
        pass
    close = listing.nearest_beside(root, ARCHIVES)
    raise UserError(f"there is no '{text}'" + (f"; did you mean '{close}'?" if close else ""))


def found(text: str, corrupt: str) -> tuple[Path, listing.Found]:
    """`place`, and the pictures there. Raises UserError where there are none."""
    root = place(text)
    try:
        there = listing.found(root, corrupt)
    except OSError as error:
        raise UserError(f"'{text}' cannot be read: {error.strerror}") from error
    if not there.items:
        raise listing.none_in(text, there, f" and no {' '.join(ARCHIVES[:2])} of them")
    return root, there


def on_side(keys: list[str], split: str, test_share: float) -> list[bool]:
    """Which pictures are of a split that no folder says, by the keys of their groups."""
    return [split == "all" or (groups.share(key) < test_share) == (split == "test") for key in keys]


def _in_order(label: str) -> tuple[int, str]:
    """Numbers by their value, other classes by name."""
    return (int(label), label) if label.isdecimal() else (0, label)
