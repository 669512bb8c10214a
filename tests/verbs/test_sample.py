"""What `--mode=sample` writes, and that the same order gives the same bytes."""

from functools import partial

import jax
import numpy as np
import pytest
from helpers import noise_images, plan_of, tiny
from PIL import Image

from jaxgan import generate
from jaxgan.errors import UserError
from jaxgan.plan import Plan
from jaxgan.sections import open_data
from jaxgan.training.train import train
from jaxgan.verbs import sample_files, sampling
from jaxgan.verbs.outputs import NOTE
from jaxgan.verbs.sample_request import sample_request
from jaxgan.verbs.sampling import STRIP, sample


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "wgan"
    train(plan_of("wgan.py"), noise_images(), folder)
    return folder


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "ring"
    config = tiny("toy.py:ring")
    images = open_data(config)
    train(Plan(config, images.features), images, folder)
    return folder


def order(**flags):
    return sample_request(**flags)


def array(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize(
    ("flags", "count", "columns"),
    [
        ({}, 64, None),
        ({"num": 5}, 5, None),
        ({"grid": "8x4"}, 32, 8),
        ({"seeds": "0-3,9"}, 5, None),
        ({"interpolate": 4}, 8, None),
    ],
)
def test_orders(flags, count, columns):
    made = order(**flags)
    assert len(made.seeds) == count and made.columns == columns
    assert order(seeds="0-3,9").seeds == (0, 1, 2, 3, 9)


@pytest.mark.slow
def test_a_grid_has_columns_and_rows(run):
    picture = array(sample(run, order(grid="4x2")))
    assert picture.shape == (2 * 12, 4 * 12)


def test_the_same_number_is_the_same_image_everywhere(run, tmp_path):
    grid = array(sample(run, order(num=6, out=str(tmp_path / "g.png"), grid="6x1")))
    with np.load(sample(run, order(seeds="5,2", out=str(tmp_path / "a.npz")))) as saved:
        arrays = saved["images"]
    folder = sample(run, order(seeds="2,5", out=str(tmp_path / "each")))
    for at, seed in enumerate((5, 2)):
        tile = grid[:, 12 * seed : 12 * (seed + 1)]
        np.testing.assert_array_equal(tile, arrays[at, ..., 0])
        np.testing.assert_array_equal(tile, array(folder / f"seed{seed:08d}.png"))


def test_twice_is_the_same_and_raw_is_another(run, tmp_path):
    content = [sample(run, order(num=3, out=str(tmp_path / f"{i}.npz"))).read_bytes() for i in range(2)]
    assert content[0] == content[1]
    raw, mean = (array(sample(run, order(num=3, ema=ema))) for ema in (False, True))
    assert (raw != mean).any()


def test_interpolation(run, tmp_path):
    path = sample(run, order(seeds="0-2", interpolate=4, out=str(tmp_path / "walk.gif")))
    with Image.open(path) as animation:
        assert animation.n_frames == 3 * 4 and animation.size == (12, 12)
    strip, ends = array(tmp_path / "walk_strip.png"), array(sample(run, order(seeds="0-2", grid="3x1")))
    assert strip.shape == (2 * 12, STRIP * 12)
    np.testing.assert_array_equal(strip[:12, :12], ends[:, :12])  # the first row goes from 0 ...
    np.testing.assert_array_equal(strip[:12, -12:], ends[:, 12:24])  # ... to 1, the second from there
    np.testing.assert_array_equal(strip[12:, :12], ends[:, 12:24])


def test_interpolated_latents_keep_their_norm():
    task = plan_of("wgan.py", task__z_dim=512).task()
    a, b = (task.draw(jax.random.split(jax.random.key(i), 16)) for i in range(2))
    for t in (0.0, 0.3, 0.5, 1.0):
        z = task.blend(a, b, np.full(16, t, np.float32))["z"]
        np.testing.assert_allclose(np.linalg.norm(z, axis=1), np.sqrt(512), rtol=0.15)
    np.testing.assert_allclose(task.blend(a, b, np.zeros(16, np.float32))["z"], a["z"], atol=1e-5)
    np.testing.assert_allclose(task.blend(a, a, np.full(16, 0.5, np.float32))["z"], a["z"], atol=1e-5)


@pytest.mark.slow
def test_points_are_a_scatter_plot_or_arrays(points, tmp_path):
    assert array(sample(points, order(num=100))).shape == (480, 480, 3)
    with np.load(sample(points, order(num=100, out=str(tmp_path / "p.npz")))) as saved:
        assert saved["images"].shape == (100, 2) and saved["images"].dtype == np.float32
    for flags in ({"out": str(tmp_path / "each")}, {"interpolate": 3}):
        with pytest.raises(UserError, match="points have no pictures of their own"):
            sample(points, order(**flags))


@pytest.fixture
def made(monkeypatch):
    """How many images the generator is asked for, each time; it is four at once."""
    asked, make = [], generate.to_uint8

    def counted(images):
        asked.append(len(images))
        return make(images)

    monkeypatch.setattr(sampling, "CHUNK", 4)
    monkeypatch.setattr(generate, "to_uint8", counted)
    return asked


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != NOTE}


