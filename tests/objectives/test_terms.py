"""Penalties in closed form: a linear critic w . x has the slope w everywhere, a quadratic one 2 a x."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.keys import Keys
from jaxgan.nets.layers import Out
from jaxgan.objectives.losses import LOSSES
from jaxgan.objectives.objective import Objective
from jaxgan.objectives.terms import PENALTIES, R1, R2, Context, Dragan, LeCam, PathLength, WganGp, squared_slopes

SHAPE = (4, 4, 3)
W = jax.random.normal(jax.random.key(3), SHAPE) / 3
REAL = jax.random.normal(jax.random.key(1), (6, *SHAPE))
FAKE = jax.random.normal(jax.random.key(2), (6, *SHAPE)) + 1


def linear(x):
    return Out(jnp.tensordot(x["image"], W, 3), x["image"])


def quadratic(x):
    return Out(jnp.sum(x["image"] ** 2, (1, 2, 3)), x["image"])


def context(critic, real=REAL, fake=FAKE):
    real, fake = {"image": real, "cond": None}, {"image": fake, "cond": None}
    keys = Keys(jax.random.key(0), 0, 0, 0, len(REAL))
    memory = {name: jnp.float32(x) for p in PENALTIES.values() for name, x in getattr(p, "memory", {}).items()}
    return Context(
        critic=critic,
        generate=lambda keys: fake,
        path=lambda keys: (jnp.ones((len(REAL) // 2, 2)), lambda z: jnp.broadcast_to(jnp.sum(z), (len(REAL) // 2, *SHAPE))),
        real=real,
        fake=fake,
        real_out=critic(real),
        fake_out=critic(fake),
        memory=memory,
        keys=keys,
        gradients=lambda: {"disc": jnp.ones(2)},
    )


def value(penalty, critic, **kwargs):
    return float(penalty(context(critic, **kwargs))[0])


def test_linear_critic():
    norm = float(jnp.sqrt(jnp.sum(W**2)))
    assert np.isclose(value(WganGp(), linear), (norm - 1) ** 2, rtol=1e-5)
    assert np.isclose(value(WganGp(target=0.0), linear), norm**2, rtol=1e-5)
    assert np.isclose(value(Dragan(), linear), (norm - 1) ** 2, rtol=1e-5)
    assert np.isclose(value(R1(), linear), norm**2 / 2, rtol=1e-5)
    assert np.isclose(value(R2(), linear), norm**2 / 2, rtol=1e-5)


def test_quadratic_critic():
    squares = lambda x: float(jnp.mean(jnp.sum(x**2, (1, 2, 3))))  # noqa: E731
    assert np.isclose(value(R1(), quadratic), 2 * squares(REAL), rtol=1e-5)
    assert np.isclose(value(R2(), quadratic), 2 * squares(FAKE), rtol=1e-5)
    # Where real and fake are one image, so is everything between; the slope there is 2 |x|.
    slopes = 2 * jnp.sqrt(jnp.sum(REAL**2, (1, 2, 3)))
    assert np.isclose(value(WganGp(), quadratic, fake=REAL), float(jnp.mean((slopes - 1) ** 2)), rtol=1e-5)


def test_wgan_gp_looks_on_straight_lines_one_number_an_example():
    # A critic whose slope is the point itself: sum x^2 / 2. With one alpha an example, the slope is on the line.
    ctx = context(
        lambda x: Out(jnp.sum(x["image"] ** 2, (1, 2, 3)) / 2, x), real=jnp.ones_like(REAL), fake=jnp.zeros_like(FAKE)
    )
    points = []
    critic = lambda x: (jax.debug.callback(lambda image: points.append(image), x["image"]), ctx.critic(x))[1]  # noqa: E731
    WganGp()(ctx._replace(critic=critic))
    alpha = points[-1]
    alpha = np.asarray(alpha).reshape(6, -1)
    assert (alpha == alpha[:, :1]).all()
    assert alpha.min() >= 0 and alpha.max() <= 1 and np.ptp(alpha[:, 0]) > 0.1


def test_slopes_of_patches_and_heads_are_of_their_sum():
    patches = lambda x: Out({"a": 2 * x["image"].sum(-1), "b": x["image"].sum((1, 2, 3))}, x)  # noqa: E731
    slopes = squared_slopes(patches, {"image": REAL, "cond": None})
    np.testing.assert_allclose(slopes, np.full(6, 9.0 * np.prod(SHAPE)), rtol=1e-6)


@pytest.mark.slow
def test_path_length_of_a_linear_generator():
    """g(w) = A w has the Jacobian A everywhere: lengths |A^T y|, of mean square |A|^2 / pixels over y."""
    n, dims = 3, 5
    matrix = jax.random.normal(jax.random.key(4), (dims, *SHAPE))
    latents = jax.random.normal(jax.random.key(5), (n, dims))
    ctx = context(linear)._replace(
        path=lambda keys: (latents, lambda w: jnp.tensordot(w, matrix, 1)), memory={"path_length": jnp.float32(0.5)}
    )
    value, metrics, memory = PathLength(decay=0.25, shrink=2)(ctx)
    y = jax.vmap(lambda key: jax.random.normal(key, SHAPE))(ctx.keys.grouped(2)("path_length/noise")) / 4  # 16 pixels
    lengths = jnp.sqrt(jnp.sum(jnp.einsum("dhwc,nhwc->nd", matrix, y) ** 2, 1))
    mean = 0.5 + 0.25 * (lengths.mean() - 0.5)
    assert float(memory["path_length"]) == pytest.approx(float(mean), rel=1e-5) and metrics["mean"] == memory["path_length"]
    assert float(value) == pytest.approx(float(jnp.mean((lengths - mean) ** 2)), rel=1e-5)
    first = PathLength(decay=0.25, shrink=2)(ctx._replace(memory={"path_length": jnp.float32(0)}))[2]["path_length"]
    assert float(first) == pytest.approx(float(lengths.mean()), rel=1e-5)  # begins as the first mean
    many = jax.random.normal(jax.random.key(6), (4000, *SHAPE)) / 4
    squares = jnp.sum(jnp.einsum("dhwc,nhwc->nd", matrix, many) ** 2, 1)
    assert float(squares.mean()) == pytest.approx(float(jnp.sum(matrix**2)) / 16, rel=0.02)
    # Several vectors: the mean over them of the squares; a scaled generator, scaled lengths.
    double = ctx._replace(path=lambda keys: (
        jnp.stack([latents, latents], 1), lambda w: jnp.tensordot(w[:, 0] + 2 * w[:, 1], matrix, 1)
    ))  # fmt: skip
    assert float(PathLength(decay=1.0)(double)[2]["path_length"]) == pytest.approx(
        float(lengths.mean()) * 2.5**0.5, rel=1e-5
    )


def test_lecam_is_the_distance_to_the_other_kind_s_mean_so_far():
    ctx = context(linear)
    real, fake = ctx.real_out.logits, ctx.fake_out.logits
    value, _, memory = LeCam(decay=0.25)(ctx)  # begins as the first means
    assert float(value) == pytest.approx(
        float(jnp.mean((real - fake.mean()) ** 2) + jnp.mean((fake - real.mean()) ** 2)), 1e-5
    )
    assert float(memory["lecam/real"]) == pytest.approx(float(real.mean()), 1e-5) and memory["lecam/begun"] == 1
    before = {"lecam/real": jnp.float32(3), "lecam/fake": jnp.float32(-2), "lecam/begun": jnp.float32(1)}
    value, _, memory = LeCam(decay=0.25)(ctx._replace(memory=before))
    a_real, a_fake = 3 + 0.25 * (real.mean() - 3), -2 + 0.25 * (fake.mean() + 2)
    assert float(memory["lecam/real"]) == pytest.approx(float(a_real), 1e-5)
    assert float(value) == pytest.approx(float(jnp.mean((real - a_fake) ** 2) + jnp.mean((fake - a_real) ** 2)), 1e-5)


def test_the_means_of_lecam_have_no_gradient():
    real, fake = (context(linear).real_out.logits, context(linear).fake_out.logits)
    slope = jax.grad(lambda c: LeCam()(context(lambda x: Out(c * linear(x).logits, x)))[0])(1.0)
    by_hand = jnp.mean(2 * real * (real - fake.mean())) + jnp.mean(2 * fake * (fake - real.mean()))
    assert float(slope) == pytest.approx(float(by_hand), rel=1e-4)


@pytest.mark.parametrize("name", PENALTIES)
def test_a_dead_critic_has_finite_gradients(name):
    def penalty(scale):
        return PENALTIES[name]()(context(lambda x: Out(scale * jnp.tensordot(x["image"], W, 3), x)))[0]

    assert np.isfinite(jax.grad(penalty)(0.0))


def test_the_objective_adds_weighted_penalties_and_leaves_lazy_ones_out():
    objective = Objective(LOSSES["wasserstein"], {"r1": R1(weight=3.0), "r2": R2(weight=5.0, every=4)})
    ctx = context(linear)
    slope = float(jnp.sum(W**2)) / 2
    plain = float(Objective(LOSSES["wasserstein"])("disc", ctx)[0])
    assert np.isclose(float(objective("disc", ctx)[0]), plain + 3 * slope, rtol=1e-5)
    assert np.isclose(float(objective.term("r2", ctx, "disc")[0]), 4 * 5 * slope, rtol=1e-5)
    assert float(objective("gen", ctx)[0]) == float(Objective(LOSSES["wasserstein"])("gen", ctx)[0])


def test_accuracies_and_logits_are_reported():
    metrics = Objective(LOSSES["hinge"])("disc", context(linear))[1]
    real, fake = jnp.tensordot(REAL, W, 3), jnp.tensordot(FAKE, W, 3)
    assert np.isclose(metrics["disc/accuracy_real"], np.mean(real > 0))
    assert np.isclose(metrics["disc/accuracy_fake"], np.mean(fake <= 0))
    assert np.isclose(metrics["disc/real_logits"], real.mean(), atol=1e-6)
    assert np.isclose(metrics["disc/logit_gap"], real.mean() - fake.mean(), atol=1e-6)
    assert np.isclose(metrics["disc/ordered"], np.mean(real > fake))
    halves = Objective(LOSSES["lsgan"])("disc", context(linear))[1]  # stands between 0 and 1
    assert np.isclose(halves["disc/accuracy_real"], np.mean(real > 0.5))
    assert "disc/accuracy_real" not in Objective(LOSSES["wasserstein"])("disc", context(linear))[1]
