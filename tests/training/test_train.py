"""Real runs, tiny: what they leave behind, and that stopping them changes nothing."""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import jax
import numpy as np
import pytest
from helpers import CONFIGS, FRAGILE, ROOT, arrays, assert_same_bits, launch, noise_images, numbers, plan_of
from PIL import Image

from jaxgan import program
from jaxgan.errors import Failure, UserError
from jaxgan.placement import Placement
from jaxgan.training import interrupt
from jaxgan.training.member import DivergedError, Member
from jaxgan.training.train import train
from jaxgan.workdir.checkpoint import Checkpoints, kept_digest
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run, starting_state

VOLATILE = ("img_per_sec",)


def fit(folder, spec="wgan.py", resident=True, **overrides):
    plan = plan_of(spec, **overrides)
    train(plan, noise_images(resident, plan), folder, spec)
    return folder


def state_of(folder):
    return arrays(load_run(folder, Placement())[2])


def metrics_of(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: x for key, x in line.items() if key not in VOLATILE} for line in lines]


def test_a_run_whose_folder_is_removed_ends_and_saves_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(Member, "log", lambda self, *_: shutil.rmtree(self.workdir.path))
    with pytest.raises(Failure, match="run: it cannot be written: its files have been removed"):
        fit(tmp_path / "run", "vanilla.py", steps=2)
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize("spec", CONFIGS)
def test_every_config_runs_and_resumes_to_the_same_bits(spec, tmp_path):
    whole = fit(tmp_path / "whole", spec)
    halves = fit(tmp_path / "halves", spec, steps=2)
    assert (halves / "DONE").exists()
    fit(halves, spec)
    assert_same_bits(state_of(whole), state_of(halves))
    assert metrics_of(whole) == metrics_of(halves)
    assert [line["step"] for line in metrics_of(whole)] == [2, 4]
    for i, line in enumerate(metrics_of(whole)):
        assert line.pop("verdict") == "healthy"
        rare = [key for key in line if "norm" in key or "update_ratio" in key]  # measured at step 0 and then at step 16
        lazy = [update for update in plan_of(spec).updates if update.every > 1]
        assert len(rare) == (5 + 2 * len(lazy) if i == 0 else 0)
        assert np.isfinite(list(line.values())).all()


@pytest.mark.slow
def test_what_augmentation_and_lecam_remember_is_resumed(tmp_path):
    kept = {"augment__name": "ada", "augment__interval": 3, "augment__adjust_kimg": 0.1, "augment__p": 0.5}
    kept |= {"objective__terms__lecam__weight": 1}
    whole = state_of(fit(tmp_path / "whole", "dcgan.py", **kept))
    halves = fit(tmp_path / "halves", "dcgan.py", steps=2, **kept)  # in the middle of what p is judged by
    assert_same_bits(whole, state_of(fit(halves, "dcgan.py", **kept)))
    memory = {name.rpartition("augment/")[2]: float(x) for name, x in whole.items() if "augment/" in name}
    assert abs(memory["p"] - 0.5) == pytest.approx(0.24) and memory["rounds"] == 1  # 3 rounds of 8 images, of 100


