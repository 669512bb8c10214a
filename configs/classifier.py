"""A classifier of digits, or of any data with labels: a small convolutional network, trained by cross-entropy.

    python launch.py --config=configs/classifier.py
    python launch.py --config=configs/classifier.py --config.data.name=samples --config.data.workdir=runs/r3gan_labels

It is scored by the share of the split `test` that it reads rightly. Of samples of a run (`data.workdir`) the test images
are those of the data that the run was trained on. Pictures are turned, scaled and shifted a little while training
(`task.augmentation=none` leaves them as they are). The metric `cas` trains this network, with settings of its own.
"""

from configs import default


def get_config():
    config = default.get_config()
    config.steps = 2000
    config.task = {"name": "classify", "num_classes": 10, "augmentation": "classical"}
    config.nets = {"net": {"name": "convnet"}}
    config.optim = {"net": {"name": "adam", "lr": "cosine(2e-3, 2e-5, 0, 100%)", "b1": 0.9}}
    config.rounds = {"net": 1}
    config.eval.update(metrics=("accuracy",), split="test", every=500)
    return config
