"""PNG files written by rows, read by Pillow."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from jaxgan import png as module
from jaxgan.data.deep import read
from jaxgan.data.picture import opened
from jaxgan.png import png, size

RNG = np.random.default_rng(0)


def written(path, picture, rows=(3, 1, 100), profile=b""):
    with png(path, *picture.shape, picture.dtype.itemsize * 8, profile) as write:
        start = 0
        for n in rows:
            write(picture[start : start + n])
            start += n
    return path


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("at_once", [1, 100, 2**21])
def test_pillow_reads_8_bits(channels, at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    picture = RNG.integers(0, 256, (9, 7, channels), dtype=np.uint8)
    with Image.open(written(tmp_path / "x.png", picture)) as image:
        assert image.mode == ("L", "LA", "RGB", "RGBA")[channels - 1]
        np.testing.assert_array_equal(np.asarray(image).reshape(picture.shape), picture)
    assert size(tmp_path / "x.png") == (9, 7)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bits_come_back(channels, tmp_path):
    picture = RNG.integers(0, 65536, (9, 7, channels), dtype=np.uint16)
    path = written(tmp_path / "x.png", picture)
    found = read(lambda: opened(path)).pixels
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, picture)


def test_it_is_small(tmp_path):
    """About as small as Pillow's."""
    wave = np.sin(np.arange(200) / 9)
    picture = np.rint(100 + 60 * np.add.outer(wave, wave)[..., None] * [0.3, 0.6, 0.8]).astype(np.uint8)
    other = io.BytesIO()
    Image.fromarray(picture).save(other, "PNG")
    assert written(tmp_path / "x.png", picture, (200,)).stat().st_size < 1.3 * len(other.getvalue())


def test_a_profile_stays_where_it_is_of_these_colours(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for channels, kept in ((3, True), (4, True), (1, False)):
        path = written(tmp_path / "x.png", np.zeros((9, 7, channels), np.uint8), profile=profile)
        with Image.open(path) as image:
            assert (image.info.get("icc_profile") == profile) == kept


def test_rows_that_do_not_fit_leave_no_file(tmp_path):
    picture = np.zeros((9, 7, 3), np.uint8)
    for rows, told in (((3,), "3 rows of 9"), ((9, 9), "no part of 8 bits")):
        with pytest.raises(ValueError, match=told):
            with png(tmp_path / "x.png", 9, 7, 3) as write:
                for n in rows:
                    write(picture[:n])
    with pytest.raises(ValueError, match="uint16"):
        with png(tmp_path / "x.png", 9, 7, 3) as write:
            write(picture.astype(np.uint16))
    assert not [*tmp_path.iterdir()]
    (tmp_path / "y.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="no PNG"):
        size(tmp_path / "y.png")
