"""GANomaly: both losses in closed form, its score by running statistics, and what it can do."""

import jax
import jax.numpy as jnp
import numpy as np
from helpers import plan_of

from jaxgan.keys import Keys
from jaxgan.tasks import critic, networks
from jaxgan.tasks.networks import part
from jaxgan.tasks.protocols import FindsAnomalies, Generates, Shows

SPEC = "ganomaly.py"


def parts(n=8, **overrides):
    plan = plan_of(SPEC, **overrides)
    rng = np.random.default_rng(0)
    batch = {"image": jnp.asarray(rng.uniform(-1, 1, (n, 12, 12, 1)), jnp.float32)}
    state = plan.init(jax.random.key(0))
    return plan.task(), state, batch, Keys(state.rng, 0, 0, 0, n)


def test_the_makers_loss_has_three_terms_and_no_adversarial_half():
    task, state, batch, keys = parts()
    value, aux = jax.jit(lambda s, b: task.loss("gen", s, b, keys, None))(state, batch)
    own, x = state.variables("gen"), batch["image"]
    z, _ = networks.run(task.enc, part(own, "enc"), x, train=True)
    again, _ = networks.run(task.dec, part(own, "dec"), z, None, train=True)
    second, _ = networks.run(task.enc, part(own, "enc2"), again, train=True)
    real, fake = (critic.ask(task.disc, state.variables("disc"), {"image": i, "cond": None})[0].features for i in (x, again))
    image, latent, features = jnp.mean(jnp.abs(x - again)), jnp.mean((z - second) ** 2), jnp.mean((real - fake) ** 2)
    np.testing.assert_allclose(value, 50 * image + latent + features, rtol=1e-4)
    assert "gen/adversarial" not in aux.metrics
    moved = aux.model_state["gen"]["batch_stats"]
    before = state.model_state["gen"]["batch_stats"]
    for name in ("enc", "dec", "enc2"):
        assert any((a != b).any() for a, b in zip(*map(jax.tree.leaves, (moved[name], before[name])), strict=True)), name


def test_the_discriminator_s_loss_is_both_cross_entropies_of_the_same_reconstructions():
    task, state, batch, keys = parts()
    value, aux = jax.jit(lambda s, b: task.loss("disc", s, b, keys, None))(state, batch)
    wants = frozenset({"judged"})
    again = task.make("gen", state, batch, keys, wants).image
    shown = task.make("disc", state, batch, keys, wants).images[""]
    np.testing.assert_array_equal(again, shown)
    logits = [critic.ask(task.disc, state.variables("disc"), {"image": i, "cond": None})[0].logits
              for i in (batch["image"], again)]  # fmt: skip
    probability = [jax.nn.sigmoid(x) for x in logits]
    np.testing.assert_allclose(value, -jnp.mean(jnp.log(probability[0])) - jnp.mean(jnp.log(1 - probability[1])), rtol=1e-4)
    assert list(aux.model_state) == ["disc"]


def test_its_score_is_the_gap_of_codes_by_running_statistics():
    task, state, batch, keys = parts()
    moved = task.loss("gen", state, batch, keys, None)[1].model_state["gen"]
    own = {"params": state.params["gen"], **moved}
    whole, alone = (task.anomalies({"gen": own}, batch["image"][:n]) for n in (8, 1))
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(a[:1], b, rtol=1e-4, atol=1e-6)
    again = task.generate({"gen": own}, {"image": batch["image"], **task.draw(keys("noise"))})
    z, _ = networks.run(task.enc, part(own, "enc"), batch["image"], train=False)
    second, _ = networks.run(task.enc, part(own, "enc2"), again, train=False)
    np.testing.assert_allclose(whole.score, jnp.mean((z - second) ** 2, 1), rtol=1e-5)
    np.testing.assert_array_equal(whole.score, whole.parts["latent"])
    np.testing.assert_allclose(whole.parts["image"], jnp.mean((batch["image"] - again) ** 2, (1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(whole.map, jnp.abs(batch["image"] - again)[..., 0], atol=1e-6)


def test_its_encoders_are_two_of_one_section():
    plan = plan_of(SPEC)
    state = plan.init(jax.random.key(0))
    first, second = (jax.tree.leaves(state.params["gen"][name]) for name in ("enc", "enc2"))
    assert [x.shape for x in first] == [x.shape for x in second]
    assert any((a != b).any() for a, b in zip(first, second))
    assert all(plan.can(one) for one in (FindsAnomalies, Generates, Shows)) and plan.run.simultaneous


def test_colour_is_shown_beside_a_grey_map():
    plan = plan_of(SPEC)
    task, state, batch, _ = parts()
    shown = task.show({"gen": state.variables("gen")}, batch)
    assert list(shown) == ["image", "reconstruction", "map"] and {x.shape for x in shown.values()} == {(8, 12, 12, 1)}
    assert plan.given == ("image",) and all(float(jnp.abs(x).max()) <= 1 for x in shown.values())
