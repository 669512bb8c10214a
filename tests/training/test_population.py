"""Members of a population are the runs that they would be alone, and their folders are ordinary ones."""

import contextlib
import json
import shutil
import sys

import jax
import numpy as np
import pytest
from helpers import arrays, assert_same_bits, devices, noise_images, numbers, plan_of

from jaxgan import program
from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.training import interrupt, population
from jaxgan.training.member import Job, Member
from jaxgan.training.train import train, train_together
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run

LAZY = {"objective__terms__r1__weight": 1, "objective__terms__r1__every": 2}
DIFFERENCES = [{}, {"seed": 7}, {"seed": 3, "optim__gen__lr": 1e-3, "objective__terms__r1__weight": 0.3}]


def plans(**overrides):
    return [plan_of("dcgan.py", **{**LAZY, **overrides, **own}) for own in DIFFERENCES]


def trained(placement, members, run, hparams, steps=3):
    data = placement.replicate(noise_images().load())
    state, report = placement.wrap(run, batch_is_split=False)(members, placement.replicate(hparams), data, np.int32(steps))
    return state, jax.device_get(placement.local(report))


@pytest.mark.slow
@pytest.mark.parametrize("form, kind, n", [("vmap", "shard_map", 1), ("map", "shard_map", 2), ("vmap", "pmap", 2)])
def test_members_are_their_solo_runs_in_float64(form, kind, n):
    with jax.enable_x64(True):
        placement, every = Placement(kind, devices(n)), plans(dtype="float64")
        start = lambda plan: placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(plan.config.seed))  # noqa: E731
        together = placement.init(population.stack, [start(plan) for plan in every])
        run = population.make_program(every[0], noise_images(), form)
        together, report = trained(placement, together, run, population.stack_inputs(every))
        for i, (plan, member) in enumerate(zip(every, population.cut(placement.local(together), len(every)))):
            alone, own = trained(placement, start(plan), program.make_program(plan, noise_images()), plan.inputs)
            alone, member = arrays(placement.local(alone)), arrays(member)
            assert alone.keys() == member.keys() and int(member["step"]) == 3
            for name, x in alone.items():
                np.testing.assert_allclose(member[name], x, rtol=1e-9, atol=1e-9, err_msg=name)
            for name, (total, count) in own["totals"].items():
                assert report["totals"][name][1][i] == count  # of a lazy penalty, only the steps that made it
                np.testing.assert_allclose(report["totals"][name][0][i], total, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["vmap", "map"])
def test_members_on_devices_of_their_own_are_their_solo_runs(form, tmp_path, monkeypatch):
    """Four members on four devices, a batch that four devices could not share, and what lies between steps."""
    monkeypatch.setattr(population, "form", lambda: form)
    monkeypatch.setattr(sys.modules[__name__], "DIFFERENCES", [*DIFFERENCES, {"seed": 5}])
    small = {"dtype": "float64", "batch_size": 6}
    assert population.spreads(4, Placement()) and not population.spreads(3, Placement())
    jax.config.update("jax_enable_x64", True)  # for Orbax' threads too
    try:
        folders, failures = together(tmp_path, **small)
        assert failures == [None] * 4
        for folder, plan in list(zip(folders, plans(**small)))[1:3]:
            placement = Placement(devices=devices(1))
            start = placement.init(lambda seed, plan=plan: plan.init(jax.random.key(seed)), np.uint32(plan.config.seed))
            alone, _ = trained(placement, start, program.make_program(plan, noise_images()), plan.inputs, 4)
            alone, member = arrays(placement.local(alone)), state_of(folder)
            for name, x in alone.items():
                np.testing.assert_allclose(member[name], x, rtol=1e-9, atol=1e-9, err_msg=name)
        # Cut off, all go on from where they were.
        before = [records(folder) for folder in folders]
        together(tmp_path, **small, steps=6)
        assert [records(folder)[: len(old)] for folder, old in zip(folders, before)] == before
    finally:
        jax.config.update("jax_enable_x64", False)


