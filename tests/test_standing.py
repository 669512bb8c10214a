"""Standing statistics of BatchNorm, against means that are computed by hand."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import arrays, plan_of

from jaxgan import standing
from jaxgan.errors import UserError
from jaxgan.generate import make_draw, trained, truncated
from jaxgan.standing import Standing
from jaxgan.truncation import Truncation


class Net(nn.Module):
    """A dense layer, and BatchNorm with a momentum of its own, which a pass may move twice."""

    image_shape: tuple[int, ...]
    dtype: Any = jnp.float32
    momentum: float = 0.7
    twice: bool = False

    @nn.compact
    def __call__(self, z, label=None, *, train: bool, keys=None):
        x = nn.Dense(4)(z)
        norm = nn.BatchNorm(use_running_average=not train, momentum=self.momentum)
        self.variable("batch_stats", "w_avg", lambda: jnp.float32(3))
        y = norm(norm(x) if self.twice else x)
        y = nn.BatchNorm(use_running_average=True)(y)  # which never moves
        return jnp.tanh(nn.Dense(int(np.prod(self.image_shape)))(y)).reshape(len(z), *self.image_shape)


def statistics(state, plan, ema=True):
    return trained(plan, state, ema).players["gen"]["batch_stats"]


@pytest.mark.parametrize("cut", [None, Truncation("scale", 0.5), Truncation("resample", 0.5)])
def test_they_are_the_means_of_the_batches_statistics(cut):
    plan = plan_of("vanilla.py:nonsaturating", nets__gen__norm="batch")
    plan, state = truncated(plan, cut), plan.init(jax.random.key(0))
    after = Standing(plan, 3, 8)(state)
    nets = trained(plan, state, True)
    gen, found = nets.players["gen"]["params"], statistics(after, plan)
    z = make_draw(plan, "standing")(nets, np.arange(24, dtype=np.uint32))[1]["z"]
    dense = next(name for name in gen if name.startswith("Dense"))
    h = (np.asarray(z, np.float64) @ np.asarray(gen[dense]["kernel"], np.float64)).reshape(3, 8, -1)
    h = h + np.asarray(gen[dense].get("bias", 0.0))
    while "mean" not in found:
        found = found[sorted(found)[0]]
    np.testing.assert_allclose(found["mean"], h.mean(1).mean(0), atol=1e-5)
    np.testing.assert_allclose(found["var"], h.var(1).mean(0), atol=1e-5)


@pytest.mark.parametrize(("twice", "kept"), [(False, 0.7), (True, 0.49)])
def test_momentum_is_the_module_s_own_and_a_fixed_norm_stays(twice, kept):
    net, z = Net((4,), twice=twice), jax.random.normal(jax.random.key(0), (8, 3))
    variables = net.init(jax.random.key(0), z, train=False)

    def settle():
        return {"gen": net.apply(variables, z, train=True, mutable=["batch_stats"])[1]}

    factors, players = standing._moved(settle)
    assert factors == {("BatchNorm_0",): pytest.approx(kept)} and players == ("gen",)


def test_nothing_else_changes_and_the_same_request_gives_the_same_bits():
    plan = plan_of("dcgan.py")
    state = plan.init(jax.random.key(0))
    one, two, more = (arrays(Standing(plan, passes, 8)(state)) for passes in (2, 2, 3))
    before = arrays(state)
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    changed = {name for name in one if one[name].tobytes() != before[name].tobytes()}
    assert changed and all(name.startswith("ema.gen.model_state.batch_stats.") for name in changed)
    assert any(one[name].tobytes() != more[name].tobytes() for name in changed)
    raw = arrays(Standing(plan, 2, 8, ema=False)(state))
    changed = {name for name in raw if raw[name].tobytes() != before[name].tobytes()}
    assert changed and all(name.startswith("model_state.gen.batch_stats.") for name in changed)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("r3gan.py", "standing statistics are of BatchNorm, which this run's generator has not; leave them out"),
        ("stylegan_lite.py", "of BatchNorm, which this run's generator has not"),
        ("pix2pix.py", "standing statistics are of generators that start from noise"),
    ],
)
def test_generators_without_batch_norm_are_refused(spec, told):
    with pytest.raises(UserError, match=told):
        Standing(plan_of(spec), 2, 8)
