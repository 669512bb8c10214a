"""The same run on any number of devices, under pmap or shard_map, in one process or several; and one trace."""

import copy
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import jax
import numpy as np
import pytest
from helpers import ROOT, arrays, assert_same_bits, devices, noise_images, plan_of

from jaxgan import guard, program
from jaxgan.data import order
from jaxgan.errors import UserError
from jaxgan.objectives.terms import TERMS
from jaxgan.parallel import Placement
from jaxgan.plan import Plan


def run(plan, placement, steps=2, resident=True, updates=None):
    """The state after some steps, without the loop around them. updates: the step's, in place of all."""
    images, own = noise_images(resident, plan), copy.copy(plan)
    own.updates = plan.updates if updates is None else updates
    run_steps = placement.wrap(program.make_program(own, images), not resident, plan.shapes())
    state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(plan.config.seed))
    if placement.shards > 1:
        state = jax.device_put(state, placement.shardings(state))
    hparams = placement.replicate(plan.inputs)
    rows, key = placement.local_rows(plan.config.batch_size), order.seed_key(plan.config.seed)
    batches = images.batches(0, plan.rounds, plan.config.batch_size, rows, key)
    data = placement.replicate(images.load()) if resident else None
    for _ in range(steps):
        state, report = run_steps(state, hparams, data if resident else placement.put(next(batches)), np.int32(1))
    return state, jax.device_get(program.means(placement.local(report["totals"])))


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


@pytest.mark.parametrize(
    ("variables", "several"),
    [
        ({}, False),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, False),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, True),
        ({"SLURM_NTASKS": "4"}, False),  # inside of salloc, but not of srun
        ({"TPU_WORKER_HOSTNAMES": "localhost"}, False),
        ({"TPU_WORKER_HOSTNAMES": "t0,t1"}, True),
        ({"JOBSET_NAME": "gan"}, True),
    ],
)
def test_clusters_are_recognised(variables, several):
    assert guard.in_cluster(variables) == several


