"""Step sizes, b1 and the penalty's weight of WGAN-GP.

python launch.py --mode=tune --config=configs/wgan.py --space=configs/spaces/wgan.py --budget=20 --workers=2
"""

from jaxgan.space import Choice, Log, Space


def space() -> Space:
    return Space(
        {
            "optim.gen.lr": Log(1e-4, 1e-2),
            "optim.disc.lr": Log(1e-4, 1e-2),
            "optim.gen.b1": Choice((0.0, 0.5)),
            "objective.terms.wgan_gp.weight": Log(0.1, 100),
        }
    )