@pytest.mark.slow
def test_what_a_run_leaves(tmp_path):
    fit(tmp_path, sample__every=2)
    assert {p.name for p in tmp_path.iterdir()} == {
        "DONE", "checkpoints", "config.json", "metrics.jsonl", "samples", "tensorboard",
    }  # fmt: skip
    saved = json.loads((tmp_path / "config.json").read_text())
    [start] = saved["starts"]
    assert start["devices"] == 4 and start["step"] == 0 and start["versions"]["jax"] == jax.__version__
    assert saved["data"] == {
        "name": "noise",
        "size": 48,
        "features": {
            "image": {"kind": "picture", "shape": [12, 12, 1], "dtype": "uint8", "classes": 0, "stream": "main"},
            "label": {"kind": "label", "shape": [], "dtype": "int32", "classes": 10, "stream": "main"},
        },
        "digest": "",
    }
    assert sorted(p.name for p in (tmp_path / "samples").iterdir()) == [
        "real.png",
        "step_00000002.png",
        "step_00000004.png",
    ]
    with Image.open(tmp_path / "samples" / "real.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture)[:12, :12], noise_images().load()["image"][0, ..., 0])
    with Image.open(tmp_path / "samples" / "step_00000004.png") as picture:
        assert picture.size == (24, 24) and picture.mode == "L"
    line = metrics_of(tmp_path)[-1]
    assert line["kimg"] == pytest.approx(4 * 8 * 5 / 1000)
    assert {"disc/loss", "gen/loss", "disc/wgan_gp", "disc/ordered", "gen/diversity"} <= line.keys()
    assert "disc/grad_norm" in metrics_of(tmp_path)[0] and "disc/grad_norm" not in line  # measured at every 16th step
    assert list((tmp_path / "tensorboard").iterdir())


@pytest.mark.slow
def test_a_finished_run_is_left_alone(tmp_path, capsys):
    fit(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    fit(tmp_path)
    assert "already at step 4" in capsys.readouterr().out
    assert before == {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_another_experiment_in_the_same_workdir_is_refused(tmp_path):
    fit(tmp_path)
    before = (tmp_path / "config.json").read_bytes()
    with pytest.raises(UserError, match="holds another experiment.*optim.gen.lr: .* -> 0.5.*seed: 0 -> 1"):
        fit(tmp_path, seed=1, optim__gen__lr=0.5)
    assert (tmp_path / "config.json").read_bytes() == before
    fit(tmp_path, steps=6, log__every=3, sample__num=2, parallel="pmap", checkpoint__keep=1)  # these may change


@pytest.mark.slow
def test_a_run_from_before_a_field_existed_goes_on(tmp_path):
    fit(tmp_path, steps=2)
    saved = json.loads((tmp_path / "config.json").read_text())
    del saved["config"]["deterministic"], saved["config"]["nets"]["gen"]["activation"], saved["config"]["augment"]
    (tmp_path / "config.json").write_text(json.dumps(saved))
    fit(tmp_path)
    assert (tmp_path / "DONE").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [("pmap", "shard_map"), ("shard_map", "pmap")])
def test_each_wrapper_restores_the_others_checkpoint(first, second, tmp_path):
    mixed = fit(tmp_path / "mixed", parallel=first, steps=2)
    fit(mixed, parallel=second)
    assert_same_bits(state_of(mixed), state_of(fit(tmp_path / "whole")))


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["wgan.py", "cifar10.py:sngan_resnet"])
def test_dispatches_of_any_length_end_at_the_same_bits(spec, tmp_path):
    """Also where a log cuts a dispatch short, and where a resumed run is cut elsewhere."""
    one = fit(tmp_path / "one", spec, steps=7)
    three = fit(tmp_path / "three", spec, steps=5, steps_per_dispatch=3, checkpoint__every=0)
    fit(three, spec, steps=7, steps_per_dispatch=4, checkpoint__every=0)
    assert_same_bits(state_of(one), state_of(three))
    lines = {line["step"]: line for line in metrics_of(one)}
    for line in metrics_of(three):
        if line["step"] in (2, 4, 7):
            other = lines[line["step"]]
            assert line.pop("verdict") == other.pop("verdict")
            assert numbers(line) == pytest.approx(numbers(other), rel=1e-6)


def test_where_the_host_takes_over():
    config = plan_of(steps=20, log__every=5, sample__every=0, checkpoint__every=8, steps_per_dispatch=6).config
    assert program.steps_per_dispatch(config, noise_images()) == 6
    assert list(program.dispatches(config, 6, 0)) == [5, 6, 8, 10, 12, 15, 16, 18, 20]
    assert list(program.dispatches(config, 6, 7)) == [8, 10, 12, 15, 16, 18, 20]
    assert program.steps_per_dispatch(config, noise_images(resident=False)) == 1
    assert list(program.dispatches(config, 1, 16)) == [17, 18, 19, 20]


@pytest.mark.slow
def test_read_ahead_data_ends_at_the_same_bits(optimised, tmp_path):
    states = [state_of(fit(tmp_path / str(resident), resident=resident)) for resident in (True, False)]
    assert_same_bits(*states)


@pytest.mark.slow
def test_a_damaged_checkpoint_costs_only_its_steps(tmp_path, capsys):
    whole = state_of(fit(tmp_path))
    for path in (tmp_path / "checkpoints" / "4").rglob("d/*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    fit(tmp_path)
    assert "damaged-4" in capsys.readouterr().out
    assert_same_bits(whole, state_of(tmp_path))


@pytest.mark.slow
def test_nan_stops_the_run_and_saves_nothing(tmp_path):
    """The critic's step size jumps to 1e38 after two steps, 0.08 kimg."""
    overrides = {"optim__disc__lr": "linear(1e-4, 1e38, 0.079, 0.079)", "steps": 40, "checkpoint__every": 2}
    message = "the loss or a param of 'disc' is not finite after update 'disc' of step 3; last good"
    with pytest.raises(DivergedError, match=message) as caught:
        fit(tmp_path, **overrides)
    assert str(caught.value).endswith(f"{tmp_path}/checkpoints/2")
    assert Checkpoints(tmp_path / "checkpoints").steps == [2]
    assert not (tmp_path / "DONE").exists()
    last = metrics_of(tmp_path)[-1]
    assert last["verdict"] == "diverged: " + message.partition(";")[0] and last["step"] == 3
    with pytest.raises(DivergedError):
        fit(tmp_path, **overrides)  # the last good state leads there again


@pytest.mark.slow
def test_a_run_that_diverges_goes_back_and_on_with_other_noise(tmp_path, monkeypatch, capsys):
    (tmp_path / "fragile.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(tmp_path)
    own = {"objective__loss": "fragile:LOSS", "checkpoint__every": 2, "log__every": 2, "data__resident": "off"}
    with pytest.raises(DivergedError):
        fit(tmp_path / "stops", "vanilla.py", steps=16, **own)
    assert Workdir(tmp_path / "stops").rollbacks == []
    whole = fit(tmp_path / "whole", "vanilla.py", steps=16, rollbacks=40, **own)
    back = Workdir(whole).rollbacks
    assert Workdir(whole).done_step == 16 and back
    lines = metrics_of(whole)
    noted = [(line["step"], line["rollbacks"]) for line in lines if "rollbacks" in line]
    assert noted == [(one["step"], i) for i, one in enumerate(back, 1)]
    assert "and on with other noise" in capsys.readouterr().out
    parts = fit(tmp_path / "parts", "vanilla.py", steps=6, rollbacks=40, **own)
    fit(parts, "vanilla.py", steps=16, rollbacks=40, **own)
    assert Workdir(parts).rollbacks == back and metrics_of(parts) == lines
    assert_same_bits(state_of(whole), state_of(parts))
    few = tmp_path / "few"
    with pytest.raises(DivergedError):
        fit(few, "vanilla.py", steps=16, rollbacks=len(back) - 1, **own)
    assert Workdir(few).rollbacks == back[:-1]


@pytest.mark.parametrize("where", ["jaxgan.workdir.writer.save_png", "jaxgan.workdir.checkpoint.flatten"])
def test_a_full_disk_is_one_line_with_the_last_good_checkpoint(where, tmp_path, monkeypatch):
    fit(tmp_path, "vanilla.py", steps=2)

    def full(*_):
        raise OSError(28, "No space left on device", "a.png")

    with monkeypatch.context() as patch, pytest.raises(Failure) as caught:
        patch.setattr(where, full)
        fit(tmp_path, "vanilla.py", steps=8, sample__every=1)
    assert str(caught.value) == (
        f"{tmp_path}: it cannot be written: a.png: No space left on device; last good checkpoint: {tmp_path}/checkpoints/2; "
        "once it can, the same command goes on from there"
    )
    assert Workdir(fit(tmp_path, "vanilla.py", steps=8, sample__every=1)).done_step == 8


@pytest.mark.slow
def test_init_from_takes_the_named_players(tmp_path):
    fit(tmp_path / "a", seed=3)
    plan = plan_of(init_from__workdir=tmp_path / "a", init_from__players="('gen',)", init_from__ema=True)
    placement = Placement()
    checkpoints = Checkpoints(tmp_path / "b")
    state, donors = starting_state(plan, placement, checkpoints)
    state = arrays(state)
    checkpoints.close()
    assert donors["init_from.workdir"]["digest"] == kept_digest(tmp_path / "a" / "checkpoints", 4)
    other, fresh = state_of(tmp_path / "a"), arrays(placement.init(lambda: plan_of().init(jax.random.key(0))))
    for name, x in state.items():
        kind, _, rest = name.partition(".")
        if name.startswith("params.gen"):
            np.testing.assert_array_equal(x, other["ema.gen.params" + rest.removeprefix("gen")])
        elif name.startswith(("model_state.gen", "ema.gen")):
            continue
        else:
            np.testing.assert_array_equal(x, fresh[name])
    np.testing.assert_array_equal(state["ema.gen.params.Dense_0.kernel"], state["params.gen.Dense_0.kernel"])


@pytest.mark.slow
def test_init_from_between_two_runs(tmp_path):
    fit(tmp_path / "a", seed=3), fit(tmp_path / "b", seed=4)
    own = {"init_from__workdir": tmp_path / "a", "init_from__base_workdir": tmp_path / "b", "init_from__ema": True}

    def begun(strength):
        placement, checkpoints = Placement(), Checkpoints(tmp_path / f"c{strength}")
        plan = plan_of(**own, init_from__strength=strength, init_from__players="('gen',)")
        state, donors = starting_state(plan, placement, checkpoints)
        checkpoints.close()
        assert {name: one["workdir"] for name, one in donors.items()} == {
            "init_from.workdir": str(tmp_path / "a"),
            "init_from.base_workdir": str(tmp_path / "b"),
        }
        return arrays(state)

    a, b = (state_of(tmp_path / name)["ema.gen.params.Dense_0.kernel"] for name in "ab")
    for strength, want in ((1.0, a), (0.0, b), (0.25, 0.25 * a + 0.75 * b)):
        state = begun(strength)
        np.testing.assert_allclose(state["params.gen.Dense_0.kernel"], want, rtol=1e-6, atol=1e-8)
        np.testing.assert_array_equal(state["ema.gen.params.Dense_0.kernel"], state["params.gen.Dense_0.kernel"])
    fit(tmp_path / "on", steps=1, init_from__strength=0.5, **own)  # and it trains on


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"init_from__workdir": "{}/nowhere"}, "holds no run"),
        ({"init_from__workdir": "{}/a", "init_from__players": "('gan',)"}, "no player 'gan' in both.*did you mean 'gen'"),
        ({"init_from__workdir": "{}/a", "task__z_dim": 5}, "another network for 'gen'"),
        ({"init_from__base_workdir": "{}/a"}, "is the second of two runs; init_from.workdir names the first"),
        ({"init_from__workdir": "{}/a", "init_from__strength": 0.5}, "strength=0.5 is between two runs; init_from.base_w"),
        ({"init_from__workdir": "{}/a", "init_from__base_workdir": "{}/nowhere"}, "nowhere holds no run"),
    ],
)
def test_init_from_mistakes(overrides, message, tmp_path):
    fit(tmp_path / "a", steps=1)
    overrides = {key: value.format(tmp_path) if isinstance(value, str) else value for key, value in overrides.items()}
    with pytest.raises(UserError, match=message):
        fit(tmp_path / "b", **overrides)


