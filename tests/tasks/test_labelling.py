"""Labels of fakes, and what does not fit together about labels."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import arrays, noise_features, tiny

from jaxgan.data.features import Feature
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.plan import Plan
from jaxgan.step import make_train_step


def plan_of(spec="cgan.py:projection", label=None, **overrides) -> Plan:
    config = tiny(spec, **overrides)
    features = noise_features(config)
    return Plan(config, features | ({"label": label} if label else {}))


def made_labels(plan: Plan, player="gen") -> tuple[np.ndarray, np.ndarray]:
    """(labels of a batch, those of the fakes that a player's update makes for it)."""
    task, state = plan.task(), plan.init(jax.random.key(0))
    batch = {"image": jnp.zeros((64, 12, 12, 1)), "label": jnp.arange(64) % 2}
    making = task.make(player, state, batch, Keys(jax.random.key(1), 0, 0, 0, 64), frozenset({"judged"}))
    shown = task.shown(making, state, batch)[""][2]
    np.testing.assert_array_equal(shown["real"]["cond"], batch["label"])
    np.testing.assert_array_equal(shown["fake"]["cond"], shown["fake"]["label"])
    return np.asarray(batch["label"]), np.asarray(shown["fake"]["cond"])


def test_fakes_have_the_labels_of_the_batch_or_labels_of_their_own():
    real, fake = made_labels(plan_of(task__fake_labels="batch"))
    np.testing.assert_array_equal(real, fake)
    _, fake = made_labels(plan_of(task__fake_labels="uniform"))
    assert set(fake) == set(range(10))
    weights = "(0,0,0,1,0,0,0,0,0,3)"
    _, fake = made_labels(plan_of(task__fake_labels="weights", task__fake_weights=weights))
    assert set(fake) == {3, 9} and 0.6 < np.mean(fake == 9) < 0.9
    _, twice = made_labels(plan_of(task__fake_labels="uniform", task__gen_batch=2))
    assert len(twice) == 128 and (twice[:64] != twice[64:]).any()


def test_samples_have_labels_by_the_same_shares():
    keys = jax.random.split(jax.random.key(0), 2000)
    drawn = plan_of(task__fake_labels="weights", task__fake_weights="(0,0,0,1,0,0,0,0,0,3)").task().draw(keys)["label"]
    assert drawn.dtype == jnp.int32 and set(np.asarray(drawn)) == {3, 9}
    assert float(jnp.mean(drawn == 9)) == pytest.approx(0.75, abs=0.04)
    uniform = plan_of(task__fake_labels="batch").task().draw(keys)["label"]
    np.testing.assert_allclose(np.bincount(uniform, minlength=10) / 2000, 0.1, atol=0.03)


def test_attributes_are_vectors():
    label = Feature("label", (3,), np.int32, classes=3)
    plan = plan_of("cgan.py:acgan", label, task__num_classes=3)
    drawn = np.asarray(plan.task().draw(jax.random.split(jax.random.key(0), 500))["label"])
    assert drawn.shape == (500, 3) and set(np.unique(drawn)) == {0, 1}
    step = jax.jit(make_train_step(plan.assemble, plan.updates))
    batch = {"image": jnp.zeros((1, 8, 12, 12, 1)), "label": jnp.zeros((1, 8, 3), jnp.int32)}
    _, metrics = step(plan.init(jax.random.key(0)), batch, plan.inputs)
    assert np.isfinite(float(metrics["gen/acgan"])) and 0 <= float(metrics["gen/acgan_accuracy"]) <= 1


@pytest.mark.parametrize(
    ("overrides", "answer"),
    [
        ({"nets__disc__head": "auxiliary"}, "learns labels by a term, and there is none; --config.objective.terms.acgan"),
        ({"objective__terms__acgan__weight": 1}, "reads a head of its own: --config.nets.disc.head=auxiliary"),
        ({"objective__terms__contrast__weight": 1}, "reads a head of its own: --config.nets.disc.head=contrast"),
        ({"task__fake_labels": "weights"}, "task.fake_weights goes with"),
        ({"task__fake_labels": "weights", "task__fake_weights": "(1,2)"}, "wants 10 numbers, one a class, and not all 0"),
        ({"task__num_classes": 0}, "task.fake_labels=uniform is of labels"),
        ({"task__num_classes": 7}, "the data set has labels of 10 classes; --config.task.num_classes=10"),
        ({"nets__gen__name": "dirac", "nets__disc__name": "dirac"}, "takes no labels; dcgan, for one, does"),
        ({"nets__gen__norm": "none"}, "choose nets.gen.cond=concat"),
        ({"task__fake_labels": "data"}, "needs to know how often each class occurs"),
        ({"critic__pack": 2}, "a pack of images has no label of its own"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_in_one_line(overrides, answer):
    with pytest.raises(UserError) as error:
        plan_of(**overrides)
    assert answer in str(error.value) and "\n" not in str(error.value)


def test_shares_of_the_data_are_those_of_the_fakes():
    shares = (0.0, 0.9, 0.1) + (0.0,) * 7
    label = dataclasses.replace(noise_features()["label"], shares=shares)
    _, fake = made_labels(plan_of(label=label, task__fake_labels="data"))
    assert set(fake) <= {1, 2} and np.mean(fake == 1) > 0.7


def test_averages_of_a_spectral_generator_have_norms_of_their_own():
    """An average of unit vectors is shorter than one, and would make every kernel larger."""
    plan = plan_of("biggan.py", nets__gen__attention=0, nets__disc__attention=0)
    state, _ = trained(plan)
    kept = [x for name, x in arrays(state).items() if name.startswith("ema.gen.model_state.spectral")]
    assert kept
    for u in kept:
        assert np.linalg.norm(u) == pytest.approx(1, abs=1e-5)


def trained(plan, steps=3):
    step = jax.jit(make_train_step(plan.assemble, plan.updates))
    state, metrics = plan.init(jax.random.key(0)), {}
    rng = np.random.default_rng(0)
    for _ in range(steps):
        image = jnp.asarray(rng.uniform(-1, 1, (plan.rounds, 8, 12, 12, 1)), jnp.float32)
        label = jnp.asarray(rng.integers(0, 10, (plan.rounds, 8)), jnp.int32)
        state, metrics = step(state, {"image": image, "label": label}, plan.inputs)
    return state, metrics
