"""The command line: modes, exit codes, one line for each mistake."""

import json

import pytest
from helpers import launch
from PIL import Image

SMALL = [
    "--config.batch_size=8", "--config.steps=2", "--config.nets.gen.widths=8", "--config.nets.disc.widths=8",
    "--config.sample.num=4", "--config.deterministic=true",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "vanilla"
    done = launch("--config=configs/vanilla.py:minimax", f"--workdir={folder}", *SMALL)
    return folder, done


def test_train(run):
    folder, done = run
    assert "disc  mlp, 6,289 params, adam" in done.stdout
    assert "digits/1.0.0, split train: 4,000 images of 28x28x1, 10 classes" in done.stdout
    assert done.stdout.strip().endswith(f"done. Samples: {folder}/samples/step_00000002.png")
    saved = json.loads((folder / "config.json").read_text())
    assert saved["config"]["objective"]["loss"] == "minimax"
    assert saved["starts"][0]["config"] == "configs/vanilla.py:minimax"
    assert "nets.gen.widths=8" in saved["starts"][0]["overrides"]


def test_sample(run):
    folder, _ = run
    pictures = []
    for _ in range(2):
        done = launch("--mode=sample", f"--workdir={folder}", "--num=10")
        path = folder / "samples" / "sample_00000002_10.png"
        assert str(path) in done.stdout
        pictures.append(path.read_bytes())
    assert pictures[0] == pictures[1]
    with Image.open(path) as picture, Image.open(folder / "samples" / "step_00000002.png") as grid:
        assert picture.size == (4 * 28, 3 * 28)
        assert picture.crop((0, 0, 56, 28)).tobytes() == grid.crop((0, 0, 56, 28)).tobytes()  # the same latents
    raw = launch("--mode=sample", f"--workdir={folder}", "--num=10", "--noema").stdout
    assert "sample_00000002_10_raw.png" in raw


def test_the_workdir_alone_goes_on(run):
    folder, _ = run
    assert "already at step 2" in launch(f"--workdir={folder}").stdout


MISTAKES = [
    ([], "say what to train: python launch.py --config=configs/wgan.py"),
    (["--config=configs/wgn.py"], "no config file 'configs/wgn.py'; did you mean 'configs/wgan.py'?"),
    (["--config=configs/wgan.py:clp"], "has no variant 'clp'; did you mean 'clip'?"),
    (["--config=configs/wgan.py", "--config.optim.gen.lrr=1"], "did you mean 'optim.gen.lr'?"),
    (["--config=configs/wgan.py", "--config.steps", "many"], "steps must be a whole number, not 'many'"),
    (["--config=configs/wgan.py", "--config.data.name=digitz"], "did you mean 'digits'?"),
    (["--config=configs/wgan.py", "--mode=trian"], "unknown mode 'trian'; did you mean 'train'?"),
    (["--config=configs/wgan.py", "--workdri=x"], "Unknown command line flag 'workdri'. Did you mean: workdir ?"),
    (["--config=configs/wgan.py", "train"], "'train' is no flag"),
    (["--mode=sample", "--workdir=nowhere"], "nowhere holds no run"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_mistakes(arguments, message, tmp_path):
    workdir = [] if not arguments or "--mode=sample" in arguments else [f"--workdir={tmp_path}/new"]
    done = launch(*arguments, *workdir, check=2) if arguments else launch(check=2)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_help_names_modes_and_overrides():
    done = launch("--help", check=None)
    assert "--config.optim.gen.lr=1e-4" in done.stdout and "train or sample" in done.stdout
