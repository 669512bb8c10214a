"""The ranges of Lucic et al. 2018, "Are GANs Created Equal? A Large-Scale Study", table 2 and its public code.

    python launch.py --mode=tune --config=configs/dcgan.py --space=configs/spaces/created_equal.py:wgan_gp --budget=100

A variant is a method, wide; with _narrow behind it, its narrow range. Both players have one step size and one b1. Trial 0
has the paper's defaults. Not theirs: BEGAN and VAE are left out, and networks, data and length are those of the config.
"""

from jaxgan.space import Choice, Log, Same, Space, Uniform

METHODS = ("nonsaturating", "minimax", "lsgan", "wgan", "wgan_gp", "dragan")
VARIANTS = (*METHODS, *(f"{method}_narrow" for method in METHODS))
DEFAULTS = {  # step size, b1, updates of the discriminator, its norm
    "nonsaturating": (5e-5, 0.0, 1, "batch"),
    "minimax": (5e-5, 0.0, 1, "batch"),
    "lsgan": (2e-4, 0.5, 1, "batch"),
    "wgan": (5e-5, 0.5, 5, "batch"),
    "wgan_gp": (1e-4, 0.5, 5, "none"),
    "dragan": (1e-4, 0.5, 1, "none"),
}
PENALTIES = ("wgan_gp", "dragan")


def space(variant: str) -> Space:
    method, narrow = variant.removesuffix("_narrow"), variant.endswith("_narrow")
    lr, b1, rounds, norm = DEFAULTS[method]
    fields: dict = {"optim.gen.lr": Log(1e-4, 1e-3) if narrow else Log(1e-5, 1e-2), "optim.disc.lr": Same("optim.gen.lr")}
    default = {"optim.gen.lr": lr, "optim.disc.lr": lr, "optim.gen.b1": b1, "optim.disc.b1": b1, "rounds.disc": rounds}
    default["nets.disc.norm"] = norm
    fixed: dict = {
        "objective.loss": {"wgan_gp": "wasserstein", "wgan": "wasserstein", "dragan": "nonsaturating"}.get(method, method)
    }
    if narrow:
        fixed |= {"optim.gen.b1": 0.5, "optim.disc.b1": 0.5, "rounds.disc": 1}
    else:
        fields |= {"optim.gen.b1": Uniform(0, 1 - 1e-6), "optim.disc.b1": Same("optim.gen.b1")}
        fields["rounds.disc"] = Choice((1, 5))
    if method in PENALTIES:
        weight = f"objective.terms.{method}.weight"
        fields[weight], default[weight] = Log(0.1, 10.0) if narrow else Log(0.1, 100.0), 10.0
        fixed[weight] = 10.0  # the term is there
    if method == "wgan":
        fields["optim.disc.clip_weights"] = Log(0.01, 1.0) if narrow else Log(0.001, 1.0)
        default["optim.disc.clip_weights"] = 0.01
    if narrow and method in PENALTIES:
        fixed["nets.disc.norm"] = "none"
    else:
        fields["nets.disc.norm"] = Choice(("none", "batch"))
    return Space(fields, fixed, default)
