"""Packs, instance noise and consensus, as a task's losses see them."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import devices, plan_of, tiny

from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets.dirac import Discriminator
from jaxgan.objectives import augment
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.sections import sections
from jaxgan.step import make_train_step
from jaxgan.tasks import critic
from jaxgan.tasks.adversarial import play
from jaxgan.training import budget


def task_of(plan):
    return plan.task(plan.inputs.scalars)


def judged(task, real, fake, net=None, variables=None):
    """A task's critic on images; by default one that returns what it is shown as its features."""
    net = net or Discriminator(jnp.float32)
    variables = variables or net.init(jax.random.key(0), task.critic.empty(1, real.shape[1:], "float32"), train=False)
    shown = {"real": {"image": real, "cond": None}, "fake": {"image": fake, "cond": None}}
    keys = Keys(jax.random.key(0), 0, 0, 0, len(real))
    return task.critic.judge(net, variables, shown, "", keys, {}, task.augment)[0]


def test_packs_are_adjacent_images_with_their_channels_side_by_side():
    task = task_of(plan_of("dcgan.py", critic__pack=2))
    images = jnp.arange(4 * 12 * 12).reshape(4, 12, 12, 1).astype(jnp.float32)
    one = judged(task, images, images[::-1])
    packs = one.real_out.features
    np.testing.assert_array_equal(one.real["image"], packs)  # the terms' examples are packs too
    np.testing.assert_array_equal(one.answers(one.real).features, packs)
    np.testing.assert_array_equal(one.fake_out.features[0, :, :, 0], images[3, :, :, 0])
    assert packs.shape == (2, 12, 12, 2)
    np.testing.assert_array_equal(packs[1, :, :, 0], images[2, :, :, 0])
    np.testing.assert_array_equal(packs[1, :, :, 1], images[3, :, :, 0])
    points = jnp.array([[1.0, 2], [3, 4], [5, 6], [7, 8]])
    np.testing.assert_array_equal(judged(task, points, points).real_out.features, [[1, 2, 3, 4], [5, 6, 7, 8]])


def dirac(batch_size=8, dims=2, **overrides):
    """A run of Dirac-GAN's networks on points."""
    config = tiny("toy.py:ring", batch_size=batch_size, data__points=40)
    changes = {f"nets.{net}.{key}": value for net in ("gen", "disc") for key, value in (("name", "dirac"), ("start", "0.7"))}
    changes |= {f"optim.{net}.name": "sgd" for net in ("gen", "disc")}
    changes |= {key.replace("__", "."): str(value) for key, value in overrides.items()}
    return Plan(resolve_config(config, list(changes.items()), sections), features_of((dims,)))


def stepped(plan, image):
    step = make_train_step(plan.assemble, plan.updates, plan.config.simultaneous)
    state = plan.init(jax.random.key(0))
    return state, *jax.jit(step)(state, {"image": image[None]}, plan.inputs)


@pytest.mark.slow
def test_penalties_act_on_packs():
    """A linear discriminator psi of a pack of three has the slope |psi|, over all of the pack's coordinates."""
    plan = dirac(batch_size=12, critic__pack=3, objective__terms__r1__weight=1, objective__terms__wgan_gp__weight=1)
    state, _, metrics = stepped(plan, jnp.ones((12, 2)))
    assert state.params["disc"]["psi"].shape == (6,)
    assert float(metrics["disc/r1"]) == pytest.approx(6 * 0.7**2 / 2, rel=1e-5)
    assert float(metrics["disc/wgan_gp_slope"]) == pytest.approx(np.sqrt(6) * 0.7, rel=1e-5)


def test_a_batch_that_packs_do_not_divide_is_refused():
    for pack, n in ((3, 1), (4, 4)):
        with pytest.raises(UserError, match=f"no whole groups of {pack}; .* does"):
            budget.check_batch(plan_of("dcgan.py", critic__pack=pack), Placement("shard_map", devices(n)))


def test_instance_noise_lies_on_all_that_the_discriminator_sees():
    task = task_of(plan_of("dcgan.py", critic__instance_noise=0.5))
    clean = jnp.zeros((64, 12, 12, 1))
    one = judged(task, clean, clean)
    noise = {"real": np.asarray(one.real_out.features), "fake": np.asarray(one.fake_out.features)}
    np.testing.assert_array_equal(one.answers(one.fake).features, noise["fake"])  # of one name the same draws
    for one in noise.values():
        assert one.std() == pytest.approx(0.5, rel=0.03) and abs(one.mean()) < 0.02
    assert abs(np.corrcoef(noise["real"].ravel(), noise["fake"].ravel())[0, 1]) < 0.05
    quiet = judged(task_of(plan_of("dcgan.py", critic__instance_noise=0)), clean, clean)
    np.testing.assert_array_equal(quiet.real_out.features, clean)
    assert "critic.instance_noise" in plan_of("dcgan.py", critic__instance_noise=0).inputs.scalars
    assert "critic.instance_noise" not in plan_of("dcgan.py").inputs.scalars  # none: not even zeros are added


