"""CycleGAN (Zhu et al. 2017): translators between two sets of pictures, none of which has a counterpart in the other.

    python launch.py --config=configs/cyclegan.py               # plain digits <-> coloured and textured ones, 32 px
    python launch.py --config=configs/cyclegan.py:monet         # photographs <-> Monet's paintings, 256 px, TFDS's cycle_gan
    python launch.py --config=configs/cyclegan.py:own --config.data.dir=FOLDER       # trainA/ and trainB/
    python launch.py --mode=translate --workdir=runs/cyclegan --input=FOLDER --direction=ba

The paper's losses: squared errors of patches, cycles of weight 10 (5 here, where squared errors are halved), a pool of 50,
Adam 2e-4 (.5, .999) with a step size that falls to 0 along a line from half of the run on; for paintings also identity, of
half the cycles' weight. Data that are pairs are torn apart: each domain is drawn from by itself, and only scores know what
belongs together. What is scored and translated with are moving averages of the weights, which the paper has not. monet's
steps are 190 epochs of its photographs; of your own pictures --config.steps is 200 times their number, and
--config.data.fit=stretch squashes those that are not square, which are cut otherwise.

digits: translators of width 16 with three blocks, discriminators of 32, patches of 16 px, 12,000 steps of 8 pictures: twenty
minutes on one CPU core.
"""

from configs import default

VARIANTS = ("digits", "monet", "own")


def get_config(variant: str):
    config = default.get_config()
    config.data = {
        "digits": {"name": "digit_styles", "split": "trainB", "source_split": "trainA", "truth": "truth"},
        "monet": {
            "name": "cycle_gan/monet2photo",
            "split": "trainA",
            "source_split": "trainB",
            "size": (256,),
            "jitter": 30,
        },
        "own": {"name": "image_pairs", "size": (256,), "jitter": 30},
    }[variant]
    small = variant == "digits"
    config.data.flip = not small
    config.task = {"name": "unpaired"}
    config.nets.gen = {"name": "translator", "width": 16 if small else 64, "blocks": 3 if small else 9}
    config.nets.disc = {"name": "patch", "width": 32 if small else 64, "field": 16 if small else 70, "norm": "instance"}
    config.objective.loss = "lsgan"
    identity = {"identity": {"name": "l1", "of": "identity", "weight": 2.5}} if variant == "monet" else {}
    config.objective.terms = {"cycle": {"name": "l1", "of": "cycle", "weight": 5.0}, **identity}
    config.batch_size, config.steps = (8, 12_000) if small else (1, 1_200_000)
    for player in config.optim:
        config.optim[player].lr = "linear(2e-4, 0, 50%, 100%)"
    config.ema.half_life_kimg = 1.0
    config.sample.num = 16
    config.eval.update(num_samples=500, repeats=1, metrics=("cycles",), allow_few=True)
    if small:
        config.eval.update(split="testB", source_split="testA", metrics=("cycles", "reading"))
    elif variant == "monet":
        config.eval.update(split="testA", source_split="testB")
    else:
        config.eval.split = "test"
    config.eval.features.name = "efficientnet_lite0"
    return config
