"""Generated scenes as training data for a detector, where few scenes have boxes: 15 and 60 scenes of `shapes`.

    python launch.py --mode=ablate --config=configs/ablations/detection.py --workdir=runs/detection --workers=2

Each arm trains the detector of `configs/detector.py` by the same number of updates, from one seed's start, all pictures
mirrored at random, on:

- real: a few scenes, of one, two and three objects equally many, with their maps of classes, from which the boxes are;
- generated: pictures that pix2pix (`configs/pix2pix.py`), which saw those very scenes and nothing else, makes of 500 maps of
  classes. The boxes of what it was asked for are exact, whether it painted them well or not;
- real + generated: half of the examples are the real ones, repeated;
- real + repainted: a control without new maps: half are the real ones, and half what pix2pix makes of their own maps.

The 500 maps are those of the split `validation`. No picture of that split is seen, but its maps say where objects lie and
how large they are: the arms `real` and `real + repainted` do not have that. A program can draw such maps; yet what is gained
may be the maps' and not the pictures'.

Which scenes there are is drawn once a seed (`data.subset_seed=-1`) and shared by all arms, so claims are paired by seed.
pix2pix' number of steps was not tuned, nor was any arm's; nothing is chosen on the test split.

Measured, five seeds, in results/detection: a mean average precision of 12 % by 15 real scenes and 86 % with generated ones,
47 and 94 % by 60. Repainted scenes alone add 2 and 16 points: most of the gain is the new maps. The picture generated.png
has such maps, and below what pix2pix of 15 scenes makes of them, and of 60.
"""

from configs import detector
from jaxgan.table import Claim, Column, Row, Stage, Table

COUNTS = (5, 20)  # scenes of each number of objects: three times as many scenes
MAP = "mAP at IoU .5, %"


def get_config():
    config = detector.get_config()
    config.steps = 1000
    config.log = {"every": 100, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 0
    config.eval.every = config.steps
    return config


def rows() -> dict[str, Row]:
    out = {}
    for n in COUNTS:
        few = {"data.per_class": n, "data.subset_seed": -1}
        own_maps = {"data.name": "samples", "data.workdir": Stage(f"pix2pix, {3 * n}"), "data.flip": True}
        made = own_maps | {"data.sources": "validation"}
        own = {"steps": 1000, "batch_size": 8, "log.tensorboard": False, "sample.every": 0, "checkpoint.every": 0}
        out[f"pix2pix, {3 * n}"] = Row(few | own, config="configs/pix2pix.py", hidden=True)
        out[f"real, {3 * n}"] = Row(few)
        out[f"generated, {3 * n}"] = Row(made)
        out[f"real + generated, {3 * n}"] = Row(made | {"data.real": 0.5})
        out[f"real + repainted, {3 * n}"] = Row(own_maps | {"data.real": 0.5})
    return out


def table() -> Table:
    return Table(
        title="Generated scenes as training data for a detector",
        paper="none: no published numbers are of these data",
        data="15 or 60 scenes of `shapes`, 32 px, drawn once a seed, and the maps of classes of its split validation",
        protocol="a small convolutional network on a grid, {steps} updates of {batch_size} in every arm; pictures of 500 "
        "maps of classes by a pix2pix that saw the same scenes alone; mean average precision over six classes at an "
        "IoU of .5 on all 1,000 scenes of the split {eval.split}",
        columns=(Column("map50", MAP, "higher", ".1f", scale=100),),
        rows=rows(),
        seeds=range(5),
        claims=tuple(Claim(MAP, f"real + generated, {3 * n}", than=f"real, {3 * n}", paired=True) for n in COUNTS),
        samples=False,
        curves=("net/iou",),
    )
