"""Whether images keep to the labels that they were asked for by, class by class.

Accuracy: as GAN-test of Shmelkov et al. 2018, "How good is my GAN?". Distance within classes: Miyato and Koyama 2018, "cGANs
with Projection Discriminator". Recall: Kynkäänniemi et al. 2019, "Improved Precision and Recall Metric for Assessing
Generative Models", here within each class.
"""

import numpy as np

from jaxgan.metrics.moments import Moments, frechet_distance
from jaxgan.metrics.neighbours import prdc


class ByClass(float):
    """A score that is made of one value for each class. classes: these values, float64 [K]."""

    classes: np.ndarray

    def __new__(cls, value: float, classes: np.ndarray) -> "ByClass":
        out = super().__new__(cls, value)
        out.classes = np.asarray(classes, np.float64)
        return out


def label_accuracy(probabilities: np.ndarray, labels: np.ndarray, classes: int) -> dict[str, float]:
    """{"label_accuracy": share of images whose likeliest class is their label, "label_accuracy_worst": the least of the
    shares within the classes}. probabilities: [N, K]. labels: int [N], each of the `classes` among them."""
    right = probabilities.argmax(1) == labels
    found = np.array([right[labels == i].mean() for i in range(classes)])
    return {"label_accuracy": ByClass(right.mean(), found), "label_accuracy_worst": float(found.min())}


def intra_fd(
    real: np.ndarray, real_labels: np.ndarray, fake: np.ndarray, labels: np.ndarray, classes: int, allow_few: bool = False
) -> dict[str, float]:
    """{"intra_fd": the mean over classes of the Fréchet distance between real and generated images of one class}.

    real, fake: features [N, D] and [M, D]. real_labels, labels: int [N] and [M]. Raises UserError for a class of no more
    images than dimensions on either side, unless `allow_few`.
    """
    found = [
        frechet_distance(_moments(real[real_labels == i]), _moments(fake[labels == i]), allow_few) for i in range(classes)
    ]
    return {"intra_fd": ByClass(float(np.mean(found)), np.array(found))}


def class_recall(
    real: np.ndarray, real_labels: np.ndarray, fake: np.ndarray, labels: np.ndarray, classes: int, k: int = 5
) -> dict[str, float]:
    """{"class_recall": the mean over classes of the share of a class' real images that lie in the ball of a generated image
    of that class, out to its k-th neighbour there, "class_recall_worst": the least of these shares}. Arguments: as of
    `intra_fd`. Raises UserError for a class of no more than k images on either side."""
    found = np.array([prdc(real[real_labels == i], fake[labels == i], k)["recall"] for i in range(classes)])
    return {"class_recall": ByClass(found.mean(), found), "class_recall_worst": float(found.min())}


def _moments(features: np.ndarray) -> Moments:
    out = Moments.empty(features.shape[1])
    out.add(features)
    return out
