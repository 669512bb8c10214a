"""`solar_cells`: electroluminescence pictures of 2,624 solar cells, from the package elpv-dataset (CC BY-NC-SA 4.0).

Grey, 300x300 pixels, of 44 modules, each with a probability of being defective: 0, 1/3, 2/3 or 1 (Buerhop-Lutz et al. 2018;
Deitsch et al. 2019). The list does not say which module a cell is from, but keeps the cells of a module together: most of
its runs of one type are multiples of 60 long. `BLOCKS` cuts it into 44 pieces, as many as there are modules. In the runs of
714 and 530 cells one piece is short; it stands where the pictures of each piece are most alike, give or take a few cells. A
split by picture has cells of one module on both sides.
"""

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxgan.config.schema import among, bounded
from jaxgan.data import cache, groups
from jaxgan.data.decode import Entry
from jaxgan.data.features import features_of
from jaxgan.data.picture import opened
from jaxgan.data.resize import Fit
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError, as_path

PACKAGE = "elpv_dataset"
NAMES = ("sound", "doubtful", "defective")
BLOCKS = (*[60] * 20, 54, *[60] * 6, *[60] * 3, 50, *[60] * 5, 72, *[60] * 3, 48, *[60] * 3)  # cells of a module, in order
TEST, VALIDATION = 0.25, 0.2  # shares
SPLITS, WAYS = ("train", "validation", "test"), ("blocks", "halves", "torn")


@dataclass(frozen=True)
class SolarCells(Fit):
    """Cells as grey pictures, labelled sound (probability 0), doubtful (1/3, 2/3) or defective (1). Examples have "mono",
    whether the cell is monocrystalline, and are grouped by block.

    split: about 55 % of the cells, 20 %, and 25 %; or "all".
    by: what makes the splits: whole "blocks" of about 60 neighbours in the list, of each type so many, chosen once by a
      fixed permutation. To measure what torn modules are worth: "halves", of which `test` has every other cell of the test's
      blocks, by a hash of its name; and "torn", with the same `test`, whose other cells are in `train` in place of as many
      of each class.
    flip: mirror every other picture, at random. resident: keep the split in (device) memory, "auto" up to 1 GiB.
    cache: folder of first passes; empty: ~/.cache/jaxgan/images.
    """

    split: str = among((*SPLITS, "all"), "train")
    by: str = among(WAYS, "blocks")
    flip: bool = False
    resident: str = among(("auto", "on", "off"), "auto")
    cache: str = ""
    size: tuple[int, ...] = bounded((64,), least=1, below=8193)
    channels: int = among((1, 3), 1)

    image_shape = Fit.asked_shape

    def open(self) -> Images:
        """Finds the package and, once, fits its pictures. Raises UserError where it is not there, or damaged."""
        (height, width, channels), root = self.image_shape, _folder()
        cells, stamps = _listed(root / "labels.csv"), []
        blocks = blocks_of([cell.mono for cell in cells])
        for cell in cells:
            status = (root / cell.file).stat() if (root / cell.file).exists() else None  # decoding tells what is not there
            stamps.append((cell.file, status and (status.st_size, status.st_mtime_ns)))
        cached = cache.first_pass(
            title="solar cells",
            identity=[str(root), hashlib.sha256(json.dumps(stamps).encode()).hexdigest()],
            entries=lambda: [Entry(cell.file, "", partial(opened, root / cell.file)) for cell in cells],
            total=len(cells),
            fit=self,
            folder=as_path(self.cache) if self.cache else cache.default_folder(),
        )
        labels = np.array([0 if cell.probability == 0 else 2 if cell.probability == 1 else 1 for cell in cells])
        sides = _by_blocks(blocks, cells)
        if self.by != "blocks":
            sides = _halves(sides, cells, labels, torn=self.by == "torn")
        index = np.flatnonzero((sides == self.split) | (self.split == "all"))
        by = self.by if self.by != "torn" or self.split == "train" else "halves"  # its other splits are those
        return Images(
            name=f"solar cells, split {self.split} by {by} ({height}x{width}, {self.fit}, {self.filter})",
            examples=Cells(cached.images, labels, index, blocks, mono=np.array([cell.mono for cell in cells])),
            features=features_of((height, width, channels), len(NAMES), names=NAMES),
            resident=is_resident(self.resident, len(index) * height * width * channels),
            flip=self.flip,
            jitter=self.jitter,
            digest=cached.digest,
        )


@dataclass(kw_only=True)
class Cells(Arrays):
    """Examples with "mono", bool [N]."""

    mono: np.ndarray

    def __getitem__(self, i: int) -> dict[str, Any]:
        return super().__getitem__(i) | {"mono": int(self.mono[self.index[i]])}


class Cell(NamedTuple):
    """A line of the list. file: of the picture, below the list's folder."""

    file: str
    probability: float
    mono: bool


def blocks_of(mono: list[bool]) -> np.ndarray:
    """The block of each cell in the order of the list, int [N]. Raises UserError for another list."""
    blocks = np.repeat(np.arange(len(BLOCKS)), BLOCKS)
    changes = np.flatnonzero(np.diff(np.array(mono, int))) + 1
    if len(mono) != len(blocks) or not set(changes) <= set(np.cumsum(BLOCKS)):
        raise UserError("the cells of elpv-dataset are not those whose modules are known; install its version 1.0")
    return blocks


def _by_blocks(blocks: np.ndarray, cells: list[Cell]) -> np.ndarray:
    """The split of each cell, whole blocks of both types."""
    firsts = np.unique(blocks, return_index=True)[1]
    order, side = np.random.default_rng(60).permutation(len(firsts)), np.full(len(firsts), "train", object)
    for mono in (True, False):
        mine = [block for block in order if cells[firsts[block]].mono == mono]
        tests, others = round(TEST * len(mine)), round(VALIDATION * len(mine))
        side[mine[:tests]] = "test"
        side[mine[tests : tests + others]] = "validation"
    return side[blocks]


def _halves(sides: np.ndarray, cells: list[Cell], labels: np.ndarray, torn: bool) -> np.ndarray:
    """The same splits with half of the test's cells. torn: the other half trains, in place of as many of each class."""
    shares = np.array([groups.share(key) for key in groups.keys([cell.file for cell in cells], None)])
    out, spare = sides.copy(), (sides == "test") & (shares < 0.5)
    out[spare] = "train" if torn else ""
    for label in range(len(NAMES)) if torn else ():
        mine = np.flatnonzero((sides == "train") & (labels == label))
        out[mine[np.argsort(shares[mine])][: (spare & (labels == label)).sum()]] = ""
    return out


def _folder() -> Path:
    """The folder of the package's pictures and their list. Raises UserError."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise UserError('solar cells need the package elpv-dataset (CC BY-NC-SA): pip install -e ".[elpv]"')
    return Path(found.submodule_search_locations[0]) / "data"


def _listed(file: Path) -> list[Cell]:
    """The lines of the list. Raises UserError where it cannot be read."""
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            rows = [line.split() for line in lines if line.strip()]
        types = {"mono": True, "poly": False}
        return [Cell(name, float(probability), types[kind]) for name, probability, kind in rows]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"'{file}' is damaged; install the package elpv-dataset anew") from error
