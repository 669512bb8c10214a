"""Tiled equals untiled, to rounding: three networks, three odd sizes, every way to cut them."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan import tiles
from jaxgan.errors import UserError
from jaxgan.nets import layers
from jaxgan.receptive import radius
from jaxgan.tiles import Cut, Tiled, cuts


def shuffled(x, k):
    n, h, w, c = x.shape
    return x.reshape(n, h, w, k, k, c // k**2).transpose(0, 1, 3, 2, 4, 5).reshape(n, h * k, w * k, c // k**2)


class Shuffling(nn.Module):
    """Two doublings by sub-pixels, with a residual block and PReLU."""

    @nn.compact
    def __call__(self, x):
        y = nn.PReLU()(layers.Conv(8, size=5)(x))
        y = y + layers.Conv(8)(nn.PReLU()(layers.Conv(8)(y)))
        for _ in range(2):
            y = nn.PReLU()(shuffled(layers.Conv(32)(y), 2))
        return layers.Conv(3, size=5)(y) + jax.image.resize(x, y.shape[:3] + (3,), "linear")


class Normed(nn.Module):
    """BatchNorm, in evaluation mode, with statistics that are not those of the picture."""

    @nn.compact
    def __call__(self, x):
        for _ in range(2):
            x = nn.relu(layers.Norm("batch")(layers.Conv(8)(x), False))
        return shuffled(layers.Conv(3 * 4)(x), 2)


class Repeating(nn.Module):
    """Nearest enlargement by three, and convolutions after it."""

    @nn.compact
    def __call__(self, x):
        x = layers.Conv(6, size=7)(x)
        return layers.Conv(3)(nn.leaky_relu(layers.Conv(6)(x.repeat(3, 1).repeat(3, 2)), 0.2))


NETS = {"shuffling": (Shuffling(), 4, 6), "normed": (Normed(), 2, 3), "repeating": (Repeating(), 3, 4)}
SIZES = (37, 53), (61, 29), (45, 71)


def of(name):
    """(the function, its variables, the scale, the radius)."""
    net, scale, by_hand = NETS[name]
    variables = net.init(jax.random.key(0), jnp.zeros((1, 16, 16, 3)))
    leaves, tree = jax.tree.flatten(variables)
    keys = jax.random.split(jax.random.key(1), len(leaves))
    filled = [abs(jax.random.normal(key, x.shape)) * 0.2 + 0.1 * (x.ndim == 1) if x.ndim == 1 else x * 5
              for key, x in zip(keys, leaves)]  # fmt: skip
    variables = jax.tree.unflatten(tree, filled)
    fn = lambda variables, x: net.apply(variables, x)  # noqa: E731
    found = radius(fn, variables, scale, 3)
    assert found == by_hand
    return fn, variables, scale, found


@pytest.mark.parametrize("name", NETS)
def test_tiled_equals_untiled(name):
    fn, variables, scale, r = of(name)
    made, rng, worst = Tiled(fn, variables, scale, r), np.random.default_rng(0), 0.0
    for size in SIZES:
        picture = rng.uniform(-1, 1, (*size, 3)).astype(np.float32)
        whole = np.asarray(fn(variables, picture[None]))[0]
        assert np.abs(whole).max() > 0.1
        for side in (2 * r + 1, 2 * r + 8, 40):
            tiled = np.concatenate([*made.bands(picture, side)])
            assert tiled.shape == whole.shape == (size[0] * scale, size[1] * scale, 3)
            worst = max(worst, float(np.abs(tiled - whole).max() / np.abs(whole).max()))
    print(f"{name}: radius {r}, largest difference {worst:.2g} of the largest value")
    assert worst < 1e-6


@pytest.mark.parametrize("name", NETS)
def test_a_radius_that_is_one_too_small_leaves_seams(name):
    """So the test above can fail."""
    fn, variables, scale, r = of(name)
    picture = np.random.default_rng(0).uniform(-1, 1, (61, 29, 3)).astype(np.float32)
    whole = np.asarray(fn(variables, picture[None]))[0]
    tiled = np.concatenate([*Tiled(fn, variables, scale, r - 1).bands(picture, 2 * r + 8)])
    assert np.abs(tiled - whole).max() > 1e-4 * np.abs(whole).max()


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 31, 32, 33, 47, 64, 100, 101])
@pytest.mark.parametrize(("side", "r"), [(16, 0), (16, 3), (16, 7), (17, 8), (40, 3)])
def test_cuts_make_up_the_axis_and_keep_away_from_inner_edges(n, side, r):
    found = cuts(n, side, r)
    assert found[0].first == 0 and found[-1].last == n
    assert all(a.last == b.first for a, b in zip(found, found[1:]))
    if n <= side:
        assert found == [Cut(0, 0, n)]
        return
    for start, first, last in found:
        assert 0 <= start and start + side <= n and first < last
        assert start == 0 or first - start >= r
        assert start + side == n or start + side - last >= r
    assert len(found) <= 1 + -(-(n - 2 * r) // (side - 2 * r))


def test_a_tile_within_its_radius_is_refused():
    with pytest.raises(ValueError, match="nothing left"):
        cuts(100, 16, 8)


def test_one_shape_is_compiled_and_small_pictures_are_one_tile(monkeypatch):
    fn, variables, scale, r = of("normed")
    made, shapes = Tiled(fn, variables, scale, r), []
    program = made._program
    monkeypatch.setattr(made, "_program", lambda *key: shapes.append(key[0]) or program(*key))
    picture = np.zeros((45, 71, 3), np.float32)
    assert len([*made.bands(picture, 20)]) == len(cuts(45, 20, r))
    assert {*shapes} == {(20, 20, 3)} and len(shapes) == made.count(picture.shape, 20)
    shapes.clear()
    assert [x.shape for x in made.bands(picture[:12, :9], 20)] == [(24, 18, 3)] and shapes == [(12, 9, 3)]


def test_the_side_follows_from_the_bound():
    fn, variables, scale, r = of("shuffling")
    made, shape = Tiled(fn, variables, scale, r), (300, 200, 3)
    whole = made.need(300, shape, np.float32)
    assert made.side(shape, np.float32, whole) == 300
    sides = [made.side(shape, np.float32, whole * share) for share in (0.9, 0.5, 0.2)]
    assert sides == sorted(sides, reverse=True) and sides[0] < 300 and sides[-1] >= 2 * r + tiles.LEAST
    for side, share in zip(sides, (0.9, 0.5, 0.2)):
        assert side % tiles.STEP == 0 and made.need(side, shape, np.float32) <= whole * share
        larger = side + tiles.STEP
        assert made._measured(larger, shape, np.float32) > whole * share
    with pytest.raises(UserError, match=r"200x300 takes at least .* sees 6 px each way, and --memory leaves 10 kB"):
        made.side(shape, np.float32, 10_000)


def test_the_line_is_what_the_compiler_says():
    fn, variables, scale, r = of("repeating")
    made = Tiled(fn, variables, scale, r)
    base, each = made._line(3, np.float32)
    assert made._bytes(96, 160, 3, np.float32) == pytest.approx(base + each * 96 * 160, rel=0.05)
    assert each > 3 * 3 * 6 * 4  # one layer's channels at the output's size


def test_without_a_radius_a_picture_is_one_tile():
    fn, variables, scale, _ = of("normed")
    made, shape = Tiled(fn, variables, scale, None), (90, 70, 3)
    assert made.side(shape, np.float32, 1e9) == 90 and made.count(shape, 90) == 1
    with pytest.raises(UserError, match="depends on the whole picture"):
        made.side(shape, np.float32, 1e5)
