"""The step on a game small enough to play by hand: Dirac-GAN, f(theta, psi) = psi theta (Mescheder et al. 2018)."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxgan.state import NEVER, Aux, Update, init_state
from jaxgan.step import Parts, make_train_step

LR = 0.2


class Dirac:
    """The discriminator raises psi * theta - psi * x and the generator lowers it; x is the batch."""

    def loss(self, name, state, batch, keys, advance):
        psi, theta = state.params["disc"]["x"], state.params["gen"]["x"]
        memory = {"calls": state.memory["calls"] + 1}
        value = psi * (theta - jnp.mean(batch["x"]))
        if name == "lazy":
            return psi**2 / 2, Aux({"disc/lazy": psi}, memory=memory)
        if name == "nan":
            return jnp.nan * psi * theta, Aux({}, memory=memory)
        if name == "infinite":
            return value + jnp.inf, Aux({}, memory=memory)
        value = value if name == "disc" else -value
        return value, Aux({f"{name}/loss": value, f"{name}/draw": jax.random.uniform(keys.shared("draw"))}, memory=memory)


def play(updates, steps=1, simultaneous=False, x=None, ema_decay=0.5):
    tx = {player: optax.sgd(LR) for player in ("disc", "gen")}
    step = jax.jit(make_train_step(lambda inputs, step: Parts(Dirac(), tx, ema_decay), updates, simultaneous))
    variables = {player: {"params": {"x": jnp.float32(1)}} for player in tx}
    state, history = init_state(variables, {"calls": jnp.int32(0)}, ("gen",), tx, jax.random.key(0)), []
    batch = {"x": jnp.zeros((max(u.rounds for u in updates), 1)) if x is None else x}
    for _ in range(steps):
        state, metrics = step(state, batch, None)
        history.append(metrics)
    return state, history


def point(state):
    return float(state.params["disc"]["x"]), float(state.params["gen"]["x"])


DISC, GEN = Update("disc", "disc"), Update("gen", "gen")


def test_alternating_and_simultaneous():
    # The discriminator descends on psi theta, so psi <- psi - lr theta, then theta <- theta + lr psi'.
    assert point(play([DISC, GEN])[0]) == pytest.approx((0.8, 1 + LR * 0.8))
    assert point(play([DISC, GEN], simultaneous=True)[0]) == pytest.approx((0.8, 1 + LR))
    # And in the other order.
    assert point(play([GEN, DISC])[0]) == pytest.approx((1 - LR * 1.2, 1.2))


def test_simultaneous_updates_share_their_draws():
    _, [metrics] = play([DISC, GEN], simultaneous=True)
    assert metrics["disc/draw"] == metrics["gen/draw"]
    _, [metrics] = play([DISC, GEN])
    assert metrics["disc/draw"] != metrics["gen/draw"]


def test_rounds_go_through_the_batches_and_the_generator_gets_the_last():
    x = jnp.array([[1.0], [2.0], [4.0]])
    state, _ = play([DISC._replace(rounds=3)], x=x)
    assert point(state)[0] == pytest.approx(1 + LR * ((1 - 1) + (2 - 1) + (4 - 1)))
    _, [metrics] = play([GEN], x=x)
    assert float(metrics["gen/loss"]) == pytest.approx(4 - 1)
    _, [metrics] = play([DISC._replace(rounds=2)], x=x)
    assert float(metrics["disc/loss"]) == pytest.approx(((1 - 2) + (1 + LR) * (1 - 4)) / 2)  # the mean over rounds


def test_every_counts_its_own_update():
    lazy = Update("disc", "lazy", every=3)
    state, history = play([lazy], steps=7)
    assert point(state)[0] == pytest.approx((1 - LR) ** 3)  # at steps 0, 3 and 6
    assert [bool(np.isfinite(metrics["disc/lazy"])) for metrics in history] == [True, False, False] * 2 + [True]
    assert int(state.memory["calls"]) == 3


def test_averages_and_step_count():
    state, _ = play([GEN], steps=2, ema_decay=0.75)
    assert state.ema.keys() == {"gen"}
    thetas = [1 + LR, 1 + 2 * LR]
    assert float(state.ema["gen"]["params"]["x"]) == pytest.approx(0.75 * (0.75 + 0.25 * thetas[0]) + 0.25 * thetas[1])
    assert int(state.step) == 2


def test_first_bad_is_the_first_and_stays():
    state, _ = play([DISC, GEN])
    assert int(state.first_bad) == NEVER
    updates = [DISC, Update("gen", "nan", every=2), GEN]
    state, _ = play(updates, steps=4)
    assert int(state.first_bad) == 1  # step 0, update 1
    state, _ = play([DISC, GEN._replace(loss="nan")], x=jnp.ones((1, 1)), steps=2)
    assert divmod(int(state.first_bad), 2) == (0, 1)


@pytest.mark.parametrize("every", [1, 2])
def test_an_infinite_loss_is_seen_though_its_gradient_is_finite(every):
    state, [first, *_] = play([DISC, Update("gen", "infinite", every=every)], steps=3)
    assert divmod(int(state.first_bad), 2) == (0, 1)
    assert np.isfinite(point(state)).all() and "finite" not in first
