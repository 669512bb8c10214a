"""The command line as a user types it: modes, exit codes, what is printed. `test_mistakes.py` has the mistakes."""

import json
import re
import shlex

import numpy as np
import pytest
from helpers import CONFIGS, ROOT, launch
from PIL import Image

from jaxgan import cli, command_line
from jaxgan.config.load import check_file, load_config
from jaxgan.config.resolve import as_overrides, resolve_config
from jaxgan.data.by_name import open_by_name
from jaxgan.errors import UserError
from jaxgan.scores.code import code_of
from jaxgan.sections import sections

SMALL = [
    "--config.batch_size=8", "--config.steps=2", "--config.nets.gen.widths=8", "--config.nets.disc.widths=8",
    "--config.sample.num=4", "--config.deterministic=true",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "vanilla"
    done = launch("--config=configs/vanilla.py:minimax", f"--workdir={folder}", *SMALL)
    return folder, done


@pytest.mark.slow
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
    done = launch("--mode=sample", f"--workdir={folder}", "--num=10")
    path = folder / "samples" / "sample_00000002_10.png"
    assert str(path) in done.stdout
    with Image.open(path) as picture, Image.open(folder / "samples" / "step_00000002.png") as grid:
        assert picture.size == (4 * 28, 3 * 28)
        assert picture.crop((0, 0, 56, 28)).tobytes() == grid.crop((0, 0, 56, 28)).tobytes()  # the same latents


@pytest.mark.slow
def test_the_workdir_alone_goes_on(run):
    folder, _ = run
    assert "already at step 2" in launch(f"--workdir={folder}").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to train: python launch.py --config=configs/wgan.py"),
        (["--config=configs/wgan.py", "--config.steps", "many"], "steps must be a whole number, not 'many'"),
        (["--config=configs/wgan.py", "--workdri=x"], "no flag --workdri; did you mean '--workdir'?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, message):
    done = launch(*arguments, check=2)
    assert message in done.stderr and len(done.stderr.strip().splitlines()) == 1 and not done.stdout


def test_help():
    done = launch("--help")
    for words in (
        "--config.optim.gen.lr=1e-4",
        "train or sample",
        "python launch.py --mode=translate --workdir=runs/pix2pix --input=FOLDER",
        "wgan.py                  WGAN with gradient",
        "ablations/ring.py        Modes of a ring",
        ":gp :clip",
    ):
        assert words in done.stdout
    of_one = launch("--config=configs/wgan.py", "--help").stdout
    assert of_one.startswith("WGAN with gradient penalty") and "configs/wgan.py:clip" in of_one


@pytest.mark.parametrize("mode", command_line.VERBS)
def test_a_verb_s_help_has_its_own_flags_alone_and_two_examples(mode, capsys):
    assert cli.main(["launch.py", f"--mode={mode}", "--help"]) == 0
    shown, own = capsys.readouterr().out, set(command_line.flags_of(mode))
    assert set(re.findall(r"^  --(\w+)", shown, re.MULTILINE)) == own
    examples = [line.partition("   ")[0] for line in shown.splitlines() if line.startswith("python launch.py ")]
    assert len(examples) == 2
    for example in examples:  # whose flags are all there
        words, _ = command_line.split(shlex.split(example)[2:])
        command_line.parse(mode, words)


def test_a_new_verb_is_one_file_and_one_line(tmp_path, monkeypatch, capsys):
    """The file, and the line in `command_line.VERBS`: help, flags, overrides and mistakes come with them."""
    (tmp_path / "shout.py").write_text('''"""Says what it is told, loudly."""

from absl import flags

EXAMPLES = """
python launch.py --mode=shout --words=hello
python launch.py --mode=shout --words=hello --times=2
"""
TAKES_OVERRIDES = False


def define_flags(values):
    flags.DEFINE_string("words", "", "What to say.", flag_values=values)
    flags.DEFINE_integer("times", 1, "How often.", flag_values=values)


def run(values, overrides):
    print(values.words.upper() * values.times)
''')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(command_line.VERBS, "shout", "shout")
    assert cli.main(["launch.py", "--mode=shout", "--words=hello", "--times=2"]) == 0
    assert capsys.readouterr().out == "HELLOHELLO\n"
    assert cli.main(["launch.py", "--help"]) == 0 and "Says what it is told, loudly." in capsys.readouterr().out
    for typed, answer in (
        ("--mode=shout --tims=2", "no flag --tims; did you mean '--times'?"),
        ("--mode=shout --grid=2x2", "--grid has no effect in --mode=shout"),
        ("--mode=sample --workdir=x --times=2", "--times has no effect in --mode=sample"),
        ("--mode=shout --config.steps=2", "--config.steps has no effect in --mode=shout"),
        ("--mode=shuot", "unknown mode 'shuot'; did you mean 'shout'?"),
    ):
        assert cli.main(["launch.py", *typed.split()]) == 2
        assert answer in capsys.readouterr().err


def test_launch_is_a_few_lines():
    assert len((ROOT / "launch.py").read_text().splitlines()) <= 20


def test_print_config_is_the_run_as_overrides(tmp_path):
    done = launch("--config=configs/wgan.py:clip", "--config.steps=7", "--print_config", f"--workdir={tmp_path}/new")
    assert "--config.steps=7\n" in done.stdout and "--config.optim.disc.clip_weights=0.01\n" in done.stdout
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("spec", CONFIGS)
def test_what_print_config_prints_rebuilds_the_config(spec):
    resolved = resolve_config(load_config(f"{ROOT}/configs/{spec}"), [], sections)
    overrides = as_overrides(resolved)
    assert resolve_config(load_config(f"{ROOT}/configs/default.py"), overrides, sections).to_dict() == resolved.to_dict()


@pytest.mark.slow
def test_dry_run(tmp_path):
    done = launch("--config=configs/vanilla.py", *SMALL, "--dry_run", f"--workdir={tmp_path}/new")
    assert not (tmp_path / "new").exists()
    lines = {line.strip().rpartition("  ")[0].strip(): line.split()[-2:] for line in done.stdout.splitlines()}
    assert "disc: 6,289 params" in done.stdout
    assert lines["params"] == ["56.6", "kB"]  # 6,289 + 7,864 of four bytes
    assert {"optimizer", "averages", "data", "step", "disc", "gen", "whole run"} <= lines.keys()


@pytest.mark.slow
def test_sampled_arrays_are_the_run_s_own(run, tmp_path):
    folder, _ = run
    launch("--mode=sample", f"--workdir={folder}", "--seeds=1,3", f"--out={tmp_path}/two.npz")
    with np.load(tmp_path / "two.npz") as saved, Image.open(folder / "samples" / "step_00000002.png") as grid:
        assert saved["seeds"].tolist() == [1, 3] and int(saved["step"]) == 2
        picture = np.asarray(grid)
        np.testing.assert_array_equal(saved["images"][..., 0], [picture[:28, 28:56], picture[28:, 28:]])


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("configs/wgn.py", "configs/wgan.py"),
        ("./wgn.py", "configs/wgan.py"),
        ("wgan", "configs/wgan.py"),
        ("configs/r3gn.py", "configs/r3gan.py"),
        ("configs/ablations/r3gn.py", "configs/ablations/r3gan.py"),
        ("configs/rign.py", "configs/ablations/ring.py"),
        ("./mnie.py", "mine.py"),
        ("configs/owm.py", "configs/own.py"),
    ],
)
def test_the_nearest_config_is_found_from_any_folder(typed, meant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()  # which has none of them
    (tmp_path / "mine.py").write_text("")
    with pytest.raises(UserError, match=f"no config file '{re.escape(typed)}'; did you mean '{meant}'"):
        check_file(typed)


def test_a_config_file_of_no_text_is_one_line(tmp_path, capsys):
    for content in (b"\xff\xfe\x00", b"a = 1\0\n", b"def\n"):
        (tmp_path / "a.py").write_bytes(content)
        assert cli.main(["launch.py", f"--config={tmp_path}/a.py", "--help"]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.slow
def test_pictures_that_cannot_be_decoded_are_left_out_of_an_evaluation(tmp_path, monkeypatch, capsys):
    """The answer to them names an override, which this mode takes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pictures, rng = tmp_path / "pictures", np.random.default_rng(0)
    pictures.mkdir()
    for i in range(9):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(pictures / f"{i}.png")
    (pictures / "4.png").write_bytes((pictures / "4.png").read_bytes()[:50])
    typed = ["--mode=evaluate", f"--samples={pictures}", f"--reference={pictures}", f"--out={tmp_path}/a.json"]
    typed += ["--config.eval.features.name=random", "--config.eval.metrics=kid", "--config.eval.batch_size=8"]
    assert cli.main(["launch.py", *typed]) == 2
    shown = capsys.readouterr().err.splitlines()[-1]
    assert "or leave them out with --config.data.corrupt=skip" in shown
    typed += ["--config.data.corrupt=skip", f"--config.data.cache={tmp_path}/there"]
    assert cli.main(["launch.py", *typed]) == 0
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["protocol"]["samples"]["images"] == 8 and written["measured"]["code"] == code_of(["kid"], "random")
    assert (tmp_path / "there").is_dir()
    with pytest.raises(UserError) as told:  # a mode without overrides
        open_by_name(str(pictures))
    assert "4.png" in str(told.value) and "--config" not in str(told.value)