@pytest.mark.slow
def test_a_donor_may_move_and_may_not_be_another_run(tmp_path):
    """Its path says where it is; the checkpoint that was taken says which run it is."""
    a, b = fit(tmp_path / "a"), tmp_path / "b"
    fit(b, init_from__workdir=a, steps=2)
    taken = {"workdir": str(a), "step": 4, "digest": kept_digest(a / "checkpoints", 4)}
    assert Workdir(b).donors == {"init_from.workdir": taken} and taken["digest"]
    moved = a.rename(tmp_path / "moved")
    fit(tmp_path / "other", seed=1)
    for name in ("other", "nowhere"):
        with pytest.raises(UserError, match=f"init_from.workdir: .*/a -> .*/{name}, which does not hold the checkpoint of"):
            fit(b, init_from__workdir=tmp_path / name)
    with pytest.raises(UserError, match="another experiment.*init_from.workdir: .*/a -> $"):
        fit(b)
    fit(b, init_from__workdir=moved)
    starts = Workdir(b).starts
    assert [start["step"] for start in starts] == [0, 2] and "donors" not in starts[1]
    assert Workdir(b).donors == {"init_from.workdir": taken}
    assert_same_bits(state_of(b), state_of(fit(tmp_path / "whole", init_from__workdir=moved)))
    record = json.loads((b / "config.json").read_text())  # as a run of before these records has it
    record["starts"][0].pop("donors")
    (b / "config.json").write_text(json.dumps(record))
    fit(b, init_from__workdir=moved)
    with pytest.raises(UserError, match="init_from.workdir: .*/moved -> .*/other"):
        fit(b, init_from__workdir=tmp_path / "other")


