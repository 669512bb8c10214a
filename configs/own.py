"""Your own pictures, a folder or a zip or tar file: DCGAN's networks made stable by R1.

    python launch.py --config=configs/own.py --config.data.dir=FOLDER --workdir=runs/mine

Pictures of any size and mode become 64x64 RGB: the shorter side is scaled by Lanczos' filter and the rest cropped. One
in ten, chosen by a hash of its name, is kept aside as the test split. Others:

    --config.data.size=32,48               height, width; multiples of 4
    --config.data.fit=pad                  whole pictures on a white ground; or stretch
    --config.data.flip=true                mirrored ones too, where left and right mean nothing
    --config.nets.gen.width=64 --config.nets.disc.width=64     with a GPU

Look at the run's samples/ while it trains, and train for longer with --config.steps=1e5.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.data = {"name": "image_folder"}
    config.steps = 10_000
    config.batch_size = 32
    config.nets.gen.update(width=32, norm="layer")
    config.nets.disc.update(width=32, norm="none")  # a norm over the batch would mix the slopes that R1 measures
    config.objective.terms = {"r1": {"weight": 5.0}}  # half of Mescheder et al.'s gamma of 10
    config.eval.features = {"name": "efficientnet_lite0"}
    config.eval.update(metrics=("kid", "prdc", "repetition"), num_samples=1000)  # few pictures bear no Frechet distance
    config.sample.every = config.checkpoint.every = 500
    return config
