"""placeholder"""

from configs import default

VARIANTS = ("gp", "clip")


def get_config(variant: str):
    config = default.get_config()
    config.steps = 3000
    config.nets.gen.width = config.nets.disc.width = 32
    config.nets.disc.norm = "none"
    config.objective = {"loss": "wasserstein", "penalties": {"wgan_gp": {"weight": 10.0}}}
    config.rounds.disc = 5
    for player in ("disc", "gen"):
        config.optim[player].update({"lr": 1e-4, "b1": 0.0, "b2": 0.9})
    return config
