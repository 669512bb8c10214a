"""Terms in closed form: a linear critic w . x has the slope w everywhere, a quadratic one 2 a x; and what an objective makes
of terms, critics and sides."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.extractors.stages import Stages
from jaxgan.keys import Keys
from jaxgan.nets.layers import Out
from jaxgan.objectives.context import Context, Facts, Judged, squared_slopes
from jaxgan.objectives.losses import LOSSES
from jaxgan.objectives.objective import Objective
from jaxgan.objectives.terms import (
    L1,
    L2,
    R1,
    R2,
    TERMS,
    Consensus,
    Dragan,
    FeatureDistance,
    LeCam,
    PathLength,
    WganGp,
)
from jaxgan.state import Update
from jaxgan.tasks.task import Frozen

SHAPE = (4, 4, 3)
W = jax.random.normal(jax.random.key(3), SHAPE) / 3
REAL = jax.random.normal(jax.random.key(1), (6, *SHAPE))
FAKE = jax.random.normal(jax.random.key(2), (6, *SHAPE)) + 1


def linear(x):
    return Out(jnp.tensordot(x["image"], W, 3), x["image"])


def quadratic(x):
    return Out(jnp.sum(x["image"] ** 2, (1, 2, 3)), x["image"])


def context(critic, real=REAL, fake=FAKE, side="critic", **fields):
    real, fake = {"image": real, "cond": None}, {"image": fake, "cond": None}
    return Context(
        player={"critic": "disc", "maker": "gen"}[side],
        side=side,
        judged=Judged(real, fake, critic(real), critic(fake), critic),
        memory={name: jnp.float32(x) for p in TERMS.values() for name, x in getattr(p, "memory", {}).items()},
        keys=Keys(jax.random.key(0), 0, 0, 0, len(REAL)),
        **fields,
    )


def total(objective, ctx, **critics):
    """`Objective.total` with one critic, the context's, or with several by name."""
    critics = {name: one.judged for name, one in critics.items()} or {"": ctx.judged}
    return objective.total(ctx, critics, dict.fromkeys(critics, ctx.memory))


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
    judged = ctx.judged
    watched = lambda x: (jax.debug.callback(lambda image: points.append(image), x["image"]), judged.answers(x))[1]  # noqa: E731
    WganGp()(ctx._replace(judged=judged._replace(answers=watched)))
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
    real, fake = ctx.judged.real_out.logits, ctx.judged.fake_out.logits
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
    judged = context(linear).judged
    real, fake = judged.real_out.logits, judged.fake_out.logits
    slope = jax.grad(lambda c: LeCam()(context(lambda x: Out(c * linear(x).logits, x)))[0])(1.0)
    by_hand = jnp.mean(2 * real * (real - fake.mean())) + jnp.mean(2 * fake * (fake - real.mean()))
    assert float(slope) == pytest.approx(float(by_hand), rel=1e-4)


@pytest.mark.parametrize(
    "name", sorted(TERMS.keys() - {"acgan", "contrast", "orthogonal", "matching_gp", "condition", "damsm"})
)
def test_a_dead_critic_has_finite_gradients(name):
    """And a dead generator, whose pictures are all alike or already right. Terms of labels and captions have tests of their
    own."""
    n = len(REAL) // 2

    def term(scale):
        ctx = context(
            lambda x: Out(scale * jnp.tensordot(x["image"], W, 3), x),
            path=lambda keys: (jnp.ones((n, 2)), lambda z: jnp.broadcast_to(scale * jnp.sum(z), (n, *SHAPE))),
            pairs={"image": (REAL, REAL + scale * W)},
            gradients=lambda: {"disc": scale * jnp.ones(2)},
            frozen=EYE,
        )
        return TERMS[name]()(ctx)[0]

    assert np.isfinite(jax.grad(term)(0.0))
    assert float(term(1.0)) != float(term(0.5)) or name == "path_length"  # whose average begins as the first mean


