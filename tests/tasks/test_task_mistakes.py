"""Tasks in which something does not fit: each is answered in one line, before or while the step is traced."""

import re
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_features, noise_images, tiny

from jaxgan import program
from jaxgan.config.resolve import resolve_config
from jaxgan.errors import UserError
from jaxgan.nets.layers import Out
from jaxgan.plan import Plan
from jaxgan.sections import sections
from jaxgan.state import Aux
from jaxgan.tasks.latent import Latent
from jaxgan.tasks.networks import init, run
from jaxgan.tasks.task import BaseTask


class Net(nn.Module):
    dtype: Any

    @nn.compact
    def __call__(self, x, *, train: bool):
        return nn.Dense(1)(x.reshape(len(x), -1))


@dataclass(frozen=True, kw_only=True)
class Good(BaseTask):
    net: nn.Module
    image_shape: tuple[int, int, int]
    nets = {"net": {"net": Net}}
    players = {"net": {"net": "net"}}
    averaged = ("net",)

    def init(self, rng):
        return {"net": init(self.net, rng, "net", jnp.zeros((2, *self.image_shape)), train=False)}

    def loss(self, name, state, batch, keys, advance):
        out, collections = run(self.net, state.variables("net"), batch["image"], train=True)
        return jnp.mean(out**2), Aux({}, {"net": collections})


class NoPlayers(Good):
    players = {}


class OtherSection(Good):
    players = {"net": {"net": "nett"}}


class NoClass(Good):
    nets = {"net": {}}


class OtherAverage(Good):
    averaged = ("nett",)


class OtherSide(Good):
    sides = {"net": "generator"}


class OtherInit(Good):
    def init(self, rng):
        return {"nut": super().init(rng)["net"]}


class NoAux(Good):
    def loss(self, *arguments):
        return super().loss(*arguments)[0]


class NoScalar(Good):
    def loss(self, *arguments):
        return jnp.zeros(3), Aux({})


class OtherPlayer(Good):
    def loss(self, *arguments):
        return super().loss(*arguments)[0], Aux({}, {"nut": {}})


class TwoCritics(Latent):
    players = {"disc": {"disc": "disc"}, "disc2": {"disc": "disc"}, "gen": {"gen": "gen"}}
    sides = {"disc": "critic", "disc2": "critic", "gen": "maker"}


class NoMaker(Latent):
    sides = {"disc": "critic"}


class Logits(nn.Module):
    """A discriminator that returns its logits alone."""

    dtype: Any

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        return nn.Dense(1)(image.reshape(len(image), -1))[:, 0]


class NoKernel(nn.Module):
    """A discriminator with vectors that belong to no kernel."""

    dtype: Any

    @nn.compact
    def __call__(self, image, cond=None, *, train: bool, keys=None):
        self.variable("spectral", "u", jnp.ones, 3)
        x = image.reshape(len(image), -1)
        return Out(nn.Dense(1)(x)[:, 0], x)


def plan_with(task):
    config = tiny("dcgan.py").copy_and_resolve_references().unlock()
    config.task = {"name": f"{__name__}:{task}"}
    if task not in ("TwoCritics", "NoMaker"):
        for name in ("objective", "critic", "augment"):
            del config[name]
        config.nets, config.optim, config.rounds = {}, {}, {}
    return Plan(resolve_config(config, [], sections), noise_features())


def trace(plan):
    images = noise_images()
    jax.eval_shape(program.make_program(plan, images), plan.shapes(), plan.inputs, images.load(), np.int32(1))


def test_the_good_one_trains():
    trace(plan_with("Good"))


@pytest.mark.parametrize(
    "task, answer",
    [
        ("NoPlayers", "players is empty; a task trains at least one"),
        ("OtherSection", "players['net'] names the section 'nett'; did you mean 'net'"),
        ("NoClass", "nets['net'] names no class"),
        ("OtherAverage", "name the player 'nett'; did you mean 'net'"),
        ("OtherSide", "sides are 'critic' or 'maker', not 'generator'"),
        ("OtherInit", "init makes nut, and its players are net"),
        ("NoAux", "NoAux.loss must return (scalar, jaxgan.state.Aux)"),
        ("NoScalar", "NoScalar.loss must return a scalar, not an array of shape (3,)"),
        ("OtherPlayer", "OtherPlayer.loss changes collections of 'nut'; did you mean 'net'"),
        ("TwoCritics", "two players are on the side 'critic'"),
        ("NoMaker", "an AdversarialTask has one player on each side"),
    ],
)
def test_a_task_that_does_not_fit(task, answer):
    with pytest.raises(UserError, match=re.escape(answer)):
        trace(plan_with(task))


@pytest.mark.parametrize(
    "net, answer",
    [
        ("Logits", "a critic returns a jaxgan.nets.layers.Out, and Logits a"),
        ("NoKernel", "the collection 'spectral' has 'u', and no kernel stands beside it"),
    ],
)
def test_a_critic_that_does_not_fit(net, answer):
    config = tiny("dcgan.py", nets__disc__name=f"{__name__}:{net}")
    with pytest.raises(UserError, match=re.escape(answer)):
        trace(Plan(config, noise_features()))


@pytest.mark.parametrize(
    "spec, fields, answer",
    [
        (
            "cyclegan.py",
            {"objective__loss": "none", "objective__terms__r1__weight": 1},
            "discriminators of task unpaired need",
        ),
        ("dcgan.py", {"task__gen_batch": 2, "objective__terms__l2__of": "features"}, "feature matching pairs each fake"),
        ("pix2pix.py", {"objective__terms__l1__of": "imag"}, "needs the pair 'imag', which task paired does not have"),
    ],
)
def test_terms_that_do_not_fit(spec, fields, answer):
    config = tiny(spec, **fields)
    with pytest.raises(UserError, match=re.escape(answer)):
        Plan(config, noise_features(config))
