"""What is in a picture of `shapes`, also in a made one: its objects with their factors, found by their colours and forms.

The objects of a scene have different colours, so the pixels of a class are one object's. Its kind, size and place are those
of the drawn form that shares most with them, pixels of other objects left out, which may lie over it.
"""

from collections.abc import Sequence

import numpy as np

from jaxgan.data.scenes import CELLS, CLASSES, INKS, KINDS, RADII, SIZES, decode, is_inside

SPECK, LEAST = 3, 12  # cells: spots up to the one are no part of an object, and what is smaller than the other is none
ALIKE = 0.6  # intersection over union below which a form is of no kind
FORMS = [(kind, size) for kind in range(len(KINDS)) for size in range(len(SIZES))]


def read(pictures: np.ndarray) -> list[np.ndarray]:
    """The objects of pictures uint8 [N, side, side, 3]: of each, float32 [objects, 6], the factors of `scenes.Scene` in the
    order of their colours. The kind is -1 where the form is of none."""
    forms = _Forms(pictures.shape[1])
    return [forms.read(picture, classes) for picture, classes in zip(pictures, decode(pictures))]


class _Forms:
    """Every form that can be drawn at a side, as Fourier transforms."""

    def __init__(self, side: int):
        self.side, self.cell = side, (side / CELLS) ** 2
        line = (np.arange(side) - side // 2 + 0.5) * CELLS / side  # cells from the middle, which lies between pixels
        drawn = [is_inside(KINDS[kind], line[None] / RADII[size], line[:, None] / RADII[size]) for kind, size in FORMS]
        self.found = np.fft.rfft2(_wrapped(np.array(drawn, float), side)).conj()

    def read(self, picture: np.ndarray, classes: np.ndarray) -> np.ndarray:
        rows = [self._object(picture, classes, colour) for colour in range(1, len(CLASSES))]
        return np.array([row for row in rows if row is not None], np.float32).reshape(-1, 6)

    def _object(self, picture: np.ndarray, classes: np.ndarray, colour: int) -> Sequence[float] | None:
        from scipy import ndimage

        spots, count = ndimage.label(classes == colour)  # pyright: ignore
        sizes = np.bincount(spots.ravel())[1:] if count else np.zeros(0)
        mask = np.isin(spots, 1 + np.flatnonzero(sizes > SPECK * self.cell))
        if mask.sum() < LEAST * self.cell:
            return None
        free = mask | (classes == 0)
        shared, visible = (self._under(x) for x in (mask, free))
        alike = shared / np.maximum(mask.sum() + visible - shared, 1)
        form, y, x = np.unravel_index(alike.argmax(), alike.shape)
        kind, size = FORMS[form]
        shade = np.linalg.norm(INKS[colour].astype(float) - picture[mask].mean(0), axis=1).argmin()
        known = kind if alike[form, y, x] >= ALIKE else -1
        return known, colour - 1, float(shade), size, x / self.side, y / self.side

    def _under(self, mask: np.ndarray) -> np.ndarray:
        """How many pixels of a mask each form covers with its middle at each place, [forms, side, side]."""
        padded = np.zeros((2 * self.side, 2 * self.side))
        padded[: self.side, : self.side] = mask
        return np.fft.irfft2(np.fft.rfft2(padded) * self.found)[:, : self.side, : self.side]


def _wrapped(forms: np.ndarray, side: int) -> np.ndarray:
    """Forms [K, side, side] around their middle, on twice the sides around place 0."""
    out = np.zeros((len(forms), 2 * side, 2 * side))
    out[:, :side, :side] = forms
    return np.roll(out, (-(side // 2), -(side // 2)), (1, 2))