@pytest.mark.slow
def test_members_on_devices_of_their_own_that_part(tmp_path, monkeypatch):
    """One diverges; then one has lost its checkpoints, and what is left has a batch that four devices could not share."""
    monkeypatch.setattr(sys.modules[__name__], "DIFFERENCES", [*DIFFERENCES, {"seed": 5, "optim__disc__lr": 1e38}])
    folders, failures = together(tmp_path, batch_size=6)
    assert failures[:3] == [None] * 3 and "is not finite" in str(failures[3])
    shutil.rmtree(folders[1])
    runs = [
        Job(plan, folder, is_over=bool(end)) for plan, folder, end in zip(plans(batch_size=6, steps=6), folders, failures)
    ]
    assert train_together(runs, noise_images()) == [None] * 4
    assert [int(state_of(folder)["step"]) for folder in folders[:3]] == [6, 6, 6]
    assert [Workdir(folder).saved["starts"][-1]["step"] for folder in folders[:3]] == [4, 0, 4]
    with pytest.raises(UserError, match="no whole groups of 4; .* does"):
        together(tmp_path / "packs", batch_size=6, critic__pack=4)


def test_what_may_train_together():
    kinds = [population.kind(plan.config) for plan in plans()]
    assert kinds[0] and len(set(kinds)) == 1
    others = [
        {"optim__gen__lr": "linear(1e-3, 0, 0, 1)"},
        {"nets__gen__width": 8},
        {"objective__loss": "hinge"},
        {"steps": 9},
    ]
    others += [{"optim__gen__max_grad_norm": 1}, {"data__flip": True}]
    assert len({population.kind(plans(**other)[0].config) for other in others} | set(kinds)) == 1 + len(others)
    assert population.kind(plans(population="off")[0].config) == ""


def together(tmp_path, told=None, **overrides):
    failed = lambda error: None if told is None else told.append(str(error))  # noqa: E731
    runs = [Job(plan, tmp_path / str(i), "dcgan.py", failed=failed) for i, plan in enumerate(plans(**overrides))]
    return [run.folder for run in runs], train_together(runs, noise_images())


def state_of(folder):
    return arrays(load_run(folder, Placement())[2])


def records(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: x for key, x in line.items() if key != "img_per_sec"} for line in lines]


@pytest.mark.slow
def test_folders_are_ordinary_ones(tmp_path):
    folders, failures = together(tmp_path / "many")
    assert failures == [None] * 3
    for folder, plan in zip(folders, plans()):
        alone = tmp_path / "alone" / folder.name
        train(plan, noise_images(), alone, "dcgan.py")
        assert sorted(p.name for p in alone.rglob("*.png")) == sorted(p.name for p in folder.rglob("*.png"))
        assert Workdir(alone).saved["config"] == Workdir(folder).saved["config"]
        for ours, own in zip(records(folder), records(alone), strict=True):
            assert ours.pop("verdict") == own.pop("verdict")
            assert numbers(ours) == pytest.approx(numbers(own), rel=1e-3, abs=1e-4)
    # And such a folder goes on alone.
    train(plan_of("dcgan.py", **LAZY, steps=6), noise_images(), folders[0], "dcgan.py")
    assert int(state_of(folders[0])["step"]) == 6


@pytest.mark.slow
@pytest.mark.parametrize("form", ["vmap", "map"])
def test_members_that_were_cut_off_at_different_steps_end_at_the_same_bits(form, tmp_path, monkeypatch):
    """As a kill leaves them: one done, one with a checkpoint more than the last."""
    monkeypatch.setattr(population, "form", lambda: form)
    whole, _ = together(tmp_path / "whole")
    cut, _ = together(tmp_path / "cut")
    for folder in cut[1:]:
        (folder / "DONE").unlink()
    shutil.rmtree(cut[2] / "checkpoints" / "4")
    together(tmp_path / "cut")
    for a, b in zip(whole, cut):
        assert_same_bits(state_of(a), state_of(b))
        assert records(a) == records(b)
        assert (b / "DONE").exists()


