"""The hinge loss with spectral normalisation (Lim and Ye 2017; SNGAN, Miyato et al. 2018) on the networks of DCGAN.

    python launch.py --config=configs/hinge.py

SNGAN's own ResNet and schedules:

    python launch.py --config=configs/hinge.py --config.nets.gen.name=resnet --config.nets.gen.width=256 \
        --config.nets.disc.name=resnet --config.nets.disc.norm=spectral --config.nets.disc.pool=sum \
        --config.rounds.disc=5 --config.optim.gen.b1=0 --config.optim.gen.b2=0.9 \
        --config.optim.disc.b1=0 --config.optim.disc.b2=0.9 --config.steps=50000 --config.task.z_dim=128 \
        --config.task.gen_batch=2 \
        --config.optim.gen.lr="linear(2e-4, 0, 0%, 100%)" --config.optim.disc.lr="linear(2e-4, 0, 0%, 100%)"
"""

from configs import dcgan


def get_config():
    config = dcgan.get_config()
    config.objective.loss = "hinge"
    config.nets.disc.norm = "spectral"
    return config
