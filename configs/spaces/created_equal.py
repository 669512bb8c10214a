"""The ranges of Lucic et al. 2018, "Are GANs Created Equal? A Large-Scale Study", table 2 and its public code.

    python launch.py --mode=tune --config=configs/created_equal.py --space=configs/spaces/created_equal.py \
        --protocol=three_phase --test=test --workdir=runs/search
    python launch.py --mode=tune --config=configs/dcgan.py --space=configs/spaces/created_equal.py:wgan_gp --budget=100

A variant is a method, its wide space with the narrow one behind it. Both players have one step size and one b1. Trial 0
has the paper's defaults. Every trial sees as many real images, so that five updates of the discriminator leave a fifth of
the generator's. Not theirs: BEGAN and VAE are left out, and networks, data and length are those of the config. The
published values are quoted from memory of the paper's table, unconfirmed.
"""

from jaxgan.space import Choice, Log, Same, Space, Uniform

VARIANTS = ("nonsaturating", "minimax", "lsgan", "wgan", "wgan_gp", "dragan")
DEFAULTS = {  # step size, b1, updates of the discriminator, its norm
    "nonsaturating": (5e-5, 0.0, 1, "batch"),
    "minimax": (5e-5, 0.0, 1, "batch"),
    "lsgan": (2e-4, 0.5, 1, "batch"),
    "wgan": (5e-5, 0.5, 5, "batch"),
    "wgan_gp": (1e-4, 0.5, 5, "none"),
    "dragan": (1e-4, 0.5, 1, "none"),
}
PENALTIES = ("wgan_gp", "dragan")
FID = {"nonsaturating": 6.8, "minimax": 9.8, "lsgan": 7.8, "wgan": 6.7, "wgan_gp": 20.3, "dragan": 7.6}


def space(variant: str) -> Space:
    loss = {"wgan_gp": "wasserstein", "wgan": "wasserstein", "dragan": "nonsaturating"}.get(variant, variant)
    fixed: dict = {"objective.loss": loss}
    lr, b1, rounds, norm = DEFAULTS[variant]
    default = {"optim.gen.lr": lr, "optim.disc.lr": lr, "optim.gen.b1": b1, "optim.disc.b1": b1, "rounds.disc": rounds}
    default["nets.disc.norm"] = norm
    wide: dict = {"optim.gen.lr": Log(1e-5, 1e-2), "optim.disc.lr": Same("optim.gen.lr")}
    wide |= {"optim.gen.b1": Uniform(0, 1 - 1e-6), "optim.disc.b1": Same("optim.gen.b1"), "rounds.disc": Choice((1, 5))}
    narrow: dict = {"optim.gen.lr": Log(1e-4, 1e-3), "optim.disc.lr": Same("optim.gen.lr")}
    narrowed = {"optim.gen.b1": 0.5, "optim.disc.b1": 0.5, "rounds.disc": 1}
    if variant in PENALTIES:
        weight = f"objective.terms.{variant}.weight"
        wide[weight], narrow[weight], default[weight] = Log(0.1, 100.0), Log(0.1, 10.0), 10.0
        fixed[weight] = 10.0  # the term is there
        narrowed["nets.disc.norm"] = "none"
    if variant == "wgan":
        clip = "optim.disc.clip_weights"
        wide[clip], narrow[clip], default[clip] = Log(0.001, 1.0), Log(0.01, 1.0), 0.01
    wide["nets.disc.norm"] = Choice(("none", "batch"))
    if variant not in PENALTIES:
        narrow["nets.disc.norm"] = Choice(("none", "batch"))
    return Space(
        wide,
        fixed,
        default,
        equal_images=True,
        narrow=Space(narrow, fixed | narrowed, equal_images=True),
        paper="Lucic et al. 2018, the best FID on MNIST, of Inception, 20 epochs of 50,000; from memory",
        published={"fd": str(FID[variant])},
    )
