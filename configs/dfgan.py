"""DF-GAN (Tao et al. 2022): a picture of a caption, by a generator of one stage. On `shapes` at 32 px.

    python launch.py --config=configs/dfgan.py

It first trains `configs/damsm.py` in WORKDIR/stages/damsm, on this run's data and with its seed: its text encoder reads the
captions. An own one: --config.frozen.damsm.workdir=RUN. A kill in either stage loses nothing: the same command goes on.

Published, CUB at 256 px: z of 100, width 32, hinge loss, the critic's loss of real pictures with others' captions, penalty 2
with the power 6, Adam (0, .9) with 1e-4 and 4e-4, batches of 32, one update each. Here the width is 16, and step sizes are
five times as large: on scenes of one object the colour was right in 51 % after 400 steps with these, and in 29 % with the
paper's.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.steps, config.batch_size = 6000, 32
    config.data = {"name": "shapes/32", "label": "none", "captions": "captions", "words": 30}
    config.task = {"name": "text"}
    config.frozen = {"damsm": {"name": "run", "config": "configs/damsm.py"}}
    config.nets = {"gen": {"name": "dfgan", "width": 16}, "disc": {"name": "dfgan", "width": 16}}
    config.objective = {"loss": "hinge", "terms": {"matching_gp": {}}}
    config.optim = {
        "gen": {"name": "adam", "lr": 5e-4, "b1": 0.0, "b2": 0.9},
        "disc": {"name": "adam", "lr": 2e-3, "b1": 0.0, "b2": 0.9},
    }
    config.rounds = {"disc": 1, "gen": 1}
    config.sample.num = 16
    return config
