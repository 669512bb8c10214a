"""DCGAN (Radford et al. 2016) with the non-saturating loss: 4x4 strided convolutions, BatchNorm, Adam 2e-4 (.5, .999).

    python launch.py --config=configs/dcgan.py

The authors' size is width 128, 64 px and batch 128, with z uniform (their kernels are 5x5, BatchNorm's gains begin near
1, not at it, and weights decay a little); with a data set of that size prepared by TFDS:

    python launch.py --config=configs/dcgan.py --config.data.name=... --config.batch_size=128 \
        --config.nets.gen.width=128 --config.nets.disc.width=128 --config.task.z=uniform --config.steps=100000
"""

from configs import default


def get_config():
    config = default.get_config()
    config.steps = 3000
    config.nets.gen.width = config.nets.disc.width = 32
    return config