def test_the_objective_adds_weighted_penalties_and_leaves_lazy_ones_out():
    objective = Objective(LOSSES["wasserstein"], {"r1": R1(weight=3.0), "r2": R2(weight=5.0, every=4)})
    ctx = context(linear)
    slope = float(jnp.sum(W**2)) / 2
    plain = float(total(Objective(LOSSES["wasserstein"]), ctx)[0])
    value, metrics, _ = total(objective, ctx)
    assert np.isclose(float(value), plain + 3 * slope, rtol=1e-5) and float(metrics["disc/loss"]) == float(value)
    assert np.isclose(float(metrics["disc/r1"]), slope, rtol=1e-5) and "disc/r2" not in metrics
    lazy, told, _ = objective.lazy_term("r2", ctx, {"": ctx.judged}, {"": {}})
    assert np.isclose(float(lazy), 4 * 5 * slope, rtol=1e-5)
    assert np.isclose(float(told["disc/r2"]), slope, rtol=1e-5) and list(told) == ["disc/r2"]
    assert objective.lazy("disc", "critic") == [Update("disc", "term/r2", 1, 4)] and objective.lazy("gen", "maker") == []
    made = context(linear, side="maker")
    assert float(total(objective, made)[0]) == float(total(Objective(LOSSES["wasserstein"]), made)[0])


def test_the_weight_is_of_the_maker_s_adversarial_loss_alone():
    terms = {"r1": R1(weight=3.0), "near": L1(weight=2.0)}
    for side, factor in (("critic", 1), ("maker", 7)):
        ctx = context(linear, side=side, pairs={"image": (REAL, FAKE)})
        one, seven = (total(Objective(LOSSES["wasserstein"], terms, weight), ctx) for weight in (1.0, 7.0))
        name = f"{ctx.player}/adversarial"
        assert float(one[1][name]) == float(seven[1][name]) != 0
        assert float(seven[0] - one[0]) == pytest.approx((factor - 1) * float(one[1][name]), rel=1e-4, abs=1e-6)


def test_an_objective_of_terms_alone():
    objective = Objective(LOSSES["none"], {"r1": R1(), "near": L1(weight=2.0), "far": L2(weight=3.0, every=2)})
    assert objective.has_update("critic") and objective.has_update("maker")
    assert objective.wants("critic") == {"judged", "judged.answers"} and objective.wants("maker") == {"pairs.image"}
    assert objective.wants("maker", "far") == {"pairs.image"}
    value, metrics, _ = objective.total(context(linear, side="maker", pairs={"image": (REAL, FAKE)}), {}, {})
    assert float(value) == pytest.approx(2 * float(jnp.mean(jnp.abs(REAL - FAKE))), rel=1e-6)
    assert metrics.keys() == {"gen/near", "gen/loss"} and metrics["gen/loss"] == value
    assert not Objective(LOSSES["none"], {"far": L2(every=2)}).has_update("maker")  # lazy: no main update
    assert not objective.has_boundary and "judged" in Objective(LOSSES["hinge"], {}).wants("maker")


