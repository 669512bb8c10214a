"""StyleGAN's task (Karras et al. 2019, 2020): a generator that maps z to styles w, one for each of its layers, and paints.

Beyond `latent`: styles of two latents are mixed in training, and between z and the picture stands w, at which one may look,
walk, truncate and search.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxgan.config.schema import bounded
from jaxgan.keys import Keys
from jaxgan.nets import DISCRIMINATORS, stylegan
from jaxgan.state import GanState
from jaxgan.tasks import networks
from jaxgan.tasks.adversarial import unmade
from jaxgan.tasks.latent import Latent


@dataclass(frozen=True, kw_only=True)
class Style(Latent):
    """mixing: the share of training images whose layers beyond a random one are painted with another latent's style (Karras
    et al. 2019, section 3.1)."""

    gen: stylegan.Generator
    mixing: float = bounded(0.9)

    nets = {"disc": DISCRIMINATORS, "gen": {"stylegan": stylegan.Generator}}

    @property
    def num_styles(self) -> int:
        """How many layers have a style of their own."""
        return self.gen.num_styles

    def styles(self, variables: dict[str, Any], inputs: dict[str, Any], psi: Any = 1.0) -> dict[str, Any]:
        """The inputs with "w" [N, num_styles, w_dim] in the place of z and label, from {"gen": variables} as after training.

        psi: a number or [N]; w is that share of the way from the mean of w to where z leads (Karras et al. 2019, appendix
        B, "truncation").
        """
        w = self._map(variables["gen"], inputs, train=False)[0]
        mean = variables["gen"]["batch_stats"]["w_avg"]
        w = mean + jnp.reshape(jnp.asarray(psi, w.dtype), (-1, 1, 1)) * (w - mean)
        return {"w": w, "noise": inputs["noise"]}

    def blend(self, a: dict[str, jax.Array], b: dict[str, jax.Array], t: jax.Array) -> dict[str, jax.Array]:
        """As a latent's; of two sets of styles along the straight line."""
        if "w" not in a:
            return super().blend(a, b, t)
        t = t[:, None, None]
        return {**a, "w": (1 - t) * a["w"] + t * b["w"]}

    def _map(self, variables: dict[str, Any], inputs: dict[str, Any], train: bool) -> tuple[jax.Array, dict[str, Any]]:
        """w [N, num_styles, w_dim], the same for every layer, and the collections afterwards."""
        label = inputs["label"] if self.num_classes else None
        w, collections = networks.run(self.gen, variables, inputs["z"], label, train=train, method="styles")
        return jnp.broadcast_to(w[:, None], (w.shape[0], self.num_styles, w.shape[-1])), collections

    def _make(self, variables: dict[str, Any], inputs: dict[str, Any], keys: Callable, train: bool):
        w, collections = (inputs["w"], {}) if "w" in inputs else self._map(variables, inputs, train)
        if train and self.mixing and "w" not in inputs:
            other = self._map(variables, {**inputs, "z": self._z(keys("mixing/z"))}, train=False)[0]
            w = jnp.where(self._kept(keys)[:, :, None], w, other)
        return self.gen.apply(variables, w, keys, method="paint"), collections

    def paint(self, variables: dict[str, Any], w: jax.Array) -> jax.Array:
        """Images [N, H, W, C] in [-1, 1] of styles w [N, num_styles, w_dim], without noise, as after training."""
        return unmade(self.gen.apply(variables["gen"], w, method="paint"))[0]

    def _kept(self, keys: Callable) -> jax.Array:
        """Which layers keep their style, [N, num_styles]: those before a random one that is not the first, or all."""
        layers = self.num_styles

        def one(key):
            where, whether = jax.random.split(key)
            cut = jax.random.randint(where, (), 1, layers)
            return jnp.where(jax.random.uniform(whether) < self.mixing, cut, layers)

        return jnp.arange(layers) < jax.vmap(one)(keys("mixing/cut"))[:, None]

    def path(self, state: GanState, keys: Keys) -> tuple[jax.Array, Callable]:
        """As a latent's, from w on."""
        inputs, noise, variables = self.draw(keys("path")), lambda role: keys(f"path/{role}"), state.variables("gen")
        w = self._map(variables, inputs, train=False)[0]
        return w, lambda w: unmade(self._make(variables, {"w": w}, noise, train=True)[0])[0]