@pytest.mark.slow
def test_members_stopped_between_two_lines_of_the_log(tmp_path, monkeypatch):
    whole, _ = together(tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(interrupt, "stop_signal", lambda: contextlib.nullcontext(lambda step: step == 3))
        together(tmp_path / "cut")
    cut, _ = together(tmp_path / "cut")
    for a, b in zip(whole, cut):
        assert_same_bits(state_of(a), state_of(b))
        assert records(a) == records(b)


@pytest.mark.slow
def test_a_damaged_checkpoint_takes_all_members_further_back(tmp_path, capsys):
    folders, _ = together(tmp_path, steps=2)
    together(tmp_path, steps=4)
    for folder in folders:
        (folder / "DONE").unlink()
    kept = [state_of(folder) for folder in folders]
    damaged = next(folders[1].glob("checkpoints/4/**/d/*"))
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    together(tmp_path)
    assert "is damaged and kept as damaged-4" in capsys.readouterr().out
    assert Workdir(folders[0]).saved["starts"][-1]["step"] == 2
    for before, folder in zip(kept, folders):
        assert_same_bits(before, state_of(folder))


@pytest.mark.slow
def test_one_that_cannot_join_the_others_goes_on_apart(tmp_path):
    """Two that are done, trained on together with one that is new: nobody starts again."""
    folders, _ = together(tmp_path / "some")
    before = [records(folder) for folder in folders]
    more = [*plans(steps=6), plan_of("dcgan.py", **LAZY, seed=11, steps=6)]
    runs = [Job(plan, tmp_path / "some" / str(i)) for i, plan in enumerate(more)]
    assert train_together(runs, noise_images()) == [None] * 4
    for folder, old in zip(folders, before):
        assert records(folder)[: len(old)] == old and Workdir(folder).saved["starts"][-1]["step"] == 4
    assert Workdir(runs[3].folder).saved["starts"][-1]["step"] == 0 and int(state_of(runs[3].folder)["step"]) == 6


@pytest.mark.slow
def test_one_that_cannot_be_scored_stops_no_other(tmp_path, monkeypatch):
    evaluating = Member.evaluate

    def evaluate(member, state, step):
        if member.settings.seed == 7:
            raise UserError("3 of 8 generated images are not finite")
        evaluating(member, state, step)

    monkeypatch.setattr(Member, "evaluate", evaluate)
    scored = {"eval__every": 2, "eval__features__name": "random", "eval__metrics": "kid", "eval__num_samples": 8}
    _, ends = together(tmp_path, **scored)
    assert [str(end) for end in ends] == ["None", "3 of 8 generated images are not finite", "None"]
    _, ends = together(tmp_path, **scored)  # again at the resume
    assert [str(end) for end in ends] == ["None", "3 of 8 generated images are not finite", "None"]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["vmap", "map"])
def test_one_that_diverges_stops_no_other(form, tmp_path, monkeypatch):
    monkeypatch.setattr(population, "form", lambda: form)
    told = []
    monkeypatch.setitem(DIFFERENCES[1], "optim__disc__lr", 1e38)
    folders, failures = together(tmp_path, told)
    assert failures[0] is failures[2] is None
    assert "is not finite" in str(failures[1])
    assert [(folder / "DONE").exists() for folder in folders] == [True, False, True]
    # More steps: the others go on from where they are, which a run that never saved anything does not hold up.
    assert told == [str(failures[1])]
    runs = [Job(plan, folder, is_over=bool(end)) for plan, folder, end in zip(plans(steps=6), folders, failures)]
    assert train_together(runs, noise_images()) == [None] * 3
    assert Workdir(folders[0]).saved["starts"][-1]["step"] == 4 and int(state_of(folders[2])["step"]) == 6
    assert len(Workdir(folders[1]).saved["starts"]) == 1
    healthy = tmp_path / "healthy"
    monkeypatch.setitem(DIFFERENCES[1], "optim__disc__lr", 2e-4)
    others, _ = together(healthy, steps=6)
    assert_same_bits(state_of(folders[2]), state_of(others[2]))
