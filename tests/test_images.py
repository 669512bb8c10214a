import json

import numpy as np
import pytest
from PIL import Image

from jaxgan.images import grid_picture, save_gif, save_npz, save_png, to_uint8
from jaxgan.workdir.writer import Writer


def test_every_level_survives():
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(levels.astype(np.float32) / 127.5 - 1), levels)
    np.testing.assert_array_equal(to_uint8(np.array([-9.0, 9.0])), [0, 255])


def test_grid_reads_like_a_page():
    tiles = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1) * np.ones((1, 2, 3, 1), np.uint8)
    picture = grid_picture(tiles)
    assert picture.shape == (4, 9, 1)
    np.testing.assert_array_equal(picture[::2, ::3, 0], [[0, 1, 2], [3, 4, 0]])
    assert grid_picture(tiles, columns=5).shape == (2, 15, 1)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "L"), (3, "RGB"), (4, "RGBA")])
def test_png(tmp_path, channels, mode):
    save_png(tmp_path / "new" / "a.png", np.zeros((4, 5, channels), np.uint8))
    with Image.open(tmp_path / "new" / "a.png") as picture:
        assert picture.mode == mode and picture.size == (5, 4)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.png"]


def test_a_writer_that_starts_again_drops_what_came_later(tmp_path):
    seen = []
    for start, steps in [(0, (1, 2, 3)), (2, (3,))]:
        writer = Writer(tmp_path, start, tensorboard=False)
        for step in steps:
            writer.scalars({"step": step, "loss": np.float32(start), "bad": np.inf, "absent": np.nan}, seen.append)
        writer.close()
        with (tmp_path / "metrics.jsonl").open("a") as file:
            file.write('{"step": 9, "cut by a ki')
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()[:-1]]
    assert not any("absent" in line for line in lines)
    assert [(line["step"], line["loss"], line["bad"]) for line in lines] == [(1, 0, None), (2, 0, None), (3, 2, None)]
    assert len(seen) == 4


def test_a_failed_write_is_not_swallowed(tmp_path):
    writer = Writer(tmp_path, 0, tensorboard=False)
    writer.samples(1, lambda: np.zeros("no picture"))  # pyright: ignore
    with pytest.raises(TypeError):
        writer.close()


def test_a_gif_and_an_npz_are_whole(tmp_path):
    save_gif(tmp_path / "a.gif", [np.full((4, 5, 1), v, np.uint8) for v in (0, 128, 255)])
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 3 and animation.size == (5, 4)
    save_npz(tmp_path / "b.npz", x=np.arange(3))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.gif", "b.npz"]
