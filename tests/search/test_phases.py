"""Three phases: what is refused, what is chosen, and the table of new seeds."""

import dataclasses

import pytest
from helpers import launch
from small_search import ONE

from jaxgan.ablation.cells import load_table
from jaxgan.errors import UserError
from jaxgan.search.asked import Asked, remembered
from jaxgan.search.phases import ThreePhases, methods
from jaxgan.search.phases_report import write
from jaxgan.search.report import best_trial

pytest.importorskip("optuna")
CONFIG = """
from configs import created_equal

def get_config():
    config = created_equal.get_config()
    config.batch_size, config.steps = 8, 4
    config.nets.gen.width = config.nets.disc.width = 2
    config.log.every = config.sample.every = config.checkpoint.every = 4
    config.eval.update(num_samples=200, every=2, metrics=("fd",))
    return config
"""
SPACE = """
from jaxgan.space import Choice, Log, Space

VARIANTS = ("hinge", "lsgan")

def space(variant):
    fields = {"optim.gen.lr": Log(1e-4, 1e-2), "rounds.disc": Choice((1, 2))}
    fixed = {"objective.loss": variant}
    narrow = Space({"optim.gen.lr": Log(1e-4, 1e-3)}, fixed, equal_images=True)
    return Space(fixed=fixed, fields=fields, equal_images=True, narrow=narrow, paper="A 2020", published={"fd": "7.0"})
"""


@pytest.fixture
def asked(tmp_path) -> Asked:
    (tmp_path / "config.py").write_text(CONFIG)
    (tmp_path / "space.py").write_text(SPACE)
    own: dict = {"protocol": "three_phase", "test": "test", "budget": 3, "narrow": 1, "seeds": "1-2"}
    return Asked(str(tmp_path / "config.py"), str(tmp_path / "space.py"), **own)


@pytest.mark.slow
def test_three_phases_from_one_command(asked, tmp_path):
    folder, asked = tmp_path / "w", dataclasses.replace(asked, space=f"{asked.space}:hinge")
    words = [f"--config={asked.config}", f"--space={asked.space}", "--protocol=three_phase", "--test=test", "--budget=3"]
    launch("--mode=tune", *words, "--narrow=1", "--seeds=1-2", "--workers=2", f"--workdir={folder}", env=ONE)
    saved = remembered(folder)
    assert saved is not None and saved == dataclasses.replace(asked, score="fd", place=saved.place) and saved.place
    phases = ThreePhases(folder, saved)
    phases.read()
    wide, narrow = phases.trials["hinge"]
    best, every = phases.best("hinge"), wide + narrow
    assert (len(wide), len(narrow)) == (3, 1) and best is not None
    scores = [trial.result.numbers["fd"] for trial in every]
    assert best.result.numbers["fd"] == min(scores) and len(set(scores)) == 4  # the narrow one is no default again
    for trial in every:
        assert trial.is_over and trial.seconds > 0
        assert trial.cell.config.steps * trial.cell.config.rounds.disc == 4
        splits = [one["protocol"]["real"]["data"].split("split ")[1] for one in trial.cell.workdir.evaluations()]
        assert splits == ["train[80%:]", "train[80%:]", "test"]
    table = load_table(str(folder / "seeds.py"))
    assert "hinge, default" in table.rows and table.seeds == (1, 2)
    assert [claim.row for claim in table.claims] == [name for name in table.rows if name == "hinge"]
    assert all(row.overrides["eval.split"] == "test" for row in table.rows.values())
    text = (folder / "report.md").read_text()
    (row,) = [line for line in text.splitlines() if line.startswith("| hinge |")]
    assert row.endswith("| 7.0 |") and "±" in row and "Published: A 2020." in text and "peeking" in text
    assert (folder / "seeds" / "report.html").exists() and (folder / "search.png").exists()
    write(phases)
    assert (folder / "report.md").read_text() == text


def test_what_three_phases_want(asked, tmp_path):
    def refused(message, **other):
        with pytest.raises(UserError, match=message):
            ThreePhases(tmp_path / "w", dataclasses.replace(asked, **other))

    refused("wants --test=SPLIT", test="")
    refused("leave --sampler and --pruner out", sampler="tpe")
    refused("train.*may not choose the best: --config.eval.split=", overrides=[("eval.split", "train[:80%]")])
    refused("chooses among the trials, so --test wants another one", test="train[80%:]")
    refused("is trained on, so --test wants another one", test="train[:80%]")
    refused("leave --storage out", storage="sqlite:///x.db")
    refused("--seeds=0-3 holds 0", seeds="0-3")
    (tmp_path / "plain.py").write_text(SPACE.replace("narrow=narrow, ", ""))
    refused(r"plain.py:hinge has no .*--narrow=0 leaves", space=str(tmp_path / "plain.py"))
    plain = ThreePhases(tmp_path / "w", dataclasses.replace(asked, space=str(tmp_path / "plain.py"), narrow=0))
    assert [len(some) for some in plain.searches.values()] == [1, 1] and not (tmp_path / "w").exists()


def test_a_table_of_new_seeds_that_has_begun_keeps_its_settings(asked, tmp_path):
    folder = tmp_path / "w"
    (folder / "seeds").mkdir(parents=True)
    asked.save(folder)
    (folder / "seeds" / "table.json").write_text("{}")
    done = launch("--mode=tune", f"--workdir={folder}", "--budget=9", check=2)
    assert "has begun its table of new seeds" in done.stderr and remembered(folder) == asked


def test_the_methods_of_a_file(asked):
    assert methods(asked.space) == {name: f"{asked.space}:{name}" for name in ("hinge", "lsgan")}
    assert methods(f"{asked.space}:lsgan") == {"lsgan": f"{asked.space}:lsgan"}
    assert methods("configs/spaces/wgan.py") == {"wgan": "configs/spaces/wgan.py"}


def test_no_trial_has_a_score():
    assert best_trial([], "fd", "lower") is None