def test_a_batch_that_the_devices_do_not_divide(tmp_path):
    with pytest.raises(UserError, match="batch_size=6 is not divisible by the 4 devices"):
        fit(tmp_path / "new", batch_size=6)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_bfloat16_trains_with_wide_params(tmp_path):
    state = state_of(fit(tmp_path, dtype="bfloat16"))
    assert {x.dtype for name, x in state.items() if name.startswith("params")} == {np.dtype("float32")}
    assert not np.array_equal(state["params.gen.Dense_0.kernel"], state_of(fit(tmp_path / "b"))["params.gen.Dense_0.kernel"])


@pytest.mark.slow
def test_frozen_params_and_penalties_by_override(tmp_path):
    plan = plan_of("dcgan.py", optim__disc__freeze="Conv_0", objective__terms__r2__weight=0.5)
    train(plan, noise_images(), tmp_path)
    start, end = arrays(Placement().init(lambda: plan.init(jax.random.key(0)))), state_of(tmp_path)
    np.testing.assert_array_equal(start["params.disc.Conv_0.kernel"], end["params.disc.Conv_0.kernel"])
    assert not np.array_equal(start["params.disc.Conv_1.kernel"], end["params.disc.Conv_1.kernel"])
    assert metrics_of(tmp_path)[-1]["disc/r2"] > 0


