"""Images with random access, and the batches that a run takes from them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxgan.data import order

RESIDENT_BYTES = 2**30  # what "auto" still keeps in memory


def is_resident(wish: str, size: int) -> bool:
    """Whether a split of `size` bytes stays in memory: "on", "off", or "auto" up to 1 GiB."""
    return wish == "on" or (wish == "auto" and size <= RESIDENT_BYTES)


@dataclass(frozen=True)
class Modes:
    """Gaussians of one standard deviation `std`, equally likely, around `centres` [modes, D]."""

    centres: np.ndarray
    std: float


@dataclass
class Images:
    """A split: `examples[i]` is {"image": uint8 [H, W, C], "label": int}, the label where `num_classes` is not 0.

    Points in place of images, float32 [D], have an `image_shape` of (D,).
    source_shape: of the pictures that are to be translated into images; empty: there are none. An example has its own,
    "source", or there are others that belong to none, `sources[i]` = {"source": uint8 [*source_shape]}.
    truth: whether unpaired images and sources each have "truth", the same in the other domain, which training never takes.
    flip: whether training mirrors every other image, at random, and with it its own source.
    jitter: stored pictures are so much higher and wider than `image_shape`, and training takes a random part of them (an
    example's own source the same part), all else the middle.
    digest: of the content, where the name alone does not fix it; a run goes on with the same content only.
    modes: of points that gather around known ones. shares: of the classes, where the data fix them, classes that the
    extractor named `classes` tells apart.
    decode: uint8 [..., H, W, C] -> int [..., H, W], which of `pixel_classes` classes each pixel's colour stands for.
    """

    name: str
    examples: Any
    image_shape: tuple[int, ...]
    num_classes: int
    resident: bool
    source_shape: tuple[int, ...] = ()
    sources: Any = None
    truth: bool = False
    flip: bool = False
    jitter: int = 0
    digest: str = ""
    modes: Modes | None = None
    shares: np.ndarray | None = None
    classes: str = ""
    decode: Any = None
    pixel_classes: int = 0

    @property
    def dtype(self) -> Any:
        """uint8 of pictures, float32 of points."""
        return np.uint8 if len(self.image_shape) == 3 else np.float32

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def paired(self) -> bool:
        """Whether each example has a source of its own."""
        return bool(self.source_shape) and self.sources is None

    @property
    def num_sources(self) -> int:
        """How many different sources there are, 0 where there are none."""
        return len(self.examples if self.sources is None else self.sources) if self.source_shape else 0

    def gather(self, indices: np.ndarray, whole: bool = False) -> dict[str, np.ndarray]:
        """{"image": [..., *image_shape], "label": int32 [...], "source"} for indices of any shape. whole: as stored, with
        what `jitter` may take."""
        keys = ("image",) + ("label",) * bool(self.num_classes) + ("source",) * self.paired
        return self._stacked(self.examples, indices, keys, whole)

    def gather_sources(self, indices: np.ndarray, whole: bool = False, key: str = "source") -> np.ndarray:
        """Sources [..., *source_shape] for indices of any shape; beyond the last they begin again. key: or what else they
        have, "label" or "truth"."""
        examples: Any = self.examples if self.sources is None else self.sources
        return self._stacked(examples, indices % len(examples), (key,), whole)[key]

    def gather_truth(self, indices: np.ndarray) -> np.ndarray:
        """What `truth` says of the images, uint8 [..., *source_shape] for indices of any shape."""
        return self._stacked(self.examples, indices, ("truth",), False)["truth"]

    def _stacked(self, examples: Any, indices: np.ndarray, keys: tuple[str, ...], whole: bool) -> dict[str, np.ndarray]:
        found = [examples[int(i)] for i in indices.reshape(-1)]
        out = {}
        for key in keys:
            x = np.stack([np.asarray(example[key]) for example in found])
            if key == "label":
                x = x.astype(np.int32)
            elif self.jitter and not whole:
                low, (height, width) = self.jitter // 2, x.shape[1:3]
                x = x[:, low : low + height - self.jitter, low : low + width - self.jitter]
            out[key] = x.reshape(*indices.shape, *x.shape[1:])
        return out

    def reference(self, n: int = 2000) -> np.ndarray | None:
        """The first real points [n, D] to show generated ones beside; None for pictures, which speak for themselves."""
        return self.gather(np.arange(min(n, len(self))))["image"] if len(self.image_shape) == 1 else None

    def load(self) -> dict[str, np.ndarray]:
        """The whole split in memory, as `gather` would give it, and all sources."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:

            def all_of(n: int, get: Any) -> dict[str, np.ndarray]:
                parts = list(pool.map(get, np.array_split(np.arange(n), max(1, n // 512))))
                return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

            out = all_of(len(self), lambda at: self.gather(at, whole=True))
            if self.sources is not None:
                out |= all_of(len(self.sources), lambda at: {"source": self.gather_sources(at, whole=True)})
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
        images, at = self.images, order.positions(index, self.rounds, self.batch_size, self.rows)
        out = images.gather(order.example_index(at, len(images), self.key), whole=True)
        if images.sources is not None:
            others = order.example_index(at, len(images.sources), order.other(self.key))
            out["source"] = images.gather_sources(others, whole=True)
        return out


@dataclass
class Arrays:
    """Examples `index` of arrays: images [N, ...], labels [N] or None."""

    images: np.ndarray
    labels: np.ndarray | None
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> dict[str, Any]:
        at = self.index[i]
        return {"image": self.images[at]} | ({} if self.labels is None else {"label": self.labels[at]})
