"""Modes of a grid of Gaussians: PacGAN's table 1 (Lin et al. 2018), with gradient penalties beside.

    python launch.py --mode=ablate --config=configs/ablations/grid.py --workdir=runs/grid --workers=2

25 Gaussians at {-4, -2, 0, 2, 4}^2 with standard deviation .05; else as `configs/ablations/ring.py`.

short (the default): 10,000 steps, a fortieth of PacGAN's, at which its claims are not tested and no number says that
anything was learned: plain Gaussian noise of the data's spread has as many modes as a row here. 10 seeds, of which five have
been measured: half an hour a seed on two cores. full: PacGAN's 400,000 steps and 10 seeds; not measured yet.
"""

from configs.ablations import ring
from jaxgan.table import Column

VARIANTS = ("short", "full")
PUBLISHED = {
    "GAN": ("17.3 +- .8", "94.8", ".70"),
    "PacGAN2": ("23.8 +- .7", "91.3", ".13"),
    "PacGAN3": ("24.6 +- .4", "94.2", ".06"),
    "PacGAN4": ("24.8 +- .2", "93.6", ".04"),
}
COLUMNS = (Column("modes", "modes of 25", "higher", ".2f", within=(0, 25), count=1), *ring.COLUMNS[1:])
NOTES = (
    "Plain Gaussian noise of the data's spread has 17.7 of the 25 modes in as many samples, with a reverse KL of .51 (means "
    "of 200 draws)."
)


def get_config(variant: str):
    return ring.get_config(variant, "grid")


def table(variant: str):
    return ring.table(variant, "grid", COLUMNS, PUBLISHED, NOTES)
