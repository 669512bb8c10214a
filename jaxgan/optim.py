"""Optimizers by name; a class' fields are the section `optim.<player>`. Scalars are data: see `schedules`."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxgan import parallel
from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import bounded


@dataclass(frozen=True)
class Optimizer:
    """What every optimizer offers.

    lr: step size. max_grad_norm: gradients are scaled down to this global norm; None leaves them.
    clip_weights: params are clipped to [-c, c] after each step (Arjovsky et al. 2017, Algorithm 1); None does not.
    freeze: a regular expression searched in "Layer/param" paths; the params it finds never move.
    """

    lr: Scalar = 2e-4
    max_grad_norm: Scalar | None = None
    clip_weights: Scalar | None = None
    freeze: str = ""

    averages: ClassVar[tuple[str, ...]] = ()  # fields that are decays of what normalises the gradients

    def scale(self) -> optax.GradientTransformation:
        """Gradients to directions of descent of unit step size."""
        return optax.identity()

    @property
    def is_smooth(self) -> bool:
        """Whether a step has a derivative by the gradient even where that is 0."""
        return self.max_grad_norm is None

    def corrected(self, share: float) -> "Optimizer":
        """For a player of whose steps only this share is on its own loss, the rest on lazy terms: lr and moving averages
        so that it should not notice, with `share` the c of Karras et al. 2020, appendix B (k / (k + 1) for one term at
        every k-th step). Where steps are in proportion to gradients there is nothing to correct."""
        if not self.averages:
            return self
        decays = {name: getattr(self, name) ** share for name in self.averages}
        return dataclasses.replace(self, lr=self.lr * share, **decays)

    def make(self, params: Any) -> optax.GradientTransformation:
        """The optax transform, for params of this structure."""
        steps = [_divided(self.scale()), optax.scale_by_learning_rate(self.lr)]
        if self.max_grad_norm is not None:
            steps.insert(0, optax.clip_by_global_norm(self.max_grad_norm))  # pyright: ignore
        if self.clip_weights is not None:
            steps.append(_clip_weights(self.clip_weights))
        if self.freeze:
            found = frozen(params, self.freeze)
            steps.insert(0, optax.masked(optax.set_to_zero(), found))  # a frozen param has no say in the global norm
            steps.append(optax.masked(optax.set_to_zero(), found))
        return optax.chain(*steps)


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba 2015).

    b1, b2: decays of the averages of gradients and of their squares. eps: added to the root of the second, as in the paper.
    eps_root: added inside the root, which at 0 has no derivative, for `task.unroll`.
    """

    b1: Scalar = bounded(0.5, below=1)
    b2: Scalar = bounded(0.999, below=1)
    eps: Scalar = 1e-8
    eps_root: float = bounded(0.0)

    averages = ("b1", "b2")

    @property
    def is_smooth(self):
        return super().is_smooth and np.float32(self.eps_root) > 0

    def scale(self):
        return optax.scale_by_adam(self.b1, self.b2, self.eps, self.eps_root)  # pyright: ignore


@dataclass(frozen=True)
class RmsProp(Optimizer):
    """RMSProp without bias correction, as WGAN's authors ran it.

    decay: of the average of squared gradients. eps: added to its root.
    """

    decay: Scalar = bounded(0.99, below=1)
    eps: Scalar = 1e-8

    averages = ("decay",)

    @property
    def is_smooth(self):
        return False

    def scale(self):
        return optax.scale_by_rms(self.decay, self.eps, eps_in_sqrt=False)  # pyright: ignore


@dataclass(frozen=True)
class Sgd(Optimizer):
    """Gradient descent. momentum: decay of the sum of gradients that a step follows; 0: plain descent."""

    momentum: Scalar = bounded(0.0, below=1)

    def scale(self):
        return optax.trace(self.momentum)  # pyright: ignore


OPTIMIZERS = {"adam": Adam, "rmsprop": RmsProp, "sgd": Sgd}


@dataclass(frozen=True)
class Ema:
    """Moving averages of what generates images, weights and BatchNorm statistics alike.

    half_life_kimg: thousands of real images after which an old weight counts half.
    rampup: the half-life is at most this share of the images seen so far, so that the start is forgotten; 0: no ramp.
    start_kimg: until so many thousands of images were seen the averages are the weights themselves (Brock et al. 2019).
    """

    half_life_kimg: Scalar = 10.0
    rampup: Scalar = 0.05
    start_kimg: float = bounded(0.0)

    def decay(self, kimg: jax.Array, kimg_per_step: float) -> jax.Array:
        """The factor of one step, when `kimg` have been seen."""
        ramp = jnp.where(jnp.asarray(self.rampup) > 0, kimg * self.rampup, jnp.inf)
        half_life = jnp.maximum(jnp.minimum(self.half_life_kimg, ramp), 1e-8)
        decay = 0.5 ** (kimg_per_step / half_life)
        return jnp.where(kimg < self.start_kimg, 0.0, decay) if self.start_kimg else decay


def frozen(params: Any, pattern: str) -> Any:
    """A tree of booleans: whose path "Layer/param" the pattern is found in. Raises ValueError where it finds none."""

    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"freeze='{pattern}' is no regular expression: {error}") from error

    def found(path, _):
        return wanted.search(jax.tree_util.keystr(path, simple=True, separator="/")) is not None

    mask = jax.tree_util.tree_map_with_path(found, params)
    if not any(jax.tree.leaves(mask)):
        raise ValueError(f"freeze='{pattern}' finds no param")
    return mask


def _divided(tx: optax.GradientTransformation) -> optax.GradientTransformation:
    """A transform of each entry by itself, of which every device carries out its part where `parallel.SHARD` is bound: its
    state is then that part's."""

    def update(updates, state, params=None):
        out, state = tx.update(parallel.part(updates), state, parallel.part(params))
        return parallel.whole(out, updates), state

    return optax.GradientTransformation(tx.init, update)


def _clip_weights(c: Scalar) -> optax.GradientTransformation:
    def update(updates, state, params=None):
        return jax.tree.map(lambda p, u: jnp.clip(p + u, -c, c) - p, params, updates), state

    return optax.GradientTransformation(lambda params: optax.EmptyState(), update)
