"""Stacked digits, 1,000 modes to count: VEEGAN's protocol (Srivastava et al. 2017) with a DCGAN, in its short form.

    python launch.py --config=configs/stacked_digits.py
    python launch.py --config=configs/stacked_digits.py:full     # 100,000 steps at width 64; a GPU's work

Three digits are the channels of a 28x28 picture, 128,000 pictures; z uniform in [-1, 1]^100; non-saturating loss,
batch 64, Adam 2e-4 (.5, .999). Scored on 26,000 samples of the raw weights: a classifier reads each channel, `modes`
counts the three-digit numbers that occur, `reverse_kl` compares their shares with the data's (of digits, equal ones; a
perfect generator has about .02), and `high_quality` is the share of which the classifier is sure. The digits stacked are the
4,000 of the split `train` of `digits`, where the papers stack MNIST's 60,000; with MNIST prepared by TFDS:

    python launch.py --config=configs/stacked_digits.py:full --config.data.base=mnist

short (the default): 3,000 steps at width 16. Methods against mode collapse: `configs/ablations/stacked_digits.py`.
"""

from configs import default

VARIANTS = ("short", "full")


def get_config(variant: str):
    config = default.get_config()
    config.data = {"name": "stacked_digits"}
    config.task.z = "uniform"
    config.steps = 100_000 if variant == "full" else 3000
    config.nets.gen.width = config.nets.disc.width = 64 if variant == "full" else 16
    config.eval.update(metrics=("class_modes", "repetition"), num_samples=26_000, num_real=26_000, repeats=1, ema=False)
    config.eval.batch_size = 500
    config.log.every = 100
    config.sample.every = config.checkpoint.every = 5000 if variant == "full" else 500
    return config