def test_of_several_critics_losses_add_up_and_metrics_are_means():
    """Critic b sees other pictures and answers with another slope; a term that asks for no critic counts once."""
    double = lambda x: Out(2 * jnp.tensordot(x["image"], W, 3), x["image"])  # noqa: E731
    terms = {"r1": R1(weight=3.0), "lecam": LeCam(weight=5.0), "consensus": Consensus(weight=0.5)}
    objective, slope = Objective(LOSSES["wasserstein"], terms), float(jnp.sum(W**2)) / 2
    ctx = context(linear, gradients=lambda: {"disc": jnp.full(4, 3.0)})
    other = context(double, real=FAKE, fake=REAL / 2)
    value, metrics, memory = total(objective, ctx, a=ctx, b=other)
    alone = [total(objective, ctx._replace(judged=one.judged)) for one in (ctx, other)]
    own = 0.5 * 4 * 9 / 2
    assert float(value) == pytest.approx(sum(float(one[0]) - own for one in alone) + own, rel=1e-5)
    assert metrics.keys() == alone[0][1].keys()
    for name in metrics.keys() - {"disc/loss", "disc/consensus"}:
        assert float(metrics[name]) == pytest.approx(sum(float(one[1][name]) for one in alone) / 2, rel=1e-5), name
    assert float(metrics["disc/r1"]) == pytest.approx((1 + 4) / 2 * slope, rel=1e-5)
    assert float(metrics["disc/consensus"]) == pytest.approx(4 * 9 / 2)
    assert float(metrics["disc/loss"]) == pytest.approx(float(value - own) / 2 + own, rel=1e-5)  # a critic's, on average
    assert memory.keys() == {f"{critic}/lecam/{x}" for critic in "ab" for x in ("real", "fake", "begun")}
    for critic, (_, _, kept) in zip("ab", alone):
        assert {name: memory[f"{critic}/{name}"] for name in kept} == kept
    assert objective.memory(("a", "b")).keys() == memory.keys() and objective.memory(("",)).keys() == LeCam.memory.keys()
    # A maker's losses add up too, and so do a lazy term's.
    made = total(objective, ctx._replace(player="gen", side="maker"), a=ctx, b=other)
    fakes = [float(jnp.mean(one.judged.fake_out.logits)) for one in (ctx, other)]
    assert float(made[0]) == pytest.approx(-sum(fakes) + own, rel=1e-5)
    assert float(made[1]["gen/adversarial"]) == pytest.approx(-sum(fakes) / 2, rel=1e-5)
    assert float(made[1]["gen/loss"]) == pytest.approx(float(made[0]), rel=1e-6)
    lazy = Objective(LOSSES["wasserstein"], {"lecam": LeCam(weight=5.0, every=2)})
    critics = {"a": ctx.judged, "b": other.judged}
    value, metrics, kept = lazy.lazy_term("lecam", ctx, critics, dict.fromkeys(critics, ctx.memory))
    assert float(value) == pytest.approx(2 * 5 * 2 * float(metrics["disc/lecam"]), rel=1e-5) and kept == memory


def test_a_critic_s_memory_is_its_own():
    """Each has what it was given, not what the other has left."""
    ctx, objective = context(linear), Objective(LOSSES["none"], {"lecam": LeCam(weight=1.0, decay=0.25)})
    began = [{"lecam/real": jnp.float32(x), "lecam/fake": jnp.float32(-x), "lecam/begun": jnp.float32(1)} for x in (1, 5)]
    memory = objective.total(ctx, {"a": ctx.judged, "b": ctx.judged}, dict(zip("ab", began)))[2]
    real = float(ctx.judged.real_out.logits.mean())
    assert float(memory["a/lecam/real"]) == pytest.approx(1 + 0.25 * (real - 1), rel=1e-5)
    assert float(memory["b/lecam/real"]) == pytest.approx(5 + 0.25 * (real - 5), rel=1e-5)


# --- pairs ------------------------------------------------------------------------------------------------------------

WANT, GOT = np.array([[1.0, -2.0], [0.5, 4.0]], np.float32), np.array([[0.0, -2.0], [2.5, 3.0]], np.float32)  # 1, 0, 2, 1


class Doubled:
    """A network whose features of a picture are twice its values, and the weights that it is given beside them."""

    @staticmethod
    def features(variables, image):
        return variables["scale"] * image.reshape(len(image), -1)


EYE = {"eye": Frozen(Doubled, {"scale": jnp.float32(2)}), "other": Frozen(Doubled, {"scale": jnp.float32(10)})}


@pytest.mark.parametrize(
    ("term", "distance"),
    [(L1(), 4 / 4), (L2(), 6 / 4), (FeatureDistance(), 4 * 6 / 4), (FeatureDistance(net="other"), 100 * 6 / 4)],
)
def test_distances_of_a_pair(term, distance):
    """Of the pair that it names alone: others may be no pictures."""
    pairs = {"image": (WANT, GOT), "features": ({"hidden": GOT}, {"hidden": WANT})}
    value, metrics, memory = term(Context("gen", "maker", pairs=pairs, frozen=EYE))
    assert float(value) == pytest.approx(distance) and metrics == {} and memory == {}
    assert term.needs == {"pairs.image"} | ({f"frozen.{term.net}"} if isinstance(term, FeatureDistance) else set())


