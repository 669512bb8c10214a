"""`samples`: generated pictures as a data set, from a file, a folder, or a run that is asked for them."""

import csv
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jaxgan import npz
from jaxgan.config.schema import among, bounded
from jaxgan.data import sample_records
from jaxgan.data.features import features_of
from jaxgan.data.listing import nearest_beside
from jaxgan.data.pairs import Beside
from jaxgan.data.source import Arrays, Images, is_resident
from jaxgan.errors import UserError, as_path
from jaxgan.records import reading

LIST = "samples.csv"  # of a folder of samples: file, seed, label


@dataclass(frozen=True)
class Samples:
    """What a generator has made, with the labels that it was asked for.

    dir: what --mode=sample wrote with --out: FILE.npz ("images", and perhaps "labels"), FILE.array_record, or a folder with
      samples.csv.
    workdir: in place of `dir`, a run whose newest checkpoint makes the samples, once: number i is the run's own sample i.
    sources: of a `workdir` that translates pairs, the split of its data whose sources are translated, and stay beside what
      is made of them; empty: the run's own examples.
    num: how many, the first; 0: all of `dir`, as many as the run of `workdir` trained on, one of each of its sources.
    real: of `workdir`, what share of the examples are the run's own real ones, labels and all, repeated as often as need be.
    filter_workdir: of `workdir`, a classifier's run; only samples that it takes for what they were asked to be are kept.
    classes: of the labels of `dir`; 0: the highest and one, or as many as there are attributes.
    flip: mirror every other picture, at random.
    resident: keep them in (device) memory, "auto" up to 1 GiB, "on" or "off".
    """

    dir: str = ""
    workdir: str = ""
    sources: str = ""
    num: int = bounded(0, least=0, below=2**31)
    real: float = bounded(0.0, below=1)
    filter_workdir: str = ""
    classes: int = bounded(0, least=0)
    flip: bool = False
    resident: str = among(("auto", "on", "off"), "auto")

    def check(self) -> None:
        """Raises UserError for fields that do not go together."""
        if bool(self.dir) == bool(self.workdir):
            raise UserError(
                "say where the samples are: --config.data.dir=FILE.npz (or a folder), or the run that makes them, "
                "--config.data.workdir=RUN; one of the two"
            )
        for name in ("sources", "real", "filter_workdir"):
            if self.dir and getattr(self, name):
                raise UserError(f"data.{name} is of samples that a run makes: --config.data.workdir=RUN, not data.dir")

    def open(self) -> Images:
        """The samples of `dir`. Those of `workdir` are made by `workdir.data.open_data`. Raises UserError."""
        self.check()
        path = as_path(self.dir)
        if not self.dir:
            raise UserError("samples of data.workdir are made where a run is opened: jaxgan.workdir.data.open_data")
        if not path.exists():
            close = nearest_beside(path, (".npz", sample_records.SUFFIX))
            raise UserError(f"there is no '{self.dir}'" + (f"; did you mean '{close}'?" if close else ""))
        read = _from_folder if path.is_dir() else _from_records if path.suffix == sample_records.SUFFIX else _from_file
        images, labels = read(path)
        if self.num > len(images):
            raise UserError(f"data.num={self.num}, but '{self.dir}' has {len(images)} samples")
        count = self.num or len(images)
        images, labels = images[:count], None if labels is None else labels[:count]
        return self.of(path.resolve().name, images, labels, self._classes(labels))

    def of(
        self,
        title: str,
        images: np.ndarray,
        labels: np.ndarray | None,
        classes: int,
        names: Any = (),
        sources: np.ndarray | None = None,
    ) -> Images:
        """Samples in memory as a data set: images uint8 [N, H, W, C], or points; labels [N] or [N, K], or none; sources
        uint8 [N, H, W, C'], what each was made of, or none."""
        has_labels, vector = labels is not None, labels is not None and labels.ndim > 1
        digest = hashlib.sha256(np.ascontiguousarray(images).data)
        digest.update(b"" if labels is None else np.ascontiguousarray(labels, np.int32).data)
        examples, shape, size = Arrays(images, labels, np.arange(len(images))), (), images.nbytes
        if sources is not None:
            digest.update(np.ascontiguousarray(sources).data)
            examples = Beside(examples, Arrays(sources, None, np.arange(len(sources))))
            shape, size = sources.shape[1:], size + sources.nbytes
        return Images(
            name=f"samples of {title}, {len(images)}",
            examples=examples,
            features=features_of(images.shape[1:], classes if has_labels else 0, shape, names=names, vector=vector),
            resident=is_resident(self.resident, size),
            flip=self.flip,
            digest=digest.hexdigest()[:16],
        )

    def _classes(self, labels: np.ndarray | None) -> int:
        if labels is None:
            return 0
        low, high = int(labels.min()), int(labels.max())
        if labels.ndim > 1:
            count = labels.shape[1]
            if low < 0 or high > 1 or self.classes not in (0, count):
                told = f"data.classes={self.classes}" if self.classes not in (0, count) else f"values from {low} to {high}"
                raise UserError(f"'{self.dir}' has {count} attributes of each picture, 0 or 1, and {told}")
            return count
        if low < 0 or (self.classes and high >= self.classes):
            known = f"data.classes={self.classes}" if self.classes else "labels begin at 0"
            raise UserError(f"'{self.dir}' has labels from {low} to {high}, and {known}")
        return self.classes or high + 1


