"""Pictures with all their bits: 16 of grey, of colours and of alpha, in PNG and TIFF, turned as their camera was held."""

import struct
import zlib
from functools import partial

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from jaxgan.data.deep import TURNS, read
from jaxgan.data.picture import ORIENTATION, opened, seen
from jaxgan.png import png

RNG = np.random.default_rng(0)


def found(path, white=0.0):
    return read(partial(opened, path), white).pixels


def deep_png(path, picture, chunks=()):
    """A PNG of 16 bits with more chunks (name, content) before its pixels."""
    with png(path, *picture.shape, 16) as write:
        write(picture)
    content = path.read_bytes()
    more = b"".join(struct.pack(">I", len(x)) + name + x + struct.pack(">I", zlib.crc32(name + x)) for name, x in chunks)
    path.write_bytes(content[:33] + more + content[33:])
    return path


def deep_tiff(path, picture, order="<", orientation=1):
    """An uncompressed TIFF of 16 bits, by hand: header, one strip, a directory."""
    h, w, c = picture.shape
    strip = picture.astype(f"{order}u2").tobytes()
    extra = 8 + len(strip)
    tags = [(256, 4, 1, w), (257, 4, 1, h), (258, 3, c, extra), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 8),
            (274, 3, 1, orientation), (277, 3, 1, c), (278, 4, 1, h), (279, 4, 1, len(strip))]  # fmt: skip
    tags += [(338, 3, 1, 2)] * (c == 4)
    out = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, extra + 2 * c) + strip
    out += struct.pack(order + f"{c}H", *[16] * c) + struct.pack(order + "H", len(tags))
    for tag, kind, count, value in tags:
        packed = struct.pack(order + "HH", value, 0) if kind == 3 and count == 1 else struct.pack(order + "I", value)
        out += struct.pack(order + "HHI", tag, kind, count) + packed
    path.write_bytes(out + struct.pack(order + "I", 0))
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiffs_of_16_bits(order, channels, tmp_path):
    picture = RNG.integers(0, 65536, (5, 7, channels), dtype=np.uint16)
    np.testing.assert_array_equal(found(deep_tiff(tmp_path / "x.tif", picture, order)), picture)


@pytest.mark.parametrize("compression", ["tiff_deflate", "tiff_lzw"])
def test_compressed_grey_of_16_bits(compression, tmp_path):
    picture = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)
    Image.fromarray(picture).save(tmp_path / "x.tif", compression=compression)
    np.testing.assert_array_equal(found(tmp_path / "x.tif"), picture[..., None])


@pytest.mark.parametrize("orientation", [1, *TURNS])
@pytest.mark.parametrize("kind", ["8.png", "grey.png", "colour.png", "colour.tif"])
def test_a_camera_that_was_turned(kind, orientation, tmp_path):
    """As `picture.seen` turns it."""
    path, exif = tmp_path / f"x.{kind[-3:]}", Image.Exif()
    exif[ORIENTATION] = orientation
    picture = RNG.integers(0, 65536, (5, 7, 1 if kind == "grey.png" else 3), dtype=np.uint16)
    if kind == "8.png":
        Image.fromarray((picture >> 8).astype(np.uint8)).save(path, exif=exif)
    elif kind.endswith("tif"):
        deep_tiff(path, picture, orientation=orientation)
    else:
        deep_png(path, picture, [(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))])
    with opened(path) as image:
        wanted = np.asarray(seen(image))
    got = found(path)
    assert got.dtype == (np.uint8 if kind == "8.png" else np.uint16)
    got = got if kind == "8.png" else np.rint(got / 257) if kind == "grey.png" else got >> 8
    np.testing.assert_array_equal(got.squeeze(), wanted)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_one_clear_colour_is_alpha(channels, tmp_path):
    picture = RNG.integers(0, 65536, (5, 7, channels), dtype=np.uint16)
    picture[2, 3] = picture[0, 0]
    clear = struct.pack(f">{channels}H", *picture[0, 0])
    got = found(deep_png(tmp_path / "x.png", picture, [(b"tRNS", clear)]))
    np.testing.assert_array_equal(got[..., :-1], picture)
    assert np.argwhere(got[..., -1] == 0).tolist() == [[0, 0], [2, 3]] and {*np.unique(got[..., -1])} == {0, 65535}


def test_fewer_bits_of_grey_are_brought_to_16(tmp_path):
    """12 bits of a TIFF by its tag; elsewhere by `white`."""
    picture = RNG.integers(0, 4096, (5, 7), dtype=np.uint16)
    picture[0, 0] = 4095
    Image.fromarray(picture).save(tmp_path / "x.png")
    np.testing.assert_array_equal(found(tmp_path / "x.png")[..., 0], picture)
    wanted = np.rint(picture * (65535 / 4095))
    np.testing.assert_allclose(found(tmp_path / "x.png", white=4095)[..., 0], wanted, atol=1)
    floats = (picture / 4095).astype(np.float32)
    Image.fromarray(floats).save(tmp_path / "x.tif")
    np.testing.assert_allclose(found(tmp_path / "x.tif", white=1)[..., 0], wanted, atol=1)
    with pytest.raises(ValueError, match="floating-point pixels have no known range"):
        found(tmp_path / "x.tif")


def test_white_may_be_zero(tmp_path):
    picture = RNG.integers(0, 65536, (5, 7), dtype=np.uint16)
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[262] = 0
    Image.fromarray(picture).save(tmp_path / "x.tif", tiffinfo=info)
    with opened(tmp_path / "x.tif") as image:
        if image.tag_v2[262] != 0:
            pytest.skip("this Pillow writes another tag")
        wanted = np.asarray(seen(image))
    np.testing.assert_array_equal(np.rint(found(tmp_path / "x.tif")[..., 0] / 257), wanted)


@pytest.mark.parametrize(
    ("mode", "name", "channels"),
    [("L", "x.png", 1), ("LA", "x.png", 2), ("RGB", "x.jpg", 3), ("CMYK", "x.jpg", 3), ("RGBA", "x.webp", 4),
     ("1", "x.png", 1), ("P", "x.gif", 3)],
)  # fmt: skip
def test_8_bits_are_what_is_seen(mode, name, channels, tmp_path):
    noise = Image.fromarray(RNG.integers(0, 256, (5, 7, 4), dtype=np.uint8))
    noise.convert("RGB" if mode in ("CMYK", "P") else "RGBA").convert(mode).save(tmp_path / name)
    got = found(tmp_path / name)
    assert got.dtype == np.uint8 and got.shape == (5, 7, channels)
    with opened(tmp_path / name) as image:
        np.testing.assert_array_equal(got.squeeze(), np.asarray(seen(image)))


@pytest.mark.parametrize("name", ["x.gif", "x.png", "x.webp", "x.tif"])
def test_several_frames_are_refused(name, tmp_path):
    frames = [Image.fromarray(RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match="it has 3 frames or pages, and one is wanted"):
        found(tmp_path / name)
