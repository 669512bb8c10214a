"""Images with random access, and the batches that a run takes from them."""

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jaxgan.data import order
from jaxgan.data.features import MAIN, Feature

RESIDENT_BYTES = 2**30  # what "auto" still keeps in memory


def is_resident(wish: str, size: int) -> bool:
    """Whether a split of `size` bytes stays in memory: "on", "off", or "auto" up to 1 GiB."""
    return wish == "on" or (wish == "auto" and size <= RESIDENT_BYTES)


@dataclass(frozen=True)
class Modes:
    """Gaussians of one standard deviation `std`, equally likely, around `centres` [modes, D]."""

    centres: np.ndarray
    std: float


@dataclass(frozen=True)
class Known:
    """What is known of a data set beyond its examples, for scores alone.

    modes: of points that gather around known ones. shares: of the classes, where the data fix them, classes that the
    extractor named `classes` tells apart. decode: uint8 [..., H, W, C] -> int [..., H, W], which of `pixel_classes` classes
    each pixel's colour stands for. truth: whether unpaired images and sources each have "truth", the same in the other
    domain.
    """

    modes: Modes | None = None
    shares: np.ndarray | None = None
    classes: str = ""
    decode: Any = None
    pixel_classes: int = 0
    truth: bool = False


@dataclass
class Images:
    """A split of a data set. `examples[i]`: the main stream's features of one example, {"image": uint8 [H, W, C], "label"}.
    Examples may have `all_labels()`, every label [N] without decoding a picture, and `all_groups()`, see `data.groups`.

    features: by name; "image" is one of them. Points in place of pictures are float32 [D].
    others: examples of other streams, by stream: `others["source"][i]` = {"source": uint8 [H, W, C']}.
    flip: training mirrors an image and the features of its stream with probability 1/2.
    turns: and turns them, which are square, by no, one, two or three quarters of a circle, each with probability 1/4.
    jitter: stored pictures are this many pixels higher and wider than their shape, those of another scale as much less.
    Training crops at random, alike for all features of a stream, at multiples of `unit`; evaluation takes the middle.
    digest: of the content, where the name alone does not fix it; a run goes on with the same content only.
    taken: the checkpoints that the examples were made by, {"data.workdir": {"workdir", "step", "digest"}}.
    wholes: where examples are parts of larger pictures, those: `wholes[i]` is (name, uint8 [H, W, C]), see `data.tiles`.
    Training takes the parts; scores and pages may take the whole.
    """

    name: str
    examples: Any
    features: dict[str, Feature]
    resident: bool
    others: dict[str, Any] = field(default_factory=dict)
    flip: bool = False
    jitter: int = 0
    digest: str = ""
    known: Known = Known()
    taken: dict[str, Any] = field(default_factory=dict)
    turns: bool = False
    wholes: Any = None

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """[H, W, C] of pictures, [D] of points."""
        return self.features["image"].shape

    @property
    def num_classes(self) -> int:
        """Of the label; 0 without one."""
        return self.features["label"].classes if "label" in self.features else 0

    @property
    def source_shape(self) -> tuple[int, ...]:
        """Of pictures to translate; () where there are none."""
        return self.features["source"].shape if "source" in self.features else ()

    @property
    def paired(self) -> bool:
        """Whether each example has a source of its own."""
        return "source" in self.features and self.features["source"].stream == MAIN

    @property
    def sources(self) -> Any:
        """Sources that belong to no example; None where there are none."""
        return self.others.get("source")

    def stream(self, name: str) -> Any:
        """The examples of a stream."""
        return self.examples if name == MAIN else self.others[name]

    def unit(self, stream: str) -> int:
        """Pixels of the largest picture of a stream, of which cuts begin at multiples: at a whole pixel of each feature."""
        return math.lcm(*(feature.scale for feature in self.features.values() if feature.stream == stream))

    def lengths(self) -> dict[str, int]:
        """How many examples each stream has."""
        return {MAIN: len(self.examples)} | {name: len(examples) for name, examples in self.others.items()}

    def stored_shape(self, feature: Feature) -> tuple[int, ...]:
        """Of an example as it is stored: with what `jitter` may take of a picture, and all choices of tokens."""
        if feature.kind == "picture":
            *sides, channels = feature.shape
            return (*(side + self.jitter // feature.scale for side in sides), channels)
        return (feature.choices, *feature.shape) if feature.kind == "tokens" else feature.shape

    def gather(self, indices: np.ndarray, whole: bool = False, stream: str = MAIN) -> dict[str, np.ndarray]:
        """{feature: [..., *shape]} of a stream, for indices of any shape. whole: as stored, with what `jitter` may take, and
        all choices of tokens; otherwise the first."""
        names = tuple(name for name, feature in self.features.items() if feature.stream == stream)
        return self._stacked(self.stream(stream), indices, names, whole)

    def gather_feature(self, name: str, indices: np.ndarray) -> np.ndarray:
        """One feature [..., *shape] for indices of any shape; beyond the last example they begin again."""
        examples = self.stream(self.features[name].stream)
        return self._stacked(examples, indices % len(examples), (name,), False)[name]

    def gather_key(self, key: str, indices: np.ndarray, stream: str = MAIN) -> np.ndarray:
        """What examples have beside their features, "truth", or a source's "label"."""
        return self._stacked(self.stream(stream), indices, (key,), False)[key]

    def _stacked(self, examples: Any, indices: np.ndarray, keys: tuple[str, ...], whole: bool) -> dict[str, np.ndarray]:
        found = [examples[int(i)] for i in indices.reshape(-1)]
        out = {}
        for key in keys:
            x = np.stack([np.asarray(example[key]) for example in found])
            kind = self.features[key].kind if key in self.features else ""
            if x.ndim == 1 or kind == "label":
                x = x.astype(np.int32)
            elif kind == "tokens":
                x = x if whole else x[:, 0]
            elif self.jitter and not whole:
                x = self._middle(x, self.features.get(key, self.features["image"]))
            out[key] = x.reshape(*indices.shape, *x.shape[1:])
        return out

    def _middle(self, x: np.ndarray, feature: Feature) -> np.ndarray:
        """Of stored pictures [n, ...] the part that evaluation takes."""
        unit, (height, width), less = self.unit(feature.stream), x.shape[1:3], self.jitter // feature.scale
        low = self.jitter // unit // 2 * unit // feature.scale
        return x[:, low : low + height - less, low : low + width - less]

    def reference(self, n: int = 2000) -> np.ndarray | None:
        """The first real points [n, D] to show generated ones beside; None for pictures, which speak for themselves."""
        return self.gather(np.arange(min(n, len(self))))["image"] if self.features["image"].kind == "points" else None

    def load(self) -> dict[str, np.ndarray]:
        """All streams in memory, as `gather` would give them."""
        out = {}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for stream, n in self.lengths().items():
                rows = np.array_split(np.arange(n), max(1, n // 512))
                parts = list(pool.map(lambda at, stream=stream: self.gather(at, True, stream), rows))
                out |= {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        return out

    def batches(self, start: int, rounds: int, batch_size: int, rows: np.ndarray, key: int) -> Iterator[dict]:
        """Batches {"image": uint8 [rounds, rows, ...], ...} of steps `start`, `start + 1`, ..., read ahead by threads.

        The position in the data is the step itself, so that there is no iterator state to save.
        """
        import grain  # takes a second

        steps = grain.MapDataset.source(_Steps(self, rounds, batch_size, rows, key))
        options = grain.ReadOptions(num_threads=min(16, 2 * (os.cpu_count() or 1)), prefetch_buffer_size=16)
        return iter(steps[start:].to_iter_dataset(options))


@dataclass
class _Steps:
    """Element i is this process' share of step i's batches."""

    images: Images
    rounds: int
    batch_size: int
    rows: np.ndarray
    key: int

    def __len__(self) -> int:
        return 2**31 - 1

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        images, out = self.images, {}
        at = order.positions(index, self.rounds, self.batch_size, self.rows)
        for stream, n in images.lengths().items():
            key = order.stream_key(stream, self.key)
            out |= images.gather(order.example_index(at, n, key), whole=True, stream=stream)
        return out


@dataclass
class Arrays:
    """Examples `index` of arrays: images [N, ...], labels [N] or None, groups [N] or None."""

    images: np.ndarray
    labels: np.ndarray | None
    index: np.ndarray
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> dict[str, Any]:
        at = self.index[i]
        return {"image": self.images[at]} | ({} if self.labels is None else {"label": self.labels[at]})

    def all_labels(self) -> np.ndarray:
        """Every example's label, [n, ...]; of examples with labels."""
        assert self.labels is not None
        return self.labels[self.index]

    def all_groups(self) -> np.ndarray | None:
        """Every example's group, int [n]; None where none are known."""
        return None if self.groups is None else self.groups[self.index]
