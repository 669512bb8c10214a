"""A small DCGAN on digits, for searches that compare methods: a split to train on, one to choose by, one to report.

    python launch.py --mode=tune --config=configs/created_equal.py --space=configs/spaces/created_equal.py \
        --protocol=three_phase --test=test --workdir=runs/search

It sees 80,000 real images, 25 epochs of the first 3,200 digits of the split `train`; the other 800 choose, by the
Fréchet distance of 2,000 samples, and `test` has 1,000. BatchNorm in both networks; Adam (.5, .999) 2e-4.
"""

from configs import dcgan


def get_config():
    config = dcgan.get_config()
    config.steps = 1250
    config.data.split = "train[:80%]"
    config.nets.gen.width = config.nets.disc.width = 16
    config.log = {"every": 125, "tensorboard": False}
    config.sample.every = config.checkpoint.every = 1250
    config.eval.update(split="train[80%:]", num_samples=2000, every=250, metrics=("fd", "prdc"))
    return config
