"""`photographs`: the colour photographs that the packages scikit-image and scikit-learn ship, as tiles.

| picture | pixels | from | terms, as the packages say them |
|---|---|---|---|
| astronaut | 512x512 | scikit-image, PNG | NASA, public domain |
| chelsea | 300x451 | scikit-image, PNG | CC0, Stefan van der Walt |
| coffee | 400x600 | scikit-image, PNG | CC0, Rachel Michetti |
| motorcycle_left, motorcycle_right | 500x741 | scikit-image, PNG | Middlebury 2014 stereo (Scharstein et al. 2014) |
| rocket | 427x640 | scikit-image, JPEG | SpaceX, public domain |
| china, flower | 427x640 | scikit-learn, JPEG | CC BY 2.0, danielbuechele (per its README) |

Left out are what else they ship: grey pictures, drawings, a micrograph, a retina, and a mosaic of the Hubble telescope.
"""

import importlib.util
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jaxgan.config.schema import among
from jaxgan.data.decode import Entry
from jaxgan.data.picture import opened
from jaxgan.data.source import Images
from jaxgan.data.tiles import Tiles
from jaxgan.data.wholes import of_list
from jaxgan.errors import UserError

PACKAGES = {"skimage": "scikit-image", "sklearn": "scikit-learn"}
# The split of each, chosen once: none of the test's is of a scene that is trained on.
PICTURES = {
    "skimage/data/astronaut.png": "train",
    "skimage/data/chelsea.png": "test",
    "skimage/data/coffee.png": "test",
    "skimage/data/motorcycle_left.png": "train",
    "skimage/data/motorcycle_right.png": "train",
    "skimage/data/rocket.jpg": "train",
    "sklearn/datasets/images/china.jpg": "test",
    "sklearn/datasets/images/flower.jpg": "train",
}


@dataclass(frozen=True)
class Photographs(Tiles):
    """Eight photographs of 0.1 to 0.4 megapixels, seven scenes, as RGB tiles: five pictures train and three test.

    split: "train"; "test": chelsea, china, coffee; or "all".
    """

    split: str = among(("train", "test", "all"), "train")

    def open(self) -> Images:
        """Finds the packages and, once, cuts their pictures. Raises UserError where one is not there."""
        entries, stamps = [], []
        for name, side in PICTURES.items():
            if self.split in (side, "all"):
                file = _file(name)
                entries.append(Entry(file.stem, "", partial(opened, file)))
                stamps.append((name, file.stat().st_size))
        wholes = of_list(entries)
        keys = [name.removesuffix("_left").removesuffix("_right") for name in wholes.names]
        return self.tiles_of(f"photographs, split {self.split}", stamps, wholes, keys)


def _file(name: str) -> Path:
    """Where a picture of `PICTURES` is. Raises UserError."""
    package, _, below = name.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise UserError(f'photographs need the package {PACKAGES[package]}: pip install -e ".[photographs]"')
    file = Path(found.submodule_search_locations[0]) / below
    if not file.is_file():
        raise UserError(f"the package {PACKAGES[package]} has no '{below}'; install it anew, scikit-image >= 0.25")
    return file
