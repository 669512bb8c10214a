"""Captions that are drawn for a score: sample i has the first caption of the real example i."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jaxgan.batches import in_batches
from jaxgan.data.source import Images
from jaxgan.generate import make_generate, trained
from jaxgan.images import to_uint8


@dataclass(frozen=True)
class Captions:
    """images: whose captions are drawn. protocol, measured: what is noted beside scores. made: compiled functions by name,
    made once a run."""

    images: Images
    protocol: dict[str, Any]
    measured: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Callable] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], Callable]) -> Callable:
        """The function of this name, compiled; `make()` at the first call."""
        if name not in self.made:
            self.made[name] = jax.jit(make())
        return self.made[name]

    def tokens(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of the samples, uint32 [N], and their captions, int32 [N, T]."""
        numbers = np.arange(count, dtype=np.uint32)
        return numbers, self.images.gather_feature("tokens", numbers.astype(np.int64))

    def pictures(self, plan: Any, state: Any) -> tuple[np.ndarray, np.ndarray]:
        """`eval.num_samples` pictures uint8 [N, H, W, C], and their captions int32 [N, T]."""
        wanted, draw = plan.run.eval, self.once("draw", lambda: make_generate(plan))
        nets, (numbers, tokens) = trained(plan, state, wanted.ema), self.tokens(wanted.num_samples)

        def some(numbers: np.ndarray, tokens: np.ndarray) -> np.ndarray:
            return to_uint8(np.asarray(draw(nets, numbers, tokens=tokens)))

        return in_batches(some, wanted.batch_size, numbers, tokens), tokens


def open_captions(plan: Any, images: Images) -> Captions:
    """The captions of some images, of which `eval.num_samples` are drawn."""
    return Captions(images, {"captions": images.name, "of": len(images), "samples": plan.run.eval.num_samples})
