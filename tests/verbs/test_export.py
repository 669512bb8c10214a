"""Exported models: what is written, what is read back, and that whatever was changed is refused."""

import json
import shutil

import jax
import numpy as np
import pytest
from helpers import noise_images, plan_of, tiny
from safetensors.numpy import load_file, save_file

import jaxgan
from jaxgan import cli
from jaxgan.errors import Failure, UserError
from jaxgan.plan import Plan
from jaxgan.sections import open_data
from jaxgan.training.train import train
from jaxgan.verbs.exporting import export
from jaxgan.verbs.verifying import verify
from jaxgan.workdir.archive import MANIFEST, MODEL, SAMPLES, sha256
from jaxgan.workdir.folder import Workdir

FILES = {"model.safetensors", "config.json", "samples.safetensors", "samples.png", "card.md", "archive.json"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A tiny R3GAN that is told labels."""
    folder = tmp_path_factory.mktemp("runs") / "told"
    plan = plan_of("r3gan.py", task__num_classes=10, data__dir="/home/somebody")
    train(plan, noise_images(), folder, "configs/r3gan.py", [("data.dir", "/home/somebody"), ("steps", "4")])
    return folder


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    return export(run, tmp_path_factory.mktemp("out") / "told")


@pytest.fixture
def copy(exported, tmp_path):
    return shutil.copytree(exported, tmp_path / "copy")


def test_what_is_written(run, exported):
    assert {path.name for path in exported.iterdir()} == FILES | {".made.json"}
    weights, (step, *_) = load_file(exported / MODEL), Workdir(run).saved_steps
    assert all(name.startswith("gen.params.") for name in weights if "params" in name) and step
    text = "".join(path.read_text() for path in exported.iterdir() if path.suffix in (".json", ".md"))
    assert "somebody" not in text  # no path of the machine that it was trained on
    card = (exported / "card.md").read_text()
    assert "4 steps" in card or "| steps | 4" in card
    assert "never evaluated" in card and "48" in card


def test_an_exported_model_makes_the_run_s_pictures(run, exported):
    ours, theirs = jaxgan.load(run), jaxgan.load(exported)
    pictures = ours.sample(num=3)
    assert pictures.dtype == np.uint8 and pictures.shape == (3, 12, 12, 1)
    assert np.array_equal(pictures, theirs.sample(num=3))
    assert np.array_equal(ours.sample(num=3, label=7), theirs.sample(num=3, label=7))
    assert not np.array_equal(ours.sample(num=3, label=7), ours.sample(num=3, label=2))
    with pytest.raises(UserError, match="knows the labels 0 to 9, and not 10"):
        ours.sample(label=10)


def test_verify_tells_the_same_bits(exported, capsys):
    assert verify(exported) == 0
    assert "8 of 8 samples are the same, bit for bit" in capsys.readouterr().out


def rewrite(folder, name, arrays):
    """Another content under a digest that fits: what somebody who means it would do."""
    save_file(arrays, folder / name)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name]["sha256"] = sha256(folder / name)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_rounding_is_told_and_another_picture_is_a_failure(copy, capsys):
    kept = load_file(copy / SAMPLES)
    nudged = np.where(kept["images"] < 255, kept["images"] + 1, kept["images"]).astype(np.uint8)
    rewrite(copy, SAMPLES, {**kept, "images": nudged})
    assert verify(copy) == 1
    assert "the same but for rounding" in capsys.readouterr().out
    rewrite(copy, SAMPLES, {**kept, "images": 255 - kept["images"]})
    with pytest.raises(Failure, match="makes other pictures than it made"):
        verify(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "samples.safetensors", "card.md"])
def test_a_changed_file_is_refused_by_name(name, copy):
    content = bytearray((copy / name).read_bytes())
    content[-3] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        verify(copy)
    if name in ("model.safetensors", "config.json"):
        with pytest.raises(UserError, match=name):
            jaxgan.load(copy)


def test_weights_of_other_networks_are_refused(copy):
    weights = load_file(copy / MODEL)
    name = sorted(weights)[0]
    rewrite(copy, MODEL, {**weights, name: np.zeros((3, *weights[name].shape), np.float32)})
    with pytest.raises(UserError, match=f"'{name}' is not what the config's networks have"):
        jaxgan.load(copy)


@pytest.mark.parametrize("damage", ["{}", "no json", '{"format": 99}'])
def test_a_damaged_manifest_is_refused(damage, copy):
    (copy / MANIFEST).write_text(damage)
    with pytest.raises(UserError, match="archive.json"):
        verify(copy)


def test_an_archive_of_a_newer_format_says_so(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(UserError, match="is of a newer jaxgan"):
        jaxgan.load(copy)


def test_code_from_elsewhere_is_refused_before_it_is_imported(copy, tmp_path, monkeypatch):
    record = json.loads((copy / "config.json").read_text())
    record["config"]["nets"]["gen"] = {"name": "evil:Generator"}
    (copy / "config.json").write_text(json.dumps(record))
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["files"]["config.json"]["sha256"] = sha256(copy / "config.json")
    (copy / MANIFEST).write_text(json.dumps(manifest))
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.chdir(tmp_path)
    for read in (jaxgan.load, verify):
        with pytest.raises(UserError, match="would run code from outside jaxgan, 'evil:Generator'.*--trust"):
            read(copy)


def test_an_archive_is_not_trained_on_nor_exported_again(exported, tmp_path, capsys):
    assert cli.main(["jaxgan", f"--workdir={exported}"]) == 2
    assert "is an exported model, which is not trained on" in capsys.readouterr().err
    with pytest.raises(UserError, match="is an exported model already"):
        export(exported, tmp_path / "again")


def test_the_command_line_samples_from_it(exported, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["jaxgan", "--mode=sample", f"--workdir={exported}", "--num=4"]) == 0
    assert list((tmp_path / "told_made" / "samples").glob("*.png"))  # its own folder stays what it is
    assert cli.main(["jaxgan", "--mode=sample", f"--workdir={exported}", "--num=4", "--noema"]) == 2
    assert "holds the moving averages of the weights alone" in capsys.readouterr().err


def test_a_shipped_model_goes_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["jaxgan", "--mode=sample", "--workdir=digits", "--seeds=3,5", "--out=two.npz"]) == 0
    with np.load("two.npz") as made:
        assert np.array_equal(made["images"], jaxgan.load("digits").sample(seeds=[3, 5]))
    (tmp_path / "digits").mkdir()  # a folder of the user's comes first
    assert cli.main(["jaxgan", "--mode=sample", "--workdir=digits"]) == 2


def test_what_is_asked_for_in_vain(run, exported, tmp_path, capsys):
    assert cli.main(["jaxgan", "--mode=export", f"--workdir={run}"]) == 2
    assert "--mode=export needs --out" in capsys.readouterr().err
    assert cli.main(["jaxgan", "--mode=export", f"--workdir={run}", f"--out={tmp_path}/x.zip"]) == 2
    assert "must be a folder" in capsys.readouterr().err
    assert cli.main(["jaxgan", "--mode=verify", f"--input={run}"]) == 2
    assert "is no exported model (no archive.json)" in capsys.readouterr().err
    with pytest.raises(UserError, match="there is no model 'digts'.*did you mean 'digits'"):
        jaxgan.load("digts")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="holds 'letter.txt', which this command has not made"):
        export(run, tmp_path / "theirs")


def test_a_program_runs_without_this_package(run, tmp_path):
    """Of any number of pictures, and with labels; the platforms are those that it promises."""
    out = export(run, tmp_path / "told", stablehlo=True)
    program = jax.export.deserialize(bytearray((out / "model.stablehlo").read_bytes()))
    assert program.platforms == ("cpu", "cuda", "tpu")
    numbers, label = np.arange(5, dtype=np.uint32), np.full(5, 7, np.int32)
    made = np.asarray(program.call(numbers, label))
    ours = jaxgan.load(run).sample(num=5, label=7)
    assert made.shape == ours.shape and np.max(np.abs(made.astype(int) - ours)) <= 1
    said = json.loads((out / MANIFEST).read_text())["stablehlo"]
    assert said["arguments"] == [["numbers", "uint32[batch]"], ["label", "int32[batch]"]] and said["until"] > "2027"


@pytest.mark.slow
def test_a_stylegan_is_a_program_too(tmp_path):
    train(plan_of("stylegan_lite.py"), noise_images(), tmp_path / "style")
    out = export(tmp_path / "style", tmp_path / "out", stablehlo=True)
    program = jax.export.deserialize(bytearray((out / "model.stablehlo").read_bytes()))
    made = np.asarray(program.call(np.arange(3, dtype=np.uint32))).astype(int)
    model = jaxgan.load(out)
    assert np.max(np.abs(made - model.sample(num=3))) <= 1
    assert model.interpolate([0, 1], frames=2, space="w").shape == (3, 12, 12, 1)


@pytest.mark.slow
def test_points_and_translators(tmp_path):
    config = tiny("toy.py:ring")
    images = open_data(config)
    train(Plan(config, images.features), images, tmp_path / "ring")
    assert verify(export(tmp_path / "ring", tmp_path / "points")) == 0
    assert jaxgan.load(tmp_path / "points").sample(num=5).shape == (5, 2)
    config = tiny("cyclegan.py")
    images = open_data(config)
    train(Plan(config, images.features), images, tmp_path / "cyclegan")
    out = export(tmp_path / "cyclegan", tmp_path / "both", stablehlo=True)
    assert verify(out) == 0  # without its data
    model, source = jaxgan.load(out), load_file(out / SAMPLES)["given.source"]
    assert np.array_equal(model.translate(source), load_file(out / SAMPLES)["images"])
    assert model.translate(model.translate(source), "ba").shape == source.shape
    with pytest.raises(UserError, match="pictures must be uint8"):
        model.translate(source[:, 1:])
