"""Images with labels against real ones with theirs: what metrics see that need "labels".

It stands apart from `Evaluator`, whose code counts in the hash of every metric of images; this counts for those of labels.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jaxgan.config.run import Eval
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.extractors.base import Network
from jaxgan.placement import Placement
from jaxgan.scores.collect import Statistics
from jaxgan.scores.evaluator import Batches, Evaluator, stored
from jaxgan.scores.label_checks import check_alike, check_extractor, check_meaning, count_classes, label_of, of_labels
from jaxgan.scores.metric import score_name


@dataclass
class Labelled(Statistics):
    """labels: int32 [N], of each image its own, or the one that it was asked for by. num_classes: how many there are."""

    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    num_classes: int = 0


class LabelledEvaluator(Evaluator):
    """An `Evaluator` that also knows labels, where a metric needs them. Arguments: as of `Evaluator`.

    Raises UserError, before any picture is read, where real images have no labels or the extractor has other classes; and
    where a class has too few real images.
    """

    def __init__(self, wanted: Eval, network: Network, images: Images, placement: Placement):
        self.of_labels = of_labels(wanted)
        if self.of_labels:
            name = next(iter(self.of_labels))
            self.label = label_of(name, images)
            check_extractor(self.of_labels, network, images.image_shape, self.label.classes)
        super().__init__(wanted, network, images, placement)
        if self.of_labels:
            assert isinstance(self.real, Labelled)
            self.dims = self.collect.dims(images.image_shape)
            count_classes(self.of_labels, self.real.labels, self.label.classes, self.dims, wanted.allow_few, images.name)
            if "label_accuracy" in self.of_labels:
                assert self.real.classes is not None
                check_meaning(network.name, self.real.classes.argmax(1), self.real.labels, images.name)

    def __call__(self, batches: Batches, count: int, labels: np.ndarray | None = None) -> dict[str, float]:
        """{name: value} of so many generated images. labels: int [count], asked for; of no use where no metric needs them.
        Raises UserError where a class has too few."""
        if not self.of_labels:
            return super().__call__(batches, count)
        assert labels is not None
        return self._values(self.collect(batches, self.keep, count, "samples"), labels)

    def of_stored(self, images: Images, chosen: np.ndarray) -> dict[str, float]:
        """See `Evaluator.of_stored`; the labels are the images' own."""
        if not self.of_labels:
            return super().of_stored(images, chosen)
        check_alike(label_of(next(iter(self.of_labels)), images), self.label, images.name)
        noting = _Noting(images.examples)
        batches = stored(replace(images, examples=noting), chosen, self.size, self.placement)
        return self._values(self.collect(batches, self.keep, len(chosen), "samples"), noting.of(chosen))

    def _values(self, seen: Statistics, labels: np.ndarray) -> dict[str, float]:
        classes = self.label.classes
        if (labels < 0).any() or (labels >= classes).any():
            raise UserError(f"the labels of the samples must lie in 0 to {classes - 1}, those of the real images")
        count_classes(self.of_labels, labels, classes, self.dims, self.wanted.allow_few)
        fake = Labelled(**vars(seen), labels=labels, num_classes=classes)
        values = [metric.fn(self.real, fake, self.wanted.allow_few) for metric in self.metrics.values()]
        return {score_name(part, self.network, len(labels)): value for each in values for part, value in each.items()}

    def _real(self, images: Images, chosen: np.ndarray) -> Statistics:
        """As `Evaluator`'s, with labels. They are in no cache: a data set's name and digest do not say which labels it was
        opened with."""
        if not self.of_labels:
            return super()._real(images, chosen)
        noting = _Noting(images.examples)
        real = super()._real(replace(images, examples=noting), chosen)
        return Labelled(**vars(real), labels=noting.of(chosen), num_classes=self.label.classes)


class _Noting:
    """Examples that note the labels of those that are read, so that no picture is decoded again for its label."""

    def __init__(self, examples: Any):
        self.examples, self.labels = examples, {}

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        example = self.examples[i]
        self.labels[i] = int(example["label"])
        return example

    def of(self, chosen: np.ndarray) -> np.ndarray:
        """int32 [N]; what was not read yet (by this process, or because statistics were in the cache) is read now."""
        for i in set(chosen.tolist()) - self.labels.keys():
            self[i]
        return np.array([self.labels[i] for i in chosen.tolist()], np.int32)
