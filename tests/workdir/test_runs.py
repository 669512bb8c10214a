"""Reading runs that go on, going on with runs whose surroundings have changed, and what a record says of its data."""

import dataclasses
import json
import shutil

import jax
import pytest
from helpers import noise_images, plan_of

from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.files import write_json
from jaxgan.placement import Placement
from jaxgan.training.train import check_run, train
from jaxgan.workdir import runs
from jaxgan.workdir.checkpoint import Checkpoints, DamagedError
from jaxgan.workdir.experiment import check_data, record_start
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.frozen import features_in
from jaxgan.workdir.provenance import changed

# Orbax leaves coroutines behind when a read fails.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "vanilla"
    plan = plan_of("vanilla.py")
    train(plan, noise_images(True, plan), folder)
    return plan, folder


@pytest.fixture
def run(trained, tmp_path):
    shutil.copytree(trained[1], tmp_path / "run")
    return trained[0], tmp_path / "run"


def test_what_a_saving_run_removes_while_it_is_read_is_looked_for_again(run, monkeypatch):
    """It keeps one checkpoint, and has the next when the one that was listed cannot be read any more."""
    plan, folder = run
    newest = folder / "checkpoints" / "4"
    newest.rename(folder / "4")
    own, tries = Checkpoints.restore, []

    def restore(self, *arguments):
        tries.append(self.steps)
        if len(tries) == 1:
            shutil.rmtree(folder / "checkpoints" / "2")
            (folder / "4").rename(newest)
        return own(self, *arguments)

    monkeypatch.setattr(Checkpoints, "restore", restore)
    assert runs.load_run(folder, Placement())[1] == 4
    assert tries == [[2], [4]]


def test_damage_is_told_of_at_once(run):
    plan, folder = run
    for path in (folder / "checkpoints").rglob("d/*"):
        path.write_bytes(b"")
    with pytest.raises(DamagedError, match="no intact checkpoint"):
        runs.load_run(folder, Placement())


def test_checkpoints_without_their_config_are_refused(run):
    """Another seed would go on from them."""
    _, folder = run
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match="holds checkpoints without their config.json; restore it"):
        check_run(plan_of("vanilla.py", seed=1), Placement(), folder)


def test_other_versions_and_devices_are_told_of_in_one_line(run, capsys):
    _, folder = run
    saved = Workdir(folder).saved
    saved["starts"][-1]["versions"]["jax"], saved["starts"][-1]["devices"] = "0.1.2", 3
    write_json(folder / "config.json", saved)
    plan = plan_of("vanilla.py", steps=6)
    train(plan, noise_images(True, plan), folder)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "goes on elsewhere" in line]
    assert "jax 0.1.2 -> " in line and f"devices 3 -> {jax.device_count()}" in line and "may differ by rounding" in line


def test_nothing_is_said_where_nothing_has_changed():
    start = {"git_revision": "a", "versions": {"jax": "1"}, "devices": 1, "date": "1"}
    assert changed(start, {**start, "date": "2"}) == ""
    assert changed(start, {**start, "git_revision": "b", "processes": 2}) == "revision a -> b"


def test_the_names_of_classes_are_kept_and_compared_with_nothing(tmp_path):
    names = [f"class {i}" for i in range(9)] + ["caf\udce9"]  # a folder's name need not be text
    images = dataclasses.replace(noise_images(), features=features_of((12, 12, 1), 10, names=names))
    record_start(plan_of("vanilla.py"), tmp_path, images, "vanilla.py", [], 0, {})
    workdir = Workdir(tmp_path)
    record = json.loads(workdir.record.read_text())
    assert record["data"]["features"]["label"]["names"] == names
    assert features_in(workdir.saved["data"]) == images.features
    check_data(tmp_path, images)
    check_data(tmp_path, noise_images())  # whose classes have no names
    del record["data"]["features"]["label"]["names"]  # as older revisions wrote it
    workdir.record.write_text(json.dumps(record))
    assert features_in(workdir.saved["data"]) == noise_images().features
    check_data(tmp_path, images)
