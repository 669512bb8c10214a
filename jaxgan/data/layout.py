"""What the folders of a person's pictures mean: splits, and classes.

| below `dir` | means |
|---|---|
| `train/` with `test/` or `val/` (also training, testing, valid, validation) | splits |
| other folders, two or more | classes; a few pictures beside them are a mistake |
| one folder | nothing; with labels=folders one class |
| a `dataset.json` (StyleGAN2-ADA, StyleGAN3) | its labels are classes, or there are none; folders beside it mean nothing |
| `.cls` files in tar files (WebDataset) | classes |

Folders that hold everything mean nothing: what they hold is looked at in their place.
"""

from collections.abc import Iterable, Iterator

from jaxgan.console import say
from jaxgan.data.listing import Found, Item
from jaxgan.errors import UserError

SIDES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
}


def sides(items: list[Item], where: str) -> list[str]:
    """The split that each picture's folder says: "train", "test" or "val"; all "" where folders are no splits. Raises
    UserError, naming the first picture beside them."""
    depth = _shared(items)
    found = [SIDES.get(item.folders[depth].lower(), "") if len(item.folders) > depth else "" for item in items]
    if not {"train"} < set(found) - {""}:
        return [""] * len(items)
    beside = [item.name for item, side in zip(items, found) if not side]
    if beside:
        raise UserError(
            f"'{where}' has a folder for each split, and beside them {len(beside)} pictures, the first {beside[0]}: "
            "move them into one, or elsewhere"
        )
    return found


def in_split(found: list[str], split: str) -> list[bool]:
    """Which pictures are of a split, by their `sides`: all where folders are no splits. Without test/ it is val/."""
    test = "test" if "test" in found else "val"
    return [split == "all" or not side or side == {"train": "train", "test": test}[split] for side in found]


def classes(there: Found, kept: list[bool], split: bool, wish: str, where: str) -> list[str]:
    """The class of each picture, all "" if they have none.

    kept: those of the run's split, of which each must have one. split: whether the first folders are splits. wish: "auto",
    "folders", or "none". Raises UserError, naming the first picture that is in no class.
    """
    items, none = there.items, [""] * len(there.items)
    if wish == "none":
        return none
    if there.trouble:
        raise UserError(f"{there.trouble}; mend it, or leave labels out: --config.data.labels=none")
    if split:
        depth = _shared(items)
        items = [item._replace(folders=item.folders[depth + 1 :]) for item in items]
    depth = _shared(items)
    labels = _at(items, depth)
    if wish == "folders" and depth and not all(_of(kept, labels)):
        labels = _at(items, depth - 1)  # the one folder
    bare = [name for name, label in _of(kept, zip((item.name for item in items), labels)) if not label]
    several, total = len({*labels} - {""}) > 1, sum(kept)
    if wish == "folders" and bare:
        raise UserError(f"'{where}' has no labels: {bare[0]} is in no sub-folder; leave out --config.data.labels")
    if wish == "folders" or (several and not bare):
        return labels
    if several and len(bare) < total:
        lost = f"{len(bare)} of {total} pictures of '{where}', the first {bare[0]}, are in none of its folders"
        if 2 * len(bare) < total:
            raise UserError(f"{lost}, which are classes: move them into one, or --config.data.labels=none")
        say(f"no labels: {lost}")
    return none


def _of(kept: list[bool], some: Iterable) -> Iterator:
    return (one for one, keep in zip(some, kept) if keep)


def _shared(items: list[Item]) -> int:
    """How many folders hold everything."""
    if not items:
        return 0
    first, depth = items[0].folders, 0
    while all(len(item.folders) > depth and item.folders[depth] == first[depth] for item in items):
        depth += 1
    return depth


def _at(items: list[Item], depth: int) -> list[str]:
    return [item.cls or (item.folders[depth] if len(item.folders) > depth else "") for item in items]
