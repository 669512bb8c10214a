"""The search for a picture's style finds a picture that a style made."""

import numpy as np
import pytest
from helpers import noise_images, plan_of
from PIL import Image

from jaxgan import cli
from jaxgan.data.features import features_of
from jaxgan.data.source import Arrays, Images
from jaxgan.errors import UserError
from jaxgan.training.train import train
from jaxgan.verbs.projection import project
from jaxgan.verbs.sample_request import sample_request
from jaxgan.verbs.sampling import sample


def pictures(pixels):
    return Images("mine", Arrays(pixels, None, np.arange(len(pixels))), features_of(pixels.shape[1:]), False)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "style"
    train(plan_of("stylegan_lite.py", nets__gen__noise=False), noise_images(), folder)
    return folder


@pytest.mark.slow
def test_what_a_style_made_is_found_again(run, tmp_path):
    made = np.load(sample(run, sample_request(seeds="0-3", out=str(tmp_path / "a.npz"))))["images"]
    path = project(run, pictures(made), num=3, steps=120, out=tmp_path / "found.png")
    with Image.open(path) as image:
        both = np.asarray(image).reshape(2, 12, 3, 12)
    np.testing.assert_array_equal(both[0].transpose(1, 0, 2), made[:3, ..., 0])
    with np.load(tmp_path / "found.npz") as found:
        assert found["w"].shape == (3, 8) and found["images"].shape == (3, 12, 12, 1)
        other = np.sqrt(np.mean((made[[1, 2, 0]].astype(float) - made[:3]) ** 2, (1, 2, 3)))
        assert (found["rmse"] < 0.25 * other).all()
        np.testing.assert_array_equal(both[1].transpose(1, 0, 2), found["images"][..., 0])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--input={}/in", "--out={}/found.png"], "{}/found.png exists already; choose another --out, or replace it with"),
        (["--input={}/in", "--out={}/new.png"], "{}/new.npz exists already; choose another --out"),
        (["--input={}/in", "--out={}/in/x.png", "--overwrite"], "{}/in/x.png is among what is read, {}/in; choose another"),
        (["--input={}/new.npz", "--out={}/new.png", "--overwrite"], "{}/new.npz is among what is read, {}/new.npz; choose"),
        (["--input={}/in", "--overwrite"], "--overwrite goes with --out"),
    ],
)
def test_nothing_of_others_is_replaced(words, told, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    for name in ("found.png", "new.npz"):
        (tmp_path / name).write_text("mine")
    words = [word.replace("{}", str(tmp_path)) for word in words]
    assert cli.main(["launch.py", "--mode=project", "--workdir=x", *words]) == 2
    assert told.replace("{}", str(tmp_path)) in capsys.readouterr().err
    assert (tmp_path / "found.png").read_text() == (tmp_path / "new.npz").read_text() == "mine"


def test_mistakes(run, tmp_path):
    with pytest.raises(UserError, match="mine is 8x8x1 and the run makes 12x12x1"):
        project(run, pictures(np.zeros((2, 8, 8, 1), np.uint8)), 1, 1, None)
    train(plan_of("dcgan.py", steps=1), noise_images(), tmp_path)
    with pytest.raises(UserError, match="--mode=project is of generators with styles"):
        project(tmp_path, pictures(np.zeros((2, 12, 12, 1), np.uint8)), 1, 1, None)
