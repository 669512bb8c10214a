"""f-AnoGAN (Schlegl et al. 2019): a WGAN-GP of normal images, then an encoder that inverts its generator.

    python launch.py --config=configs/fanogan.py             # both stages, one after the other
    python launch.py --config=configs/fanogan.py:wgan        # the first stage alone

| variant | how the encoder E is trained, G and the critic's hidden layers f being fixed |
|---------|------------------------------------------------------------------------------|
| izif    | E (x - G(E(x)))^2 + kappa E (f(x) - f(G(E(x))))^2: the paper's choice        |
| izi     | E (x - G(E(x)))^2                                                            |
| ziz     | E (z - E(G(z)))^2, on generated images                                       |
| wgan    | no encoder: the first stage                                                  |

The first stage is trained in WORKDIR/stages/first, with this run's data and seed; --config.frozen.first.overrides=steps=9000
changes its other fields. A kill in either stage loses nothing: the same command goes on. An own first stage, of any config
without labels: --config.frozen.first.workdir=RUN.

An image's score is its residual and kappa times that of its features; of izi and ziz the image's residual alone. The default
trains on all digits, none of which is abnormal. The paper's protocol on digits takes one as normal.

Published settings (the authors' code, wgangp_64x64.py and z_encoding_izif.py; 64 px, grey): z normal, of 128; ResNets of
width 64 with BatchNorm in G and LayerNorm in D; five rounds of the critic, penalty 10, batch 64, Adam 1e-4 (0, .9) for
seven epochs. Then an encoder like D with BatchNorm and a tanh behind its linear layer, kappa 1, RMSProp 5e-5 for 50,000
steps. With data of 64 px, which were not tried here:

    python launch.py --config=configs/fanogan.py --workdir=runs/fanogan_64 --config.data.size=64 --config.steps=50000 \
        --config.nets.enc.name=resnet --config.nets.enc.width=64 --config.nets.enc.output=tanh --config.task.z_dim=128 \
        --config.optim.enc.name=rmsprop --config.optim.enc.lr=5e-5 --config.frozen.first.overrides=task.z_dim=128,\
nets.gen.name=resnet,nets.gen.norm=batch,nets.disc.name=resnet,nets.disc.norm=layer,batch_size=64,steps=50000

Their critic compares 4x4 maps, and the `resnet` here means over pixels; `sngan` and `dcgan` have maps.
"""

from configs import default, wgan

VARIANTS = ("izif", "izi", "ziz", "wgan")
Z = 64


def get_config(variant: str):
    return first() if variant == "wgan" else encoder(variant)


def first():
    config = wgan.get_config("gp")
    config.steps = 2250
    config.task.z_dim = Z
    return config


def encoder(variant: str):
    config = default.get_config()
    image, latent = {"name": "l2", "of": "image"}, {"name": "l2", "of": "latent"}
    features = {"name": "feature_distance", "of": "image", "net": "first", "weight": 1.0}
    terms = {"izif": {"image": image, "features": features}, "izi": {"image": image}, "ziz": {"latent": latent}}
    config.steps = 2000
    config.task = {"name": "encode", "z_dim": Z, "kappa": 1.0 if variant == "izif" else 0.0}
    config.frozen = {"first": {"name": "run", "config": "configs/fanogan.py:wgan"}}
    config.nets = {"enc": {"name": "dcgan", "width": 32, "output": "linear"}}
    config.objective = {"loss": "none", "terms": terms[variant]}
    config.optim = {"enc": {"name": "adam", "lr": "linear(1e-3, 0, 50%, 100%)"}}
    config.rounds = {"enc": 1}
    config.sample.num = 16
    return config
