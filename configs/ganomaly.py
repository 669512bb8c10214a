"""GANomaly (Akcay et al. 2018): an encoder, a decoder and a second encoder against a discriminator.

    python launch.py --config=configs/ganomaly.py

An image's score is the mean squared gap between its code and that of its reconstruction. The default trains on all digits,
none of which is abnormal; the paper takes one digit after the other as the abnormal one.

Published settings (the authors' code, options.py, networks.py, model.py), kept here: codes of 100, encoders and
discriminator of width 64 with BatchNorm and LeakyReLU .2, weights 1 of the discriminator's features (L2), 50 of images (L1)
and 1 of codes (L2), both players' gradients at the same params, Adam 2e-4 (.5, .999), batch 64. Theirs are 15 epochs of all
images of nine digits of MNIST, at 32 px. The default takes digits of 28 px as they are, and narrower networks:

    python launch.py --config=configs/ganomaly.py --workdir=runs/ganomaly_32 --config.data.name=mnist --config.data.size=32 \
        --config.nets.enc.width=64 --config.nets.dec.width=64 --config.nets.disc.width=64 --config.steps=13000

Left out: their discriminator begins anew where its loss falls below 1e-5. Their convolutions have no biases, and gains of
BatchNorm begin near 1. Their test left BatchNorm in training mode, scaled scores by the extremes of the test set and took
the best epoch by it; here scores are those of running statistics, as they are, of the last step.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.steps = 1500
    config.simultaneous = True
    config.task = {"name": "ganomaly", "z_dim": 100}
    config.nets = {
        "enc": {"name": "dcgan", "width": 32},
        "dec": {"name": "dcgan", "width": 32},
        "disc": {"name": "dcgan", "width": 32, "norm": "batch"},
    }
    config.objective = {
        "loss": "bce_critic",
        "terms": {
            "features": {"name": "l2", "of": "features", "weight": 1.0},
            "image": {"name": "l1", "of": "image", "weight": 50.0},
            "latent": {"name": "l2", "of": "latent", "weight": 1.0},
        },
    }
    config.sample.num = 16
    return config
