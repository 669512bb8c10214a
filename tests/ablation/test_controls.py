"""The controls of every table: scored like its cells, once, and again where what is asked for changes."""

import json
from dataclasses import replace
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from helpers import noise_images, plan_of, tiny

from jaxgan.ablation import control_scores, formats
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.control_scores import score
from jaxgan.ablation.controls import decisive, have_scored, read_controls, requests
from jaxgan.ablation.results import summarise
from jaxgan.ablation.table import NOISE, REAL, UNTRAINED, Column, Row, Table
from jaxgan.cli import main
from jaxgan.errors import UserError
from jaxgan.files import write_json
from jaxgan.images import save_npz
from jaxgan.placement import Placement
from jaxgan.scores.of_run import RunEvaluator, same_protocol

SMALL = {
    "eval__features__name": "random", "eval__features__width": 2, "eval__num_samples": 20, "eval__batch_size": 8,
    "eval__metrics": "fd,repetition", "eval__every": 4,
}  # fmt: skip


def table_of(**fields) -> Table:
    columns = (Column("fd", better="lower", format=".1f"), Column("repeated"), Column(title="word", word=lambda _: "x"))
    return Table("T", "P", "D", "how", columns, {"a": Row()}, **({"seeds": (0, 1)} | fields))


def cells_of(spec="dcgan.py", seeds=(0, 1), **overrides) -> list[Cell]:
    """Those of one row; nothing is at their folders."""
    made = [(seed, tiny(spec, seed=seed, **(SMALL | overrides))) for seed in seeds]
    return [Cell("a", seed, i, SimpleNamespace(), "", [], config) for i, (seed, config) in enumerate(made)]


@pytest.fixture
def pictures(monkeypatch):
    monkeypatch.setattr(control_scores, "open_data", lambda config: noise_images())


def values(one):
    return {name: x["values"] for name, x in one["scores"].items()}


def test_a_row_that_trains_nothing_is_no_control():
    baseline, trained = cells_of(steps=0), [replace(cell, row="b") for cell in cells_of()]
    assert {cell.row for cell in decisive([*baseline, *trained])} == {"b"}
    assert {cell.row for cell in decisive(baseline)} == {"a"}


@pytest.mark.slow
def test_controls_are_scored_like_cells_and_once(pictures, tmp_path, capsys):
    some, table = cells_of(), table_of()
    score(table, some, tmp_path)
    found = read_controls(tmp_path)
    assert (
        list(found) == [REAL, NOISE, UNTRAINED]
        and "scoring controls: real images, noise, untrained\n" in capsys.readouterr().out
    )
    for name, draws in {REAL: 5, NOISE: 5, UNTRAINED: 2}.items():
        assert set(found[name]) == {"scores", "protocol", "measured", "about", "request"}
        one = found[name]["scores"]["fd_random20"]
        assert len(set(one["values"])) == draws, "each draw is another"
        assert one["value"] == pytest.approx(np.mean(one["values"])) and one["std"] == pytest.approx(
            np.std(one["values"], ddof=1)
        )
    plans = [plan_of("dcgan.py", seed=seed, **SMALL) for seed in (0, 1)]
    results = [
        RunEvaluator(plan, noise_images(), Placement())(plan.init(jax.random.key(i)), 0) for i, plan in enumerate(plans)
    ]
    assert values(found[UNTRAINED])["fd_random20"] == [x["scores"]["fd_random20"]["value"] for x in results]
    same_protocol([*results, *found.values()])
    assert found[REAL]["about"] == "5 draws of 20, without replacement, of noise, which scores are against."
    assert found[NOISE]["about"] == "5 draws of 20 of Gaussian noise with the mean and covariance of 48 of noise."
    assert found[UNTRAINED]["about"] == "'a' before its first step, seeds 0, 1." and found[UNTRAINED]["measured"][
        "seeds"
    ] == [0, 1]
    written = (tmp_path / "controls.json").read_bytes()
    score(table, cells_of(steps=2, eval__every=1, eval__repeats=2, log__every=1), tmp_path)
    assert capsys.readouterr().out == "the controls have been scored\n"
    assert (tmp_path / "controls.json").read_bytes() == written


def test_what_is_asked_for_otherwise_is_scored_anew(pictures, tmp_path, capsys):
    score(table_of(), cells_of(seeds=(0,)), tmp_path)
    before = read_controls(tmp_path)
    save_npz(tmp_path / "source.npz", images=255 - noise_images().load()["image"])
    capsys.readouterr()
    score(table_of(real=f"{tmp_path}/source.npz"), cells_of(seeds=(0,)), tmp_path)
    after = read_controls(tmp_path)
    assert "scoring controls: real images\n" in capsys.readouterr().out
    assert after[REAL]["about"] == "5 draws of 20, without replacement, of source.npz." and after[REAL] != before[REAL]
    assert {name: after[name] for name in (NOISE, UNTRAINED)} == {name: before[name] for name in (NOISE, UNTRAINED)}
    # Fewer than are asked for come again; pictures of another shape are none.
    score(table_of(real=f"{tmp_path}/source.npz"), cells_of(seeds=(0,), eval__num_samples=50), tmp_path)
    assert read_controls(tmp_path)[REAL]["about"] == "5 draws of 50, with replacement, of source.npz."
    save_npz(tmp_path / "large.npz", images=np.zeros((60, 14, 14, 1), np.uint8))
    with pytest.raises(UserError, match="samples are 14x14x1 and the reference is 12x12x1"):
        score(table_of(real=f"{tmp_path}/large.npz"), cells_of(seeds=(0,)), tmp_path)


