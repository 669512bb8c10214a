"""Images with random access: any TFDS builder by name, read through ArrayRecord and without TensorFlow."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import grain
import numpy as np
import tensorflow_datasets as tfds

from jaxgan.data import digits, order
from jaxgan.errors import UserError, nearest

BUILDERS = {"digits": digits.Digits}  # our own; importing a builder's class is what makes TFDS know its name
RESIDENT_BYTES = 2**30  # what "auto" still keeps in memory


@dataclass
class Images:
    """A split: `examples[i]` is {"image": uint8 [H, W, C], "label": int}, the label where `num_classes` is not 0."""

    name: str
    examples: Any
    image_shape: tuple[int, int, int]
    num_classes: int
    resident: bool

    def __len__(self) -> int:
        return len(self.examples)

    def gather(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """{"image": uint8 [..., H, W, C], "label": int32 [...]} for indices of any shape."""
        examples = [self.examples[int(i)] for i in indices.reshape(-1)]
        keys = ("image", "label") if self.num_classes else ("image",)
        stacked = {key: np.stack([np.asarray(e[key]) for e in examples]) for key in keys}
        return {
            key: x.reshape(*indices.shape, *x.shape[1:]).astype(np.uint8 if key == "image" else np.int32)
            for key, x in stacked.items()
        }

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


@dataclass(frozen=True)
class Tfds:
    """A TFDS data set, TFDS's own or one of ours.

    name: as TFDS writes it, "cifar10" or "lsun/bedroom" or "mnist:3.0.1". split: in TFDS's notation, "train[:20%]".
    dir: TFDS's data folder; empty for its default (TFDS_DATA_DIR, or ~/tensorflow_datasets).
    image, label: names of the features; a set without the label feature is one without labels.
    resident: keep the split in (device) memory, "auto" up to 1 GiB, "on" or "off". The batches are the same.
    """

    name: str = "digits"
    split: str = "train"
    dir: str = ""
    image: str = "image"
    label: str = "label"
    resident: str = field(default="auto", metadata={"choices": ("auto", "on", "off")})

    def open(self) -> Images:
        """Finds or prepares the data set. Raises UserError, saying what to install or to choose."""
        builder = self._builder()
        features = builder.info.features
        if self.image not in features:
            raise UserError(f"data set {self.name} has no feature '{self.image}'; {nearest(self.image, features)}")
        shape = features[self.image].shape
        if len(shape) != 3 or None in shape:
            raise UserError(f"data set {self.name} has images of no one size ({shape}), which a network needs")
        self._prepare(builder)
        labelled = self.label in features and isinstance(features[self.label], tfds.features.ClassLabel)
        keys = {"image": self.image} | ({"label": self.label} if labelled else {})
        try:
            examples = _Renamed(builder.as_data_source(self.split), keys)
        except ValueError as error:
            splits = builder.info.splits
            raise UserError(f"data set {self.name} has no split '{self.split}'; {nearest(self.split, splits)}") from error
        except NotImplementedError as error:
            raise UserError(f"{builder.data_path} is not in ArrayRecord format; choose another --config.data.dir") from error
        size = len(examples) * int(np.prod(shape))
        return Images(
            name=f"{builder.info.full_name}, split {self.split}",
            examples=examples,
            image_shape=tuple(shape),
            num_classes=features[self.label].num_classes if labelled else 0,
            resident=self.resident == "on" or (self.resident == "auto" and size <= RESIDENT_BYTES),
        )

    def _builder(self) -> Any:
        try:
            return tfds.builder(self.name, file_format="array_record", data_dir=self.dir or None)
        except tfds.core.DatasetNotFoundError as error:
            known = [*BUILDERS, *tfds.list_builders(with_community_datasets=False)]
            raise UserError(f"unknown data set '{self.name}'; {nearest(self.name, known)}") from error

    def _prepare(self, builder: Any) -> None:
        ours = self.name in BUILDERS  # and too small for a progress bar
        try:
            with redirect_stdout(io.StringIO()) if ours else nullcontext(), _no_bars() if ours else nullcontext():
                builder.download_and_prepare(file_format="array_record")
        except UserError:
            raise
        except ImportError as error:
            if (error.name or "tensorflow").partition(".")[0] != "tensorflow":
                raise
            raise UserError(f'preparing TFDS\'s {self.name} needs TensorFlow, once: pip install -e ".[tfds]"') from error
        except Exception as error:
            if not builder.data_path.exists():  # else another process was faster
                reason = str(error).strip().splitlines() or [type(error).__name__]
                raise UserError(f"data set {self.name} cannot be prepared in {builder.data_path}: {reason[0]}") from error


@contextmanager
def _no_bars() -> Iterator[None]:
    tfds.disable_progress_bar()
    try:
        yield
    finally:
        tfds.enable_progress_bar()


@dataclass
class _Renamed:
    """Examples with the features that a run uses, under our names."""

    examples: Any
    keys: dict[str, str]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        example = self.examples[i]
        return {ours: example[theirs] for ours, theirs in self.keys.items()}
