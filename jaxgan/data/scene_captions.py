"""What can truly be said of a scene of `shapes`, in five ways."""

import numpy as np

from jaxgan.data.scenes import COLOURS, KINDS, SHADES, SIZES, relation

BACK = {"above": "below", "below": "above", "to the left of": "to the right of", "to the right of": "to the left of"}
OTHER = {"large": "big", "small": "little"}


def captions(factors: np.ndarray) -> tuple[str, ...]:
    """Five captions of the objects with these factors, float32 [3, 6] as the data set has them, -1 where there is none. Each
    names every object with its colour and kind. The first names size and shade too, and says where objects are."""
    objects = [_Named(one) for one in factors if one[0] >= 0]
    return (_one, _two, _three)[len(objects) - 1](*objects)


class _Named:
    """An object in words. factors: one row."""

    def __init__(self, factors: np.ndarray):
        kind, colour, shade, size = factors[:4].astype(int)
        self.factors, self.size, self.shade = factors, SIZES[size], SHADES[shade]
        self.name = f"{COLOURS[colour]} {KINDS[kind]}"
        self.other = f"{OTHER[self.size]} {self.name}"

    @property
    def full(self) -> str:
        return f"{self.size} {self.shade} {self.name}"

    def at(self, other: "_Named") -> str:
        """Where it is, seen from another one."""
        return relation(self.factors, other.factors)


def _one(a: _Named) -> tuple[str, ...]:
    colour, kind = a.name.split()
    return (
        f"a {a.full}",
        f"there is a {a.shade} {a.name}",
        f"a {a.other}",
        f"the picture shows a {a.size} {kind} that is {a.shade} {colour}",
        f"one {a.name}",
    )


def _two(a: _Named, b: _Named) -> tuple[str, ...]:
    where, back = a.at(b), BACK[a.at(b)]
    return (
        f"a {a.full} {where} a {b.full}",
        f"a {b.full} {back} a {a.full}",
        f"there is a {a.shade} {a.name} {where} a {b.shade} {b.name}",
        f"a {a.other} and a {b.other} {back} it",
        f"the {b.name} is {back} the {a.name}",
    )


def _three(a: _Named, b: _Named, c: _Named) -> tuple[str, ...]:
    first, third = a.at(b), c.at(b)
    return (
        f"a {a.full} {first} a {b.full}, and a {c.full} {third} the {b.name}",
        f"the picture shows a {b.full} with a {a.full} {first} it and a {c.full} {third} it",
        f"there is a {a.shade} {a.name}, a {b.shade} {b.name} and a {c.shade} {c.name}",
        f"a {c.other} {third} a {b.other}, and a {a.other} {first} the {b.name}",
        f"the {a.name} is {first} the {b.name}, and the {c.name} is {third} it",
    )