def test_another_split_of_the_rows_data_is_made_ready_as_theirs(tmp_path):
    some = cells_of(seeds=(0,), data__size=16, eval__split="test", eval__allow_few=True)
    score(table_of(real="@train"), some, tmp_path)
    one = read_controls(tmp_path)[REAL]
    assert one["about"] == "5 draws of 20, without replacement, of digits/1.0.0, split train (16x16, crop, lanczos)."
    assert one["protocol"]["real"]["data"].startswith("digits/1.0.0, split test")


def changed(table=None, **overrides):
    """Which controls are others for it."""
    ours, theirs = (requests(*x) for x in ((table_of(), cells_of()), (table or table_of(), cells_of(**overrides))))
    return {name for name in (REAL, NOISE, UNTRAINED) if ours.get(name) != theirs.get(name)}


def test_what_decides_a_control():
    for same in (
        {"steps": 8},
        {"eval__repeats": 9},
        {"log__every": 1},
        {"data__dir": "elsewhere"},
        {"checkpoint__every": 1},
    ):
        assert not changed(**same), same
    assert changed(eval__num_samples=30) == changed(data__split="test") == {REAL, NOISE, UNTRAINED}
    assert changed(nets__gen__width=6) == changed(seeds=(1, 0)) == {UNTRAINED}
    assert changed(table_of(real="digits@train")) == changed(table_of(real="@train")) == {REAL}
    assert requests(table_of(), cells_of(seeds=(0, 1, 2, 3))) == requests(table_of(), cells_of(seeds=(0, 1, 2)))
    judged = [cells_of(seeds=(seed,), eval__ranker_workdir=f"runs/{seed}")[0] for seed in (0, 1)]
    assert "seeds" not in requests(table_of(), judged)[REAL], "of another judge, not of other data"
    json.dumps(requests(table_of(), cells_of()), allow_nan=False)


def test_the_row_that_decides_begins_from_no_other():
    def cell(row, **fields):
        return replace(cells_of()[0], row=row, **fields)

    stage = {"stages": {"init_from.workdir": cell("hidden")}}
    donor = {"config": tiny("dcgan.py", init_from__workdir="runs/x", **SMALL)}
    every = [
        cell("hidden", hidden=True),
        cell("staged", **stage),
        cell("from a run", **donor),
        cell("a"),
        cell("b"),
        cell("a", seed=1),
    ]
    assert [(one.row, one.seed) for one in decisive(every)] == [("a", 0), ("a", 1)]
    assert [one.row for one in decisive(every[:3])] == ["staged"]
    assert requests(table_of(), decisive(every[:3])).keys() == {REAL, NOISE}


def test_scores_of_runs_are_of_the_untrained_alone(tmp_path, capsys):
    some = cells_of("pix2pix.py", eval__metrics="pairs")
    assert requests(table_of(), some).keys() == {UNTRAINED}
    have = {UNTRAINED: {"request": requests(table_of(), some)[UNTRAINED]}}
    write_json(tmp_path / "controls.json", {k: x | {"scores": {}, "protocol": {}, "about": ""} for k, x in have.items()})
    have_scored(table_of(), some, "none", tmp_path, [])  # nothing is left, so that no process starts
    assert not capsys.readouterr().out
    assert not (tmp_path / "logs").exists()


@pytest.mark.slow
def test_where_seeds_have_their_own_data_each_has_its_own_draw(tmp_path):
    """A seed's draws are of the digits of its class, and scored against them."""
    spread = {"eval__metrics": "fd", "eval__allow_few": True, "data__size": 16}
    some = [cells_of(seeds=(seed,), data__classes=str(seed), **spread)[0] for seed in (0, 1, 7, 3)]
    asked = requests(table_of(), some)
    assert asked[REAL]["data.classes"] == [["0"], ["1"], ["7"], ["3"]]
    assert {name: one["seeds"] for name, one in asked.items()} == dict.fromkeys((REAL, NOISE, UNTRAINED), [0, 1, 7, 3])
    score(table_of(seeds=(0, 1, 7, 3)), some, tmp_path)
    found = read_controls(tmp_path)
    assert [one["seeds"] for one in found.values()] == [[0, 1, 7, 3]] * 3
    for name in found:
        assert len(set(found[name]["scores"]["fd_random20"]["values"])) == 4
    assert found[REAL]["about"].endswith(", each of its seed's data.") and found[REAL]["about"].startswith("4 draws of 20")
    alone = tmp_path / "alone"
    alone.mkdir()
    score(table_of(seeds=(7,)), some[2:3], alone)
    first = read_controls(alone)[UNTRAINED]["scores"]["fd_random20"]["values"]
    assert first == [found[UNTRAINED]["scores"]["fd_random20"]["values"][2]], "of that seed's data"
    entries = summary(tmp_path).controls[NOISE]["fd"]
    assert entries.seeds == (0, 1, 7, 3) and len(entries.values) == 4