@pytest.mark.slow
def test_the_generator_may_have_more_fakes_than_there_are_reals():
    """Its update alone; the first are those that it would have had, the others draws of their own."""
    overrides = {"nets__gen__name": "stylegan", "nets__gen__mapping": 1, "augment__name": "diffaugment"}
    overrides |= {"task__name": "style", "task__num_classes": 10, "nets__disc__name": "stylegan", "nets__disc__group": 1}
    batch = {"image": jax.random.normal(jax.random.key(1), (4, 12, 12, 1)), "label": jnp.array([1, 2, 3, 4])}
    keys, passes = Keys(jax.random.key(0), 0, 0, 0, 4), {}
    for times in (1, 2):
        plan = plan_of("dcgan.py", task__gen_batch=times, **overrides)
        task, state = task_of(plan), plan.init(jax.random.key(0))
        assert len(play(task, "disc", state, batch, keys, frozenset({"judged"}))[1][""].fake_out.logits) == 4
        making, answers, *_ = play(task, "gen", state, batch, keys, frozenset({"judged"}))
        passes[times] = (making.image, answers[""])
    (image, one), (images, two) = passes.values()
    assert images.shape[0] == len(two.fake_out.logits) == 8 and len(two.real_out.logits) == 4
    np.testing.assert_allclose(images[:4], image, atol=1e-5)
    np.testing.assert_allclose(two.fake_out.logits[:4], one.fake_out.logits, atol=1e-4)
    assert float(jnp.abs(images[4:] - images[:4]).max((1, 2, 3)).min()) > 1e-2
    np.testing.assert_array_equal(two.fake["cond"], [1, 2, 3, 4, 1, 2, 3, 4])
    with pytest.raises(UserError, match="pairs each fake with a real one: --config.task.gen_batch=1"):
        task_of(plan_of("dcgan.py", task__gen_batch=2, objective__loss="relativistic"))


@dataclass(frozen=True)
class Tripled(augment.Nothing):
    kinds = ("tripled",)

    def __call__(self, image, keys, memory):
        return 3 * image


def test_both_players_see_both_kinds_augmented_and_slopes_go_through_it():
    """Of a linear discriminator psi: logits of 3 x, slopes of 3 psi by x, in packs too."""
    penalties = {f"objective__terms__{name}__weight": 1e-9 for name in ("r1", "r2", "wgan_gp")}
    rest = {
        "objective__loss": "relativistic",
        "augment__name": f"{__name__}:Tripled",
        "optim__disc__lr": 1e-9,
        "critic__pack": 2,
    }
    _, _, metrics = stepped(dirac(**penalties, **rest), jnp.ones((8, 2)))
    real, fake = 3 * 4 * 0.7, 3 * 4 * 0.7 * 0.7
    assert float(metrics["disc/real_logits"]) == pytest.approx(real, rel=1e-5)
    assert float(metrics["disc/fake_logits"]) == pytest.approx(fake, rel=1e-5)
    assert float(metrics["disc/adversarial"]) == pytest.approx(np.log1p(np.exp(fake - real)), rel=1e-5)
    assert float(metrics["gen/adversarial"]) == pytest.approx(np.log1p(np.exp(real - fake)), rel=1e-5)
    for name in ("r1", "r2"):
        assert float(metrics[f"disc/{name}"]) == pytest.approx(4 * (3 * 0.7) ** 2 / 2, rel=1e-5)
    assert float(metrics["disc/wgan_gp_slope"]) == pytest.approx(2 * 3 * 0.7, rel=1e-5)


