import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.data.order import choice, coin, example_index, places, positions, seed_key, stream_key, turn


@pytest.mark.parametrize("size", [1, 2, 3, 7, 48, 4000, 60000])
def test_an_epoch_shows_each_example_once(size):
    for epoch in (0, 3):
        seen = example_index(np.arange(size) + epoch * size, size, seed_key(0))
        np.testing.assert_array_equal(np.sort(seen), np.arange(size))


def test_epochs_and_seeds_have_orders_of_their_own():
    epochs = {
        (seed, e): tuple(example_index(np.arange(50) + 50 * e, 50, seed_key(seed))) for seed in range(4) for e in range(4)
    }
    assert len(set(epochs.values())) == 16


def test_the_order_looks_random():
    order = example_index(np.arange(4000), 4000, seed_key(0)).astype(float)
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.05
    assert abs(np.corrcoef(order, np.arange(4000))[0, 1]) < 0.05


@pytest.mark.parametrize("size", [1, 48, 4000])
def test_numpy_and_jit_give_the_same_bits(size):
    at = np.concatenate([np.arange(5000), [2**31 - 1, 2**31, 2**32 - 1]]).astype(np.uint32)
    jitted = jax.jit(lambda at: example_index(at, size, seed_key(3), jnp))(at)
    np.testing.assert_array_equal(example_index(at, size, seed_key(3)), jitted)


def test_each_stream_has_an_order_of_its_own():
    """The main one's is the run's; others' are independent of it and of each other, under numpy and in a trace."""
    keys = [seed_key(seed) for seed in range(200)]
    found = {name: [int(stream_key(name, key)) for key in keys] for name in ("main", "source", "text", "mask")}
    assert found["main"] == keys and len({key for own in found.values() for key in own}) == 4 * 200
    assert stream_key("main", keys[3]) is keys[3]
    for name, own in found.items():
        jitted = jax.jit(lambda key, name=name: stream_key(name, key, jnp))
        assert [int(jitted(np.uint32(key))) for key in keys[:20]] == own[:20]
    orders = [example_index(np.arange(4000), 4000, own[0]).astype(float) for own in found.values()]
    correlations = np.corrcoef(orders)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 0.05  # three standard deviations of 4,000
    # What older runs had: their batches stay theirs.
    assert [int(stream_key("source", key)) for key in (0, 1, 2**32 - 1)] == [3651860435, 2916906684, 2113920734]


def test_positions_tile_the_steps():
    at = np.concatenate([positions(step, 2, 4, np.arange(4)).reshape(-1) for step in range(3)])
    np.testing.assert_array_equal(at, np.arange(24))
    np.testing.assert_array_equal(positions(1, 2, 4, np.array([1, 3])), [[9, 11], [13, 15]])
    np.testing.assert_array_equal(positions(jnp.int32(1), 2, 4, jnp.array([1, 3]), jnp), [[9, 11], [13, 15]])


def test_the_choice_is_fair_fresh_in_each_epoch_and_the_same_everywhere():
    at, key = np.arange(8000, dtype=np.uint32), seed_key(0)
    found = choice(at, key, 5)
    assert np.abs(np.bincount(found, minlength=5) / 8000 - 0.2).max() < 0.02
    others = (found[:4000], coin(at, key), example_index(at, 8000, key), *places(at, key, 8), turn(at, key))
    for other in others:  # of an earlier epoch, and other draws
        assert abs(np.corrcoef(found[-len(other) :], other)[0, 1]) < 0.05
    assert choice(np.array([2**32 - 1]), key, 5) < 5 and not choice(at, key, 1).any()
    np.testing.assert_array_equal(found, jax.jit(lambda at: choice(at, seed_key(0), 5, jnp))(at))


def test_the_coin_is_fair_fresh_in_each_epoch_and_the_same_everywhere():
    at = np.arange(8000, dtype=np.uint32)
    heads = coin(at, seed_key(0))
    assert abs(heads.mean() - 0.5) < 0.02
    assert abs(np.corrcoef(heads[:4000], heads[4000:])[0, 1]) < 0.05  # an image is mirrored in one epoch and not in the next
    assert abs(np.corrcoef(heads, coin(at, seed_key(1)))[0, 1]) < 0.05
    np.testing.assert_array_equal(heads, jax.jit(lambda at: coin(at, seed_key(0), jnp))(at))
