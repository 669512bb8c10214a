"""The examples of a prepared TFDS data set, under our names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.data import builders
from jaxgan.data.tfds_label import Label
from jaxgan.records import damage


def undecoded(builder: Any, split: str) -> Callable[[], Any]:
    """Opens a split whose pictures are left as they are stored."""

    def open_() -> Any:
        import tensorflow_datasets as tfds

        pictures = [name for name, kind in builder.info.features.items() if isinstance(kind, tfds.features.Image)]
        return builder.as_data_source(split, decoders={name: tfds.decode.SkipDecoding() for name in pictures})

    return open_


@dataclass
class Renamed:
    """Examples with the features that a run uses, under our names. home: the folder that they are read from. label: what
    theirs are, if any. undecoded: opens the same examples with pictures left as they are stored."""

    examples: Any
    keys: dict[str, str]
    home: Path
    label: Label | None
    undecoded: Callable[[], Any]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        example = self._read(self.examples, i)
        out = {ours: example[theirs] for ours, theirs in self.keys.items()}
        return out | ({"label": self.label.of(out["label"])} if self.label else {})

    def all_labels(self) -> np.ndarray:
        """Every example's label, [N, ...]; of examples with labels."""
        assert self.label
        return np.array(self.all_of(self.label.key, self.label.of))

    def all_of(self, key: str, of: Callable[[Any], Any]) -> list[Any]:
        """`of` every example's feature `key`, of which no picture is decoded."""
        examples = self.undecoded()
        return [of(self._read(examples, i)[key]) for i in range(len(self))]

    def _read(self, examples: Any, i: int) -> dict[str, Any]:
        try:
            return examples[i]
        except IndexError:
            raise
        except Exception as error:  # whatever readers and decoders make of damaged files
            raise damage(self.home, error, builders.PREPARED) from error