def killed_after(count, patch, *arguments):
    """Samples, and is stopped when it writes one file more than `count`."""
    left = [count]
    for name in ("save_png", "save_npy"):

        def write(write, path, pixels):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            write(path, pixels)

        patch.setattr(sample_files, name, partial(write, getattr(sample_files, name)))
    with pytest.raises(KeyboardInterrupt):
        sample(*arguments)


def test_pictures_are_written_as_they_are_made_and_a_killed_request_goes_on(run, tmp_path, made, monkeypatch):
    whole = content(sample(run, order(num=14, out=str(tmp_path / "whole"))))
    assert made == [4] * 4 and len(whole) == 14 + 1  # samples.csv
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        killed_after(6, patch, run, order(num=14, out=str(out)))
    assert len(content(out)) == 6 and made == [4] * 6  # two batches, and the second is there in part
    (out / "seed00000006.png.host.12.tmp").write_bytes(b"half")
    assert content(sample(run, order(num=14, out=str(out)))) == whole
    assert made == [4] * 9  # the second again, and those behind it
    sample(run, order(num=14, out=str(out)))
    assert made == [4] * 9  # nothing is left to make


def test_an_npz_is_written_as_it_is_made_and_a_killed_request_goes_on(run, tmp_path, made, monkeypatch):
    whole = sample(run, order(num=14, out=str(tmp_path / "whole.npz"))).read_bytes()
    assert made == [4] * 4 and [path.name for path in tmp_path.iterdir()] == ["whole.npz"]
    out, parts = tmp_path / "out.npz", tmp_path / "out.npz.parts"
    with monkeypatch.context() as patch:
        killed_after(2, patch, run, order(num=14, out=str(out)))
    assert len(content(parts)) == 2 and made == [4] * 7 and not out.exists()
    (parts / "part00000000.npy").write_bytes((parts / "part00000000.npy").read_bytes()[:-9])
    with pytest.raises(UserError, match="out.npz.parts holds files of another command .seeds: 0-13, now 0-12.; choose"):
        sample(run, order(num=13, out=str(out)))
    assert sample(run, order(num=14, out=str(out))).read_bytes() == whole
    assert made == [4] * 10 and not parts.exists()  # the damaged part, and the two that were left


def test_a_request_is_its_numbers_and_its_weights(run, tmp_path):
    sample(run, order(num=2, out=str(tmp_path)))
    for other in ({"num": 3}, {"num": 2, "ema": False}):
        with pytest.raises(UserError, match="holds files of another command"):
            sample(run, order(out=str(tmp_path), **other))
    sample(run, order(num=3, out=str(tmp_path), overwrite=True))
    assert len(content(tmp_path)) == 4 and (tmp_path / "samples.csv").read_text().count("\n") == 4


def test_out_replaces_nothing(run, tmp_path):
    (tmp_path / "walk_strip.png").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    for out, flags, told in (
        ("walk_strip.png", {}, "walk_strip.png exists already; choose another --out, or replace it with --overwrite"),
        ("walk.gif", {"interpolate": 3}, "walk_strip.png exists already"),
        ("folder", {}, "folder holds 'mine.txt', which this command has not made"),
        ("folder", {"overwrite": True}, "folder holds 'mine.txt', which this command has not made"),
    ):
        with pytest.raises(UserError, match=told):
            order(out=str(tmp_path / out), **flags)
    with pytest.raises(UserError, match="--overwrite goes with --out"):
        order(overwrite=True)
    sample(run, order(num=1, out=str(tmp_path / "walk_strip.png"), overwrite=True))
    assert array(tmp_path / "walk_strip.png").shape == (12, 12)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (
            {"num": 9},
            "a sheet of 9 images of 12x12 has 0 million pixels, .*; --out=FOLDER or FILE.npz takes any",
        ),
        ({"seeds": "0-1", "interpolate": 3}, "a sheet of 9 images of 12x12 .*; ask for fewer"),
    ],
)
def test_a_sheet_that_no_viewer_opens_is_refused(run, flags, told, monkeypatch, tmp_path):
    monkeypatch.setattr(sampling, "SHEET", 8 * 144)
    with pytest.raises(UserError, match=told):
        sample(run, order(**flags))
    sample(run, order(num=9, out=str(tmp_path / "any")))
    sample(run, order(num=8, out=str(tmp_path / "fits.png")))


def test_numbers_are_spelled_as_they_are_typed():
    for text in ("0-63", "5,2", "0-3,9,11-12", "7"):
        assert sample_files.spelled(order(seeds=text).seeds) == text
