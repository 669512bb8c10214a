"""BigGAN (Brock et al. 2019, "Large Scale GAN Training for High Fidelity Natural Image Synthesis").

    python launch.py --config=configs/biggan.py                  # digits, small
    python launch.py --config=configs/biggan.py:cifar10          # TFDS's `cifar10`, the size of its author's code
    python launch.py --config=configs/biggan.py:imagenet128      # TFDS's `imagenet2012`, the size of the paper

|                         | digits       | cifar10        | imagenet128                     |
|-------------------------|--------------|----------------|---------------------------------|
| params, both networks   | 0.16 million | 8.5 million    | 158 million                     |
| z                       | 60, in parts | 128            | 120, in parts                   |
| the label in the norms  | shared, 32   | tables         | shared, 128                     |
| attention               | 14 px        | none           | 64 px                           |
| batch, updates of the discriminator | 32, 2 | 50, 4     | 2,048, 1                        |
| step sizes, generator and discriminator | 1e-3, 1e-3 | 2e-4, 2e-4 | 1e-4, 4e-4             |
| averages begin after    | 16 kimg      | 1,000 steps    | 20,000 steps                    |
| steps                   | 3,000        | 125,000        | 500,000                         |

The settings of cifar10 and imagenet128 are those of ajbrock/BigGAN-PyTorch (launch_cifar_ema.sh, launch_BigGAN_bs256x8.sh);
the paper has step sizes of 5e-5 and 2e-4 and two updates of the discriminator. Its orthogonal regularisation is on in
imagenet128 (weight 1e-4), as in the paper, while the released models were trained without. BatchNorm's statistics are of
the whole batch. Published FID: CIFAR-10 14.7 in the paper, 4.16 in StudioGAN at its best checkpoint; ImageNet at 128 px 8.7
in the paper. imagenet128 is scored with standing statistics over 16 batches. Neither of the two was run here: both need the
data and days of GPUs.
"""

from configs import default

VARIANTS = ("digits", "cifar10", "imagenet128")


def get_config(variant: str):
    config = default.get_config()
    config.objective.loss = "hinge"
    config.task.fake_labels = "uniform"
    gen: dict = {"name": "biggan"}
    disc: dict = {"name": "biggan"}
    for player in ("disc", "gen"):
        config.optim[player].update(b1=0.0, b2=0.999)
    if variant == "digits":
        config.steps, config.batch_size, config.task.num_classes, config.task.z_dim = 3000, 32, 10, 60
        gen.update(width=8, shared=32, attention=14)
        disc.update(width=8, attention=14)
        config.rounds.disc, config.ema.start_kimg = 2, 16.0
        config.optim.gen.lr = config.optim.disc.lr = 1e-3
    elif variant == "cifar10":
        config.data.update(name="cifar10", flip=True)
        config.steps, config.batch_size, config.rounds.disc = 125_000, 50, 4
        config.task.update(num_classes=10, z_dim=128)
        gen.update(width=64, hierarchical=False, shared=0, kernel_init="normal")
        disc.update(width=64, kernel_init="normal")
        config.ema.update(half_life_kimg=1386.0, rampup=0.0, start_kimg=200.0)  # .9999 a step
        config.eval.update(features={"name": "inception"}, metrics=("fd", "is"), num_samples=50_000)
    else:
        config.data.update(name="imagenet2012", size=(128,), flip=True)
        config.steps, config.batch_size = 500_000, 2048
        config.task.update(num_classes=1000, z_dim=120)
        gen.update(width=96, attention=64)
        disc.update(width=96, attention=64)
        config.objective.terms = {"orthogonal": {"weight": 1e-4}}
        for player, lr in (("gen", 1e-4), ("disc", 4e-4)):
            config.optim[player].update(lr=lr, eps=1e-6)
        config.ema.update(half_life_kimg=14195.0, rampup=0.0, start_kimg=40960.0)  # .9999 a step
        config.eval.update(features={"name": "inception"}, metrics=("fd", "is"), num_samples=50_000, batch_norm="standing")
    config.nets.gen, config.nets.disc = gen, disc
    if variant != "digits":
        config.log.every, config.sample.every, config.checkpoint.every = 100, 1000, 1000
    return config
