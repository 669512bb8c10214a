"""StyleGAN-lite: StyleGAN2 (Karras et al. 2020) at a size that two CPU cores train.

    python launch.py --config=configs/stylegan_lite.py                 # 4,000 digits of 28x28
    python launch.py --config=configs/stylegan_lite.py:emoji           # 1,720 emoji of 32x32, in colour
    python launch.py --mode=sample --workdir=runs/stylegan_lite --seeds=0-7 --truncation_psi=1,.7,.5,0
    python launch.py --mode=sample --workdir=runs/stylegan_lite --seeds=0-3 --mix=8-13 --layers=0-1
    python launch.py --mode=sample --workdir=runs/stylegan_lite --seeds=0-7 --interpolate=16 --space=w
    python launch.py --mode=project --workdir=runs/stylegan_lite --input=digits@test

Modulated convolutions, a learned constant, noise in every pixel, colours of all resolutions added up; a residual
discriminator with the standard deviation of groups of four; path length of weight 2 at every 4th step on half a batch,
styles mixed in nine of ten images, moving averages of half-life 10 kimg that are at most a twentieth of the images seen;
Adam with betas (0, .99), corrected for the lazy updates: of the discriminator's steps two in six are R1's and R2's, so that
1.2e-2 counts as .8e-2.

What differs from the paper, besides size (up to 512 channels there, a mapping of eight layers, 25 million images; here 16
to 128, four, and 128,000): path lengths are of unmixed styles, the mean of w has a decay of .998 a step for .995 and its own
moving average, the averages' ramp is ADA's. And the loss: under the paper's logistic loss and R1 at every 16th step, without
path length, the spread of fakes over that of reals fell to between .24 and .5 in 400 to 800 steps on digits, in single
runs at eight settings with step sizes from 2e-4 to 1e-2 and R1 of weight 1 to 10. In others with 1e-2 (.8e-2) for a
discriminator of width 32 and R1 at every 4th step it was above .7 at step 300, and falling; with logits in pairs and R2
besides (Huang et al. 2024) it stayed above .8. The paper's own:
--config.objective.loss=nonsaturating --config.objective.terms.r2=none --config.objective.terms.r1.every=16
--config.objective.terms.r1.weight=10 --config.optim.disc.lr=2e-3 --config.nets.disc.width=16

StyleGAN (2019) in place of StyleGAN2: --config.nets.gen.style=adain --config.nets.gen.output=plain
--config.nets.disc.input=plain. On a GPU: --config.nets.gen.width=64 --config.nets.gen.max_width=512 (disc too)
--config.dtype=bfloat16, which leaves the smallest resolution, R1 and R2 in float32.
"""

from configs import default

VARIANTS = ("digits", "emoji")


def get_config(variant: str):
    config = default.get_config()
    if variant == "emoji":
        config.data.update(name="emoji", size=(32,))
    config.task = {"name": "style", "z_dim": 128}
    config.nets.gen = {"name": "stylegan", "mapping": 4, "width": 16, "max_width": 128}
    config.nets.disc = {"name": "stylegan", "width": 32, "max_width": 128}
    config.objective.loss = "relativistic"
    weights = {"r1": 3.0, "r2": 3.0, "path_length": 2.0}
    config.objective.terms = {name: {"weight": weight, "every": 4} for name, weight in weights.items()}
    for player, lr in (("disc", 1.2e-2), ("gen", 2e-3)):
        config.optim[player].update(lr=lr, b1=0.0, b2=0.99)
    config.steps = 2000
    config.eval.update(metrics=("fd", "kid", "prdc", "repetition", "ppl"))
    if variant == "emoji":
        config.eval.features.name = "efficientnet_lite0"
    return config
