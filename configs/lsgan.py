"""LSGAN (Mao et al. 2017): least squares in place of the cross-entropy, on the networks of DCGAN.

    python launch.py --config=configs/lsgan.py

The losses carry the paper's halves: E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2 and E (D(G(z)) - 1)^2 / 2.
"""

from configs import dcgan


def get_config():
    config = dcgan.get_config()
    config.objective.loss = "lsgan"
    return config
