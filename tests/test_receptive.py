"""Receptive radii against those that were added up by hand, layer by layer."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import receptive
from jaxgan.nets import layers
from jaxgan.receptive import radius


def shuffled(x, k):
    n, h, w, c = x.shape
    x = x.reshape(n, h, w, k, k, c // k**2).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(n, h * k, w * k, c // k**2)


def repeated(x, k):
    return x.repeat(k, 1).repeat(k, 2)


class Net(nn.Module):
    """Layers by name: "conv9", "bn", "prelu", "relu", "shuffle2", "nearest2", "bilinear4", "instance", "half", "double"."""

    layers: tuple[str, ...]
    features: int = 4

    @nn.compact
    def __call__(self, x):
        for layer in self.layers:
            kind, k = layer.rstrip("0123456789"), int("0" + layer.lstrip("abcdefghijklmnopqrstuvwxyz"))
            if kind == "conv":
                x = layers.Conv(self.features, size=k)(x)
            elif kind == "shuffle":
                x = shuffled(layers.Conv(self.features * k * k, size=3)(x), k)
            elif kind == "nearest":
                x = repeated(x, k)
            elif kind == "bilinear":
                x = jax.image.resize(x, (len(x), x.shape[1] * k, x.shape[2] * k, x.shape[3]), "linear")
            elif kind == "half":
                x = layers.Conv(self.features, size=3, stride=2)(x)
            elif kind == "double":
                x = layers.ConvTranspose(self.features)(x)
            elif kind in ("batch", "instance"):
                x = layers.Norm(kind)(x, False)
            else:
                x = nn.PReLU()(x) if kind == "prelu" else nn.relu(x)
        return x


def radius_of(net, scale, channels=3, change=lambda x: x):
    variables = net.init(jax.random.key(0), jnp.zeros((1, 16, 16, channels)))
    return radius(lambda v, x: net.apply(v, x), jax.tree.map(change, variables), scale, channels)


@pytest.mark.parametrize(
    ("made_of", "scale", "by_hand"),
    [
        (("conv1",), 1, 0),
        (("conv3",), 1, 1),
        (("conv9", "relu", "conv3", "prelu", "conv5"), 1, 4 + 1 + 2),
        (("conv3", "batch", "relu", "conv3"), 1, 2),
        (("conv3", "shuffle2"), 2, 1 + 1),
        (("conv3", "shuffle2", "conv3"), 2, 1 + 1 + 1),  # a pixel of the output's beyond the last of its block
        (("shuffle2", "conv9"), 2, 1 + 2),
        (("shuffle2", "shuffle2", "conv9"), 4, 1 + 1 + 1),  # 2 pixels of x2 and 4 of x4: 1 + (1 + 1) / 2, then 4 / 4
        (("shuffle3", "conv3", "conv3"), 3, 1 + 1),
        (("nearest2", "conv3", "relu", "nearest2", "conv3"), 4, 1),
        (("nearest2", "conv5"), 2, 1),
        (("conv3", "bilinear2"), 2, 1 + 1),
        (("bilinear4",), 4, 1),
        (("bilinear3", "conv1"), 3, 1),
    ],
)
def test_it_is_what_is_added_up_by_hand(made_of, scale, by_hand):
    assert radius_of(Net(made_of), scale) == by_hand


def test_it_is_found_beyond_the_first_size():
    assert radius_of(Net(("conv33", "prelu", "conv33", "conv9"), features=1), 1, channels=1) == 16 + 16 + 4


def test_weights_do_not_matter():
    """Gradients of these are zero: no unit is on, or all weights are too small."""
    net = Net(("conv3", "relu", "conv5", "relu", "shuffle2"))
    for change in (lambda x: -abs(x), lambda x: x * 1e-30, jnp.zeros_like):
        assert radius_of(net, 2, change=change) == 1 + 2 + 1


@pytest.mark.parametrize("made_of", [("conv3", "instance"), ("half", "double")], ids=str)
def test_what_sees_everything_or_depends_on_the_position_has_none(made_of, monkeypatch):
    monkeypatch.setattr(receptive, "LAST", 128)
    assert radius_of(Net(made_of), 1) is None


def test_outputs_within_it_are_the_same_and_further_ones_are_not():
    """The least: one pixel less is too few."""
    net = Net(("conv5", "relu", "shuffle2", "conv3"))
    variables = net.init(jax.random.key(0), jnp.zeros((1, 16, 16, 3)))
    r, rng = radius_of(net, 2), np.random.default_rng(0)
    assert r == 4
    a = rng.normal(size=(1, 40, 9, 3)).astype(np.float32)
    b = a.copy()
    b[:, 20:] = rng.normal(size=(1, 20, 9, 3))
    same = np.abs(np.asarray(net.apply(variables, a) - net.apply(variables, b)))[0].max((1, 2)) == 0
    assert same[: 2 * (20 - r)].all() and not same[: 2 * (20 - r + 1)].all()
