"""pix2pix (Isola et al. 2017): a U-Net translates pictures, a PatchGAN judges them beside what they were made from.

    python launch.py --config=configs/pix2pix.py                # colour the label maps of `shapes`, 32 px
    python launch.py --config=configs/pix2pix.py:outline        # from outlines
    python launch.py --config=configs/pix2pix.py:emoji          # give grey emoji their colours
    python launch.py --mode=translate --workdir=runs/pix2pix --input=FOLDER

The paper's loss, lambda = 100 and Adam 2e-4 (.5, .999). Smaller than the paper: 32 px, patches of 16 px, width 32, and
batches of 16 where it has single pictures, whose BatchNorm then is another. Its own size, of pairs side by side in a folder
(`train/`, `test/`: what the authors' data sets are):

    python launch.py --config=configs/pix2pix.py:own --config.data.dir=FOLDER

which is 256 px cut out of 286, mirrored, width 64, patches of 70 px, batches of one, instance norm: what BatchNorm is of a
single picture, in the paper in training and after it. 80,000 steps are 200 epochs of 400 pictures: of yours --config.steps
is 200 times their number. Pictures that are not square are cut; --config.data.fit=stretch squashes them, as the authors do.
What is scored and translated with are moving averages of the weights, which the paper has not.
"""

from configs import default

VARIANTS = ("labels", "outline", "emoji", "own")


def get_config(variant: str):
    config = default.get_config()
    config.data = {
        "emoji": {"name": "emoji", "size": (32,), "source": "grey"},
        "own": {"name": "image_pairs", "size": (256,), "jitter": 30, "flip": True},
    }.get(variant, {"name": "shapes/32", "source": variant})
    config.task = {"name": "paired"}
    config.objective.terms = {"l1": {"weight": 100.0}}
    full = variant == "own"
    width, norm = (64, "instance") if full else (32, "batch")
    config.nets.gen = {"name": "unet", "width": width, "max_width": 8 * width, "norm": norm}
    config.nets.disc = {"name": "patch", "width": width, "field": 70 if full else 16, "norm": norm}
    config.batch_size, config.steps = (1, 80_000) if full else (16, 3000)
    config.ema.half_life_kimg = 1.0
    config.sample.num = 16
    config.eval.update(split="test", num_samples=1000, repeats=1, metrics=("fd", "pairs"), allow_few=True)
    config.eval.features.name = "efficientnet_lite0"
    return config
