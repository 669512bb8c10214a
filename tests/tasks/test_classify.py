"""The classifier: its loss in closed form, what augmentation does to pictures, and data that it refuses."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_features, plan_of, tiny

from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.plan import Plan
from jaxgan.tasks.protocols import Generates, Predicts


def test_its_loss_is_the_cross_entropy_of_what_it_predicts():
    plan = plan_of("classifier.py", nets__net__norm="none", nets__net__dropout=0, task__augmentation="none")
    task, state = plan.task(), plan.init(jax.random.key(0))
    rng = np.random.default_rng(0)
    batch = {"image": jnp.asarray(rng.uniform(-1, 1, (8, 12, 12, 1)), jnp.float32), "label": jnp.arange(8) % 3}
    value, aux = task.loss("net", state, batch, Keys(state.rng, 0, 0, 0, 8), None)
    logits = np.asarray(task.predict({"net": state.variables("net")}, batch["image"]), float)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(value, -np.log(shares[np.arange(8), batch["label"]]).mean(), rtol=1e-5)
    np.testing.assert_allclose(aux.metrics["net/right"], np.mean(logits.argmax(1) == batch["label"]))
    assert plan.can(Predicts) and not plan.can(Generates)


def test_pictures_are_moved_a_little_each_in_its_own_way():
    task = plan_of("classifier.py", task__shift=0.2).task()
    x = jnp.zeros((12, 12, 1)).at[5:7, 5:7].set(1)
    still = replace(task, turn=0.0, stretch=0.0, shift=0.0)
    keys = jax.random.split(jax.random.key(1), 20)
    np.testing.assert_allclose(still._moved(x, keys[0]), x, atol=1e-6)
    rows = []
    for key in keys:
        moved = np.asarray(task._moved(x, key))[..., 0]
        rows.append(np.average(np.arange(12), weights=moved.sum(1)))
    assert np.ptp(rows) > 1 and all(abs(row - 5.5) < 0.2 * 12 + 0.5 for row in rows)


def test_dropout_is_of_training_alone():
    plan = plan_of("classifier.py", nets__net__dropout=0.9, nets__net__norm="none", nets__net__hidden=32)
    net, state = plan.task().net, plan.init(jax.random.key(0))
    x, variables = jnp.ones((4, 12, 12, 1)), state.variables("net")
    keys = lambda role: jax.random.split(jax.random.key(3), 4)  # noqa: E731
    trained, used = (np.asarray(net.apply(variables, x, train=train, keys=keys)) for train in (True, False))
    assert (trained != used).any() and (trained[0] != trained[1]).any()
    np.testing.assert_allclose(used, np.broadcast_to(used[0], used.shape), rtol=1e-5)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (features_of((12, 12, 1)), "learns labels, and the data have none"),
        (features_of((12, 12, 1), 7), "task.num_classes=10, but the data have 7 classes; --config.task.num_classes=7"),
        (features_of((12, 12, 1), 10, vector=True), "wants one class a picture, and the label is a vector of 10 attributes"),
        (features_of((2,), 10), "is of pictures, and these data are points"),
    ],
)
def test_data_that_it_refuses(features, message):
    with pytest.raises(UserError, match=message):
        Plan(tiny("classifier.py"), features)


def test_it_has_no_critic_and_no_objective():
    assert {"objective", "critic", "augment"} & set(tiny("classifier.py")) == set()
    assert Plan(tiny("classifier.py"), noise_features()).players == ("net",)
