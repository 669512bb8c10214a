"""Prompts: what a run is told of them, on the command line and from Python."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import TOKENS, inside
from PIL import Image

import jaxgan
from jaxgan.errors import UserError
from jaxgan.prompts import prompt_tokens
from jaxgan.verbs.sample_request import sample_request

PLAN = SimpleNamespace(features={"tokens": TOKENS}, given=("tokens",))


def test_words_become_their_numbers(capsys):
    np.testing.assert_array_equal(prompt_tokens(PLAN, ["a c", "F, zebra b!"]), [[2, 4, 0, 0, 0], [7, 1, 3, 0, 0]])
    assert capsys.readouterr().out == "the word 'zebra' is unknown to this run; known: a, b, c, d, e, f\n"


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("", "a prompt says what to draw, and '' has no word; this run knows a, b, ..."),
        ("?!", "a prompt says what to draw, and '?!' has no word"),
        ("a b c d e f", "the prompt 'a b c d e f' has 6 words, and this run reads 5"),
        ("zebra crossing", "this run knows no word of the prompt 'zebra crossing'; known: a, b, c, d, e, f"),
    ],
)
def test_mistakes(prompt, told):
    with pytest.raises(UserError, match="^" + told.replace("?", r"\?").replace(".", r"\.")):
        prompt_tokens(PLAN, [prompt])
    with pytest.raises(UserError, match="a prompt is of runs that draw captions .*, and this run is told none"):
        prompt_tokens(SimpleNamespace(features={}, given=()), [prompt])


def test_prompts_of_a_file(tmp_path):
    (tmp_path / "some.txt").write_text("a red circle\n\n  two words \n")
    wanted = sample_request(prompts=str(tmp_path / "some.txt"), num=3)
    assert wanted.prompts == ("a red circle", "two words") and wanted.rows == "prompts" and wanted.is_table
    assert not sample_request(prompt=["a"]).is_table
    (tmp_path / "none.txt").write_text("\n \n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    for flags, told in (
        ({"prompts": "none.txt"}, "has no line with a prompt"),
        ({"prompts": "picture.png"}, "cannot be read: it is no text"),
        ({"prompts": "nowhere.txt"}, "cannot be read: No such file or directory"),
        ({"prompts": "some.txt", "prompt": ["a"]}, "two ways to say what to draw; leave one out"),
    ):
        with pytest.raises(UserError, match=told):
            sample_request(**(flags | {"prompts": str(tmp_path / flags["prompts"])}))
    for flags, told in (
        ({"prompt": ["a", "b"], "labels": "0-3"}, "--labels make a table of their own, and so do those of --prompts"),
        ({"prompt": ["a", "b"], "truncation": "scale:1,0.5"}, "--prompts make a table .*, and so do those of --truncation"),
        ({"attention": True}, "--attention shows where a picture looked at the words of a prompt: --prompt=... beside it"),
        ({"prompt": ["a"], "attention": True, "grid": "2x2"}, "--grid has no effect on a table"),
        ({"prompt": ["a"], "attention": True, "out": "x.npz"}, r"--out=x.npz must be FILE.png"),
        ({"prompt": ["a"], "interpolate": 3}, "--prompts is of pictures and tables, and not of --mix and --interpolate"),
    ):
        with pytest.raises(UserError, match=told):
            sample_request(**flags)


@pytest.mark.slow
def test_a_run_draws_prompts(tmp_path):
    """Both stages in one command; then tables, folders and arrays of prompts, the same pictures in each, where they were
    looked at, and what the scores and the card say."""
    run, small = tmp_path / "run", ("steps=2", "eval.every=0", "task.dims=8", "nets.image.width=2", "nets.text.embedding=4")
    inside("--config=configs/attngan.py:small", f"--workdir={run}", "--config.steps=2", "--config.nets.gen.width=2",
           "--config.nets.disc.width=2", "--config.eval.every=0", "--config.batch_size=4", "--config.sample.num=2",
           "--config.nets.gen.condition=4", "--config.nets.gen.residuals=0",
           f"--config.frozen.damsm.overrides={','.join(small)},batch_size=4")  # fmt: skip
    two = ("--prompt=a red circle", "--prompt=a large blue square above a green cross")
    ask = ("--mode=sample", f"--workdir={run}", "--seeds=3,5")
    inside(*ask, *two, f"--out={tmp_path}/table.png")
    inside(*ask, *two, f"--out={tmp_path}/arrays.npz")
    inside(*ask, *two, f"--out={tmp_path}/folder")
    with np.load(tmp_path / "arrays.npz") as found:
        images, seeds, prompts = (found[name] for name in ("images", "seeds", "prompts"))
    assert images.shape == (4, 32, 32, 3) and [*seeds] == [3, 5, 3, 5]
    assert [*prompts] == [text.removeprefix("--prompt=") for text in np.repeat(two, 2)]
    rows = [*csv.DictReader((tmp_path / "folder" / "samples.csv").open())]
    assert [row["file"] for row in rows] == [f"prompt{i:03d}_seed{seed:08d}.png" for i in range(2) for seed in (3, 5)]
    assert [row["prompt"] for row in rows] == [*prompts]
    model = jaxgan.load(run)
    np.testing.assert_array_equal(model.sample(seeds=[3, 5], prompt=prompts[0]), images[:2])
    np.testing.assert_array_equal(model.sample(seeds=[5], prompt=str(prompts[2])), images[3:])
    assert len(model.sample(prompt=["a red circle", "a blue cross"])) == 2
    with pytest.raises(UserError, match="prompt is a text, or one for each of the 3 pictures, not 2"):
        model.sample(num=3, prompt=["a red circle", "a blue cross"])
    assert model.sample(num=2).shape == (2, 32, 32, 3)  # of captions of the data
    inside(*ask, *two, "--attention", f"--out={tmp_path}/looks.png")
    with Image.open(tmp_path / "looks.png") as sheet:
        assert sheet.size == (9 * 96, 2 * (18 + 2 * 96)), "a column for each of eight words, a row for each picture"
    inside("--mode=evaluate", f"--workdir={run}", "--config.eval.metrics=scene,looks", "--config.eval.num_samples=20")
    scores = json.loads((run / "evaluation.json").read_text())["evaluations"][-1]
    assert {"scene", "scene_count"} <= {name.rstrip("0123456789k") for name in scores["scores"]}, scores["scores"]
    inside("--mode=export", f"--workdir={run}", f"--out={tmp_path}/model")
    card = (tmp_path / "model" / "card.md").read_text()
    assert "It knows 33:" in card and "above, and, below, big" in card and 'prompt="..."' in card
    done = inside(*ask, "--prompt=zebra", f"--out={tmp_path}/none.png", check=2)
    assert "knows no word of the prompt 'zebra'" in done.stderr and not (tmp_path / "none.png").exists()
