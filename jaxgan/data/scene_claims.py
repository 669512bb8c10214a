"""What a caption says of a scene of `shapes`, and whether a picture agrees."""

from typing import NamedTuple

import numpy as np

from jaxgan.data.scene_captions import OTHER
from jaxgan.data.scenes import COLOURS, KINDS, SHADES, SIZES, relation
from jaxgan.data.words import words_of

KIND, COLOUR, SHADE, SIZE = range(4)  # columns of factors
CLAIMS = ("colour", "kind", "size", "shade", "relation", "count")
SWAPPED = "swapped"
_ATTRIBUTES = {
    **{word: (KIND, i) for i, word in enumerate(KINDS)},
    **{word: (COLOUR, i) for i, word in enumerate(COLOURS)},
    **{word: (SHADE, i) for i, word in enumerate(SHADES)},
    **{word: (SIZE, i) for i, word in enumerate(SIZES)},
    **{OTHER[word]: (SIZE, i) for i, word in enumerate(SIZES)},
}
_WHERE = {"above": "above", "below": "below", "left": "to the left of", "right": "to the right of"}


class Said(NamedTuple):
    """objects: int [K, 4], kind, colour, shade and size, -1 where the caption does not say. relations: (i, where, j), object
    i is "above", "below", "to the left of" or "to the right of" object j."""

    objects: np.ndarray
    relations: tuple[tuple[int, str, int], ...]


def said(caption: str) -> Said:
    """What a caption says. Words that are of no object are passed over. "the blue square" is the one that was named before;
    "it" is the object that was named last before the one whose place is told, and stays that object."""
    objects: list[list[int]] = []
    relations: list[tuple[int, str, int]] = []
    mentions: list[int] = []  # of objects, in the order of the words
    own, is_known, where, it = [-1] * 4, False, "", -1  # it: what the word stands for
    words = words_of(caption)
    for word, after in zip(words, [*words[1:], ""]):
        other = -1
        if word in ("a", "an", "the", "one"):
            own, is_known = [-1] * 4, word == "the"
        elif word == "that" and after == "is" and mentions:
            own = objects[mentions[-1]]  # "a large circle that is dark red"
        elif word in _ATTRIBUTES:
            column, value = _ATTRIBUTES[word]
            own[column] = value
            if column == KIND:
                same = [i for i, one in enumerate(objects) if is_known and one[:2] == own[:2]]
                other = same[0] if same else len(objects)
                objects += [] if same else [own]
                mentions.append(other)
        elif word == "it" and where:
            others = [i for i in mentions if i != mentions[-1]]
            it = it if it in others else others[-1] if others else -1
            other = it
        elif word in _WHERE and mentions:
            where = _WHERE[word]
        if where and other >= 0:
            subject = mentions[-1] if word == "it" else mentions[-2]
            relations += [(subject, where, other)] if subject != other else []
            where = ""
    return Said(np.array(objects, int).reshape(-1, 4), tuple(relations))


def bindings(claims: Said, found: np.ndarray) -> list[tuple[str, str]]:
    """What was asked for and what is there, by colour: ("red circle", "square"), or "absent", or "unclear" where the form is
    of no kind."""
    by_colour = {int(one[COLOUR]): int(one[KIND]) for one in found}
    out = []
    for kind, colour in claims.objects[:, :2]:
        if kind >= 0 and colour >= 0:
            got = by_colour.get(int(colour))
            told = "absent" if got is None else KINDS[got] if got >= 0 else "unclear"
            out.append((f"{COLOURS[colour]} {KINDS[kind]}", told))
    return out


def agrees(claims: Said, found: np.ndarray) -> dict[str, list[bool]]:
    """Whether each claim is true of a picture, by kind: `CLAIMS`; and "swapped", of each two objects that are there and
    ought to be of unlike kinds, whether each is of the other's. An object is looked for by its colour, and what is claimed
    of one that is not there is wrong. found: the factors of the picture's objects [M, 6] (`scene_reader.read`)."""
    by_colour = {int(one[COLOUR]): one for one in found}
    there = [by_colour.get(int(one[COLOUR])) for one in claims.objects]
    out: dict[str, list[bool]] = {name: [] for name in CLAIMS}
    for name, column in (("kind", KIND), ("size", SIZE), ("shade", SHADE)):
        for want, got in zip(claims.objects[:, column], there):
            out[name] += [got is not None and int(got[column]) == want] if want >= 0 else []
    out["colour"] = [got is not None for got in there]
    for i, where, j in claims.relations:
        one, other = there[i], there[j]
        out["relation"].append(one is not None and other is not None and relation(one, other) == where)
    both = [(want[KIND], got[KIND]) for want, got in zip(claims.objects, there) if got is not None and want[KIND] >= 0]
    pairs = [(a, b) for i, a in enumerate(both) for b in both[:i] if a[0] != b[0]]
    out[SWAPPED] = [a[1] == b[0] and b[1] == a[0] for a, b in pairs]
    out["count"] = [len(found) == len(claims.objects)]
    return out
