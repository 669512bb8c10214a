"""Toy distributions of points, most in the plane, kept on the device: what a GAN does to them can be seen whole.

Each is a finite set drawn once from `draw_seed`; training and test points are different draws. A label is the mode (the arm,
the moon) that a point belongs to. Published parameters: `configs/toy.py`.
"""

from dataclasses import dataclass

import numpy as np

from jaxgan.config.schema import among, bounded
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images, Known, Modes


@dataclass(frozen=True)
class Toy:
    """points: how many. split: "train" or "test". draw_seed: of the points, apart from the run's seed."""

    points: int = bounded(100_000, least=1, below=2**27)
    split: str = among(("train", "test"), "train")
    draw_seed: int = bounded(0, below=2**32)

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(points float [points, 2], labels int [points])."""
        raise NotImplementedError

    def open(self) -> Images:
        """The points as "images" of shape (2,)."""
        rng = np.random.default_rng([self.draw_seed, self.split == "test"])
        points, labels = self.draw(rng)
        examples = Arrays(points.astype(np.float32), labels.astype(np.int32), np.arange(self.points))
        name, shape, classes = type(self).__name__.lower(), points.shape[1:], int(labels.max()) + 1
        name = f"{name}, split {self.split}, draw_seed {self.draw_seed}"
        return Images(name, examples, features_of(shape, classes), True, known=Known(modes=self.modes_of()))

    def modes_of(self) -> Modes | None:
        """Where the points gather, if that is known."""
        return None


@dataclass(frozen=True)
class Mixture(Toy):
    """Gaussians around `centres()`. std: their standard deviation."""

    std: float = 0.01

    def centres(self) -> np.ndarray:
        """[modes, 2]."""
        raise NotImplementedError

    def modes_of(self):
        return Modes(self.centres(), self.std)

    def draw(self, rng):
        centres = self.centres()
        labels = rng.integers(0, len(centres), self.points)
        return centres[labels] + self.std * rng.standard_normal((self.points, 2)), labels


@dataclass(frozen=True)
class Ring(Mixture):
    """`modes` Gaussians on a circle. Defaults: VEEGAN's and PacGAN's ring of 8, radius 1, standard deviation 0.01.

    modes: how many. radius: of the circle. std: standard deviation of each.
    """

    modes: int = bounded(8, least=1)
    radius: float = 1.0

    def centres(self):
        angle = 2 * np.pi * np.arange(self.modes) / self.modes
        return self.radius * np.stack([np.cos(angle), np.sin(angle)], 1)


@dataclass(frozen=True)
class Grid(Mixture):
    """`side` times `side` Gaussians around the origin. Defaults: PacGAN's 25, spacing 2, deviation 0.05.

    side: how many in a row. spacing: between neighbours. std: standard deviation of each.
    """

    std: float = 0.05
    side: int = bounded(5, least=1)
    spacing: float = 2.0

    def centres(self):
        line = self.spacing * (np.arange(self.side) - (self.side - 1) / 2)
        return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)


@dataclass(frozen=True)
class SwissRoll(Toy):
    """A spiral of one and a half turns: (t cos t, t sin t) for t uniform in [1.5 pi, 4.5 pi], Gaussian noise on each
    coordinate, all divided by `scale`. Defaults: WGAN-GP's (Gulrajani et al. 2017).

    noise: its standard deviation. scale: what all coordinates are divided by.
    """

    noise: float = 0.25
    scale: float = bounded(7.5, least=1e-6)

    def draw(self, rng):
        t = 1.5 * np.pi * (1 + 2 * rng.random(self.points))
        points = np.stack([t * np.cos(t), t * np.sin(t)], 1) + self.noise * rng.standard_normal((self.points, 2))
        return points / self.scale, np.zeros(self.points, int)


@dataclass(frozen=True)
class Moons(Toy):
    """Two interleaving half circles of radius 1, scikit-learn's `make_moons`. noise: its standard deviation."""

    noise: float = 0.05

    def draw(self, rng):
        labels = rng.integers(0, 2, self.points)
        t = np.pi * rng.random(self.points)
        upper = np.stack([np.cos(t), np.sin(t)], 1)
        lower = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], 1)
        points = np.where(labels[:, None] == 0, upper, lower)
        return points + self.noise * rng.standard_normal((self.points, 2)), labels


@dataclass(frozen=True)
class Dirac(Toy):
    """The point 0 of the line, `points` times: Dirac-GAN's data (Mescheder et al. 2018)."""

    def draw(self, rng):
        return np.zeros((self.points, 1)), np.zeros(self.points, int)


TOYS = {"ring": Ring, "grid": Grid, "swiss_roll": SwissRoll, "moons": Moons, "dirac": Dirac}
