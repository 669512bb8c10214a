"""Augmentations: nothing at p = 0, undone by their inverses, differentiable, example by example; and how p is steered."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import plan_of, tiny

from jaxgan.config.schedules import evaluate
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.objectives import affine, augment
from jaxgan.objectives.augment import Ada, DiffAugment
from jaxgan.objectives.draws import Draw
from jaxgan.plan import Plan

N, SHAPE = 6, (12, 12, 3)
IMAGES = jax.random.uniform(jax.random.key(0), (N, *SHAPE), minval=-1, maxval=1)
KEYS = jax.random.split(jax.random.key(1), N)


def memory(p):
    return {"augment/p": jnp.float32(p), "augment/signs": jnp.float32(0), "augment/rounds": jnp.float32(0)}


def ada(p, image=IMAGES, keys=KEYS, **fields):
    return Ada(**fields)(image, keys, memory(p))


@pytest.mark.slow
@pytest.mark.parametrize("kinds", [("blit",), ("geometry",), ("colour",), ("blit", "geometry", "colour")])
@pytest.mark.parametrize("shape", [SHAPE, (8, 12, 3), (7, 7, 1)])
def test_ada_at_p_0_is_the_identity_and_at_1_is_not(kinds, shape):
    image = jax.random.uniform(jax.random.key(2), (N, *shape), minval=-1, maxval=1)
    np.testing.assert_allclose(ada(0, image, kinds=kinds), image, atol=1e-6)
    changed = jnp.abs(ada(1, image, kinds=kinds) - image).max((1, 2, 3))
    assert float(jnp.sum(changed > 1e-3)) >= N - 1  # a flip, quarter turn and shift may all be none


def test_what_ada_does_to_an_example_is_its_key_s_alone():
    out = ada(0.7)
    np.testing.assert_allclose(ada(0.7, IMAGES[::-1], KEYS[::-1])[::-1], out, atol=1e-6)
    same = ada(0.7, jnp.broadcast_to(IMAGES[:1], IMAGES.shape))
    assert len({np.asarray(x).tobytes() for x in same}) > 1


@pytest.mark.slow
def test_share_of_examples_that_are_changed():
    keys = jax.random.split(jax.random.key(3), 2000)
    image = jnp.broadcast_to(IMAGES[0], (2000, *SHAPE))
    for p in (0.2, 0.6):
        changed = jnp.abs(ada(p, image, keys, kinds=("geometry",)) - image).max((1, 2, 3)) > 1e-4
        # Four independent kinds: scale, ratio and shift by p each, one of two rotations by p.
        assert float(changed.mean()) == pytest.approx(1 - (1 - p) ** 4, abs=0.03)


@pytest.mark.parametrize(
    "move",
    [affine.scale(-1, 1), affine.quarters(1), affine.quarters(2), affine.quarters(3)],
    ids=["flip", "1", "2", "3"],
)
def test_exact_moves_are_undone_by_their_inverse(move):
    there = affine.warped(IMAGES[0], move)
    assert float(jnp.abs(there - IMAGES[0]).max()) > 0.1
    np.testing.assert_allclose(affine.warped(there, jnp.linalg.inv(move)), IMAGES[0], atol=1e-5)


def test_where_pixels_go():
    x = IMAGES[0]
    np.testing.assert_allclose(affine.warped(x, affine.scale(-1, 1)), x[:, ::-1], atol=1e-6)
    turned = affine.warped(x, affine.quarters(1))
    assert any(np.allclose(turned, np.rot90(x, k), atol=1e-6) for k in (1, 3))
    moved = affine.warped(x, affine.shift(2, -3))
    np.testing.assert_allclose(moved[3:, :-2], x[:-3, 2:], atol=1e-6)
    np.testing.assert_allclose(moved[:3, :-2], x[1:4, 2:][::-1], atol=1e-6)  # mirrored without the edge itself twice
    half = affine.warped(x, affine.shift(0.5, 0))
    np.testing.assert_allclose(half[:, :-1], (x[:, :-1] + x[:, 1:]) / 2, atol=1e-5)
    smooth = jnp.linspace(-1, 1, 12)[:, None, None] * jnp.ones((12, 12, 3))
    there_and_back = affine.warped(affine.warped(smooth, affine.rotation(0.3)), affine.rotation(-0.3))
    np.testing.assert_allclose(there_and_back[4:8, 4:8], smooth[4:8, 4:8], atol=1e-4)


@pytest.mark.slow
def test_magnitudes_and_order_of_ada():
    """Appendix B's: log2 of scales .2, of contrast .5 and of saturation 1, shifts of an eighth, brightness .2; and which of
    two matrices acts first."""
    keys = jax.random.split(jax.random.key(7), 3000)

    @jax.vmap
    def drawn(key):
        draw = Draw(key, jnp.float32)
        return augment._blits(draw, 1.0, SHAPE), augment._geometry(draw, 1.0, (8, 16, 3)), augment._colours(draw, 1.0)

    (_, _, whole), (scale, before, ratio, _, move), colours = jax.tree.map(np.asarray, drawn(keys))
    brightness, contrast, _, _, saturation = colours
    spread = {
        0.2: (np.log2(scale[:, 0, 0]), np.log2(ratio[:, 0, 0]), brightness[:, 0, 3]),
        0.5: (np.log2(contrast[:, 0, 0]),),
        1.0: (np.log2(np.linalg.det(saturation[:, :3, :3])) / 2,),  # two of three axes are scaled
        2.0: (move[:, 0, 2],),  # an eighth of 16
        1 / np.sqrt(3) * np.pi: (np.arctan2(before[:, 1, 0], before[:, 0, 0]),),
    }
    for std, values in spread.items():
        for each in values:
            assert each.std() == pytest.approx(std, rel=0.05) and abs(each.mean()) < 0.08 * std
    np.testing.assert_allclose(ratio[:, 0, 0] * ratio[:, 1, 1], 1, rtol=1e-5)
    assert set(np.unique(whole[:, 0, 2])) == {-1, 0, 1}  # whole pixels, up to an eighth of 12
    # Colours in their order, on one example: brightness, then contrast, and so on.
    draw = Draw(KEYS[0], jnp.float32)
    x = IMAGES[0]
    for one in augment._colours(draw, 1.0):
        x = affine.recoloured(x, one)
    np.testing.assert_allclose(Ada(kinds=("colour",), adapt_p=False, p=1.0)(IMAGES[:1], KEYS[:1], {})[0], x, atol=1e-4)
    # Moves are of what is sampled where: the first of them acts last on a point of the image that comes out.
    x = IMAGES[0]
    for one in augment._blits(draw, 1.0, SHAPE):
        x = affine.warped(x, one)
    out = Ada(kinds=("blit",), adapt_p=False, p=1.0)(IMAGES[:1], KEYS[:1], {})[0]
    np.testing.assert_allclose(out[3:-3, 3:-3], x[3:-3, 3:-3], atol=1e-5)  # the edge is mirrored once, or thrice


def test_cutout_of_ada():
    keys, ones = jax.random.split(jax.random.key(8), 3000), jnp.ones((3000, 12, 16, 1))
    gone = np.asarray(Ada(kinds=("cutout",), adapt_p=False, p=0.4)(ones, keys, {}) == 0)[..., 0]
    assert gone.any((1, 2)).mean() == pytest.approx(0.4, abs=0.03)
    assert gone.sum((1, 2)).max() == 6 * 8 and gone.any(0).all()  # half of each side, anywhere


def test_colours_may_have_a_share_of_p():
    keys, image = jax.random.split(jax.random.key(3), 2000), jnp.broadcast_to(IMAGES[0], (2000, *SHAPE))
    for share in (1.0, 0.5):
        out = Ada(kinds=("colour",), adapt_p=False, p=0.2, colour_share=share)(image, keys, {})
        changed = jnp.abs(out - image).max((1, 2, 3)) > 1e-4
        # Brightness, contrast, hue and saturation by p each; half of the inversions do nothing.
        expected = 1 - (1 - 0.2 * share) ** 4 * (1 - 0.1 * share)
        assert float(changed.mean()) == pytest.approx(expected, abs=0.03)


def test_what_each_colour_matrix_keeps():
    for key in KEYS:
        brightness, contrast, inverted, hue, saturation = augment._colours(Draw(key, jnp.float32), 1.0)
        grey = jnp.full((2, 2, 3), 0.3)
        for matrix in (hue, saturation):
            np.testing.assert_allclose(affine.recoloured(grey, matrix), grey, atol=1e-5)
        np.testing.assert_allclose(hue[:3, :3] @ hue[:3, :3].T, jnp.eye(3), atol=1e-5)
        np.testing.assert_allclose(inverted @ inverted, jnp.eye(4), atol=1e-5)
        assert float(brightness[0, 3]) == float(brightness[2, 3]) and contrast[0, 0] == contrast[1, 1] > 0
        # A grey image's single channel, as the mean of the three that it stands for.
        alone = affine.recoloured(grey[..., :1], contrast @ brightness)
        np.testing.assert_allclose(alone, affine.recoloured(grey, contrast @ brightness)[..., :1], atol=1e-6)


@pytest.mark.parametrize("kinds", [("colour",), ("translation",), ("cutout",)])
@pytest.mark.parametrize("shape", [SHAPE, (8, 12, 1)])
def test_diffaugment(kinds, shape):
    image = jax.random.uniform(jax.random.key(2), (400, *shape), minval=0.1, maxval=1)
    keys = jax.random.split(jax.random.key(1), 400)
    out = np.asarray(DiffAugment(kinds)(image, keys, {}))
    if kinds == ("cutout",):
        gone = (out == 0).all(-1)
        np.testing.assert_array_equal(out[~gone], np.asarray(image)[~gone])
        assert gone.sum((1, 2)).max() == shape[0] // 2 * (shape[1] // 2) and gone.sum((1, 2)).min() < gone.sum((1, 2)).max()
    if kinds == ("translation",):
        reach = [round(n / 8) for n in shape[:2]]
        found = set()
        for x, y in zip(np.asarray(image), out):
            padded = np.pad(x, ((reach[0],) * 2, (reach[1],) * 2, (0, 0)))
            for i in range(2 * reach[0] + 1):
                for j in range(2 * reach[1] + 1):
                    if np.array_equal(padded[i : i + shape[0], j : j + shape[1]], y):
                        found.add((i, j))
        assert len(found) == (2 * reach[0] + 1) * (2 * reach[1] + 1)  # every shift, and nothing else
    if kinds == ("colour",) and shape[-1] == 3:  # differences of channels, over one another, by saturation and contrast
        before, after = (np.asarray(x)[..., :1] - np.asarray(x)[..., 1:2] for x in (image, out))
        factors = (after / before).reshape(400, -1)
        factors = np.median(factors, 1)
        assert 0 <= factors.min() and factors.max() <= 3 and factors.mean() == pytest.approx(1, abs=0.08)
        np.testing.assert_allclose(after.reshape(400, -1), factors[:, None] * before.reshape(400, -1), atol=1e-4)
    if kinds == ("colour",) and shape[-1] == 1:  # grey: saturation does nothing; brightness, then contrast about the mean
        slopes = (out - out.mean((1, 2, 3), keepdims=True)) / (image - image.mean((1, 2, 3), keepdims=True))
        np.testing.assert_allclose(slopes.std((1, 2, 3)), 0, atol=1e-2)
        assert 0.5 <= slopes.mean((1, 2, 3)).min() and slopes.mean((1, 2, 3)).max() <= 1.5
        assert np.abs(out.mean((1, 2, 3)) - image.mean((1, 2, 3))).max() <= 0.5


@pytest.mark.slow
@pytest.mark.parametrize("apply", [lambda x: ada(0.9, x), lambda x: DiffAugment()(x, KEYS, {})], ids=["ada", "diffaugment"])
def test_gradients(apply):
    direction = jax.random.normal(jax.random.key(4), IMAGES.shape)
    weights = jax.random.normal(jax.random.key(5), IMAGES.shape)
    value = lambda x: jnp.sum(weights * apply(x))  # noqa: E731
    with jax.enable_x64(True):
        slope = jnp.vdot(jax.grad(value)(IMAGES), direction)
        assert np.isfinite(float(slope)) and abs(float(slope)) > 1e-3
        assert float(value(IMAGES + direction) - value(IMAGES)) == pytest.approx(float(slope), rel=1e-3)  # it is linear


def test_p_goes_towards_the_target():
    rule, state = Ada(interval=2, adjust_kimg=1.0, target=0.5), memory(0.25)
    overfit, fooled = jnp.array([1.0, 1, 1, 1]), jnp.array([1.0, -1, 1, -1])
    seen = []
    for signs in (overfit, overfit, overfit, fooled, fooled, fooled, fooled, fooled):
        metrics, state = rule.adapt(signs, 50, state)
        seen.append(round(float(state["augment/p"]), 4))
    # Two rounds of 50 images are a tenth of the 1,000 in which p goes from 0 to 1; a mean at the target does nothing.
    assert seen == [0.25, 0.35, 0.35, 0.35, 0.35, 0.25, 0.25, 0.15]
    assert float(metrics["augment/overfitting"]) == 0
    for _ in range(8):
        _, state = rule.adapt(fooled, 50, state)
    assert float(state["augment/p"]) == 0  # never below


def test_a_fixed_p_may_be_a_schedule():
    plan = plan_of("dcgan.py", augment__name="ada", augment__adapt_p=False, augment__p="linear(0, .8, 0, 10)")
    tasks = [plan.task(evaluate(plan.inputs.scalars, jnp.float32(kimg))) for kimg in (0, 5)]
    assert [float(task.augment.p) for task in tasks] == [0, pytest.approx(0.4)] and tasks[0].augment.memory == {}
    assert tasks[0].augment.adapt(jnp.ones(4), 4, {}) == ({}, {})


@pytest.mark.parametrize(
    "spec, overrides, message",
    [
        (
            "dcgan.py",
            {"augment__name": "diffaugment", "augment__kinds": "color"},
            "unknown augment.kinds 'color'; known: colour",
        ),
        (
            "dcgan.py",
            {"augment__name": "ada", "objective__loss": "wasserstein"},
            "augment.adapt_p asks how many reals are taken for real",
        ),
        ("dcgan.py", {"augment__name": "ada", "augment__p": 55}, "augment.p must be at least 0 and at most 1, not 55"),
        (
            "dcgan.py",
            {"augment__name": "ada", "augment__adjust_kimg": 0},
            "augment.adjust_kimg must be at least 0.001, not 0",
        ),
        (
            "dcgan.py",
            {"augment__name": "ada", "augment__p": "linear(0, .5, 0, 9)"},
            "is a schedule, and augment.adapt_p would leave it; --config.augment.adapt_p=False",
        ),
    ],
)
def test_mistakes(spec, overrides, message):
    with pytest.raises(UserError, match=message):
        plan_of(spec, **overrides)


def test_colours_of_pictures_with_transparency():
    with pytest.raises(UserError, match="of grey and RGB, not of 4 channels; --config.data.channels=3, or .*=blit,geometry"):
        Plan(tiny("dcgan.py", augment__name="ada"), features_of((12, 12, 4)))
    Plan(tiny("dcgan.py", augment__name="ada", augment__kinds="blit,geometry"), features_of((12, 12, 4)))


def test_points_are_not_augmented():
    with pytest.raises(UserError, match="augment.name=diffaugment is of images, and these are points"):
        Plan(tiny("toy.py", augment__name="diffaugment"), features_of((2,)))
