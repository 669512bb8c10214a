"""What every detector has: the fields that say how it is measured, and BatchNorm in its wrong mode."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxgan.config.schema import among, bounded
from jaxgan.data.source import Images
from jaxgan.errors import UserError
from jaxgan.tasks.protocols import Anomaly

RUNNING, BATCH = "running", "batch"  # whose statistics BatchNorm takes


class Nets(NamedTuple):
    """What a run has learned, as `generate.Trained`. players: {player: flax variables}. frozen: of its frozen networks."""

    players: dict[str, Any]
    frozen: dict[str, Any]


class Found(NamedTuple):
    """A detector before it is compiled.

    title: a line for people. find: (variables, uint8 [N, H, W, C], numbers uint32 [N]) -> `Anomaly`, to be traced; a
    picture's number follows from its pixels, and says where a search for it starts.
    variables: arrays, arguments of the compiled program. size: how many images of a batch of B it takes at once.
    """

    title: str
    find: Callable[[Any, jax.Array, jax.Array], Anomaly]
    variables: Any
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Detecting:
    """test: the split of normal and abnormal pictures.
    calibrate: the split of held-out normal pictures whose scores give the threshold; the test split itself is a leak.
    rate: the false positive rate that is asked for; a picture is called abnormal if its p-value is at most this.
    ignore: classes of the test split that are neither normal nor abnormal, by name or number; they are left out.
    """

    lasting: ClassVar[tuple[str, ...]] = ("test", "calibrate", "rate", "ignore")  # fields that another name leaves
    test: str = "test"
    calibrate: str = "validation"
    rate: float = bounded(0.05, most=1)
    ignore: tuple[str, ...] = ()

    @property
    def leaks(self) -> tuple[str, ...]:
        """What this detector knows that it could not know of new pictures, a line each."""
        return ("the threshold comes of normal pictures of the test split",) * (self.calibrate == self.test)

    def check(self, plan: Any) -> None:
        """Refuses a run that it does not suit. Raises UserError."""

    def make(self, plan: Any, nets: Any, normal: Images, size: int) -> Found:
        """The detector of a trained run. normal: the training images. size: of a batch."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class OfNetworks(Detecting):
    """batch_norm: whose statistics BatchNorm takes at test, those of training ("running"), or the test batch's ("batch"),
      which is a leak: a score then depends on the pictures beside it.
    order: with batch_norm=batch, batches of the test split hold normal pictures first ("pure"), or are shuffled ("mixed").
    """

    batch_norm: str = among((RUNNING, BATCH), RUNNING)
    order: str = among(("mixed", "pure"), "mixed")

    @property
    def leaks(self) -> tuple[str, ...]:
        told = f"BatchNorm takes the statistics of the test batch, {self.order}"
        return (told,) * (self.batch_norm == BATCH) + super().leaks

    def mode(self) -> AbstractContextManager:
        """In which the networks are traced."""
        return nn.intercept_methods(_of_batch) if self.batch_norm == BATCH else nullcontext()

    def traced(self, plan: Any, find: Callable) -> None:
        """Refuses what cannot be traced on this run's images, and networks without BatchNorm in `batch_norm`'s wrong mode.
        Raises UserError."""
        calls: list[str] = []

        def note(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
            calls.extend(["norm"] * isinstance(context.module, nn.BatchNorm))
            return call(*args, **kwargs)

        shapes = plan.shapes()
        nets = Nets({player: shapes.variables(player) for player in shapes.params}, plan.inputs.frozen)
        image = jax.ShapeDtypeStruct((2, *plan.image_shape), np.uint8)
        with nn.intercept_methods(note):
            jax.eval_shape(find, nets, image, jax.ShapeDtypeStruct((2,), np.uint32))
        if self.batch_norm == BATCH and not calls:
            raise UserError("eval.detector.batch_norm=batch is of networks with BatchNorm, and this run's have none")


def seen(image: jax.Array) -> jax.Array:
    """uint8 images as networks see them, float32 in [-1, 1]."""
    return image.astype(jnp.float32) / 127.5 - 1


def some(normal: Images, most: int) -> np.ndarray:
    """The numbers of at most so many images, chosen once; 0: all."""
    return np.sort(np.random.default_rng(0).permutation(len(normal))[: most or len(normal)])


def _of_batch(call: Callable, args: tuple, kwargs: dict, context: Any) -> Any:
    """BatchNorm as in training, but for running statistics, which stay."""
    module = context.module
    if not isinstance(module, nn.BatchNorm) or context.method_name != "__call__":
        return call(*args, **kwargs)
    x, own = args[0], module.variables.get("params", {})
    over = tuple(range(x.ndim - 1))
    normal = (x - x.mean(over)) * lax.rsqrt(x.var(over) + module.epsilon)
    return (normal * own.get("scale", 1) + own.get("bias", 0)).astype(x.dtype)
