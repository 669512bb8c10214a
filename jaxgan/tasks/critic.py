"""The section `critic`: how a task's critics are shown real and fake examples."""

from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan.config.schedules import Scalar
from jaxgan.config.schema import among, bounded
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets.groups import packed, unpacked
from jaxgan.nets.layers import Out, wide
from jaxgan.objectives.context import Examples, Judged
from jaxgan.tasks.networks import Variables, run


@dataclass(frozen=True)
class Critic:
    """batches: whether a critic sees real and fake one batch after the other ("separate", each with its own BatchNorm
      statistics: DCGAN's advice) or in one ("joint").
    instance_noise: standard deviation of Gaussian noise on every image that a critic sees, real and fake (Sonderby et al.
      2016, Arjovsky and Bottou 2017); none: no noise.
    pack: how many adjacent images of the batch a critic judges as one, their channels side by side (PacGAN, Lin et al.
      2018). A batch holds batch_size / pack packs. Terms act on packs.
    """

    batches: str = among(("separate", "joint"), "separate")
    instance_noise: Scalar | None = None
    pack: int = bounded(1, least=1)

    def judge(
        self,
        net: nn.Module,
        variables: Variables,
        shown: dict[str, Examples],
        suffix: str,
        keys: Keys,
        memory: dict[str, Any],
        augment: Any,
    ) -> tuple[Judged, Variables]:
        """Returns (a critic's answers, its collections afterwards).

        shown: {"real", "fake"}: examples of single images, perhaps of different numbers. "wrong", if present: real images
          with the conditions of other examples (matching-aware critic). suffix: ends the names of this critic's draws, ""
          or "/a".
        """
        drawn = {which: {**one, "draws": which + suffix} for which, one in shown.items()}
        seen = {which: self._seen(one, keys, memory, augment) for which, one in drawn.items()}
        outs, collections = self._compare(net, variables, seen)
        fake_out = outs["fake"]
        if "wrong" in outs:
            wrong = outs["wrong"].logits
            if isinstance(wrong, dict):  # a head that sees the picture alone would call a real one made
                wrong = {name: x for name, x in wrong.items() if name != "picture"}
            fake_out = fake_out._replace(logits={"fake": fake_out.logits, "wrong": wrong})
        exact = net.clone(dtype=wide(net.dtype)) if hasattr(net, "dtype") else net  # slopes are float32 throughout

        def answers(x: Examples) -> Out:
            if "draws" in x:
                x = self._seen({**x, "image": unpacked(x["image"], self.pack)}, keys, memory, augment)
            return ask(exact, variables, x)[0]

        real, fake = ({**drawn[which], "image": packed(drawn[which]["image"], self.pack)} for which in ("real", "fake"))
        return Judged(real, fake, outs["real"], fake_out, answers), collections

    def empty(self, n: int, shape: tuple[int, ...], dtype: Any) -> jax.Array:
        """Zeros of n packs of images [n, H, W, C * pack], to initialise a critic."""
        *sides, channels = shape
        return jnp.zeros((n, *sides, channels * self.pack), wide(dtype))

    def _compare(self, net: nn.Module, variables: Variables, seen: dict[str, Examples]) -> tuple[dict[str, Out], Variables]:
        """`Out`s by what was shown, in one batch or one after the other; and the collections after all."""
        if self.batches == "joint":
            whole, variables = ask(net, variables, jax.tree.map(lambda *x: jnp.concatenate(x), *seen.values()))
            outs, start = {}, 0
            for which, one in seen.items():
                end = start + len(one["image"])
                outs[which] = jax.tree.map(lambda x, a=start, b=end: x[a:b], whole)
                start = end
        else:
            outs = {}
            for which, one in seen.items():
                outs[which], variables = ask(net, variables, one)
        return outs, {name: x for name, x in variables.items() if name != "params"}

    def _seen(self, x: Examples, keys: Keys, memory: dict[str, Any], augment: Any) -> Examples:
        """Examples as the network takes them: augmented, with noise, in packs; the draws of one name are always the same."""
        image, draws = x["image"], x["draws"]
        keys = keys.of(len(image))
        image = augment(image, keys(f"augment/{draws}"), memory)
        if self.instance_noise is not None:
            noise = jax.vmap(lambda key: jax.random.normal(key, image.shape[1:], image.dtype))
            image = image + self.instance_noise * noise(keys(f"instance_noise/{draws}"))
        return {"image": packed(image, self.pack), "cond": x.get("cond")}


def ask(net: nn.Module, variables: Variables, x: Examples) -> tuple[Out, Variables]:
    """(`Out`, the variables after these examples), as in training."""
    out, collections = run(net, variables, x["image"], x["cond"], train=True)
    if not isinstance(out, Out):
        raise UserError(f"a critic returns a jaxgan.nets.layers.Out, and {type(net).__name__} a {type(out).__name__}")
    return out, {**variables, **collections}


def refuse_packs(critic: Critic, what: str) -> None:
    """Raises UserError for packs of images that have something each."""
    if critic.pack > 1:
        raise UserError(f"a pack of images has no {what} of its own: --config.critic.pack=1")
