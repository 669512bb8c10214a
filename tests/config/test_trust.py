"""Code that a workdir names runs if the user has made the workdir, names it in the command, or says --trust; else nothing is
imported."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from helpers import ROOT
from PIL import Image

from jaxgan import cli, errors
from jaxgan.config import trust
from jaxgan.errors import UserError
from jaxgan.files import write_json
from jaxgan.workdir import frozen

MINE = "outsider:PAIR"
SMALL = ["--config.batch_size=8", "--config.nets.gen.widths=4", "--config.nets.disc.widths=4", "--config.sample.num=4"]
SMALL += ["--config.log.tensorboard=false", "--config.steps=2", "--config.eval.every=0"]
TOY = f"--config={ROOT}/configs/toy.py:ring"
MODULE = """from pathlib import Path

from jaxgan.objectives.losses import LOSSES

(Path(__file__).parent / "was_imported").touch()
PAIR = LOSSES["hinge"]
"""
TABLE = f"""from pathlib import Path

from jaxgan.config.load import load_config
from jaxgan.table import Column, Row, Table

(Path(__file__).parent / "was_imported").touch()


def get_config():
    return load_config("{ROOT}/configs/toy.py:ring")


def table():
    return Table("t", "none", "d", "p", (Column("gen/loss"),), {{"GAN": Row()}}, (0,), samples=False)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a user's own loss, a run `own` that uses it, a table `mytable`, and the user's state folder `me`."""
    folder, home, path = tmp_path_factory.mktemp("place"), os.getcwd(), [*sys.path]
    (folder / "outsider.py").write_text(MODULE)
    (folder / "mytable.py").write_text(TABLE)
    (folder / "pictures").mkdir()
    Image.new("L", (4, 4)).save(folder / "pictures" / "a.png")
    os.chdir(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "me"))
        assert run(TOY, "--workdir=own", *SMALL, f"--config.objective.loss={MINE}") == 0
        words = ("--mode=ablate", "--config=mytable.py", "--workdir=table", "--cell=0", *SMALL)
        assert run(*words, f"--config.objective.loss={MINE}") == 0
    yield folder
    os.chdir(home)
    sys.path[:] = path


@pytest.fixture(autouse=True)
def as_a_new_process(monkeypatch, place):
    """As the user who has made the runs, in a process that has imported nothing of theirs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "me"))
    forget(place)


@pytest.fixture
def stranger(monkeypatch, place, as_a_new_process):
    """As somebody else."""
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "somebody"))


def forget(place):
    errors.looked_up.clear()
    sys.modules.pop("outsider", None)
    (place / "was_imported").unlink(missing_ok=True)


def run(*words):
    return cli.main(["launch.py", *words])


OF_A_STRANGER = {
    "sample": ["--mode=sample", "--workdir=own", "--num=4"],
    "evaluate": ["--mode=evaluate", "--workdir=own"],
    "project": ["--mode=project", "--workdir=own", "--input=pictures"],
    "translate": ["--mode=translate", "--workdir=own", "--input=."],
    "detect": ["--mode=detect", "--workdir=own", "--input=pictures"],
    "upscale": ["--mode=upscale", "--workdir=own", "--input=pictures"],
    "train": ["--workdir=own", "--config.steps=3"],
    "print_config": ["--workdir=own", "--print_config"],
    "train_in_it": [TOY, *SMALL, "--workdir=own"],
    "init_from": [TOY, *SMALL, "--workdir=new", "--config.init_from.workdir=own"],
    "ablate": ["--mode=ablate", "--workdir=table"],
    "cell": ["--mode=ablate", "--workdir=table", "--cell=0"],
    "report": ["--mode=ablate", "--workdir=table", "--report_only"],
}


@pytest.mark.parametrize("words", OF_A_STRANGER.values(), ids=OF_A_STRANGER)
def test_a_strangers_code_is_told_of_and_not_run(words, stranger, place, capsys):
    assert run(*words) == 2
    told = capsys.readouterr().err.strip()
    assert len(told.splitlines()) == 1 and "--trust" in told
    assert MINE in told and ("mytable.py" in told) == ("--mode=ablate" in words)
    assert not (place / "was_imported").exists() and not (place / "new").exists()


def test_the_user_s_own_code_runs_wherever_the_folder_is(place, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path, str(place)])
    moved = shutil.move(place / "own", place / "sub" / "moved")
    try:
        assert run("--mode=sample", f"--workdir={moved}", "--num=4") == 0
        assert (place / "was_imported").exists()
    finally:
        shutil.move(moved, place / "own")


def test_a_strangers_code_runs_with_trust(stranger, place):
    assert run("--mode=sample", "--workdir=own", "--num=4", "--trust") == 0
    assert (place / "was_imported").exists() and not trust.is_trusting()
    forget(place)
    assert run("--mode=sample", "--workdir=own", "--num=4") == 2  # which was no promise for ever


def test_what_the_command_names_needs_no_trust_and_is_noted(stranger, place, tmp_path):
    """So goes on a run that an older revision began, which made no notes."""
    old = Path(shutil.copytree(place / "own", tmp_path / "old"))
    record = json.loads((old / "config.json").read_text())
    del record["id"]
    (old / "config.json").write_text(json.dumps(record))
    words = [TOY, *SMALL, f"--workdir={old}", "--config.steps=3"]
    assert run(*words[2:]) == 2
    assert run(*words, f"--config.objective.loss={MINE}") == 0
    forget(place)
    assert run("--mode=sample", f"--workdir={old}", "--num=4") == 0


