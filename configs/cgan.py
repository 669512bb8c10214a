"""Conditional GANs on ten classes of digits: five ways to tell the discriminator a label.

    python launch.py --config=configs/cgan.py:projection

| variant      | the discriminator is told by              | paper                                            |
|--------------|-------------------------------------------|--------------------------------------------------|
| projection   | a scalar product with the label's embedding | Miyato and Koyama 2018                         |
| concat       | the one-hot label beside each pixel, and the generator by one beside z | Mirza and Osindero 2014 |
| acgan        | a classifier that learns from real and generated images | Odena et al. 2017                  |
| acgan_real   | a classifier that learns from real images alone | StudioGAN's "ACGAN-Mod"                    |
| reacgan      | contrasts of embeddings, D2D-CE           | Kang et al. 2021                                 |

Common: DCGAN's networks at width 32, conditional BatchNorm in the generator (but for concat), the non-saturating loss with
R1 (weight 1), Adam with a step size of 1e-3 that falls to 0 over the second half, 4,000 steps of 64 images; fake labels are
uniform and independent of the batch's. So the variants differ in what the discriminator is told, and in nothing else. The
papers have other losses and more: Mirza and Osindero train fully connected networks on 60,000 digits, Miyato and Koyama
ResNets with spectral norm and the hinge loss for 450,000 steps on ImageNet, Odena et al. 100 GANs of ten ImageNet classes
each for 50,000 batches of 100, Kang et al. BigGAN's networks for 100,000 steps on CIFAR-10, five updates of the
discriminator each.

Samples of one class: --mode=sample --workdir=runs/cgan --labels=3; all classes in a table: --labels=0-9.
"""

from configs import dcgan

VARIANTS = ("projection", "concat", "acgan", "acgan_real", "reacgan")
HEADS = {"acgan": "auxiliary", "acgan_real": "auxiliary", "reacgan": "contrast"}


def get_config(variant: str):
    config = dcgan.get_config()
    config.steps = 4000
    config.nets.disc.norm = "none"
    for player in ("disc", "gen"):
        config.optim[player].lr = "linear(1e-3, 0, 50%, 100%)"
    terms: dict = {"r1": {"weight": 1.0}}
    config.task.update(num_classes=10, fake_labels="uniform")
    config.nets.gen.cond = "concat" if variant == "concat" else "norm"
    config.nets.disc.head = HEADS.get(variant, variant)
    if variant in ("acgan", "acgan_real"):
        terms["acgan"] = {"weight": 1.0, "fakes": variant == "acgan"}
    if variant == "reacgan":
        terms["contrast"] = {"weight": 0.5}
    config.objective.terms = terms
    config.eval.metrics = ("fd", "prdc")
    return config
