"""pix2pix' losses (Isola et al. 2017, table 1): L1, GAN, cGAN, L1 + GAN, L1 + cGAN, from label maps to pictures.

    python launch.py --mode=ablate --config=configs/ablations/pix2pix.py --workdir=runs/pix2pix_losses --workers=2

A GAN judges the picture alone, a cGAN the picture beside its label map. The paper scores Cityscapes' photographs by what a
segmentation network reads in them; here every class of the scenes of `shapes` has colours of its own, light or dark, and
what a label map leaves open is which of the two an object has. True scenes are read exactly, and what lies between the two
shades of a class is read as that class.

`configs/pix2pix.py` at width 16 and batches of 8, 2,000 steps. Ten seeds, of which five have been measured; one takes a
quarter of an hour on one core. A run is scored on the whole test split: there is one set of samples. How pictures are
read was changed after the first scores had been seen, and with it a verdict: results/pix2pix_losses/README.md.
"""

from typing import Any

from configs import pix2pix
from jaxgan.table import Claim, Column, Length, Row, Table

PIXEL, CLASS, IOU = "pixel accuracy", "class accuracy", "IoU"
PUBLISHED = {  # Cityscapes, labels to photographs
    "L1": (".42", ".15", ".11"),
    "GAN": (".22", ".05", ".01"),
    "cGAN": (".57", ".22", ".16"),
    "L1 + GAN": (".64", ".20", ".15"),
    "L1 + cGAN": (".66", ".23", ".17"),
}


def get_config():
    config = pix2pix.get_config("labels")
    config.steps, config.batch_size = 2000, 8
    config.nets.gen.update(width=16, max_width=128)
    config.nets.disc.width = 16
    config.log = {"every": 50, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 1000
    return config


def table() -> Table:
    rows = {}
    for name, values in PUBLISHED.items():
        changes: dict[str, Any] = {"task.conditional": "cGAN" in name}
        changes |= {} if "GAN" in name else {"objective.loss": "none"}
        changes |= {} if "L1" in name else {"objective.terms.l1": None}
        rows[name] = Row(changes, published=dict(zip((PIXEL, CLASS, IOU), values)))
    return Table(
        title="Losses of pix2pix, from label maps to pictures",
        paper="Isola et al. 2017, table 1",
        data="the 4,000 training scenes of `shapes`, 32 px, and its 1,000 of the split test",
        protocol="{steps} steps of {batch_size} pairs, width {nets.gen.width}, patches of {nets.disc.field} px, moving "
        "average; the {eval.num_samples} scenes of the split test; classes by the nearest colour of the scenes' or between "
        "a class' two; Fréchet distance of {eval.features.name}'s features, fewer pictures than dimensions",
        length=Length(200 * 2975, "pairs", ("steps", "batch_size")),
        differs=("rendered scenes of 32 px", "small networks", "another reader", "moving averages"),
        published="Cityscapes, 256 px: a segmentation network's pixel accuracy, class accuracy and IoU after 200 epochs of "
        "2,975 pairs (values and length unconfirmed); no spread is given",
        columns=(
            Column("pixel_accuracy", PIXEL, "higher", ".3f"),
            Column("class_accuracy", CLASS, "higher", ".3f"),
            Column("iou", IOU, "higher", ".3f"),
            Column("l1", "L1", "lower", ".4f"),
            Column("psnr", "PSNR", "higher", ".1f"),
            Column("ssim", "SSIM", "higher", ".3f"),
            Column("fd", "Fréchet distance", "lower", ".1f"),
        ),
        rows=rows,
        seeds=range(10),
        claims=(
            Claim(IOU, "cGAN", than="GAN"),
            Claim(IOU, "L1 + cGAN", than="cGAN"),
            Claim(IOU, "L1 + cGAN", than="L1"),
            Claim("Fréchet distance", "L1 + cGAN", than="L1", text="the discriminator makes pictures sharp that L1 blurs"),
        ),
        curves=("gen/l1", "disc/loss"),
        notes="Published values are of other data and another reader: their order alone could be compared. The reader was "
        "changed after the first scores had been seen.",
    )
