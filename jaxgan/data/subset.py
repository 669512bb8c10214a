"""Which of a split's labelled examples a run trains on, and which of their labels are wrong; of any data set with labels."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jaxgan.config.schema import bounded
from jaxgan.data.groups import groups_of
from jaxgan.data.kept import MOST, Kept, check_classes
from jaxgan.data.source import RESIDENT_BYTES, Images, Modes
from jaxgan.errors import UserError

OF_RUN = -1  # `subset_seed`: the run's own


@dataclass(frozen=True)
class Subset(Kept):
    """Of every data set with labels: a part of its examples, and wrong labels. The real images of `eval.split` are all those
    of the classes that `classes` or `without` keep; other fields are of training alone.

    class_shares: of data with labels, what share of each class is kept, one number in [0, 1] a class, "1,1,0.1"; empty: all.
    per_class: how many examples of each class there are before that; 0: all.
    contamination: what share of the examples are of classes that are not kept, taken at random and added to the others.
    wrong_labels: what share of the labels is replaced by another class, each of the others equally likely.
    subset_seed: which examples, and which labels; -1: the run's seed. Of one seed a smaller part is within a larger one.
    """

    class_shares: tuple[float, ...] = bounded((), most=1)
    per_class: int = bounded(0, least=0)
    contamination: float = bounded(0.0, below=1)
    wrong_labels: float = bounded(0.0, below=1)
    subset_seed: int = bounded(0, least=OF_RUN, below=2**32)

    def __post_init__(self):
        super().__post_init__()
        if self.contamination and not (self.classes or self.without):
            raise UserError(
                "data.contamination is of classes that are not kept; --config.data.classes says which ones are, or .without"
            )

    @property
    def asked(self) -> str:
        """The first field that asks for a part; "" where all examples are taken as they are."""
        names = ("class_shares", "per_class", "wrong_labels", "classes", "without")
        return next((name for name in names if getattr(self, name)), "")

    def of(self, images: Images, seed: int) -> Images:
        """The part of a data set. seed: the run's. Raises UserError where it has no such part."""
        if not self.asked:
            return images
        self._check(images)
        if self.asked in ("classes", "without") and not self.contamination and self.mask(images).all():
            return images
        own = seed if self.subset_seed == OF_RUN else self.subset_seed
        classes, labels, mask = images.num_classes, labels_of(images), self.mask(images)
        order = np.random.default_rng([own, *b"subset"]).permutation(len(labels))
        index = _chosen(labels, self._counts(images, labels, mask), order)
        told = _wrong(labels[index], index, self.wrong_labels, np.flatnonzero(mask), own)
        more = self._more(images, labels, mask, order, len(index))
        index, told = np.concatenate([index, more]), np.concatenate([told, labels[more]])
        index, told = index[np.argsort(index)], told[np.argsort(index)]
        name = ", ".join([images.name, *self._told(images, own)])
        label, shares = images.features["label"], _shares(labels[index], classes)
        return replace(
            images,
            name=name,
            examples=Chosen(images.examples, index, told),
            digest=hashlib.sha256(f"{images.digest} {name}".encode()).hexdigest()[:16] if images.digest else "",
            features=images.features | {"label": replace(label, shares=tuple(shares.tolist()) if label.shares else ())},
            others={stream: _of_classes(examples, mask) for stream, examples in images.others.items()},
            known=replace(
                images.known,
                shares=None if images.known.shares is None else shares,
                modes=_modes(images.known.modes, mask),
            ),
        )

    def _check(self, images: Images) -> None:
        label = check_classes(images, self.asked)
        if self.class_shares and len(self.class_shares) != label.classes:
            raise UserError(
                f"data.class_shares has {len(self.class_shares)} numbers, and {images.name} has {label.classes} classes"
            )
        if self.class_shares and not any(self.class_shares):
            raise UserError("data.class_shares leaves nothing: at least one class needs a share above 0")
        if self.wrong_labels and (label.classes < 2 or self.mask(images).sum() < 2):
            kept = "one" if label.classes < 2 else "one that is kept"
            raise UserError(f"data.wrong_labels needs another class to choose, and {images.name} has {kept}")

    def _counts(self, images: Images, labels: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """How many examples of each class are kept, int [K]. A share above 0 keeps one at least."""
        there = np.bincount(labels[labels >= 0], minlength=images.num_classes)
        shares = np.where(mask, self.class_shares or 1.0, 0.0)
        if self.per_class and (short := np.flatnonzero((there < self.per_class) & (shares > 0))).size:
            few = short[0]
            raise UserError(f"data.per_class={self.per_class}, but class {few} of {images.name} has {there[few]} examples")
        before = np.full(len(there), self.per_class) if self.per_class else there
        counts = np.where(shares > 0, np.maximum(np.floor(shares * before + 0.5), 1), 0).astype(int)
        counts = np.minimum(counts, there)
        if not counts.any():
            raise UserError(f"data.{self.asked} leaves nothing: {images.name} has no example of the classes that it keeps")
        return counts

    def _more(self, images: Images, labels: np.ndarray, mask: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
        """The numbers of the examples of other classes that are added to `count`: the first by `order`."""
        other = order[(labels[order] >= 0) & ~mask[labels[order]]]
        wanted = int(self.contamination / (1 - self.contamination) * count + 0.5)
        if wanted > len(other):
            most = f"; at most {len(other) / (len(other) + count):.3g} here" if len(other) else ""
            raise UserError(
                f"data.contamination={self.contamination:g} needs {wanted} examples of classes that are not kept, and "
                f"{images.name} has {len(other)}{most}"
            )
        return other[:wanted]

    def _told(self, images: Images, seed: int) -> list[str]:
        """What a part is called, behind the name of the whole."""
        shares = ",".join(f"{share:g}" for share in self.class_shares)
        if len(self.class_shares) > MOST:
            shares = hashlib.sha256(json.dumps(self.class_shares).encode()).hexdigest()[:8]
        drawn = [f"{self.per_class} a class"] * bool(self.per_class) + [f"class shares {shares}"] * bool(shares)
        drawn += [f"{100 * self.contamination:g} % of other classes"] * bool(self.contamination)
        drawn += [f"{100 * self.wrong_labels:g} % of labels wrong"] * bool(self.wrong_labels)
        return self.told(images) + (drawn + [f"subset_seed {seed}"] if drawn else [])


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

    def all_groups(self) -> np.ndarray | None:
        groups = groups_of(self.examples)
        return None if groups is None else groups[self.index]


def labels_of(images: Images) -> np.ndarray:
    """Every example's class, int [N]; without decoding pictures where the examples have `all_labels`."""
    return _labels(images.examples)


def _labels(examples: Any) -> np.ndarray:
    if hasattr(examples, "all_labels"):
        return np.asarray(examples.all_labels(), int)
    return np.array([int(examples[i]["label"]) for i in range(len(examples))])


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


def _chosen(labels: np.ndarray, counts: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Of each class the first `counts` by a permutation of the whole split; their numbers, in order."""
    kept = [order[labels[order] == label][:count] for label, count in enumerate(counts)]
    return np.sort(np.concatenate(kept))


def _wrong(labels: np.ndarray, index: np.ndarray, share: float, kept: np.ndarray, seed: int) -> np.ndarray:
    """Labels [n] of which round(share n) are another class of `kept`: those whose example has the least number drawn."""
    rng, last = np.random.default_rng([seed, *b"wrong"]), int(index.max()) + 1
    drawn, by = rng.random((last, 2))[index].T  # two numbers an example of the split, whatever else is kept
    out, which = labels.copy(), np.argsort(drawn, kind="stable")[: int(share * len(labels) + 0.5)]
    place = np.searchsorted(kept, labels[which]) + 1 + (by[which] * (len(kept) - 1)).astype(int)
    out[which] = kept[place % len(kept)]
    return out


def _of_classes(examples: Any, mask: np.ndarray) -> Any:
    """The examples of another stream whose class is kept; all of a stream without labels."""
    if mask.all() or not len(examples) or "label" not in examples[0]:
        return examples
    labels = _labels(examples)
    index = np.flatnonzero((labels >= 0) & mask[labels])
    return Chosen(examples, index, labels[index])


def _modes(modes: Modes | None, mask: np.ndarray) -> Modes | None:
    """The modes that are kept, of points whose classes are modes."""
    return replace(modes, centres=modes.centres[mask]) if modes and len(modes.centres) == len(mask) else modes
