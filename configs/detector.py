"""A detector of the objects of `shapes`, or of any pictures with maps of classes: a small convolutional network on a grid.

    python launch.py --config=configs/detector.py
    python launch.py --config=configs/detector.py --config.data.name=samples --config.data.workdir=runs/pix2pix \
        --config.data.sources=validation

It is scored by the mean average precision at an IoU of .5 on the split `test`. A map of classes (`data.source`) has a colour
for each class (`task.palette`), and the pixels of a class are one object. The second line learns from pictures that a run of
`configs/pix2pix.py` makes of maps of classes; the test images are those of the data that the run was trained on.
"""

from configs import default

PALETTE = ("ff0000", "ffff00", "00ff00", "00ffff", "0000ff", "ff00ff")  # of the maps of `shapes`


def get_config():
    config = default.get_config()
    config.steps = 2000
    config.data = {"name": "shapes/32", "source": "labels", "flip": True}
    config.task = {"name": "detect", "palette": PALETTE}
    config.nets = {"net": {"name": "grid"}}
    config.optim = {"net": {"name": "adam", "lr": "cosine(2e-3, 2e-5, 0, 100%)", "b1": 0.9}}
    config.rounds = {"net": 1}
    config.eval.update(metrics=("map50",), split="test", every=500)
    return config
