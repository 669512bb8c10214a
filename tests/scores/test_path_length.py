"""Perceptual path length against a finite step, as the paper takes it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_images, plan_of

from jaxgan.config.schedules import evaluate
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.keys import role_id, stream
from jaxgan.placement import Placement
from jaxgan.scores.of_run import RunEvaluator
from jaxgan.scores.path_length import path_length
from jaxgan.training.train import train

OPTIONS = {"eval__features__name": "random", "eval__metrics": "ppl", "eval__num_samples": 10, "eval__batch_size": 4}


def by_steps(plan, state, step=1e-3):
    """Squared distances of features over a small step, squared, of the same paths; in the middle of a step its error is of
    the second order."""
    task, network = plan.task(evaluate(plan.inputs.scalars, jnp.float32(0))), plan.extractor
    nets = {player: state.variables(player, player in state.ema) for player in state.params}
    root = jax.random.fold_in(jax.random.key(0), role_id("path_length"))
    keys = jax.vmap(lambda i: jax.random.fold_in(root, i))(jnp.arange(10))
    ends = [task.draw(stream(keys, which)) for which in ("from", "to")]
    if hasattr(task, "styles"):
        ends = [task.styles(nets, end) for end in ends]

    def features(t):
        image = jnp.clip(task.generate(nets, task.blend(*ends, jnp.full(10, t))), -1, 1)
        found = network.apply(network.variables, (image + 1) * 127.5)[0]
        return found / jnp.linalg.norm(found, axis=-1, keepdims=True)

    return float(jnp.mean(jnp.sum((features(step) - features(-step)) ** 2, -1)) / (2 * step) ** 2)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["stylegan_lite.py", "dcgan.py"])
def test_it_is_the_limit_of_small_steps(spec):
    plan = plan_of(spec, **OPTIONS)
    state = plan.init(jax.random.key(0))
    value = path_length(plan, state)
    assert value > 1e-6 and value == pytest.approx(by_steps(plan, state), rel=0.05)


@pytest.mark.slow
def test_a_run_is_scored_by_it(tmp_path):
    plan = plan_of("stylegan_lite.py", **OPTIONS, eval__every=4)
    train(plan, noise_images(), tmp_path)
    state = plan.init(jax.random.key(0))
    result = RunEvaluator(plan, noise_images(), Placement())(state, 0)
    assert list(result["scores"]) == ["ppl_random10"] and np.isfinite(result["scores"]["ppl_random10"]["value"])
    assert '"eval/ppl_random10": ' in (tmp_path / "metrics.jsonl").read_text()


def test_points_have_none():
    plan = plan_of("dcgan.py", **OPTIONS)
    plan.features = features_of((2,))
    with pytest.raises(UserError, match="ppl is of pictures"):
        path_length(plan, None)