@pytest.mark.slow
def test_simultaneous_is_another_run(tmp_path):
    one, other = (state_of(fit(tmp_path / str(x), "vanilla.py", simultaneous=x)) for x in (False, True))
    assert any(one[name].tobytes() != other[name].tobytes() for name in one if name.startswith("params.gen"))


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 3, 4])
def test_a_signal_between_two_lines_of_the_log_changes_none(stop, tmp_path, monkeypatch):
    whole = fit(tmp_path / "whole", "dcgan.py", log__every=2, checkpoint__every=3)
    with monkeypatch.context() as patch:
        patch.setattr(interrupt, "stop_signal", lambda: contextlib.nullcontext(lambda step: step == stop))
        cut = fit(tmp_path / "cut", "dcgan.py", log__every=2, checkpoint__every=3)
    assert (cut / "DONE").exists() == (stop == 4)
    fit(cut, "dcgan.py", log__every=2, checkpoint__every=3)
    assert_same_bits(state_of(whole), state_of(cut))
    assert metrics_of(whole) == metrics_of(cut) and metrics_of(whole)[0]["gen/loss"] > 0


SMALL = [
    "--config=configs/wgan.py", "--config.batch_size=8", "--config.task.z_dim=4", "--config.nets.gen.width=4",
    "--config.nets.disc.width=4", "--config.log.every=5", "--config.sample.every=50", "--config.sample.num=4",
    "--config.checkpoint.every=10", "--config.rounds.disc=2",
]  # fmt: skip


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def start_run(folder, steps):
    command = [sys.executable, "launch.py", f"--workdir={folder}", *SMALL, f"--config.steps={steps}"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    heeded = partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)  # which `nohup` ignores, here and in every child
    return subprocess.Popen(command, cwd=ROOT, preexec_fn=heeded, **streams)


