"""Step sizes, b1 and the penalty's weight of WGAN-GP, whose step size stays for half of the run and then falls to 0.

    python launch.py --mode=tune --config=configs/wgan.py --space=configs/spaces/wgan.py --budget=20 --workers=2

Is the best setting better than the config's? Ten new seeds, on pictures that chose nothing:

    python launch.py --mode=tune --config=configs/wgan.py --space=configs/spaces/wgan.py --protocol=three_phase \
        --budget=20 --narrow=0 --test=test --config.data.split="train[:80%]" --config.eval.split="train[80%:]"
"""

from jaxgan.space import Choice, Log, Same, Space

SCHEDULE = "linear({}, 0, 50%, 100%)"


def space() -> Space:
    return Space(
        {
            "optim.gen.lr": Log(1e-4, 1e-2, SCHEDULE),
            "optim.disc.lr": Log(1e-4, 1e-2, SCHEDULE),
            "optim.gen.b1": Choice((0.0, 0.5)),
            "optim.disc.b1": Same("optim.gen.b1"),
            "objective.terms.wgan_gp.weight": Log(0.1, 100),
        }
    )
