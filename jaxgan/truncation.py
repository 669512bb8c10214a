"""Truncation of latents z, by its kind: three things go by that name, and none is another.

    resample  coordinates beyond +-t are drawn anew until they are inside (Brock et al. 2019, BigGAN, section 3.1)
    scale     z is multiplied by t, which is what BigGAN's published code calls truncation too

StyleGAN's is of styles w, and has a flag of its own (`truncation_psi`).
"""

import math
from typing import NamedTuple

from jaxgan.errors import UserError, nearest

KINDS = ("resample", "scale")
SMALLEST = 0.01  # t of "resample": below it float32 tells few values apart
FORM = "KIND:VALUE, scale:0.7 or resample:0.7"


class Truncation(NamedTuple):
    """kind: of `KINDS`. t: above 0 of "resample"; from 0 to 1 of "scale"."""

    kind: str
    t: float

    def __str__(self) -> str:
        return f"{self.kind}:{self.t:g}"

    @property
    def protocol(self) -> str:
        """What is done to z, for people and for a score's protocol."""
        if self.kind == "scale":
            return f"z times {self.t:g}"
        return f"coordinates of z beyond +-{self.t:g} drawn anew until inside"


def parse(text: str, name: str = "--truncation") -> tuple[Truncation, ...]:
    """ "scale:1,0.7": one for each value. name: what the text is called in a message. Raises UserError."""
    kind, colon, values = text.strip().partition(":")
    if kind not in KINDS:
        if not colon and not math.isnan(_number(kind.split(",")[0])):
            raise UserError(f"{name} names its kind, scale:{kind} or resample:{kind}; StyleGAN's is --truncation_psi={kind}")
        raise UserError(f"unknown kind '{kind}' in {name}; {nearest(kind, KINDS)}")
    out = tuple(Truncation(kind, _number(value)) for value in values.split(","))
    if any(math.isnan(t) for _, t in out):
        raise UserError(f"{name} must be {FORM}, or several values, {kind}:1,0.7,0.5, not '{text}'")
    for _, t in out:
        if kind == "scale" and not 0 <= t <= 1:
            raise UserError(f"{name}={kind}: values are from 0 to 1, not {t:g}")
        if kind == "resample" and not t >= SMALLEST:
            raise UserError(f"{name}={kind}: values are at least {SMALLEST:g}, not {t:g}; z = 0 is scale:0")
    return out


def one(text: str, name: str = "truncation") -> Truncation:
    """ "scale:0.7", and no several values. Raises UserError."""
    found = parse(text, name)
    if len(found) > 1:
        raise UserError(f"{name} is one value here, as {next(iter(found))}, not '{text}'")
    return next(iter(found))


def _number(text: str) -> float:
    """NaN for what is no finite number."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
