"""Stacked digits: three random digits as the channels of one picture, 1,000 modes that can be counted (Metz et al. 2017).

The counting of VEEGAN (Srivastava et al. 2017) and after it: a classifier reads each channel, and three digits name a mode.
"""

import functools
from dataclasses import dataclass
from itertools import product

import numpy as np

from jaxgan.config.schema import among, bounded
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images, Known, is_resident
from jaxgan.data.tfds import Tfds
from jaxgan.errors import UserError

CHANNELS = 3


@dataclass(frozen=True)
class StackedDigits:
    """Pictures [H, W, 3], each channel a digit drawn from `base` uniformly and by itself; label 100 a + 10 b + c.

    images: how many (VEEGAN: 128,000). split: of the base. draw_seed: of which digits are stacked, apart from the run's
    seed. base: a data set of TFDS's or ours, grey and of ten classes: "digits" (4,000 digits to draw from), "mnist".
    dir: the base's folder. resident: keep the split in (device) memory, "auto" up to 1 GiB, "on" or "off".
    """

    images: int = bounded(128_000, least=1, below=2**27)
    split: str = "train"
    draw_seed: int = bounded(0, below=2**32)
    base: str = "digits"
    dir: str = ""
    resident: str = among(("auto", "on", "off"), "auto")

    def open(self) -> Images:
        """Raises UserError where the base is not there, or has no ten classes of grey pictures."""
        base = Tfds(name=self.base, split=self.split, dir=self.dir).open()
        if base.image_shape[2] != 1 or base.num_classes != 10:
            shape = "x".join(map(str, base.image_shape))
            raise UserError(
                f"data.base={self.base} has {base.num_classes} classes of {shape}; ten of grey pictures can be stacked"
            )
        digits = base.load()
        if len(np.unique(digits["label"])) < 10:
            raise UserError(f"{base.name} lacks a class of the ten; choose another data.split")
        rng = np.random.default_rng([self.draw_seed, *self.split.encode()])
        index = rng.integers(0, len(base), (self.images, CHANNELS))
        height, width, _ = base.image_shape
        digit = base.features["label"].names or "0123456789"
        size = self.images * height * width * CHANNELS
        return Images(
            name=f"stacked {self.images:,} of {base.name}, draw_seed {self.draw_seed}",
            examples=Stacks(digits["image"][..., 0], digits["label"], index),
            features=features_of(
                (height, width, CHANNELS), 10**CHANNELS, names=map("".join, product(digit, repeat=CHANNELS))
            ),
            resident=is_resident(self.resident, size),
            digest=base.digest,
            known=Known(
                classes="digits",
                shares=functools.reduce(np.kron, [np.bincount(digits["label"], minlength=10) / len(base)] * CHANNELS),
            ),
        )


@dataclass
class Stacks(Arrays):
    """Example i is the images `index[i]`, one behind the other."""

    def __getitem__(self, i: int):
        return {"image": np.moveaxis(self.images[self.index[i]], 0, -1), "label": int(self._spelled(self.index[i]))}

    def all_labels(self) -> np.ndarray:
        return self._spelled(self.index)

    def _spelled(self, index: np.ndarray) -> np.ndarray:
        """The number that digits [..., 3] spell, [...]."""
        assert self.labels is not None
        return self.labels[index] @ (100, 10, 1)
