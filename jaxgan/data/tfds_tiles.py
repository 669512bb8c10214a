"""TFDS data sets of pictures of many sizes, made for super resolution, as tiles: `div2k`."""

from dataclasses import dataclass
from functools import partial

from jaxgan.data import builders
from jaxgan.data.decode import Entry
from jaxgan.data.source import Images
from jaxgan.data.tfds import Tfds, as_image
from jaxgan.data.tiles import Tiles
from jaxgan.data.wholes import Wholes


@dataclass(frozen=True)
class TfdsTiles(Tiles):
    """TFDS's DIV2K, its 800 and 100 pictures of high resolution; the low one is made here, whatever the configuration.

    name: as TFDS writes it, "div2k" or "div2k/bicubic_x4". split: "train" or "validation", in TFDS's notation.
    dir: TFDS's data folder; empty for its default. image: the feature with the pictures.
    """

    name: str = "div2k"
    split: str = "train"
    dir: str = ""
    image: str = "hr"

    def open(self) -> Images:
        """Finds or prepares the data set and, once, cuts its pictures. Raises UserError."""
        whole = Tfds(name=self.name, split=self.split, dir=self.dir, image=self.image, label="none", size=self.size)
        builder = whole.builder()
        whole.prepare(builder)
        examples = whole.read(builder, self.split, self.image, None)
        names = [f"{i:06}" for i in range(len(examples))]

        def at(i: int) -> Entry:
            return Entry(names[i], "", partial(as_image, examples[i]["image"]))

        title = f"{builder.info.full_name}, split {self.split}"
        wholes = Wholes(names, at, lambda: map(at, range(len(names))))
        return self.tiles_of(title, [*builders.stamped(builder), self.split, self.image], wholes, names)
