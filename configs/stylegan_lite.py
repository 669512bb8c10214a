"""StyleGAN-lite: StyleGAN2's networks and training (Karras et al. 2020) at a size that two CPU cores can train."""

from configs import default

VARIANTS = ("digits",)


def get_config(variant: str):
    config = default.get_config()
    config.task = {"name": "style", "z_dim": 128}
    size = {"width": 16, "max_width": 128}
    config.nets.gen = {"name": "stylegan", "mapping": 4, **size}
    config.nets.disc = {"name": "stylegan", **size}
    config.objective.penalties = {"r1": {"weight": 0.1, "every": 16}, "path_length": {"weight": 2.0, "every": 4}}
    for player in config.optim:
        config.optim[player].update(lr=2e-3, b1=0.0, b2=0.99)
    config.steps = 3000
    config.eval.update(every=0)
    return config