@pytest.mark.parametrize(("cls", "power"), [(L1, 1), (L2, 2), (FeatureDistance, 2)])
def test_distances_of_several_pairs_add_up_and_are_told_apart(cls, power):
    pairs = {"cycle/a": (jnp.zeros((2, 3)), jnp.full((2, 3), 3.0)), "cycle/b": (jnp.ones((4, 1)), jnp.full((4, 1), 6.0))}
    scale = 4 if cls is FeatureDistance else 1
    ctx = Context("gen", "maker", pairs=pairs, frozen=EYE)
    value, metrics, _ = cls(of="cycle")(ctx)
    assert {key: float(x) for key, x in metrics.items()} == {"a": scale * 3**power, "b": scale * 5**power}
    assert float(value) == scale * (3**power + 5**power)
    one, metrics, _ = cls(of="cycle/b")(ctx)
    assert float(one) == scale * 5**power and metrics == {}
    value, metrics, _ = Objective(LOSSES["none"], {"back": cls(weight=7.0, of="cycle")}).total(ctx, {}, {})
    assert float(value) == 7 * scale * (3**power + 5**power)
    assert metrics.keys() == {"gen/back", "gen/back_a", "gen/back_b", "gen/loss"}


def test_of_trees_the_leaves_count_alike():
    """Feature matching: a layer counts as another, whatever its size; by the maker's image, and not the critic's params."""
    pairs = {
        "features": ({"a": jnp.zeros((2, 3)), "b": jnp.zeros((2, 1))}, {"a": jnp.full((2, 3), 2.0), "b": jnp.ones((2, 1))})
    }
    assert float(L2(of="features")(Context("gen", "maker", pairs=pairs))[0]) == (4 + 1) / 2
    assert float(L1(of="features")(Context("gen", "maker", pairs=pairs))[0]) == (2 + 1) / 2


class Staged:
    """Two maps of a picture: its values, and twice its negative ones."""

    @staticmethod
    def features(variables, image):
        return image

    stages = Stages(("plain", "low"), lambda scale, image, name: image if name == "plain" else scale * jnp.minimum(image, 0))


@pytest.mark.parametrize(
    ("term", "distance"),
    [
        (FeatureDistance(stage="plain"), (1 + 4 + 9) / 4),
        (FeatureDistance(stage="low"), 4 * 4 / 4),
        (FeatureDistance(stage="plain", criterion="l1"), (1 + 2 + 3) / 4),
        (FeatureDistance(stage="low", criterion="l1"), 2 * 2 / 4),
        (FeatureDistance(criterion="l1"), (1 + 2 + 3) / 4),
    ],
)
def test_stages_of_an_extractor_are_compared(term, distance):
    want, got = jnp.zeros((1, 2, 2, 1)), jnp.array([1.0, -2.0, 3.0, 0.0]).reshape(1, 2, 2, 1)
    eye = {"eye": Frozen(Staged, jnp.float32(2))}
    value, _, _ = term(Context("gen", "maker", pairs={"image": (want, got)}, frozen=eye))
    assert float(value) == pytest.approx(distance)


@pytest.mark.parametrize(
    ("term", "network", "message"),
    [
        (FeatureDistance(stage="lo"), Staged, "frozen.eye has no stage 'lo'; did you mean 'low'?"),
        (FeatureDistance(stage="low"), Doubled, "compares the stage 'low', and frozen.eye has no stages; those that have "),
        (FeatureDistance(stage="stage_8"), SimpleNamespace(name="efficientnet_lite0", features=0), "did you mean 'stage_"),
        (FeatureDistance(), None, "feature_distance needs a network with features, and frozen.eye has none; an extractor"),
    ],
)
def test_networks_that_a_feature_distance_cannot_read(term, network, message):
    facts = Facts(None, {}, frozen={"eye": network})
    with pytest.raises(UserError) as caught:
        term.check(facts)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    FeatureDistance(stage="low").check(Facts(None, {}, frozen={"eye": Staged}))


