"""Examples with a source beside the image, images that are sources, and pairs that are torn apart."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxgan.data.groups import groups_of
from jaxgan.data.source import Images

LUMA = np.array([299, 587, 114])  # of ITU-R 601, in thousandths


@dataclass
class Beside:
    """Each example with the image of `sources` at the same place as its "source"."""

    examples: Any
    sources: Any

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        return {**self.examples[i], "source": self.sources[i]["image"]}

    def all_labels(self) -> np.ndarray:
        return self.examples.all_labels()

    def all_groups(self) -> np.ndarray | None:
        return groups_of(self.examples)


@dataclass
class AsSource:
    """The images of examples as "source", and what else they have."""

    examples: Any

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        example = dict(self.examples[i])
        return {"source": example.pop("image"), **example}

    def all_labels(self) -> np.ndarray:
        return self.examples.all_labels()


@dataclass
class Grey:
    """The images of examples without their colours, uint8 [H, W, 1]."""

    examples: Any

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        pixels = np.asarray(self.examples[i]["image"])
        grey = (pixels[..., :3].astype(np.int64) @ LUMA + 500) // 1000 if pixels.shape[-1] > 1 else pixels[..., 0]
        return {"image": grey.astype(np.uint8)[..., None]}


@dataclass
class Alone:
    """One picture of each pair, "image" or "source", and the other one as its "truth"."""

    examples: Any
    kept: str

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        example = dict(self.examples[i])
        return {"truth": example.pop("source" if self.kept == "image" else "image"), **example}

    def all_labels(self) -> np.ndarray:
        return self.examples.all_labels()

    def all_groups(self) -> np.ndarray | None:
        return groups_of(self.examples)


def unpaired(images: Images) -> Images:
    """Pairs as two domains: training draws from each by itself, and scores alone are told what belongs together."""
    image, source = (Alone(images.examples, kept) for kept in ("image", "source"))
    features = images.features | {"source": replace(images.features["source"], stream="source")}
    known = replace(images.known, truth=True)
    return replace(images, examples=image, features=features, others={"source": source}, known=known)
