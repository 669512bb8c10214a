"""TFDS data sets by name, TFDS's own or one of ours, read through ArrayRecord and without TensorFlow."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from jaxgan.config.schema import among
from jaxgan.data import builders, cache
from jaxgan.data.captions import Captioned, with_tokens
from jaxgan.data.decode import Entry
from jaxgan.data.features import Feature, features_of
from jaxgan.data.pairs import AsSource, Beside, Grey
from jaxgan.data.resize import Fit
from jaxgan.data.source import Arrays, Images, Known, is_resident
from jaxgan.data.tfds_captions import captions_of
from jaxgan.data.tfds_examples import Renamed, undecoded
from jaxgan.data.tfds_label import Label, label_of
from jaxgan.errors import UserError, as_path, nearest
from jaxgan.records import damage


@dataclass(frozen=True)
class Tfds(Captioned, Fit):
    """A TFDS data set, TFDS's own or one of ours; fitted to another size or other channels if so asked.

    name: as TFDS writes it, "cifar10" or "lsun/bedroom" or "mnist:3.0.1"; or "package.module:Builder".
    split: in TFDS's notation, "train[:20%]".
    dir: TFDS's data folder; empty for its default (TFDS_DATA_DIR, or ~/tensorflow_datasets).
    image, label: names of the features; label "none" leaves labels out, and a set without "label" has none. A feature of
      several yes-or-no answers (celeb_a's "attributes"), and "attributes" of `shapes`, is a vector.
    source: of tasks that translate pictures, the feature with the one to start from; "grey" is the image without its
      colours. source_split: a split whose images are the sources, which belong to no image (CycleGAN's data: "trainA").
    truth: the feature with the picture's true translation into the other domain, for scores alone.
    captions, words, vocabulary_split, unseen: of data with texts, "caption" of `emoji` and `shapes`, "captions/text" of
      coco_captions. "captions" of `shapes` are five of varied wording.
    flip: mirror every other image, at random.
    resident: keep the split in (device) memory, "auto" up to 1 GiB, "on" or "off". The batches are the same.
    corrupt, cache: as for `image_folder`, of images that are fitted.
    """

    name: str = "digits"
    split: str = "train"
    dir: str = ""
    image: str = "image"
    label: str = "label"
    source: str = ""
    source_split: str = ""
    truth: str = ""
    flip: bool = False
    resident: str = among(("auto", "on", "off"), "auto")
    corrupt: str = among(("refuse", "skip"), "refuse")
    cache: str = ""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """[H, W, C], known before the data are prepared. Raises UserError."""
        return self._shape(self.builder(), self.image)

    @property
    def source_shape(self) -> tuple[int, ...]:
        """[H, W, C] of the pictures to start from, () where there are none. Raises UserError."""
        if self.source == "grey":
            return (*self.image_shape[:2], 1)
        if self.source or self.source_split:
            return self._shape(self.builder(), self.source or self.image)
        return ()

    def open(self) -> Images:
        """Finds or prepares the data set. Raises UserError, saying what to install or to choose."""
        builder = self.builder()
        label = self._label(builder)
        self.prepare(builder)
        shape, source = self._shape(builder, self.image), self.source_shape
        examples, digest = self._part(builder, self.split, self.image, label)
        feature = "" if self.image == "image" else f", feature {self.image}"
        name, sources = f"{builder.info.full_name}{feature}, split {self.split}", None
        if self.source == "grey":
            examples = Beside(examples, Grey(examples))
        elif self.source:
            others, more = self._part(builder, self.split, self.source, None)
            examples, digest = Beside(examples, others), digest + more
        elif self.source_split:
            sources, more = self._part(builder, self.source_split, self.image, label)
            sources, digest = AsSource(sources), digest + more
        decode, pixel_classes = getattr(type(builder), "decoders", {}).get(self.image, (None, 0))
        decode = decode if shape[2] == 3 else None  # colours are what stand for classes
        if self.changes:
            name += f" ({shape[0]}x{shape[1]}, {self.fit}, {self.filter})"
        name += f", from {self.source or self.source_split}" if source else ""
        names, vector = (label.names, label.vector) if label else ((), False)
        features = features_of(shape, len(names), source, sources is not None, names, vector)
        name += self.told_unseen
        if self.captions:
            examples, features["tokens"] = self._with_tokens(builder, examples, name)
        size = len(examples) * math.prod(shape) + len(examples if sources is None else sources) * math.prod(source or (0,))
        return Images(
            name=name,
            examples=examples,
            features=features,
            resident=is_resident(self.resident, size),
            others={} if sources is None else {"source": sources},
            flip=self.flip,
            jitter=self.jitter,
            digest=digest,
            known=Known(decode=decode, pixel_classes=pixel_classes, truth=bool(self.truth)),
        )

    def prepare(self, builder: Any) -> None:
        """Prepares the data where they are not there. Raises UserError."""
        if not builder.data_path.exists():
            builders.refuse_hopeless(builder, self.name, self.dir)
        builders.prepare(builder, self.name)

    def builder(self) -> Any:
        """The data set's builder, found to have what is asked for. Raises UserError."""
        builder = builders.find(self.name, self.dir)
        for feature in filter(None, (self.image, self.source if self.source != "grey" else "", self.truth)):
            self._check_feature(builder.info.features, feature)
        if self.truth and self.changes:
            raise UserError("data.truth is of pictures as they are; --config.data.truth=, or without data.size and channels")
        if self.source and self.corrupt == "skip":
            raise UserError("data.corrupt=skip would part pictures from their sources; --config.data.corrupt=refuse")
        if self.captions and self.corrupt == "skip":
            raise UserError("data.corrupt=skip would part pictures from their captions; --config.data.corrupt=refuse")
        if self.source and self.source_split:
            raise UserError("sources are a feature of each example, data.source, or a split, data.source_split: not both")
        return builder

    def _shape(self, builder: Any, feature: str) -> tuple[int, int, int]:
        """[H, W, C] of a feature as networks see it."""
        height, width, channels = builder.info.features[feature].shape
        if not self.changes:
            return height, width, channels
        if self.size:
            height, width, _ = self.shape
        elif self.crop:
            height, width = min(self.crop[0], height), min(self.crop[-1], width)
        return height, width, self.channels or (1 if channels == 1 else 3)

    def _check_feature(self, features: Any, feature: str) -> None:
        if feature not in features:
            raise UserError(f"data set {self.name} has no feature '{feature}'; {nearest(feature, features)}")
        shape = features[feature].shape
        if len(shape) != 3:
            raise UserError(f"feature '{feature}' of data set {self.name} has shape {shape}: no image")
        if None in shape and not self.size:
            raise UserError(f"data set {self.name} has images of many sizes {shape}; choose one: --config.data.size=64")
        if not self.changes and features[feature].np_dtype != np.uint8:
            kind = features[feature].np_dtype
            raise UserError(f"data set {self.name} has {kind} pixels; --config.data.channels makes them 8-bit")

    def _part(self, builder: Any, split: str, feature: str, label: Label | None) -> tuple[Any, str]:
        """One feature of a split as "image", with its label beside it, if any; and a digest of what was fitted."""
        examples = self.read(builder, split, feature, label)
        return self._fitted(builder, examples, split, feature) if self.changes else (examples, "")

    def read(self, builder: Any, split: str, feature: str, label: Label | None) -> Renamed:
        """One feature of a split as "image", with its label beside it, as they are stored. Raises UserError."""
        keys = {"image": feature} | ({"label": label.key} if label else {})
        keys |= {"truth": self.truth} if self.truth else {}
        try:
            return Renamed(builder.as_data_source(split), keys, Path(builder.data_path), label, undecoded(builder, split))
        except ValueError as error:
            splits = builder.info.splits
            raise UserError(f"data set {self.name} has no split '{split}'; {nearest(split, splits)}") from error
        except NotImplementedError as error:
            raise UserError(f"{builder.data_path} is not in ArrayRecord format; choose another --config.data.dir") from error
        except Exception as error:
            raise damage(Path(builder.data_path), error, builders.PREPARED) from error

    def _with_tokens(self, builder: Any, examples: Any, name: str) -> tuple[Any, Feature]:
        """Examples with the tokens of their captions, and the feature. Raises UserError."""
        key, of = captions_of(builder, self.captions)
        splits = {self.split, self.vocabulary_split}
        texts = {split: self.read(builder, split, key, None).all_of(key, of) for split in splits}
        known = texts[self.vocabulary_split]
        return with_tokens(examples, texts[self.split], known, self.words, name, self.flip, self.unseen)

    def _label(self, builder: Any) -> Label | None:
        """None for a set without labels. Raises UserError where labels were asked for by name."""
        own = {name: Label(*one) for name, one in getattr(type(builder), "attributes", {}).items()}
        known = own | {name: found for name, kind in builder.info.features.items() if (found := label_of(name, kind))}
        if self.label in known or self.label in ("none", "label"):
            return known.get(self.label)
        raise UserError(f"data set {self.name} has no labels '{self.label}'; {nearest(self.label, known)}")

    def _fitted(self, builder: Any, examples: Renamed, split: str, feature: str) -> tuple[Arrays, str]:
        """A split with every image fitted, from the cache after the first time; and its digest."""

        def entries() -> Iterator[Entry]:
            for i in range(len(examples)):
                example = examples[i]
                label = " ".join(map(str, np.ravel(example.get("label", []))))
                yield Entry(str(i), label, partial(as_image, example["image"]))

        home, stamps = builders.stamped(builder)
        cached = cache.first_pass(
            title=f"{builder.info.full_name} {split}",
            identity=[home, stamps, split, feature, self.label, len(examples)],
            entries=entries,
            total=len(examples),
            fit=self,
            folder=as_path(self.cache) if self.cache else cache.default_folder(),
            corrupt=self.corrupt,
        )
        labels = np.array([label.split() for label in cached.labels], int) if examples.label else None
        labels = labels[:, 0] if labels is not None and examples.label and not examples.label.vector else labels
        return Arrays(cached.images, labels, np.arange(len(cached.names))), cached.digest


def as_image(pixels: np.ndarray) -> Image.Image:
    """uint8 [H, W, C] as Pillow's."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
