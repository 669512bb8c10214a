import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from jaxgan.images import Rows, grid_picture, save_gif, save_npy, save_npz, save_png, to_uint8
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


def test_an_npz_of_any_size_is_written_a_part_at_a_time(tmp_path):
    parts, size = 64, 2**20
    rows = Rows((parts * 2, size // 2), np.dtype(np.uint8), (np.full((2, size // 2), i, np.uint8) for i in range(parts)))
    tracemalloc.start()
    save_npz(tmp_path / "a.npz", images=rows, seeds=np.arange(3), step=np.array(7))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * size < parts * size
    assert (tmp_path / "a.npz").stat().st_size < size  # compressed
    with np.load(tmp_path / "a.npz", allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["images"][:, 0], np.repeat(np.arange(parts), 2))
        assert saved["images"].shape == rows.shape and saved["images"].dtype == np.uint8
        np.testing.assert_array_equal(saved["seeds"], [0, 1, 2])
        assert saved["step"] == 7 and saved["step"].shape == ()


def test_a_gif_of_a_generator_s_frames(tmp_path):
    save_gif(tmp_path / "a.gif", (np.full((4, 5, 1), 50 * i, np.uint8) for i in range(4)))
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 4
        animation.seek(3)
        assert animation.convert("L").getpixel((0, 0)) == 150


def test_an_npy_is_what_numpy_reads(tmp_path):
    save_npy(tmp_path / "new" / "a.npy", np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(np.load(tmp_path / "new" / "a.npy"), [[0, 1, 2], [3, 4, 5]])
