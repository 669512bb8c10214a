"""Examples with a source beside the image, and images that are sources."""

from dataclasses import dataclass
from typing import Any

import numpy as np

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


@dataclass
class AsSource:
    """The images of examples as "source", and what else they have."""

    examples: Any

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, i: int) -> dict[str, Any]:
        example = dict(self.examples[i])
        return {"source": example.pop("image"), **example}


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
