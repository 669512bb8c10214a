"""f-AnoGAN's second stage: its losses in closed form, its scores, what it leaves alone, and runs that it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_features, plan_of, tiny

from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.plan import Donor, Plan
from jaxgan.tasks import networks
from jaxgan.tasks.protocols import Describes, FindsAnomalies, Generates, Shows

FIRST = "fanogan.py:wgan"


def donor(spec=FIRST, players=None, **overrides):
    """A frozen network of an untrained run; normal params in the place of small ones, so that all of it counts."""
    plan = plan_of(spec, **overrides)
    state = jax.device_get(plan.init(jax.random.key(5)).replace(rng=None))
    found = {player: state.variables(player) for player in players or plan.players}
    return Donor(plan.task, found, {"title": "a test's"})


def plan(variant="izif", first=None, **overrides):
    return Plan(tiny(f"fanogan.py:{variant}", **overrides), noise_features(), {"first": first or donor()})


def parts(plan, n=8):
    rng = np.random.default_rng(0)
    batch = {"image": jnp.asarray(rng.uniform(-1, 1, (n, 12, 12, 1)), jnp.float32)}
    state = plan.init(jax.random.key(0))
    return plan.task(), state, batch, Keys(state.rng, 0, 0, 0, n)


def test_izif_is_the_images_residual_and_kappa_times_that_of_features():
    task, state, batch, keys = parts(plan(objective__terms__features__weight=7, nets__enc__norm="none"))
    value, aux = jax.jit(lambda s, b: task.loss("enc", s, b, keys, None))(state, batch)
    first, variables = task.frozen["first"]
    z = networks.run(task.enc, state.variables("enc"), batch["image"], train=False)[0]
    again = first.gen.apply(variables["gen"], z, None, train=False)
    see = lambda x: first.disc.apply(variables["disc"], x, None, train=False).features  # noqa: E731
    image, features = jnp.mean((batch["image"] - again) ** 2), jnp.mean((see(batch["image"]) - see(again)) ** 2)
    assert float(features) > 0
    np.testing.assert_allclose(value, image + 7 * features, rtol=1e-5)
    np.testing.assert_allclose(aux.metrics["enc/image"], image, rtol=1e-5)
    np.testing.assert_allclose(aux.metrics["enc/features"], features, rtol=1e-5)
    found = task.anomalies({"enc": state.variables("enc")}, batch["image"])
    np.testing.assert_allclose(jnp.mean(found.parts["image"]), image, rtol=1e-5)
    np.testing.assert_allclose(jnp.mean(found.parts["features"]), features, rtol=1e-5)


def test_izi_has_the_images_residual_alone():
    task, state, batch, keys = parts(plan("izi"))
    value, aux = task.loss("enc", state, batch, keys, None)
    assert {name for name in aux.metrics if name != "enc/loss"} == {"enc/image"} and task.kappa == 0
    assert float(value) == float(aux.metrics["enc/image"])
    found = task.anomalies({"enc": state.variables("enc")}, batch["image"])
    np.testing.assert_array_equal(found.score, found.parts["image"])


def test_ziz_never_sees_a_real_image():
    task, state, batch, keys = parts(plan("ziz", nets__enc__norm="none"))
    value, aux = task.loss("enc", state, batch, keys, None)
    other, _ = task.loss("enc", state, {"image": -batch["image"]}, keys, None)
    assert float(value) == float(other)
    first, variables = task.frozen["first"]
    z = first.draw(keys("z"))["z"]
    image = first.gen.apply(variables["gen"], z, None, train=False)
    code = networks.run(task.enc, state.variables("enc"), image, train=False)[0]
    np.testing.assert_allclose(value, jnp.mean((z - code) ** 2), rtol=1e-5)


def test_a_score_is_of_one_image_and_in_evaluation_mode():
    """BatchNorm in all three networks, and yet the others in the batch change nothing: the published trap."""
    first = donor(nets__gen__norm="batch", nets__disc__norm="batch", objective__terms__wgan_gp="none")
    task, state, batch, keys = parts(plan(first=first))
    moved = task.loss("enc", state, batch, keys, None)[1].model_state["enc"]
    assert any((a != b).any() for a, b in zip(*map(jax.tree.leaves, (moved, state.model_state["enc"]))))
    variables = {"enc": {"params": state.params["enc"], **moved}}
    whole, alone = (task.anomalies(variables, batch["image"][:n]) for n in (8, 1))
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(a[:1], b, rtol=1e-4, atol=1e-5)
    assert set(whole.parts) == {"image", "features", "latent"} and whole.score.shape == (8,)
    assert whole.map is not None and whole.map.shape == (8, 12, 12)
    np.testing.assert_allclose(whole.score, whole.parts["image"] + whole.parts["features"], rtol=1e-5)
    again = task.generate(variables, {"image": batch["image"], **task.draw(keys("noise"))})
    np.testing.assert_allclose(whole.reconstruction, again, atol=1e-6)
    np.testing.assert_allclose(whole.map, jnp.abs(batch["image"] - again)[..., 0], atol=1e-6)
    code, second = (networks.run(task.enc, variables["enc"], x, train=False)[0] for x in (batch["image"], again))
    np.testing.assert_allclose(whole.parts["latent"], jnp.mean(jnp.abs(code - second), 1), rtol=1e-4)


def test_what_it_can_do_and_show():
    made = plan()
    assert all(made.can(one) for one in (FindsAnomalies, Generates, Shows)) and made.given == ("image",)
    assert made.players == ("enc",) and not made.can(Describes)
    assert plan_of(FIRST).can(Describes)
    task, state, batch, _ = parts(made)
    shown = task.show({"enc": state.variables("enc")}, batch)
    assert list(shown) == ["image", "reconstruction", "map"] and {x.shape for x in shown.values()} == {(8, 12, 12, 1)}


def test_a_term_may_be_lazy():
    made = plan(objective__terms__features__every=3)
    assert [(update.loss, update.every) for update in made.updates] == [("enc", 1), ("term/features", 3)]


@pytest.mark.parametrize(
    "first, answer",
    [
        ({"spec": "classifier.py"}, "a Classify lacks what task.name=encode asks of it: blend, draw, generate, given"),
        ({"players": ("gen",)}, r"frozen.first has no discriminator \('disc'\)"),
        ({"players": ("disc",)}, r"frozen.first has no generator \('gen'\)"),
        ({"task__z_dim": 7}, "the generator of frozen.first has a z of 7; --config.task.z_dim=7"),
        ({"spec": "cgan.py:projection"}, "frozen.first is told labels"),
        ({"critic__pack": 2}, "judges 2 images together, and a score is of one"),
        ({"spec": "dcgan.py", "nets__disc__minibatch": "stddev"}, "judges 4 images together, and a score is of one"),
    ],
)
def test_first_runs_that_it_refuses(first, answer):
    with pytest.raises(UserError, match=answer):
        plan(first=donor(**first))


def test_an_adversarial_loss_and_terms_of_a_critic_are_refused():
    with pytest.raises(UserError, match="trains an encoder by terms alone: --config.objective.loss=none"):
        plan(objective__loss="hinge")
    with pytest.raises(UserError, match="objective.terms.r1 "):
        plan(objective__terms__r1__weight=1)


def test_without_a_first_run_it_says_so():
    with pytest.raises(UserError, match="task.name=encode needs a frozen network 'first'"):
        Plan(tiny("fanogan.py:izi"), features_of((12, 12, 1)))