@dataclass
class Followed:
    """Examples, and behind them others, which begin again until there are `more` of them."""

    first: Any
    others: Any
    more: int = field(default=0)

    def __len__(self) -> int:
        return len(self.first) + self.more

    def __getitem__(self, i: int) -> dict[str, Any]:
        behind = int(i) - len(self.first)
        example = self.first[i] if behind < 0 else self.others[behind % len(self.others)]
        return {name: example[name] for name in ("image", "label", "source") if name in example}

    def all_labels(self) -> np.ndarray:
        others = self.others.all_labels()
        return np.concatenate([self.first.all_labels(), np.resize(others, self.more)])


def _from_file(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    def wanted(headers: dict[str, npz.Header]) -> list[str]:
        if "images" not in headers:
            raise UserError(f"'{path}' has no array 'images', but {', '.join(headers) or 'nothing'}")
        return ["images", *(["labels"] if "labels" in headers else [])]

    try:
        found = npz.read(path, wanted)
    except OSError as error:
        raise UserError(f"'{path}' cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"'{path}' is no npz file of samples: {error}") from error
    images, labels = found["images"], found.get("labels")
    is_picture = images.ndim == 4 and images.dtype == np.uint8
    if not len(images) or not (is_picture or (images.ndim == 2 and images.dtype == np.float32)):
        raise UserError(f"'{path}' must hold uint8 images [N, H, W, C], not {images.dtype} {list(images.shape)}")
    if labels is not None and (
        labels.ndim not in (1, 2) or len(labels) != len(images) or labels.dtype.kind not in "iu" or not labels.size
    ):
        raise UserError(
            f"'{path}' must hold a whole number as the label of each image, or attributes [N, K], not {labels.dtype} "
            f"{list(labels.shape)}"
        )
    return images, labels


def _from_records(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    found = [*sample_records.read_samples(path)]
    with reading(path, sample_records.ADVICE):
        labels = np.stack([one["label"] for one in found]) if "label" in found[0] else None
        return np.stack([one["image"] for one in found]), labels


def _from_folder(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    if not (path / LIST).is_file():
        raise UserError(
            f"'{path}' has no {LIST}, which --mode=sample --out=FOLDER writes; other pictures: data.name=image_folder"
        )
    try:
        with (path / LIST).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        labels = None
        if rows and rows[0].get("label"):
            each = [[*map(int, row["label"].split())] for row in rows]  # attributes stand apart by spaces
            labels = np.array(each) if len(each[0]) > 1 else np.array(each)[:, 0]
        names = [row["file"] for row in rows]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise UserError(f"'{path / LIST}' must have the columns file, seed and label, with whole numbers") from error
    images = []
    for name in names:
        try:
            with Image.open(path / name) as picture:
                pixels = np.asarray(picture, np.uint8)
        except (OSError, ValueError) as error:
            raise UserError(f"'{path / name}', which {LIST} names, cannot be read") from error
        images.append(pixels[..., None] if pixels.ndim == 2 else pixels)
        if images[-1].shape != images[0].shape:
            raise UserError(f"'{path / name}' has another shape than the pictures before it")
    if not images:
        raise UserError(f"'{path / LIST}' names no pictures")
    return np.stack(images), labels
