"""AttnGAN (Xu et al. 2018): a picture of a caption in stages of 16, 32 and 64 px, which look at the caption's words.

    python launch.py --config=configs/attngan.py
    python launch.py --config=configs/attngan.py:small
    python launch.py --config=configs/attngan.py:coco
    python launch.py --config=configs/attngan.py:birds --config.data.dir=CUB_200_2011/images --config.data.captions=FILE

It first trains `configs/damsm.py` in WORKDIR/stages/damsm, on this run's data and with its seed. Its text encoder reads the
captions, and both of its encoders teach the generator: `objective.terms.damsm`. An own one:
--config.frozen.damsm.workdir=RUN. A kill in either stage loses nothing: the same command goes on.

small: stages of 8, 16 and 32 px, on which DAMSM needs 1,000 steps, and step sizes four times the paper's: with them .75 of
the shades were as said after 2,000 steps, and .56 with the paper's; one run each. coco: TFDS's coco_captions. birds: a
folder with a file of captions (docs/pictures.md). These two have the published settings, and nobody has run them here.

Published, CUB at 64, 128 and 256 px: width 32 of the generator and 64 of the discriminators, z and condition of 100, two
residual blocks a stage, DAMSM's weight 5 (COCO: width 48 and 96, three blocks, 50), Adam (.5, .999) with 2e-4, batches of
20 (COCO: 14), 600 epochs of 8,855 pictures (120 of 82,783). The paper adds both answers of a discriminator, and here they
are averaged: the generator's adversarial loss counts twice.
"""

from configs import default

VARIANTS = ("large", "small", "coco", "birds")


def get_config(variant: str = "large"):
    config = default.get_config()
    config.steps, config.batch_size = 6000, 32
    size = 32 if variant == "small" else 64
    config.data = {"name": f"shapes/{size}", "label": "none", "captions": "captions", "words": 30}
    config.task = {"name": "text"}
    lr = 8e-4 if variant == "small" else 2e-4
    short = {"overrides": ("steps=1000",)} if variant == "small" else {}
    config.frozen = {"damsm": {"name": "run", "config": "configs/damsm.py", **short}}
    config.nets = {"gen": {"name": "attngan", "width": 16}, "disc": {"name": "attngan", "width": 16}}
    damsm = {"weight": 50.0} if variant == "coco" else {}
    config.objective = {"loss": "nonsaturating", "weight": 2.0, "terms": {"damsm": damsm, "condition": {}}}
    config.optim = {
        "gen": {"name": "adam", "lr": lr, "b1": 0.5, "b2": 0.999},
        "disc": {"name": "adam", "lr": lr, "b1": 0.5, "b2": 0.999},
    }
    config.rounds = {"disc": 1, "gen": 1}
    config.sample.num = 16
    if variant == "coco":
        config.steps, config.batch_size = 700_000, 14
        config.data = {"name": "coco_captions", "label": "none", "captions": "captions/text", "words": 15, "size": 256}
        config.nets = {"gen": {"name": "attngan", "width": 48, "residuals": 3}, "disc": {"name": "attngan", "width": 96}}
    elif variant == "birds":
        config.steps, config.batch_size = 265_000, 20
        config.data = {"name": "image_folder", "labels": "none", "words": 18, "size": 256}
        config.nets = {"gen": {"name": "attngan", "width": 32}, "disc": {"name": "attngan", "width": 64}}
    return config
