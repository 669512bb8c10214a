"""Which of a split's labelled examples a run trains on, and which of their labels are wrong; of any data set with labels."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jaxgan.config.schema import bounded
from jaxgan.data.features import MAIN
from jaxgan.data.source import RESIDENT_BYTES, Images
from jaxgan.errors import UserError

OF_RUN = -1  # `subset_seed`: the run's own


@dataclass(frozen=True)
class Subset:
    """Of every data set with labels: a part of its examples, and wrong labels. The real images of `eval.split` are whole.

    class_shares: of data with labels, what share of each class is kept, one number in [0, 1] a class, "1,1,0.1"; empty: all.
    per_class: how many examples of each class there are before that; 0: all.
    wrong_labels: what share of the labels is replaced by another class, each of the others equally likely.
    subset_seed: which examples, and which labels; -1: the run's seed. Of one seed a smaller part is within a larger one.
    """

    class_shares: tuple[float, ...] = bounded((), most=1)
    per_class: int = bounded(0, least=0)
    wrong_labels: float = bounded(0.0, below=1)
    subset_seed: int = bounded(0, least=OF_RUN, below=2**32)

    @property
    def is_whole(self) -> bool:
        """Whether all examples are taken as they are."""
        return not (self.class_shares or self.per_class or self.wrong_labels)

    def of(self, images: Images, seed: int) -> Images:
        """The part of a data set. seed: the run's. Raises UserError where it has no such part."""
        if self.is_whole:
            return images
        self._check(images)
        own = seed if self.subset_seed == OF_RUN else self.subset_seed
        classes, labels = images.num_classes, labels_of(images)
        index = _chosen(labels, self._counts(images, labels), own)
        true = labels[index]
        told = _wrong(true, index, self.wrong_labels, classes, own)
        name = f"{images.name}, {self._told(own)}"
        known = images.known if images.known.shares is None else replace(images.known, shares=_shares(true, classes))
        digest = hashlib.sha256(f"{images.digest} {name}".encode()).hexdigest()[:16] if images.digest else ""
        return replace(images, name=name, examples=Chosen(images.examples, index, told), digest=digest, known=known)

    def _check(self, images: Images) -> None:
        fields = {name: getattr(self, name) for name in ("class_shares", "per_class", "wrong_labels")}
        asked = next(name for name, value in fields.items() if value)
        label = images.features.get("label")
        if label is None or label.stream != MAIN:
            raise UserError(f"data.{asked} is of data with labels, and {images.name} has none")
        if label.shape:
            raise UserError(
                f"data.{asked} is of classes, and the label of {images.name} is a vector of {label.classes} attributes"
            )
        if self.class_shares and len(self.class_shares) != label.classes:
            raise UserError(
                f"data.class_shares has {len(self.class_shares)} numbers, and {images.name} has {label.classes} classes"
            )
        if self.class_shares and not any(self.class_shares):
            raise UserError("data.class_shares leaves nothing: at least one class needs a share above 0")
        if self.wrong_labels and label.classes < 2:
            raise UserError(f"data.wrong_labels needs another class to choose, and {images.name} has one")

    def _counts(self, images: Images, labels: np.ndarray) -> np.ndarray:
        """How many examples of each class are kept, int [K]. A share above 0 keeps one at least."""
        there = np.bincount(labels[labels >= 0], minlength=images.num_classes)
        shares = np.array(self.class_shares or [1.0] * len(there))
        if self.per_class and (short := np.flatnonzero((there < self.per_class) & (shares > 0))).size:
            few = short[0]
            raise UserError(f"data.per_class={self.per_class}, but class {few} of {images.name} has {there[few]} examples")
        before = np.full(len(there), self.per_class) if self.per_class else there
        counts = np.where(shares > 0, np.maximum(np.floor(shares * before + 0.5), 1), 0).astype(int)
        counts = np.minimum(counts, there)
        if not counts.any():
            raise UserError(f"data.class_shares leaves nothing: {images.name} has no example of the classes that it keeps")
        return counts

    def _told(self, seed: int) -> str:
        shares = ",".join(f"{share:g}" for share in self.class_shares)
        if len(self.class_shares) > 20:  # as a digest, or a name would fill a page
            shares = hashlib.sha256(json.dumps(self.class_shares).encode()).hexdigest()[:8]
        parts = [f"{self.per_class} a class"] * bool(self.per_class) + [f"class shares {shares}"] * bool(shares)
        parts += [f"{100 * self.wrong_labels:g} % of labels wrong"] * bool(self.wrong_labels)
        return ", ".join([*parts, f"subset_seed {seed}"])


@dataclass
class Chosen:
    """Examples number `index` of others, with the labels that they are given."""

    examples: Any
    index: np.ndarray
    labels: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {**self.examples[int(self.index[i])], "label": int(self.labels[i])}

    def all_labels(self) -> np.ndarray:
        return self.labels


def labels_of(images: Images) -> np.ndarray:
    """Every example's class, int [N]; without decoding pictures where the examples have `all_labels`."""
    if hasattr(images.examples, "all_labels"):
        return np.asarray(images.examples.all_labels(), int)
    return np.array([int(images.examples[i]["label"]) for i in range(len(images))])


def with_shares(images: Images) -> Images:
    """A data set whose label says the share of each class, where that is known without decoding pictures and in seconds: of
    sets of up to 1 GiB, whether they stay in memory or not."""
    label, examples = images.features.get("label"), images.examples
    small = len(images) * int(np.prod(images.image_shape)) <= RESIDENT_BYTES
    if label is None or label.shape or label.shares or not hasattr(examples, "all_labels") or not small:
        return images
    shares = tuple(float(share) for share in _shares(labels_of(images), label.classes))
    return replace(images, features=images.features | {"label": replace(label, shares=shares)})


def _shares(labels: np.ndarray, classes: int) -> np.ndarray:
    counts = np.bincount(labels[labels >= 0], minlength=classes)
    return counts / counts.sum()


def _chosen(labels: np.ndarray, counts: np.ndarray, seed: int) -> np.ndarray:
    """Of each class the first `counts` by a fixed permutation of the whole split; their numbers, in order."""
    order = np.random.default_rng([seed, *b"subset"]).permutation(len(labels))
    kept = [order[labels[order] == label][:count] for label, count in enumerate(counts)]
    return np.sort(np.concatenate(kept))


def _wrong(labels: np.ndarray, index: np.ndarray, share: float, classes: int, seed: int) -> np.ndarray:
    """Labels [n] of which round(share n) are another class: those whose example has the least number drawn."""
    rng, last = np.random.default_rng([seed, *b"wrong"]), int(index.max()) + 1
    drawn, by = rng.random((last, 2))[index].T  # two numbers an example of the split, whatever else is kept
    out, which = labels.copy(), np.argsort(drawn, kind="stable")[: int(share * len(labels) + 0.5)]
    out[which] = (labels[which] + 1 + (by[which] * (classes - 1)).astype(int)) % classes
    return out