def test_draws_without_a_number_keep_the_others_seeds(tmp_path):
    scores = {"fd_random20": {"value": None, "values": [1.0, None, 3.0]}}
    one = {"scores": scores, "protocol": {}, "about": "Some.", "request": {}, "seeds": [0, 1, 2]}
    write_json(tmp_path / "controls.json", {UNTRAINED: one, NOISE: {k: x for k, x in one.items() if k != "seeds"}})
    assert summary(tmp_path).controls[UNTRAINED]["fd"].by_seed() == {0: 1.0, 2: 3.0}
    assert summary(tmp_path).controls[NOISE]["fd"].seeds == ()


def summary(folder):
    return summarise(table_of(), [], read_controls(folder))


def test_controls_are_last_rows_of_all_their_draws(tmp_path):
    def control(fd, repeated, **protocol):
        scores = {"fd_random20": {"value": 1.0, "values": fd}, "repeated_random20": {"value": None, "values": repeated}}
        return {"scores": scores, "protocol": protocol, "about": "Some.", "request": {}}

    assert not read_controls(tmp_path) and list(summary(tmp_path).entries) == ["a"]
    of = {
        UNTRAINED: control([9.0], [0.5]),
        NOISE: control([1.0, 2.0, 3.0], [None, 0.5, 0.5]),
        REAL: control([0.0, 1.0], [None] * 2),
    }
    write_json(tmp_path / "controls.json", of | {"of a later revision": of[NOISE]})
    assert list(summary(tmp_path).controls) == [REAL, NOISE, UNTRAINED]
    assert formats.grid(summary(tmp_path)).splitlines()[3:] == [
        "| real images | 0.5 ± 0.7 | - | - | 2 draws | - |",
        "| noise | 2.0 ± 1.0 | 0.5 ± 0 | - | 3 draws | - |",
        "| untrained | 9.0 | 0.5 | - | 1 draw | - |",
    ]
    write_json(
        tmp_path / "controls.json",
        of | {NOISE: control([1.0], [1.0], real={"images": 7}), REAL: control([1.0], [1.0], real={"images": 8})},
    )
    same_protocol([of[REAL], of[NOISE]])
    with pytest.raises(
        UserError, match=r"'noise' \(controls.json or real.json\): scores of unlike protocols .* real.images is"
    ):
        evaluation = {"protocol": {"real": {"images": 8}}}
        done = SimpleNamespace(state="done", evaluation=evaluation | {"step": 4}, verdict="")
        summarise(table_of(), [], read_controls(tmp_path), {"a": [done]})


def test_the_real_images_of_an_older_revision_count(tmp_path):
    scores = {"fd_random20": {"value": 2.5, "values": [2.5]}}
    write_json(
        tmp_path / "real.json", {"scored": {}, "scores": scores, "protocol": {"samples": {"images": 20}}, "measured": {}}
    )
    assert read_controls(tmp_path) == {REAL: {"scores": scores, "protocol": {"samples": {"images": 20}}}}
    assert summary(tmp_path).controls[REAL]["fd"].values == (2.5,)
    write_json(tmp_path / "controls.json", {})
    assert not read_controls(tmp_path)
    (tmp_path / "controls.json").write_text('{"noise": {"scores": {}}}')
    with pytest.raises(
        UserError, match=r"controls.json is damaged \(noise has no 'protocol'\); remove it, and the controls are"
    ):
        read_controls(tmp_path)


@pytest.mark.parametrize("flag", ["--cell=0", "--report_only", "--join=runs/x", "--workers=2"])
def test_controls_are_scored_alone(flag, capsys):
    assert main(["", "--mode=ablate", "--config=configs/ablations/ring.py", "--controls", flag]) == 2
    told = capsys.readouterr().err
    name = flag.partition("=")[0]
    assert told == f"error: --controls scores the table's controls and does nothing else: leave {name} out\n"


@pytest.mark.slow
def test_what_ends_the_scoring_ends_the_start(tmp_path):
    """In a process of its own, which is given the overrides."""
    spec, some = "configs/ablations/ring.py", cells_of()
    with pytest.raises(
        UserError,
        match=r"the controls cannot be scored: row 'GAN': unknown extractor 'pionts'; did .* \(log: .*/logs/controls.log\)",
    ):
        have_scored(table_of(), some, spec, tmp_path, [("eval.features.name", "pionts")])
    assert "--seeds=0,1 --config.eval.features.name=pionts" in (tmp_path / "logs" / "controls.log").read_text()
    assert not (tmp_path / "controls.json").exists()
