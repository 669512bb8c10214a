"""The same run on any number of devices, under pmap or shard_map; and one trace."""

from unittest import mock

import jax
import numpy as np
import pytest
from helpers import arrays, assert_same_bits, devices, plan_of, run

from jaxgan.errors import UserError
from jaxgan.objectives.terms import TERMS
from jaxgan.placement import Placement
from jaxgan.plan import Plan

NO_SLOPES = {"objective__terms__r1": "none", "objective__terms__r2": "none"}  # which others of these have


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec, overrides",
    [
        ("wgan.py", {"nets__gen__norm": "batch", "objective__terms__dragan__weight": 1}),
        ("dcgan.py", {"nets__disc__norm": "batch", "critic__batches": "joint"}),
        ("hinge.py", {"objective__terms__r1__every": 2, "task__gen_norm": "running", "task__gen_batch": 2}),
        ("stylegan_lite.py", {"objective__terms__path_length__every": 2, "nets__disc__group": 2, **NO_SLOPES}),
        (
            "stylegan_lite.py",
            {"task__num_classes": 10, "nets__gen__style": "adain", "nets__disc__input": "skip", "nets__disc__group": 1}
            | {"objective__terms__path_length": "none", **NO_SLOPES},
        ),
        ("dcgan.py", {"objective__terms__consensus__weight": 1, "critic__pack": 2, "critic__instance_noise": 0.3}),
        ("r3gan.py", {"task__num_classes": 10, "augment__name": "diffaugment"}),
        (
            "dcgan.py",
            {
                "augment__name": "ada",
                "augment__p": 0.4,
                "augment__interval": 1,
                "augment__kinds": "colour",
                "augment__adjust_kimg": 0.05,
                "objective__terms__lecam__weight": 1,
            },
        ),
        ("pix2pix.py", {"objective__terms__r1__weight": 1}),
        (
            "pix2pix.py",
            {"nets__gen__name": "srresnet", "nets__gen__norm": "batch", "nets__disc__name": "srgan"}
            | {"task__conditional": "false", "objective__loss": "relativistic_average"},
        ),
        ("cgan.py:reacgan", {"task__gen_batch": 2}),
        ("damsm.py", {}),
        ("attngan.py", {}),
        ("cgan.py:acgan", {"task__fake_labels": "batch"}),
        ("biggan.py", {"nets__gen__attention": 6, "nets__disc__attention": 6, "objective__terms__orthogonal__weight": 1e-4}),
        (
            "cyclegan.py",
            {
                "task__pool": 12,
                "critic__instance_noise": 0.1,
                "objective__terms__r1__every": 2,
                "objective__terms__lecam__weight": 1,
            },
        ),
        (
            "dcgan.py",
            {
                "task__unroll": 1,
                "optim__disc__eps_root": "1e-8",
                "nets__disc__minibatch": "discrimination",
                "nets__disc__group": 2,
                "nets__disc__norm": "batch",
            },
        ),
    ],
)
def test_any_number_of_devices(spec, overrides):
    """In float64, where only a wrong layout or a wrong mean shows; float32 differs by the order of its sums."""
    with jax.enable_x64(True):
        plan = plan_of(spec, dtype="float64", **overrides)
        counts = (1, 2, 4) if spec == "wgan.py" else (1, 4)
        one, *others = [arrays(run(plan, Placement("shard_map", devices(n)), steps=3)[0]) for n in counts]
    assert {x.dtype for name, x in one.items() if name.startswith("params")} == {np.dtype("float64")}
    for other in others:
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-9, err_msg=name)


