"""Images with random access, and the batches that a run takes from them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grain
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
    flip: whether training mirrors every other image, at random.
    digest: of the content, where the name alone does not fix it; a run goes on with the same content only.
    modes: of points that gather around known ones. shares: of the classes, where the data fix them, classes that the
    extractor named `classes` tells apart.
    """

    name: str
    examples: Any
    image_shape: tuple[int, ...]
    num_classes: int
    resident: bool
    flip: bool = False
    digest: str = ""
    modes: Modes | None = None
    shares: np.ndarray | None = None
    classes: str = ""

    @property
    def dtype(self) -> Any:
        """uint8 of pictures, float32 of points."""
        return np.uint8 if len(self.image_shape) == 3 else np.float32

    def __len__(self) -> int:
        return len(self.examples)

    def gather(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """{"image": [..., *image_shape], "label": int32 [...]} for indices of any shape."""
        examples = [self.examples[int(i)] for i in indices.reshape(-1)]
        keys = ("image", "label") if self.num_classes else ("image",)
        stacked = {key: np.stack([np.asarray(e[key]) for e in examples]) for key in keys}
        if "label" in stacked:
            stacked["label"] = stacked["label"].astype(np.int32)
        return {key: x.reshape(*indices.shape, *x.shape[1:]) for key, x in stacked.items()}

    def reference(self, n: int = 2000) -> np.ndarray | None:
        """The first real points [n, D] to show generated ones beside; None for pictures, which speak for themselves."""
        return self.gather(np.arange(min(n, len(self))))["image"] if len(self.image_shape) == 1 else None

    def load(self) -> dict[str, np.ndarray]:
        """The whole split in memory, as `gather` would give it."""
        chunks = np.array_split(np.arange(len(self)), max(1, len(self) // 512))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(self.gather, chunks))
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    def batches(self, start: int, rounds: int, batch_size: int, rows: np.ndarray, key: int) -> Iterator[dict]:
        """Batches {"image": uint8 [rounds, rows, ...], ...} of steps `start`, `start + 1`, ..., read ahead by threads.

        The position in the data is the step itself, so that there is no iterator state to save.
        """
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
        at = order.positions(index, self.rounds, self.batch_size, self.rows)
        return self.images.gather(order.example_index(at, len(self.images), self.key))


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