@pytest.mark.parametrize("name", ["outsider:OTHER", "another:PAIR"])
def test_a_note_is_of_names_and_not_of_a_folder(name, place, tmp_path, capsys):
    shutil.copytree(place / "own", tmp_path / "own")
    text = (tmp_path / "own" / "config.json").read_text()
    (tmp_path / "own" / "config.json").write_text(text.replace(f'"loss": "{MINE}"', f'"loss": "{name}"'))
    assert run("--mode=sample", f"--workdir={tmp_path / 'own'}") == 2
    assert f"'{name}', and this machine has no note" in capsys.readouterr().err


def test_every_place_where_a_name_may_stand_is_looked_at():
    tree = {"terms": {"key.of:Term": {"weight": 1}}, "loss": "jaxgan.losses:HINGE", "a": [["b:C", "d"], ("e:F",)]}
    assert trust.classes_in(tree) == {"key.of:Term", "b:C", "e:F"}
    assert trust.classes_in({"name": "lsun/bedroom:3.0.0", "dir": "/a:b", "other": "jaxgan_evil:X"}) == {"jaxgan_evil:X"}


@pytest.mark.parametrize("identity", [None, "", 3, "../own", "0" * 32])
def test_what_is_no_id_has_no_note(identity, tmp_path):
    with pytest.raises(UserError, match="would run code from outside jaxgan, 'a:B', and this machine"):
        trust.check({"a:B"}, tmp_path, identity)


def test_without_a_home_there_is_no_note_and_no_crash(place, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("Could not determine home directory.")))
    assert trust.note({"a:B"}, tmp_path, None) is None
    with pytest.raises(UserError, match="--trust"):
        trust.check({"a:B"}, tmp_path, None)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert trust.note({"a:B"}, tmp_path, None) is None


def test_a_run_of_the_package_s_own_classes_has_no_note(tmp_path):
    assert trust.note(set(), tmp_path, None) is None
    trust.check(trust.classes_in({"name": "jaxgan.nets.mlp:Generator"}), tmp_path, None)


def test_tables_of_this_package_need_no_trust_and_others_do(place, tmp_path, monkeypatch):
    assert trust.file_in("configs/ablations/ring.py:full") == trust.file_in("nothing.py") == set()
    assert trust.file_in("mytable.py") == {"mytable.py"}
    (tmp_path / "configs").mkdir()  # from which a bundled file would import
    monkeypatch.chdir(tmp_path)
    assert trust.file_in("configs/ablations/ring.py") == {"configs/ablations/ring.py"}


def test_the_user_s_own_table_goes_on(place):
    assert run("--mode=ablate", "--workdir=table", "--report_only") == 0
    assert (place / "was_imported").exists()


RUN = {
    "seed": 0,
    "state": "done",
    "numbers": {},
    "words": {},
    "message": "",
    "verdict": "",
    "evaluation": None,
    "starts": [],
}


def test_a_joined_report_names_no_more_than_the_table(place, stranger, capsys, tmp_path):
    report = {"title": "t", "rows": {"GAN": [RUN]}, "configs": {"GAN": {"objective.loss": MINE}}}
    (tmp_path / "report.json").write_text(json.dumps(report))
    words = ["--mode=ablate", "--config=mytable.py", f"--workdir={tmp_path / 'new'}", f"--join={tmp_path}"]
    assert run(*words) == 2
    assert f"would run code from outside jaxgan, '{MINE}'" in capsys.readouterr().err
    assert "outsider" not in sys.modules


def test_a_copied_network_s_classes_are_among_the_run_s(place, tmp_path):
    """A run whose note has no such class cannot have taken it: somebody has put the copy there."""
    saved = json.loads((place / "own" / "config.json").read_text())
    write_json(tmp_path / "config.json", {**saved, "id": None})
    record = {"saved": saved, "players": [], "arrays": "", "title": "", "field": "", "taken": {"digest": None}}
    write_json(tmp_path / "frozen" / "judge" / frozen.RECORD, {"sha256": frozen._sha256(record), **record})
    with pytest.raises(UserError, match=f"would run code from outside jaxgan, '{MINE}'"):
        frozen.saved_donor(tmp_path / "frozen" / "judge")
    assert not (place / "was_imported").exists()


def test_saved_configs_become_sections_in_few_places():
    """Each of them asks `trust` first."""
    texts = {path.relative_to(ROOT / "jaxgan"): path.read_text() for path in (ROOT / "jaxgan").rglob("*.py")}
    made = {str(name) for name, text in texts.items() if "ml_collections.ConfigDict(" in text}
    made.discard("scores/cas.py")  # whose config is a constant of the module
    assert made == {"config/resolve.py", "workdir/saved.py", "ablation/saved_report.py"}
    asked = {str(name) for name, text in texts.items() if "resolve_saved(" in text} - {"workdir/saved.py"}
    assert asked == {"workdir/experiment.py", "workdir/frozen.py"}
    assert all("trust" in texts[Path(name)] for name in asked | {"ablation/saved_report.py"})
