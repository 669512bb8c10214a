"""CelebA at 64x64: DCGAN (Radford et al. 2016) made stable by R1 (Mescheder et al. 2018).

    python launch.py --config=configs/celeba.py

The data are TFDS's `celeb_a` (202,599 faces of 218x178; 162,770 of them for training): the first use downloads them and
prepares them with TensorFlow (pip install -e ".[tfds]"). Of each the centre of 148x148 is resized to 64x64 and kept, 2
GB in all. Another size:

    python launch.py --config=configs/celeba.py --config.data.size=128 --config.nets.gen.width=32 --workdir=runs/celeba128

The same networks on your own faces, any sizes:

    python launch.py --config=configs/celeba.py --config.data.name=image_folder --config.data.dir=FOLDER --workdir=runs/faces
"""

from configs import default


def get_config():
    config = default.get_config()
    config.steps = 100_000
    config.data.update(name="celeb_a", crop=(148,), size=(64,), flip=True)
    config.nets.gen.width = config.nets.disc.width = 64
    config.nets.disc.norm = "none"  # a norm over the batch would mix the slopes that R1 measures
    config.objective.terms = {"r1": {"weight": 10.0}}  # the paper's gamma; its code leaves out the 1/2, which is 20 here
    config.eval.features = {"name": "inception"}
    config.eval.update(metrics=("fd",), num_samples=50_000)
    config.log.every, config.sample.every, config.checkpoint.every = 100, 1000, 1000
    return config
