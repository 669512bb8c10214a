"""Damage, structure, order; that a real run resumes is in test_train.py."""

import os
import resource
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import arrays, assert_same_bits

from jaxgan.errors import UserError
from jaxgan.trouble import storage_trouble
from jaxgan.workdir.checkpoint import Checkpoints, DamagedError
from jaxgan.workdir.flat import digest, flatten

# Orbax leaves coroutines behind when a read fails.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def tree(step=0):
    return {
        "big": jax.random.normal(jax.random.key(step), (50_000,)),
        "half": jnp.arange(7, dtype=jnp.bfloat16),
        "flag": jnp.array([True, False]),
        "step": jnp.int32(step),
        "rng": jax.random.key(step),
    }


def abstract(like):
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), like)


def save(folder, *steps, keep=3):
    checkpoints = Checkpoints(folder, keep)
    for step in steps:
        checkpoints.save(step, tree(step))
    checkpoints.close()


def restore(folder, like=None):
    checkpoints, warnings = Checkpoints(folder), []
    try:
        return checkpoints.restore(abstract(tree()) if like is None else like, warnings.append), warnings
    finally:
        checkpoints.close()


def data_file(folder, step):
    return max((p for p in (folder / str(step)).rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)


def test_nothing_there(tmp_path):
    assert restore(tmp_path) == (None, [])


def test_saves_in_quick_succession_are_all_there_and_the_oldest_go(tmp_path):
    save(tmp_path, 1, 2, 3, 4)
    assert Checkpoints(tmp_path).steps == [2, 3, 4]
    (step, state), warnings = restore(tmp_path)
    assert step == 4 and not warnings
    assert_same_bits(arrays(state), arrays(tree(4)))


@pytest.mark.parametrize("how", ["flip", "cut", "gone"])
def test_a_damaged_one_is_set_aside_and_the_one_before_it_taken(tmp_path, how):
    save(tmp_path, 1, 2)
    path = data_file(tmp_path, 2)
    content = bytearray(path.read_bytes())
    if how == "flip":
        content[len(content) // 2] ^= 1
    path.write_bytes(content[: len(content) // 2] if how == "cut" else content)
    if how == "gone":
        path.unlink()
    (step, state), [warning] = restore(tmp_path)
    assert step == 1 and "damaged" in warning and "damaged-2" in warning
    assert_same_bits(arrays(state), arrays(tree(1)))
    assert (tmp_path / "damaged-2").is_dir()
    save(tmp_path, 2)  # the step is free again
    assert restore(tmp_path)[0][0] == 2


def test_no_intact_one_is_an_error_and_nothing_is_touched(tmp_path):
    save(tmp_path, 1)
    path = data_file(tmp_path, 1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedError, match="no intact checkpoint"):
        restore(tmp_path)
    assert (tmp_path / "1").is_dir()


def test_an_interrupted_save_is_not_taken_for_a_checkpoint(tmp_path):
    save(tmp_path, 1)
    (tmp_path / "2.orbax-checkpoint-tmp").mkdir()
    assert restore(tmp_path)[0][0] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: {**t, "more": t["big"]}, "more is absent there, float32"),
        (lambda t: {k: x for k, x in t.items() if k != "half"}, r"half is bfloat16\[7\] there, absent here"),
        (lambda t: {**t, "flag": t["flag"][:1]}, r"flag is bool\[2\] there, bool\[1\] here"),
        (lambda t: {**t, "step": jnp.float32(0)}, "step is int32.. there, float32.. here"),
    ],
)
def test_another_structure_is_the_users_mistake(tmp_path, change, message):
    save(tmp_path, 1)
    with pytest.raises(UserError, match=message):
        restore(tmp_path, abstract(change(tree())))
    assert (tmp_path / "1").is_dir()


def test_the_digest_sees_every_bit():
    flat = flatten(tree())
    whole = digest(flat)
    assert whole == digest(flatten(tree()))
    for name, x in flat.items():
        words = np.asarray(x).reshape(-1).view(np.uint8).copy()
        for at in (0, len(words) - 1):
            changed = words.copy()
            changed[at] ^= 1
            other = jnp.asarray(changed.view(np.asarray(x).dtype).reshape(x.shape))
            assert digest({**flat, name: other}) != whole
    swapped = flat["big"].at[jnp.array([3, 4])].set(flat["big"][jnp.array([4, 3])])
    assert digest({**flat, "big": swapped}) != whole


def test_players_that_a_run_has_no_more_are_left_out(tmp_path):
    """An older revision's pix2pix with L1 alone kept a discriminator that nothing trained."""
    both = {part: {p: {"w": jnp.arange(3.0) + i} for i, p in enumerate(("gen", "disc"))} for part in ("params", "opt_state")}
    both |= {"step": jnp.int32(4)}
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(4, both)
    checkpoints.close()
    one = {"params": {"gen": both["params"]["gen"]}, "opt_state": {"gen": both["opt_state"]["gen"]}, "step": both["step"]}
    (step, found), warnings = restore(tmp_path, abstract(one))
    assert step == 4 and not warnings
    assert_same_bits(arrays(found), arrays(one))
    with pytest.raises(UserError, match="params.gen.v is absent there"):  # what the run itself trains must be there
        restore(tmp_path, abstract({**one, "params": {"gen": {"v": one["params"]["gen"]["w"]}}}))


def test_a_save_leaves_no_thread_and_no_open_file(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    counts = []
    for step in range(1, 8):
        checkpoints.save(step, tree(step))
        checkpoints._finish()
        counts.append((len(os.listdir("/proc/self/fd")), threading.active_count()))
    checkpoints.close()
    assert counts[-1][0] <= counts[1][0] and counts[-1][1] <= counts[1][1]


def test_a_save_that_fails_leaves_nothing_and_says_why(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, tree(1))
    checkpoints._finish()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # what a full disk does, without a disk
    try:
        with pytest.raises(Exception) as caught:  # noqa: B017, PT011
            checkpoints.save(2, tree(2))
            checkpoints.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert storage_trouble(caught.value) == "File too large"
    assert [path.name for path in tmp_path.iterdir()] == ["1"]
    assert restore(tmp_path)[0][0] == 1


@pytest.mark.parametrize("name", ["a[1]", "a*", "gs:", "a?", "bytes \udcff"])
def test_a_path_that_orbax_would_lose_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="no checkpoints can be kept in .* in its path"):
        Checkpoints(tmp_path / name / "checkpoints")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a b", "ä", "a:b", "a%20", "a'b", "~", "5", "damaged-3", "x.tmp", "a]"])
def test_other_paths_work(tmp_path, name):
    save(tmp_path / name, 1)
    assert restore(tmp_path / name)[0][0] == 1


def test_a_run_that_was_moved_below_a_pattern_is_read(tmp_path):
    save(tmp_path / "a", 1)
    (tmp_path / "a").rename(tmp_path / "a[1]")
    checkpoints = Checkpoints(tmp_path / "a[1]", read_only=True)
    assert checkpoints.restore(abstract(tree()))[0] == 1
    checkpoints.close()


@pytest.mark.parametrize("error", [MemoryError(), PermissionError(13, "Permission denied")])
def test_too_little_memory_is_no_damage(tmp_path, error, monkeypatch):
    save(tmp_path, 1, 2)
    checkpoints = Checkpoints(tmp_path)

    def fail(*_):
        raise error

    monkeypatch.setattr(checkpoints._orbax, "load", fail)
    with pytest.raises(type(error)):
        checkpoints.restore(abstract(tree()))
    checkpoints.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]