@pytest.mark.slow
def test_sigkill_and_the_same_command_again(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    launch(f"--workdir={whole}", *SMALL, "--config.steps=60")
    for step in (10, 30):
        process = start_run(killed, 60)
        wait_for((killed / "checkpoints" / str(step)).exists, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (killed / "DONE").exists()
    launch(f"--workdir={killed}", *SMALL, "--config.steps=60")
    assert_same_bits(state_of(whole), state_of(killed))
    assert metrics_of(whole) == metrics_of(killed)
    pictures = [folder / "samples" / "step_00000060.png" for folder in (whole, killed)]
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert len(json.loads((killed / "config.json").read_text())["starts"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_saves_and_exits_with_0(number, tmp_path):
    process = start_run(tmp_path, 100_000)
    wait_for((tmp_path / "checkpoints" / "10").exists, process)
    process.send_signal(number)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert "stopped and saved at step" in output
    step = max(int(p.name) for p in (tmp_path / "checkpoints").iterdir())
    assert f"step {step};" in output
    assert not (tmp_path / "DONE").exists()


def test_a_second_ctrl_c_ends_at_once():
    code = """
import os, signal, time
from jaxgan.training.interrupt import stop_signal
with stop_signal() as stop:
    assert not stop(0)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)
    assert stop(1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 130, done.stderr
    assert "Ctrl-C again ends at once" in done.stderr


@pytest.mark.slow
def test_looking_at_a_run_that_goes_on_disturbs_nothing(tmp_path):
    """A save under way and a damaged checkpoint are its own business."""
    fit(tmp_path)
    (tmp_path / "checkpoints" / "6.orbax-checkpoint-tmp").mkdir()
    for path in (tmp_path / "checkpoints" / "4").rglob("d/*"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    before = sorted(tmp_path.rglob("*"))
    assert load_run(tmp_path, Placement())[1] == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
def test_a_run_of_0_steps_is_saved_scored_and_done_and_may_train_on(tmp_path):
    scored = {"eval__every": 1, "eval__metrics": "repetition", "eval__features__name": "random", "eval__num_samples": 16}
    own = {**scored, "eval__repeats": 1, "eval__batch_size": 8}
    fit(tmp_path / "a", steps=0, **own)
    workdir = Workdir(tmp_path / "a")
    assert workdir.done_step == 0 and workdir.saved_steps == {0} and [x["step"] for x in workdir.evaluations()] == [0]
    assert [line["step"] for line in metrics_of(tmp_path / "a")] == [0]
    assert (workdir.samples / "step_00000000.png").exists()
    before = (tmp_path / "a" / "evaluation.json").read_bytes()
    fit(tmp_path / "a", steps=0, **own)
    assert (tmp_path / "a" / "evaluation.json").read_bytes() == before  # done, and left alone
    (tmp_path / "a" / "DONE").unlink()  # killed after its scores
    fit(tmp_path / "a", steps=0, **own)
    assert workdir.done_step == 0 and (tmp_path / "a" / "evaluation.json").read_bytes() == before
    fit(tmp_path / "a", steps=2, **own)
    assert_same_bits(state_of(tmp_path / "a"), state_of(fit(tmp_path / "b", steps=2, **own)))
