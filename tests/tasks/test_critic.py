"""How critics are shown examples: real, fake and mismatched ones, in one batch or one after the other; several critics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_images, plan_of

from jaxgan import program
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets import dcgan
from jaxgan.objectives.augment import Nothing
from jaxgan.objectives.context import Context, by_example
from jaxgan.objectives.losses import LOSSES
from jaxgan.objectives.objective import Objective
from jaxgan.objectives.terms import R1, LeCam
from jaxgan.tasks.critic import Critic, ask
from jaxgan.tasks.networks import init
from jaxgan.tasks.unpaired import DOMAINS

SHAPE = (12, 12, 1)
IMAGES = {
    which: jax.random.normal(jax.random.key(i), (n, *SHAPE)) for i, (which, n) in enumerate((("real", 4), ("fake", 8)))
}
SHOWN = {which: {"image": x, "cond": None} for which, x in IMAGES.items()}
WRONG = {**SHOWN, "wrong": {"image": IMAGES["real"][::-1] + 1, "cond": None}}


def judge(shown, norm="none", **fields):
    net = dcgan.Discriminator(jnp.float32, num_classes=0, width=4, norm=norm)
    variables = init(net, jax.random.key(3), "disc", IMAGES["real"], None, train=False)
    keys = Keys(jax.random.key(0), 0, 0, 0, 4)
    return net, variables, *Critic(**fields).judge(net, variables, shown, "", keys, {}, Nothing())


@pytest.mark.parametrize("batches", ["separate", "joint"])
def test_mismatched_examples_are_a_leaf_of_the_fake_logits(batches):
    net, variables, judged, _ = judge(WRONG, batches=batches)
    alone = {which: ask(net, variables, one)[0] for which, one in WRONG.items()}
    assert judged.fake_out.logits.keys() == {"fake", "wrong"}
    np.testing.assert_allclose(judged.real_out.logits, alone["real"].logits, rtol=1e-5)
    for which in ("fake", "wrong"):
        np.testing.assert_allclose(judged.fake_out.logits[which], alone[which].logits, rtol=1e-5)
    np.testing.assert_allclose(judged.fake_out.features, alone["fake"].features, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(judged.fake["image"], IMAGES["fake"])
    plain = judge(SHOWN, batches=batches)[2]
    np.testing.assert_allclose(plain.fake_out.logits, alone["fake"].logits, rtol=1e-5)  # no tree without them


def test_mismatched_examples_are_half_of_what_a_critic_takes_for_fake():
    """Reed et al. 2016, algorithm 1: log D(real) + (log(1 - D(fake)) + log(1 - D(wrong))) / 2."""
    judged = judge(WRONG)[2]
    value, metrics, _ = Objective(LOSSES["nonsaturating"]).total(Context("disc", "critic"), {"": judged}, {"": {}})
    real, fakes = judged.real_out.logits, judged.fake_out.logits
    expected = jnp.mean(jax.nn.softplus(-real)) + sum(jnp.mean(jax.nn.softplus(x)) for x in fakes.values()) / 2
    assert float(value) == pytest.approx(float(expected), rel=1e-5)
    right = sum(float(np.mean(np.asarray(x) <= 0)) for x in fakes.values()) / 2
    assert float(metrics["disc/accuracy_fake"]) == pytest.approx(right) and "disc/logit_gap" not in metrics
    # Terms see fakes' and mismatched examples' mean, where they ask for one number an example.
    same = judge({**SHOWN, "fake": WRONG["wrong"], "wrong": WRONG["wrong"]})[2]
    np.testing.assert_allclose(by_example(same.fake_out.logits), same.fake_out.logits["wrong"], rtol=1e-5)


def test_joint_batches_share_their_statistics_and_separate_ones_come_in_turn():
    net, variables, joint, after = judge(WRONG, norm="batch", batches="joint")
    whole = {"image": jnp.concatenate([one["image"] for one in WRONG.values()]), "cond": None}
    out, moved = ask(net, variables, whole)
    np.testing.assert_allclose(joint.real_out.logits, out.logits[:4], rtol=1e-5)
    np.testing.assert_allclose(joint.fake_out.logits["wrong"], out.logits[12:], rtol=1e-5)
    assert after.keys() == {"batch_stats"}
    jax.tree.map(np.testing.assert_array_equal, after["batch_stats"], moved["batch_stats"])
    _, _, apart, after = judge(WRONG, norm="batch")
    turn = variables
    for which, one in WRONG.items():
        out, turn = ask(net, turn, one)
        logits = apart.real_out.logits if which == "real" else apart.fake_out.logits[which]
        np.testing.assert_allclose(logits, out.logits, rtol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, after["batch_stats"], turn["batch_stats"])


def test_answers_are_float32_differentiable_and_move_nothing():
    net = dcgan.Discriminator(jnp.bfloat16, num_classes=0, width=4, norm="batch")
    variables = init(net, jax.random.key(3), "disc", IMAGES["real"], None, train=False)
    keys = Keys(jax.random.key(0), 0, 0, 0, 4)
    judged, _ = Critic().judge(net, variables, SHOWN, "", keys, {}, Nothing())
    exact = ask(net.clone(dtype=jnp.float32), variables, SHOWN["real"])[0].logits
    np.testing.assert_allclose(judged.answers(judged.real).logits, exact, rtol=1e-5)
    assert 0 < float(jnp.abs(judged.real_out.logits - exact).max()) < 0.1  # the main pass is in bfloat16
    slope = jax.grad(lambda x: jnp.sum(judged.answers({**judged.real, "image": x}).logits))(IMAGES["real"])
    assert slope.dtype == jnp.float32 and float(jnp.abs(slope).max()) > 0


def test_critics_of_one_task_have_draws_of_their_own():
    """A suffix names another stream of the same round."""
    net = dcgan.Discriminator(jnp.float32, num_classes=0, width=4, norm="none")
    variables = init(net, jax.random.key(3), "disc", IMAGES["real"], None, train=False)
    keys = Keys(jax.random.key(0), 0, 0, 0, 4)
    logits = {}
    for suffix in ("", "/a", "/b"):
        judged, _ = Critic(instance_noise=0.5).judge(net, variables, SHOWN, suffix, keys, {}, Nothing())
        logits[suffix] = np.asarray(judged.real_out.logits)
        np.testing.assert_allclose(judged.answers(judged.real).logits, logits[suffix], rtol=1e-5)
    assert all((logits[one] != logits[other]).all() for one, other in (("", "/a"), ("/a", "/b"), ("", "/b")))


def test_two_critics_of_a_task():
    """CycleGAN's: R1 and LeCam of each domain by hand, and each critic's memory under its name."""
    terms = {f"objective__terms__{name}__weight": weight for name, weight in (("r1", 3.0), ("lecam", 2.0))}
    plan = plan_of("cyclegan.py", nets__disc__norm="none", task__pool=0, **terms)
    images = noise_images(plan=plan)
    batch = program.make_batch(plan, images)(jnp.int32(0), images.load(), plan.inputs.order)
    batch = jax.tree.map(lambda x: x[0], batch)
    task, state, keys = plan.task(), plan.init(jax.random.key(0)), Keys(jax.random.key(0), 0, 0, 0, len(batch["image"]))
    assert task.critics == ("a", "b")
    names = {f"{domain}/lecam/{x}" for domain in "ab" for x in ("real", "fake", "begun")}
    assert names <= state.memory.keys() and not any(name.startswith("lecam/") for name in state.memory)
    fakes = {domain: jnp.tanh(batch[feature][::-1] + 0.3) for domain, feature in DOMAINS.items()}
    shown = {f"shown/{domain}": x for domain, x in fakes.items()}
    began = {f"{domain}/lecam/{x}": jnp.float32(1 + i) for i, domain in enumerate("ab") for x in ("real", "fake", "begun")}
    state = state.replace(memory={**state.memory, **shown, **began})
    value, aux = jax.jit(lambda state, batch: task.loss("disc", state, batch, keys, None))(state, batch)
    expected, told = 0.0, {"r1": 0.0, "lecam": 0.0}
    for i, (domain, feature) in enumerate(DOMAINS.items()):
        own = {name: tree[domain] for name, tree in state.variables("disc").items()}
        answers = lambda image, own=own: ask(task.disc, own, {"image": image, "cond": None})[0].logits  # noqa: E731
        real, fake = answers(batch[feature]), answers(fakes[domain])
        slope = jax.grad(lambda x, answers=answers: jnp.sum(answers(x)))(batch[feature])
        r1 = float(jnp.sum(slope**2)) / len(slope) / 2
        real_mean, fake_mean = (1 + i + 0.01 * (float(x.mean()) - 1 - i) for x in (real, fake))
        one = {"real": by_example(real), "fake": by_example(fake)}
        lecam = float(jnp.mean((one["real"] - fake_mean) ** 2) + jnp.mean((one["fake"] - real_mean) ** 2))
        expected += float(jnp.mean((real - 1) ** 2) / 2 + jnp.mean(fake**2) / 2) + 3 * r1 + 2 * lecam
        told["r1"], told["lecam"] = told["r1"] + r1 / 2, told["lecam"] + lecam / 2
        assert float(aux.memory[f"{domain}/lecam/real"]) == pytest.approx(real_mean, rel=1e-4)
    assert float(value) == pytest.approx(expected, rel=1e-4)
    assert float(aux.metrics["disc/loss"]) == pytest.approx(expected / 2, rel=1e-4)
    for name, x in told.items():
        assert float(aux.metrics[f"disc/{name}"]) == pytest.approx(x, rel=1e-3)
    assert aux.memory.keys() == names and aux.model_state == {}


@pytest.mark.parametrize("spec", ["dcgan.py", "pix2pix.py"])
@pytest.mark.parametrize("every", [1, 2])
def test_feature_matching(spec, every):
    """The distance between a critic's hidden layers of real and fake, by the generator's params; as a lazy term too."""
    term = {"name": "l2", "of": "features", "weight": 5.0, "every": every}
    own = {f"objective__terms__matching__{key}": x for key, x in term.items()}
    own |= {"objective__terms__l1": "none"} if spec == "pix2pix.py" else {}
    plan = plan_of(spec, nets__disc__norm="none", **own)
    images = noise_images(plan=plan)
    batch = program.make_batch(plan, images)(jnp.int32(0), images.load(), plan.inputs.order)
    batch = jax.tree.map(lambda x: x[0], batch)
    task, state, keys = plan.task(), plan.init(jax.random.key(0)), Keys(jax.random.key(0), 0, 0, 0, len(batch["image"]))
    name = "gen" if every == 1 else "term/matching"

    def loss(params):
        at = state.replace(params={**state.params, "gen": params})
        return task.loss(name, at, batch, keys, None)

    (value, aux), slope = jax.jit(jax.value_and_grad(loss, has_aux=True))(state.params["gen"])
    making = task.make("gen", state, batch, keys, frozenset({"judged"}))
    net, variables, shown = task.shown(making, state, batch)[""]
    outs = {which: ask(net, variables, one)[0] for which, one in shown.items()}
    distance = float(jnp.mean((outs["real"].features - outs["fake"].features) ** 2))
    assert distance > 0 and float(aux.metrics["gen/matching"]) == pytest.approx(distance, rel=1e-4)
    rest = float(jnp.mean(jax.nn.softplus(-outs["fake"].logits))) if every == 1 else 0
    assert float(value) == pytest.approx(rest + 5 * every * distance, rel=1e-4)
    assert max(float(jnp.abs(x).max()) for x in jax.tree.leaves(slope)) > 0


def test_only_the_objective_makes_a_maker_ask_its_critic():
    objective = Objective(LOSSES["none"], {"r1": R1(), "lecam": LeCam()})
    assert objective.wants("maker") == frozenset() and not objective.has_update("maker")
    with pytest.raises(UserError, match="leaves nothing to train by"):
        plan_of("dcgan.py", objective__loss="none")


@pytest.mark.parametrize("term", ["r1", "consensus"])
def test_terms_that_ask_for_what_nobody_trains_are_refused(term):
    """Without an adversarial loss the generator is not trained, has no params, and makes nothing to judge."""
    with pytest.raises(UserError, match=f"objective.terms.{term}"):
        plan_of("dcgan.py", objective__loss="none", **{f"objective__terms__{term}__weight": 1})