@pytest.mark.slow
@pytest.mark.parametrize("kind, resident", [("shard_map", "on"), ("pmap", "off")])
def test_two_processes_of_two_devices(kind, resident, tmp_path):
    """Losses as with four devices in one process, and the second half of the run from the first half's checkpoint, by as
    many processes and devices, or by others."""
    small = ["--config=configs/wgan.py", "--config.batch_size=8", "--config.task.z_dim=4", "--config.nets.gen.width=4"]
    small += [
        "--config.nets.disc.width=4",
        "--config.log.every=1",
        "--config.sample.num=4",
        "--config.checkpoint.every=2",
    ]
    small += ["--config.eval.every=2", "--config.eval.num_samples=300", "--config.eval.num_real=300"]
    small += [f"--config.parallel={kind}", f"--config.data.resident={resident}", "--config.rounds.disc=2"]

    def start(workdir, *more, devices, host=0):
        flags = f"--xla_force_host_platform_device_count={devices}"
        command = [sys.executable, "launch.py", f"--workdir={workdir}", *small, *more]
        # Hosts have caches of their own, and the second start finds real statistics in the first one's alone.
        environment = {**os.environ, "XLA_FLAGS": flags, "XDG_CACHE_HOME": str(tmp_path / f"host{host}")}
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def finish(*processes):
        outputs = [process.communicate(timeout=240)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * len(processes), "\n".join(outputs)

    def together(name, steps, many=2, devices=2):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        more = [f"--config.steps={steps}", f"--coordinator=127.0.0.1:{port}", f"--num_processes={many}"]
        finish(*(start(tmp_path / name, *more, f"--process_id={i}", devices=devices, host=i) for i in range(many)))

    finish(start(tmp_path / "one", "--config.steps=4", devices=4))
    together("two", 2)
    others = ["1x4", "1x1", "4x1"] if kind == "shard_map" else []
    for name in others:  # go on with other numbers of processes and of devices each
        shutil.copytree(tmp_path / "two", tmp_path / name)
        many, devices = map(int, name.split("x"))
        together(name, 4, many, devices) if many > 1 else finish(start(tmp_path / name, "--config.steps=4", devices=devices))
    together("two", 4)
    one, *several = (
        [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two", *others)
    )
    for lines in several:
        assert [line["step"] for line in lines] == [1, 2, 2, 3, 4, 4]
        for a, b in zip(one, lines, strict=True):
            assert a.keys() == b.keys()
            if "eval/fd_digits300" in a:
                np.testing.assert_allclose(a["eval/fd_digits300"], b["eval/fd_digits300"], rtol=0.02)
                continue
            for name in ("disc/loss", "gen/loss", "disc/wgan_gp"):
                np.testing.assert_allclose(a[name], b[name], rtol=2e-3, atol=1e-4)
    assert all((tmp_path / name / "DONE").exists() for name in ("two", *others))


def both(*words, last=()):
    """(exit code, output) of each of two processes that are given the same words, the second one `last` ones too."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    shared = [sys.executable, "launch.py", *words, f"--coordinator=127.0.0.1:{port}", "--num_processes=2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": ROOT}
    pair = [subprocess.Popen([*shared, f"--process_id={i}", *(last if i else ())], **streams) for i in range(2)]
    with ThreadPoolExecutor(2) as pool:
        outputs = list(pool.map(lambda process: process.communicate(timeout=240)[0], pair))
    return [(process.returncode, output) for process, output in zip(pair, outputs)]


def test_processes_of_other_words_are_refused(tmp_path):
    (code, said), other = both("--config=configs/vanilla.py", f"--workdir={tmp_path / 'run'}", last=["--config.seed=1"])
    assert code == 2 and other[0] in (1, 2), said + other[1]
    told = "the processes of this run differ: in process 1 --config.seed=1 is given, and absent in process 0"
    assert said.splitlines()[-1] == f"error: {told}"
    assert not (tmp_path / "run").exists()


TABLE = """
from configs import toy
from jaxgan.table import Column, Row, Table

def get_config():
    config = toy.get_config("ring")
    config.update(steps=8, batch_size=64, sample={"every": 0})
    config.nets.gen.widths = config.nets.disc.widths = (8,)
    config.eval.num_samples = 200
    return config

def table():
    modes = Column("modes", "modes", "higher", ".1f")
    return Table("T", "p", "d", "{steps} steps", (modes,), {"a": Row({}), "b": Row({"batch_size": 32})}, seeds=range(2))
"""


@pytest.mark.slow
def test_two_processes_make_a_table_and_sample(tmp_path):
    (tmp_path / "table.py").write_text(TABLE)
    found = both("--mode=ablate", f"--config={tmp_path / 'table.py'}", f"--workdir={tmp_path / 'table'}")
    assert [code for code, _ in found] == [0, 0], found
    report = json.loads((tmp_path / "table" / "report.json").read_text())
    cells = [cell for row in report["rows"].values() for cell in row]
    assert len(cells) == 4 and all(cell["evaluation"]["measured"]["processes"] == 2 for cell in cells)
    assert {"real images", "noise", "untrained"} == report["controls"].keys()
    found = both("--mode=sample", f"--workdir={tmp_path}/table/cells/a_0", "--num=4")
    assert [code for code, _ in found] == [0, 0], found


def test_a_process_says_whom_it_waits_for_and_gives_up_in_one_line():
    code = "from jaxgan import processes; processes.TELL = 1; processes.initialize('127.0.0.1:1', 2, 1, wait=2)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "process 1 of 2 waits for the others at 127.0.0.1:1",
        "process 1 of 2 waits for the others at 127.0.0.1:1, 1 of 2 s",
        "failed: process 1 of 2 has waited 2 s for the others at 127.0.0.1:1, and not all have come",
    ]


@pytest.mark.slow
def test_a_process_whose_peer_is_killed_ends_with_one_line(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    words = [
        "--config=configs/vanilla.py",
        f"--workdir={tmp_path}",
        "--config.steps=1000000",
        "--config.checkpoint.every=10",
    ]
    words += [f"--coordinator=127.0.0.1:{port}", "--num_processes=2"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    pair = [subprocess.Popen([sys.executable, "launch.py", *words, f"--process_id={i}"], **streams) for i in range(2)]
    while not (tmp_path / "checkpoints" / "10").exists():
        assert all(process.poll() is None for process in pair)
        time.sleep(0.1)
    pair[1].kill()
    _, error = pair[0].communicate(timeout=90)
    pair[1].communicate()
    said = error.splitlines()[-1]
    assert pair[0].returncode == 1, error
    assert said.startswith(f"failed: {tmp_path}: process 1 has ended or cannot be reached; last good checkpoint: "), error
    assert "Traceback" not in error and "stack trace" not in error