# --- what an objective refuses ----------------------------------------------------------------------------------------

OFFERS = frozenset({"judged", "judged.answers", "pairs.image", "pairs.cycle/a", "pairs.cycle/b", "values"})
SIDES = {"disc": "critic", "gen": "maker"}


@pytest.mark.parametrize(
    ("terms", "sides", "message"),
    [
        (
            {"both": Consensus(every=2)},
            SIDES,
            "objective.terms.both belongs to both players and is never lazy; every=1",
        ),
        (
            {"r1": R1()},
            {"gen": "maker"},
            "objective.terms.r1 is of a critic, and task mine has none; --config.objective.terms.r1=none",
        ),
        ({"near": L1()}, {"disc": "critic"}, "objective.terms.near is of a maker, and task mine has none; --config"),
        (
            {"path": PathLength()},
            SIDES,
            "objective.terms.path needs 'path', which task mine does not have; --config.objective.terms.path=none",
        ),
        (
            {"consensus": Consensus()},
            SIDES,
            "needs 'gradients', which task mine does not have; --config.objective.terms.consensus=none",
        ),
        (
            {"near": L1(of="imgae")},
            SIDES,
            "objective.terms.near needs the pair 'imgae', which task mine does not have; did you mean 'image'?",
        ),
        ({"near": L1(of="cycle/c")}, SIDES, "needs the pair 'cycle/c', which task mine does not have; did you mean 'cycle/"),
        (
            {"lpips": FeatureDistance(net="vgg")},
            SIDES,
            "objective.terms.lpips needs a frozen network 'vgg'; --config.frozen.vgg.name=run, or an extractor's name",
        ),
    ],
)  # fmt: skip
def test_terms_that_a_task_cannot_serve(terms, sides, message):
    with pytest.raises(UserError) as caught:
        Objective(LOSSES["hinge"], terms).check(OFFERS, sides, {}, "mine")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_misspelt_frozen_network_is_told_the_nearest():
    with pytest.raises(UserError, match=r"needs a frozen network 'ey'; .*\(did you mean 'eye'\?"):
        Objective(LOSSES["hinge"], {"lpips": FeatureDistance(net="ey")}).check(OFFERS, SIDES, {"eye": None}, "mine")


def test_terms_that_a_task_can_serve():
    terms = {"r1": R1(), "a": L1(of="cycle"), "b": L2(of="cycle/b"), "c": FeatureDistance()}
    Objective(LOSSES["hinge"], terms).check(OFFERS, SIDES, {"eye": None}, "mine")
    Objective(LOSSES["hinge"], {"consensus": Consensus()}).check(OFFERS | {"gradients"}, SIDES, {}, "mine")
    named = SimpleNamespace(side="maker", every=1, needs=frozenset({"values.mean"}))  # which a generator may return
    Objective(LOSSES["hinge"], {"kl": named}).check(OFFERS, SIDES, {}, "mine")


def test_accuracies_and_logits_are_reported():
    metrics = total(Objective(LOSSES["hinge"]), context(linear))[1]
    real, fake = jnp.tensordot(REAL, W, 3), jnp.tensordot(FAKE, W, 3)
    assert np.isclose(metrics["disc/accuracy_real"], np.mean(real > 0))
    assert np.isclose(metrics["disc/accuracy_fake"], np.mean(fake <= 0))
    assert np.isclose(metrics["disc/real_logits"], real.mean(), atol=1e-6)
    assert np.isclose(metrics["disc/logit_gap"], real.mean() - fake.mean(), atol=1e-6)
    assert np.isclose(metrics["disc/ordered"], np.mean(real > fake))
    halves = total(Objective(LOSSES["lsgan"]), context(linear))[1]  # stands between 0 and 1
    assert np.isclose(halves["disc/accuracy_real"], np.mean(real > 0.5))
    assert "disc/accuracy_real" not in total(Objective(LOSSES["wasserstein"]), context(linear))[1]
