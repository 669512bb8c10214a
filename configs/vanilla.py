"""The GAN of Goodfellow et al. 2014 with two small fully connected networks: z 100 -> 128 -> 784, 784 -> 128 -> 1.

python launch.py --config=configs/vanilla.py                  # the heuristic, non-saturating generator loss
python launch.py --config=configs/vanilla.py:minimax          # the loss of the paper's equation 1
"""

from configs import default

VARIANTS = ("nonsaturating", "minimax")


def get_config(variant: str):
    config = default.get_config()
    config.steps = 40_000
    config.nets.gen = {"name": "mlp", "widths": (128,), "activation": "relu", "norm": "none"}
    config.nets.disc = {"name": "mlp", "widths": (128,), "activation": "leaky_relu", "norm": "none"}
    config.objective.loss = variant
    return config