@pytest.mark.slow
def test_real_and_fake_are_augmented_apart_and_penalties_see_the_same():
    task = task_of(plan_of("dcgan.py", augment__name="diffaugment"))
    image = jax.random.normal(jax.random.key(1), (6, 12, 12, 1))
    shown = judged(task, image, image)
    real, fake = shown.real_out.features, shown.fake_out.features
    assert float(jnp.abs(real - fake).max()) > 0.1
    variables = task.init(jax.random.key(0))["disc"]
    one = judged(task, image, image, task.disc, variables)
    for examples, main, seen in ((one.real, one.real_out, real), (one.fake, one.fake_out, fake)):
        np.testing.assert_array_equal(examples["image"], image)
        out = critic.ask(task.disc, variables, {"image": seen, "cond": None})[0]
        np.testing.assert_allclose(main.logits, out.logits, rtol=1e-5)
        np.testing.assert_allclose(one.answers(examples).logits, out.logits, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("unroll", [1, 3])
def test_unrolled_steps_are_differentiated_and_not_taken(unroll):
    """Dirac-GAN by hand: the discriminator's slope after each step is a function of the generator's point."""
    lr, start = 0.3, 0.9
    changes = {"optim__gen__lr": lr, "optim__disc__lr": lr, "nets__gen__start": start, "dims": 1}
    _, plain, _ = stepped(dirac(**changes), jnp.zeros((8, 1)))
    plan = dirac(task__unroll=unroll, **changes)
    _, after, metrics = stepped(plan, jnp.zeros((8, 1)))
    psi = float(after.params["disc"]["psi"][0])
    assert psi == float(plain.params["disc"]["psi"][0])

    def loss(theta):
        ahead = psi
        for _ in range(unroll):
            ahead = ahead - lr * jax.nn.sigmoid(ahead * theta) * theta
        return jax.nn.softplus(-ahead * theta)

    expected, grad = jax.value_and_grad(loss)(start)
    assert float(metrics["gen/loss"]) == pytest.approx(float(expected), rel=1e-5)
    assert float(after.params["gen"]["theta"][0]) == pytest.approx(start - lr * float(grad), rel=1e-5)
    assert abs(float(after.params["gen"]["theta"][0] - plain.params["gen"]["theta"][0])) > 1e-3


@pytest.mark.slow
def test_unrolling_through_an_optimizer_without_a_derivative_at_0_is_refused():
    for name in ("adam", "rmsprop"):
        with pytest.raises(
            UserError, match=r"task.unroll differentiates through .*optim.disc.eps_root=1e-16 \(adam\) or sgd"
        ):
            plan_of("dcgan.py", task__unroll=2, optim__disc__name=name)
    plan = plan_of("dcgan.py", task__unroll=2, optim__disc__eps_root="1e-16")
    _, after, _ = stepped(plan, jnp.ones((8, 12, 12, 1)))  # all alike: many gradients are exactly 0
    assert int(after.first_bad) > 1000
    # Nothing of the steps that were looked at stays: not in the optimizer, nor in BatchNorm's statistics.
    _, plain, _ = stepped(plan_of("dcgan.py", optim__disc__eps_root="1e-16"), jnp.ones((8, 12, 12, 1)))
    for a, b in ((after.opt_state, plain.opt_state), (after.model_state, plain.model_state), (after.params, plain.params)):
        assert all(np.allclose(x, y, rtol=1e-6, atol=1e-9) for x, y in zip(*map(jax.tree.leaves, (a["disc"], b["disc"]))))


def test_diversity_is_of_what_the_generator_makes():
    """A generator that makes one point, whatever the discriminator is shown of it."""
    points = jax.random.normal(jax.random.key(1), (8, 2))
    assert float(stepped(dirac(critic__instance_noise=0.5, critic__pack=2), points)[2]["gen/diversity"]) == 0


@pytest.mark.parametrize("simultaneous", [True, False])
def test_consensus_descends_on_both_players_gradients(simultaneous):
    """Dirac-GAN by hand: v = (-psi s, theta s), s the logistic function of psi theta, and R = |v|^2 / 2 in both losses."""
    gamma, lr = 0.8, 0.1
    plan = dirac(
        dims=1, simultaneous=simultaneous, objective__loss="minimax", objective__terms__consensus__weight=gamma,
        optim__gen__lr=lr, optim__disc__lr=lr, nets__gen__start=0.9,
    )  # fmt: skip
    _, after, metrics = stepped(plan, jnp.zeros((8, 1)))

    def losses(theta, psi):
        s = lambda t, p: jax.nn.sigmoid(t * p)  # noqa: E731
        field = gamma / 2 * (psi**2 + theta**2) * s(theta, psi) ** 2
        return jax.nn.softplus(psi * theta) + field, -jax.nn.softplus(psi * theta) + field

    theta, psi = 0.9, 0.7
    new_psi = psi - lr * jax.grad(lambda p: losses(theta, p)[0])(psi)
    at = psi if simultaneous else new_psi
    new_theta = theta - lr * jax.grad(lambda t: losses(t, at)[1])(theta)
    assert float(after.params["disc"]["psi"][0]) == pytest.approx(float(new_psi), rel=1e-5)
    assert float(after.params["gen"]["theta"][0]) == pytest.approx(float(new_theta), rel=1e-5)
    field = (0.7**2 + 0.9**2) * float(jax.nn.sigmoid(0.63)) ** 2 / 2
    assert float(metrics["disc/consensus"]) == pytest.approx(field, rel=1e-5)
    later = (float(at) ** 2 + 0.9**2) * float(jax.nn.sigmoid(0.9 * at)) ** 2 / 2
    assert float(metrics["gen/consensus"]) == pytest.approx(later, rel=1e-5)