def on_a_device(tree):
    """Bytes of a tree on the first device."""
    return sum(x.addressable_data(0).nbytes for x in jax.tree.leaves(tree))


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec, overrides",
    [
        ("wgan.py:clip", {"optim__gen__max_grad_norm": 0.1}),
        ("hinge.py", {"objective__terms__r1__every": 2, "optim__gen__freeze": "Dense_0"}),
    ],
)
def test_shared_optimizer_state_changes_nothing(spec, overrides):
    """In float64; and a device keeps its part of it alone."""
    with jax.enable_x64(True):
        plan = plan_of(spec, dtype="float64", **overrides)
        one, *others = [run(plan, Placement("shard_map", devices(4), n), steps=3)[0] for n in (1, 2, 4)]
        for state, n in zip(others, (2, 4)):
            whole = arrays(jax.device_put(state, Placement("shard_map", devices(4)).replicated))
            for name, x in arrays(one).items():
                np.testing.assert_allclose(whole[name], x, rtol=0, atol=1e-9, err_msg=name)
            before, now = (on_a_device(x.opt_state) for x in (one, state))
            assert before / n <= now < before / n * 1.25
            assert on_a_device(state.ema) < on_a_device(one.ema)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec, overrides",
    [
        ("wgan.py", {"optim__gen__max_grad_norm": 0.1}),
        ("hinge.py", {"objective__terms__r1__every": 2, "nets__gen__norm": "layer", "task__gen_batch": 2}),
    ],
)
def test_a_batch_in_parts_has_the_same_gradients(spec, overrides):
    """In float64, on one device whole, and in parts on two, each of which has a part of the optimizer's state."""
    with jax.enable_x64(True):
        plan, other = (plan_of(spec, dtype="float64", accumulate=n, **overrides) for n in (1, 2))
        whole = arrays(run(plan, Placement("shard_map", devices(1)), steps=3)[0])
        placement = Placement("shard_map", devices(2), 2)
        parts = arrays(jax.device_put(run(other, placement, steps=3)[0], placement.replicated))
    for name, x in whole.items():
        np.testing.assert_allclose(parts[name], x, rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize(
    "overrides",
    [{"objective__loss": "relativistic_average"}, {"objective__terms__lecam__weight": 1}, {"augment__name": "ada"}],
)
def test_a_loss_that_looks_across_the_batch_takes_no_parts(overrides):
    plan = plan_of("dcgan.py", accumulate=2, **overrides)
    with pytest.raises(UserError, match="accumulate=2 computes a batch in parts, and a loss of this run looks across"):
        run(plan, Placement("shard_map", devices(1)), steps=1)


def test_shards_that_cannot_be():
    with pytest.raises(UserError, match="shards=3 does not divide the 4 devices; 2 does"):
        Placement("shard_map", devices(4), 3)
    with pytest.raises(UserError, match="shards=2 needs --config.parallel=shard_map"):
        Placement("pmap", devices(4), 2)


@pytest.mark.slow
def test_one_step_of_float32():
    plan = plan_of("wgan.py")
    one, four = (run(plan, Placement("shard_map", devices(n)), steps=1)[1] for n in (1, 4))
    for name in one:
        np.testing.assert_allclose(one[name], four[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["wgan.py", "dcgan.py"])
def test_pmap_and_shard_map_give_the_same_bits(spec):
    plan = plan_of(spec)
    states = [run(plan, Placement(kind, devices(4)))[0] for kind in ("pmap", "shard_map")]
    assert_same_bits(*(arrays(state) for state in states))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pmap", "shard_map"])
def test_resident_data_and_the_loader_give_the_same_bits(optimised, kind):
    plan = plan_of("wgan.py")
    states = [run(plan, Placement(kind, devices(4)), resident=resident)[0] for resident in (True, False)]
    assert_same_bits(*(arrays(state) for state in states))


@pytest.mark.parametrize("kind", ["pmap", "shard_map"])
def test_states_move_between_the_wrappers_without_copies(kind):
    placement = Placement(kind)
    state = placement.init(lambda seed: plan_of("vanilla.py").init(jax.random.key(seed)), np.uint32(0))
    there = placement.to_global(state)
    assert there.params["gen"]["Dense_0"]["kernel"].sharding.is_equivalent_to(Placement().replicated, 2)
    assert_same_bits(arrays(state), arrays(placement.from_global(there)))


@pytest.mark.slow
def test_one_python_trace():
    plan, traces = plan_of("wgan.py"), []
    assemble = Plan.assemble
    with mock.patch.object(Plan, "assemble", lambda *a: (traces.append(1), assemble(*a))[1]):
        run(plan, Placement("shard_map", devices(2)), steps=4)
    assert len(traces) == 1


# Each task, and each network that keeps more than params.
PLAYERS = [
    "vanilla.py:minimax", "wgan.py:clip", "hinge.py", "cifar10.py:sngan_resnet", "stylegan_lite.py", "r3gan.py",
    "pix2pix.py", "cyclegan.py",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("spec", PLAYERS)
def test_exactly_the_named_player_moves(spec):
    """Each update alone, two steps on four devices."""
    plan, placement = plan_of(spec, objective__terms__r1__every=2), Placement("shard_map", devices(4))
    task = plan.task()
    sides = [TERMS[term.name].side for term in plan.config.objective.terms.values() if term.every > 1]
    lazy = [player for side in sides for player, own in task.sides.items() if own == side]
    assert "disc" in lazy and len(lazy) == len(sides)
    assert [update.player for update in plan.updates] == sorted(["disc", "gen", *lazy], key=list(task.players).index)
    start = arrays(placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(0)))
    for update in plan.updates:
        end = arrays(run(plan, placement, updates=[update])[0])
        moved = {name.split(".")[1] for name in start if name.startswith("params.") and (start[name] != end[name]).any()}
        assert moved == {update.player}
        assert all(np.isfinite(x).all() for x in end.values())
        frozen = [name for name in start if name.split(".")[0] in ("opt_state", "model_state") and update.player not in name]
        assert all((start[name] == end[name]).all() for name in frozen)


def test_rows_of_the_mesh():
    placement = Placement("shard_map", devices(4)[::-1])
    np.testing.assert_array_equal(placement.local_rows(8), np.arange(8))
    batch = np.arange(16).reshape(2, 8)
    np.testing.assert_array_equal(placement.put(batch), batch)
