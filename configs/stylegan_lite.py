"""StyleGAN-lite: StyleGAN2 (Karras et al. 2020) at a size that two CPU cores train.

    python launch.py --config=configs/stylegan_lite.py                 # 4,000 digits of 28x28
    python launch.py --config=configs/stylegan_lite.py:emoji           # 1,720 emoji of 32x32, in colour
    python launch.py --mode=sample --workdir=runs/stylegan_lite --seeds=0-7 --truncation_psi=1,.7,.5,0
    python launch.py --mode=sample --workdir=runs/stylegan_lite --seeds=0-3 --mix=8-13 --layers=0-1
    python launch.py --mode=sample --workdir=runs/stylegan_lite --seeds=0-7 --interpolate=16 --space=w
    python launch.py --mode=project --workdir=runs/stylegan_lite --input=digits@test

Modulated convolutions, a learned constant, noise in every pixel, colours of all resolutions added up; a residual
discriminator with the standard deviation of groups of four; logistic loss, R1 at every 16th step, path length of weight 2 at
every 4th on half a batch, styles mixed in nine of ten images, moving averages of half-life 10 kimg that are at most a
twentieth of the images seen. Adam 2e-3 (0, .99), the paper's, corrected for the lazy updates. The paper has R1 of weight 10
at 1024 px, its authors .01 for CIFAR-10; .1 here is a guess between. The paper has up to 512 channels, a mapping of eight
layers and 25 million images; here 16 to 128, four, and 192,000.

Not settled yet: with these settings the first thousand steps on digits end in samples that are nearly alike
(`gen/diversity` .2; .4 with R1 of weight 1, with or without path length). With a step size of 5e-4 and R1 of weight 1 they
do not in 500 steps, nor with DCGAN's discriminator at 2e-4.

StyleGAN (2019) in place of StyleGAN2: --config.nets.gen.style=adain --config.nets.gen.output=plain
--config.nets.disc.input=plain. On a GPU: --config.nets.gen.width=64 --config.nets.gen.max_width=512 (disc too)
--config.dtype=bfloat16, which leaves the smallest resolution, penalties and colours in float32.
"""

from configs import default

VARIANTS = ("digits", "emoji")


def get_config(variant: str):
    config = default.get_config()
    if variant == "emoji":
        config.data.update(name="emoji", size=(32,))
    config.task = {"name": "style", "z_dim": 128}
    size = {"width": 16, "max_width": 128}
    config.nets.gen = {"name": "stylegan", "mapping": 4, **size}
    config.nets.disc = {"name": "stylegan", **size}
    config.objective.penalties = {"r1": {"weight": 0.1, "every": 16}, "path_length": {"weight": 2.0, "every": 4}}
    for player in config.optim:
        config.optim[player].update(lr=2e-3, b1=0.0, b2=0.99)
    config.steps = 3000
    config.eval.update(metrics=("fd", "kid", "prdc", "repetition", "ppl"))
    if variant == "emoji":
        config.eval.features.name = "efficientnet_lite0"
    return config
