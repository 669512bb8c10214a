"""The hinge loss with spectral normalisation (Lim and Ye 2017; SNGAN, Miyato et al. 2018) on the networks of DCGAN.

    python launch.py --config=configs/hinge.py

SNGAN's own ResNet, with its schedule of five rounds:

    python launch.py --config=configs/hinge.py --config.nets.gen.name=resnet --config.nets.gen.width=256 \
        --config.nets.disc.name=resnet --config.nets.disc.norm=spectral --config.nets.disc.pool=sum \
        --config.rounds.disc=5 --config.optim.gen.b1=0 --config.optim.gen.b2=0.9 \
        --config.optim.disc.b1=0 --config.optim.disc.b2=0.9 --config.steps=100000
"""

from configs import dcgan


def get_config():
    config = dcgan.get_config()
    config.objective.loss = "hinge"
    config.nets.disc.norm = "spectral"
    return config
