"""Gathers 45 photographs of 41 scenes from three Debian packages, as PNG files in FOLDER/train and FOLDER/test.

    python docs/tools/debian_photographs.py FOLDER --root=UNPACKED

The packages are lomiri-wallpapers-16.04, mate-backgrounds and opencv-doc; each says in its `copyright` file whose pictures
they are. UNPACKED is where they were unpacked by `dpkg-deb -x`; "/", the default, where they are installed. Paintings,
renderings and grey pictures of the packages are left out. Pictures of one scene are on one side of the split.

Files whose JPEG is strong are shrunk by two or three: its blocks would else be learned.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from jaxgan.data.bicubic import shrink  # noqa: E402
from jaxgan.data.decode import Entry  # noqa: E402
from jaxgan.data.picture import opened  # noqa: E402
from jaxgan.data.wholes import colours, cut  # noqa: E402

PLACES = {
    "lomiri-wallpapers-16.04": "usr/share/backgrounds",
    "mate-backgrounds": "usr/share/backgrounds/mate/nature",
    "opencv-doc": "usr/share/doc/opencv-doc/examples",
}
# package: {shrunk by: files}
FILES = {
    "lomiri-wallpapers-16.04": {
        1: ["Picture_1A_by_freespace.jpg"],
        2: ["Picture_0B_by_freespace.jpg", "aitzgorri_by_Aitzol_Berasategi.jpg", "friends_by_Aitzol_Berasategi.jpg",
            "free_by_Peter_Nerlich.jpg", "greentock_by_Peter_Nerlich.jpg", "life_by_Aitzol_Berasategi.jpg",
            "picosdeeuropa_by_Aitzol_Berasategi.jpg"],
        3: ["Bridge_by_Sander_Klootwijk.jpg", "Dragonfly_by_Bolly.jpg", "Wine_by_Jakkub_Mede.jpg",
            "seeding_by_Clements_Engelhardt.jpg", "sunset_by_Aitzol_Berasategi.jpg"],
    },
    "mate-backgrounds": {
        1: ["Blinds.jpg", "Dune.jpg", "RainDrops.jpg"],
        2: ["Aqua.jpg", "FreshFlower.jpg", "Garden.jpg", "GreenMeadow.jpg", "LadyBird.jpg", "Storm.jpg", "TwoWings.jpg",
            "Wood.jpg", "YellowFlower.jpg"],
    },
    "opencv-doc": {
        1: ["alphamat/input_images/plant.jpg", "data/baboon.jpg", "data/board.jpg", "data/butterfly.jpg",
            "data/chicky_512.png", "data/fruits.jpg", "data/graf1.png", "data/graf3.png", "data/leuvenA.jpg",
            "data/leuvenB.jpg", "data/rubberwhale1.png", "data/rubberwhale2.png", "data/squirrel_cls.jpg",
            "hfs/data/000.jpg", "text/scenetext_segmented_word01.jpg"],
        2: ["data/aloeL.jpg", "data/aloeR.jpg", "data/building.jpg", "text/scenetext03.jpg", "text/scenetext05.jpg"],
    },
}  # fmt: skip
TEST = ("Picture_1A_by_freespace", "friends_by_Aitzol_Berasategi", "picosdeeuropa_by_Aitzol_Berasategi", "Dune", "LadyBird",
        "baboon", "butterfly", "fruits", "leuvenA", "leuvenB", "squirrel_cls")  # fmt: skip


def gather(folder: Path, root: Path) -> None:
    """Writes the photographs that are below `root`, and says which packages are not there."""
    count = pixels = 0
    for package, files in FILES.items():
        place = root / PLACES[package]
        found = [(place / name, factor) for factor, names in files.items() for name in names]
        lost = [file for file, _ in found if not file.is_file()]
        if lost:
            print(f"left out: {package}, of which {len(lost)} files are not there, the first {lost[0]}")
            continue
        for file, factor in found:
            side = folder / ("test" if file.stem in TEST else "train")
            side.mkdir(parents=True, exist_ok=True)
            picture = colours(Entry(file.name, "", lambda file=file: opened(file)))
            small = shrink(cut(picture, factor), factor) if factor > 1 else picture
            Image.fromarray(small).save(side / f"{package.partition('-')[0]}_{file.stem}.png")
            count, pixels = count + 1, pixels + small.shape[0] * small.shape[1]
    print(f"{count} photographs of {pixels / 1e6:.0f} megapixels in {folder}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--root", type=Path, default=Path("/"))
    arguments = parser.parse_args()
    gather(arguments.folder, arguments.root)
