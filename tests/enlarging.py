"""A task that enlarges, as small as can be, whose runs the tests of `--mode=upscale` use."""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from jaxgan.config.schema import bounded
from jaxgan.nets.layers import Conv, Norm
from jaxgan.state import Aux
from jaxgan.tasks.networks import init, run
from jaxgan.tasks.task import BaseTask


class Shuffling(nn.Module):
    image_shape: tuple[int, int, int]
    source_shape: tuple[int, int, int]
    dtype: Any
    width: int = bounded(4, least=1)

    tiny = {"width": 4}

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        k, c = self.image_shape[0] // self.source_shape[0], self.image_shape[2]
        x = nn.relu(Norm("batch")(Conv(self.width, size=5)(image), train))
        n, h, w, _ = x.shape
        x = Conv(c * k * k)(x).reshape(n, h, w, k, k, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h * k, w * k, c)
        return x + image.repeat(k, 1).repeat(k, 2)


@dataclass(frozen=True, kw_only=True)
class Enlarge(BaseTask):
    gen: nn.Module
    image_shape: tuple[int, int, int]
    source_shape: tuple[int, int, int]

    nets = {"gen": {"shuffling": Shuffling}}
    players = {"gen": {"gen": "gen"}}
    averaged = ("gen",)
    given = ("source",)

    @property
    def scale(self):
        return self.image_shape[0] // self.source_shape[0]

    def init(self, rng):
        return {"gen": init(self.gen, rng, "gen", jnp.zeros((2, *self.source_shape)), train=False)}

    def loss(self, name, state, batch, keys, advance):
        made, changed = run(self.gen, state.variables("gen"), batch["source"], train=True)
        value = jnp.mean((made - batch["image"]) ** 2)
        return value, Aux({"gen/loss": value}, {"gen": changed})

    def draw(self, keys):
        return {}

    def generate(self, variables, inputs):
        return self.upscale(variables, inputs["source"])

    def upscale(self, variables, source):
        return run(self.gen, variables["gen"], source, train=False)[0]
