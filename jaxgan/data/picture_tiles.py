"""`picture_tiles`: a person's own pictures of any sizes, as tiles beside their low resolution."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from jaxgan.config.schema import among, bounded
from jaxgan.data import groups, layout, listing
from jaxgan.data.decode import Entry
from jaxgan.data.folder import found, on_side
from jaxgan.data.listing import Item
from jaxgan.data.picture import opened
from jaxgan.data.source import Images
from jaxgan.data.tiles import Tiles
from jaxgan.data.wholes import Wholes
from jaxgan.errors import UserError


@dataclass(frozen=True)
class PictureTiles(Tiles):
    """Pictures of any sizes and modes in RGB, none of them resized: as many tiles as cover each.

    dir: the folder; a zip or tar file; or a folder of such files.
    split: "train", "test" or "all". Folders `train/` and `test/` (or `val/`) are the splits. Else a picture's side follows
      from a hash of its name, as for `image_folder`. test_share: of the pictures, about.
    group: a regular expression on names; pictures in which it finds the same text, the left and the right one of a stereo
      pair, are on one side of the split, and one group to scores. Without it the tiles of a picture are.
    """

    dir: str = ""
    split: str = among(("train", "test", "all"), "train")
    test_share: float = bounded(0.1, below=1)
    group: str = ""

    def open(self) -> Images:
        """Finds the pictures and, once, cuts them. Raises UserError, naming the first picture that is wrong."""
        group = groups.pattern(self.group)
        root, there = found(self.dir, "")
        sides = layout.sides(there.items, self.dir)
        items = [item for item, one in zip(there.items, layout.in_split(sides, self.split)) if one]
        keys = groups.keys([item.name for item in items], group)
        mine = [True] * len(keys) if any(sides) else on_side(keys, self.split, self.test_share)
        kept = sorted((item, key) for item, key, one in zip(items, keys, mine) if one)
        if not kept:
            raise UserError(
                f"split {self.split} of '{self.dir}' is empty: {len(keys)} pictures, test_share={self.test_share:g}"
            )
        items, keys = [item for item, _ in kept], [key for _, key in kept]
        stamps = hashlib.sha256(json.dumps([listing.stamp(item) for item in items]).encode()).hexdigest()
        by = f" by '{self.group}'" if self.group else ""
        title = f"{root.resolve().name}, split {self.split}{by}"
        return self.tiles_of(title, [str(root.resolve()), stamps], _wholes(items, there.items), keys)


def in_folder(text: str) -> tuple[str, Wholes]:
    """The name and all pictures of a folder, an archive, or a folder of archives. Raises UserError where there are none."""
    root, there = found(text, "")
    return root.resolve().name, _wholes(sorted(there.items), there.items)


def _wholes(items: list[Item], everything: list[Item]) -> Wholes:
    """The pictures `items`, in the order of their names, of all that were found."""
    names = {item.name for item in items}

    def entries() -> Iterable[Entry]:  # all of an archive's, since they are read from its front to its back
        return (entry for entry in listing.entries(everything, [""] * len(everything)) if entry.name in names)

    def at(i: int) -> Entry:
        if items[i].file.suffix.lower() in listing.PICTURES:
            return Entry(items[i].name, "", partial(opened, items[i].file))
        return next(entry for entry in entries() if entry.name == items[i].name)

    return Wholes([item.name for item in items], at, entries)
