"""Every format, orientation and kind of pixel against a table of truth, which is made here without the code in question."""

import io
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from jaxgan.data import decode, picture
from jaxgan.data.by_name import open_by_name
from jaxgan.data.folder import ImageFolder
from jaxgan.data.image_pairs import ImagePairs
from jaxgan.data.picture import opened, seen, size_of
from jaxgan.data.resize import Fit
from jaxgan.errors import UserError

H, W, BLOCK = 2, 4, 16  # blocks, so that lossy formats keep their colours
# EXIF 2.3, 4.6.4: which side of what a person sees the stored row 0 and column 0 are.
SIDES = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("left", "top"),
    6: ("right", "top"),
    7: ("right", "bottom"),
    8: ("left", "bottom"),
}
COLOURS = np.array([[200, 30, 20], [10, 20, 180], [30, 190, 40], [240, 240, 10], [5, 5, 5], [250, 250, 250], [90, 0, 90]])
COLOURS = np.concatenate([COLOURS, [[0, 128, 128]]]).astype(np.uint8)
RGB = COLOURS.reshape(H, W, 3).repeat(BLOCK, 0).repeat(BLOCK, 1)
GREY = np.arange(0, 256, 255 // 7, dtype=np.uint8)[: H * W].reshape(H, W).repeat(BLOCK, 0).repeat(BLOCK, 1)
ALPHA = GREY[::-1, ::-1]
LEVELS = GREY.astype(np.uint16) * 257 + 100  # 16 bits that round to GREY


def stored(pixels, orientation):
    """The pixels as they must be stored so that a person sees `pixels`."""
    row, column = SIDES[orientation]
    if row in ("left", "right"):
        pixels = pixels.swapaxes(0, 1)  # rows are now what a person sees as columns, from the left
    return pixels[:: -1 if row in ("right", "bottom") else 1, :: -1 if column in ("right", "bottom") else 1]


def over(background, colour, alpha):
    """A colour with transparency over a grey level, rounded."""
    share = alpha.astype(float)[..., None] / 255
    return np.rint(colour * share + background * (1 - share))


def grey3(pixels):
    return np.repeat(pixels[..., None], 3, -1)


def image(mode, orientation):
    """A picture of this mode, as it is to be stored, and what a person sees over a background of 100."""
    rgb, grey, alpha, levels = (np.ascontiguousarray(stored(x, orientation)) for x in (RGB, GREY, ALPHA, LEVELS))
    bits = np.where(grey > 127, 255, 0).astype(np.uint8)
    if mode == "1":
        return Image.fromarray(bits).convert("1"), grey3(np.where(GREY > 127, 255, 0))
    if mode == "L":
        return Image.fromarray(grey), grey3(GREY)
    if mode == "LA":
        return Image.merge("LA", (Image.fromarray(grey), Image.fromarray(alpha))), over(100, grey3(GREY), ALPHA)
    if mode in ("P", "P clear"):
        index = (rgb[..., None, :] == COLOURS).all(-1).argmax(-1).astype(np.uint8)
        out = Image.frombytes("P", index.shape[::-1], index.tobytes())
        out.putpalette(COLOURS.tobytes())
        clear = (RGB == COLOURS[2]).all(-1) & (mode == "P clear")
        return out, np.where(clear[..., None], 100, RGB)
    if mode == "RGB":
        return Image.fromarray(rgb), RGB
    if mode == "RGBA":
        return Image.fromarray(np.concatenate([rgb, alpha[..., None]], -1)), over(100, RGB, ALPHA)
    if mode == "CMYK":
        return Image.merge(
            "CMYK", [Image.fromarray(255 - rgb[..., i]) for i in range(3)] + [Image.new("L", rgb.shape[1::-1])]
        ), RGB
    if mode == "YCbCr":  # ITU-R 601, full range (JFIF)
        red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
        y = 0.299 * red + 0.587 * green + 0.114 * blue
        parts = (y, 128 + (blue - y) / 1.772, 128 + (red - y) / 1.402)
        return Image.merge("YCbCr", [Image.fromarray(np.rint(x).clip(0, 255).astype(np.uint8)) for x in parts]), RGB
    if mode == "LAB":  # lightness alone: L* = 116 (Y/Yn)^(1/3) - 16, and sRGB's curve from Y
        y = np.where(GREY / 2.55 > 8, ((GREY / 2.55 + 16) / 116) ** 3, GREY / 2.55 / 903.3)
        srgb = np.where(y <= 0.0031308, 12.92 * y, 1.055 * y ** (1 / 2.4) - 0.055)
        middle = Image.new("L", grey.shape[::-1], 128)
        return Image.merge("LAB", (Image.fromarray(grey), middle, middle)), grey3(np.rint(255 * srgb))
    assert mode == "16"
    return Image.fromarray(levels), grey3(GREY)


EXIF = range(1, 9)
TABLE = {  # ending: (modes, orientations, how to save, the error that its compression makes)
    "png": (("1", "L", "LA", "P", "P clear", "RGB", "RGBA", "16"), EXIF, {}, 0),
    "jpg": (("L", "RGB", "CMYK"), EXIF, {"quality": 100, "subsampling": 0}, 3),
    "jfif": (("RGB",), EXIF, {"quality": 100, "subsampling": 0}, 3),
    "webp": (("RGB", "RGBA"), EXIF, {"lossless": True, "exact": True}, 0),
    "avif": (("RGB", "RGBA"), EXIF, {"quality": 100, "subsampling": "4:4:4"}, 3),
    "tif": (("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "16"), EXIF, {}, 2),
    "tiff": (("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB", "16"), EXIF, {"compression": "tiff_lzw"}, 2),
    "bmp": (("1", "L", "P", "RGB"), (1,), {}, 0),
    "gif": (("L", "P", "P clear"), (1,), {}, 0),
    "jp2": (("L", "LA", "RGB", "RGBA", "16"), (1,), {}, 0),
    "ppm": (("RGB",), (1,), {}, 0),
    "pgm": (("L", "16"), (1,), {}, 0),
    "pnm": (("1",), (1,), {}, 0),
}


def save(path, mode, orientation, options):
    made, truth = image(mode, orientation)
    options = options | ({"transparency": 2} if mode == "P clear" else {})
    if orientation > 1 or path.suffix == ".tif":
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = options | {"exif": exif}
    if path.suffix == ".pnm":
        made.save(path, "PPM", **options)
    else:
        made.save(path, **options)
    return truth


CASES = [(ending, mode) for ending, (modes, *_) in TABLE.items() for mode in modes]


@pytest.mark.parametrize(("ending", "mode"), CASES)
def test_what_a_person_sees(ending, mode, tmp_path):
    if ending == "avif" and "AVIF" not in picture._formats():
        pytest.skip("this Pillow reads no AVIF")
    _, orientations, options, error = TABLE[ending]
    for orientation in orientations:
        path = tmp_path / f"{orientation}.{ending}"
        truth = save(path, mode, orientation, options)
        with opened(path) as one:
            assert size_of(one) == truth.shape[:2]
        with opened(path) as one:
            pixels = Fit(channels=3, background=(100,))(one)
        near = error + (mode in ("LA", "RGBA"))
        np.testing.assert_allclose(pixels.astype(int), truth, rtol=0, atol=near, err_msg=str(path))
        with opened(path) as one:  # asked for its size, and decoded, before it is seen
            assert size_of(one) == truth.shape[:2]
            np.testing.assert_array_equal(Fit(channels=3, background=(100,))(one), pixels)
            assert size_of(one) == truth.shape[:2]
        with opened(path) as one:  # nobody turns it again
            half = seen(one).crop((0, 0, W * BLOCK // 2, H * BLOCK))
            np.testing.assert_array_equal(Fit(channels=3, background=(100,))(half), pixels[:, : W * BLOCK // 2])


def test_folders_and_pairs_of_every_orientation(tmp_path):
    for name in ("photos", "p/train", "q/trainA", "q/trainB"):
        (tmp_path / name).mkdir(parents=True)
    for orientation in EXIF:
        for ending in ("png", "jpg", "webp", "tif", "tiff"):
            for name in ("photos", "p/train", "q/trainA"):
                save(tmp_path / name / f"{orientation} {ending}.{ending}", "RGB", orientation, TABLE[ending][2])
            save(tmp_path / "q" / "trainB" / f"{orientation} {ending}.png", "RGB", 1, {})
    fields = {"cache": str(tmp_path / "cache"), "fit": "refuse"}
    whole = ImageFolder(dir=str(tmp_path / "photos"), split="all", size=RGB.shape[:2], **fields).open().load()["image"]
    side = ImagePairs(dir=str(tmp_path / "p"), size=(H * BLOCK, W * BLOCK // 2), **fields).open().load()
    apart = ImagePairs(dir=str(tmp_path / "q"), size=RGB.shape[:2], paired=True, **fields).open().load()
    assert len(whole) == len(side["image"]) == len(apart["image"]) == 40
    for some in (whole, np.concatenate([side["source"], side["image"]], 2), apart["source"], apart["image"]):
        np.testing.assert_allclose(some.astype(int), np.broadcast_to(RGB, some.shape), rtol=0, atol=3)


def png(depth, kind, rows, *more, late=(), side=None):
    """The bytes of a PNG of rows of bytes. kind: its colour type. more, late: chunks before and after the pixels. side: what
    its header says in place of the truth."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    sides = (side or len(rows[0]) * 8 // (depth * channels), side or len(rows))
    header = struct.pack(">IIBBBBB", *sides, depth, kind, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *more, (b"IDAT", pixels), *late, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


GREYS = {  # depth: (the bytes of a row, its levels from 0 to 255)
    1: (b"\x50", [0, 255, 0, 255, 0, 0, 0, 0]),
    2: (b"\x1b", [0, 85, 170, 255]),
    4: (b"\x05\xaf", [0, 85, 170, 255]),
    8: (b"\x00\x05\xaf", [0, 5, 175]),
    16: (b"\x00\x00\x12\x34\xff\xff", [0, 18, 255]),
}


def fitted(content, **fields):
    with opened(io.BytesIO(content)) as one:
        return Fit(**fields)(one)


@pytest.mark.parametrize("depth", GREYS)
def test_grey_pngs_of_every_depth_and_their_clear_level(depth):
    row, levels = GREYS[depth]
    np.testing.assert_array_equal(fitted(png(depth, 0, [row]), channels=1)[0, :, 0], levels)
    clear = {1: 1, 2: 1, 4: 5, 8: 5, 16: 0x1234}[depth]  # the second pixel's
    content = png(depth, 0, [row], (b"tRNS", struct.pack(">H", clear)))
    shown = [99 if level == levels[1] else level for level in levels]
    np.testing.assert_array_equal(fitted(content, channels=1, background=(99,))[0, :, 0], shown)
    alphas = [0 if level == levels[1] else 255 for level in levels]
    np.testing.assert_array_equal(fitted(content, channels=4)[0, :, 3], alphas)
    with opened(io.BytesIO(content)) as one:
        assert size_of(one) == (1, len(levels))  # of a PNG that decodes it
        np.testing.assert_array_equal(Fit(channels=4)(one)[0, :, 3], alphas)


def test_colour_pngs_of_16_bits_and_their_clear_colour():
    pixels = [(0x1234, 0x5678, 0x9ABC), (0x3434, 0x7878, 0xBCBC), (0x12FF, 0x56FF, 0x9AFF)]
    row = b"".join(struct.pack(">HHH", *pixel) for pixel in pixels)
    content = png(16, 2, [row], (b"tRNS", struct.pack(">HHH", *pixels[0])))
    np.testing.assert_array_equal(fitted(content, channels=4)[0, :2], [[0x12, 0x56, 0x9A, 0], [0x34, 0x78, 0xBC, 255]])
    content = png(8, 2, [bytes([1, 2, 3, 4, 5, 6])], (b"tRNS", struct.pack(">HHH", 1, 2, 3)))
    np.testing.assert_array_equal(fitted(content, channels=4)[0], [[1, 2, 3, 0], [4, 5, 6, 255]])


def test_an_orientation_behind_the_pixels():
    exif = Image.Exif()
    exif[0x0112] = 3
    content = png(8, 0, [bytes([1, 2, 3])], late=[(b"eXIf", exif.tobytes()[6:])])
    np.testing.assert_array_equal(fitted(content, channels=1)[0, :, 0], [3, 2, 1])


def tiff(bits, form, photometric, data, width, count=1):
    """The bytes of a little-endian TIFF of one strip and one row. form: its SampleFormat."""
    fields = [(256, width), (257, 1), (258, bits), (259, 1), (262, photometric), (273, 8), (277, count), (278, 1)]
    fields += [(279, len(data)), (339, form)]
    offset = 8 + len(data) + len(data) % 2
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in fields)
    body = b"II*\0" + struct.pack("<I", offset) + data + b"\0" * (len(data) % 2)
    return body + struct.pack("<H", len(fields)) + entries + b"\0\0\0\0"


def test_tiffs_say_what_is_white():
    sixteen = struct.pack("<HHH", 0, 257 * 100, 65535)
    np.testing.assert_array_equal(fitted(tiff(16, 1, 1, sixteen, 3), channels=1)[0, :, 0], [0, 100, 255])
    np.testing.assert_array_equal(fitted(tiff(16, 1, 0, sixteen, 3), channels=1)[0, :, 0], [255, 155, 0])  # white is zero
    np.testing.assert_array_equal(fitted(tiff(8, 1, 0, bytes([0, 100, 255]), 3), channels=1)[0, :, 0], [255, 155, 0])
    np.testing.assert_array_equal(fitted(tiff(12, 1, 1, b"\x00\x08\x00\xff\xff\xff", 4), channels=1)[0, :2, 0], [0, 128])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tiff(8, 2, 1, bytes(3), 3), "signed pixels of 8 bits have no known range"),
        (tiff(16, 2, 1, bytes(6), 3), "signed pixels have no known range; save it with 8 or 16 bits, or set data.white"),
        (tiff(32, 1, 1, bytes(12), 3), "pixels of 32 bits have no known range"),
        (tiff(32, 3, 1, bytes(12), 3), "floating-point pixels have no known range"),
    ],
)
def test_pixels_without_a_known_range_are_refused(content, message):
    with pytest.raises(ValueError, match=message):
        fitted(content, channels=1)


def test_white_is_what_one_says():
    floats = tiff(32, 3, 1, struct.pack("<fff", 0, 0.5, 1), 3)
    np.testing.assert_array_equal(fitted(floats, channels=1, white=1.0)[0, :, 0], [0, 128, 255])
    with pytest.raises(ValueError, match="its levels are from 0 to 1, beyond those from 0 to 0.5"):
        fitted(floats, channels=1, white=0.5)
    with pytest.raises(ValueError, match="its levels are from nan"):
        fitted(tiff(32, 3, 1, struct.pack("<f", float("nan")), 1), channels=1, white=1.0)
    twelve = tiff(16, 1, 1, struct.pack("<HHH", 0, 2048, 4095), 3)
    np.testing.assert_array_equal(fitted(twelve, channels=1, white=4095)[0, :, 0], [0, 128, 255])
    np.testing.assert_array_equal(fitted(twelve, channels=1)[0, :, 0], [0, 8, 16])
    np.testing.assert_array_equal(Fit(channels=1, white=9)(Image.new("L", (1, 1), 200)), [[[200]]])  # 8 bits know theirs
    np.testing.assert_array_equal(fitted(b"P5 2 1 4095 \x00\x00\x0f\xff", channels=1)[0, :, 0], [0, 255])  # so does a PGM


@pytest.mark.parametrize("highest", [4095, 5000])
def test_twelve_bits_in_sixteen_are_told_of(highest, tmp_path, capsys):
    (tmp_path / "dim").mkdir()
    for i in (1, 2):
        Image.fromarray(np.array([[0, highest // i]], np.uint16)).save(tmp_path / "dim" / f"{i}.png")
    ImageFolder(dir=str(tmp_path / "dim"), size=(1,), split="all", cache=str(tmp_path / "cache")).open()
    told = "2 of 2 pictures in dim have 16 bits and no level above 4095" in capsys.readouterr().out
    assert told == (highest == 4095)
    ImageFolder(dir=str(tmp_path / "dim"), size=(1,), split="all", cache=str(tmp_path / "cache"), white=5000).open()
    assert "16 bits" not in capsys.readouterr().out


def test_no_program_is_started(tmp_path, monkeypatch):
    """PostScript and others are no pictures here, whatever their names say."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("started a program"))
    (tmp_path / "p").mkdir()
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n{} loop\n"
    (tmp_path / "p" / "a.png").write_bytes(content)
    with Image.open(tmp_path / "p" / "a.png") as one:
        assert one.format == "EPS"  # else this shows nothing
    with pytest.raises(UserError, match="the first a.png: no picture that Pillow can read"):
        ImageFolder(dir=str(tmp_path / "p"), size=(8,), cache=str(tmp_path / "cache")).open()


def test_a_picture_too_large_for_memory_is_named_from_its_header(tmp_path):
    """30,000 pixels a side, as --samples takes them."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.png").write_bytes(png(8, 0, [b"\0"], side=30_000))
    with pytest.raises(UserError, match="the first a.png: more than 178,956,970 pixels, perhaps a decompression bomb"):
        open_by_name(str(tmp_path / "p"))


def test_so_many_pixels_are_open_at_a_time(monkeypatch):
    monkeypatch.setattr(picture, "_in_flight", picture._Gate(100))
    now, most, lock = [0], [0], threading.Lock()

    def look(side):
        content = io.BytesIO()
        Image.new("L", (side, side)).save(content, "PNG")
        with opened(content) as one:
            with lock:
                now[0] += one.width * one.height
                most[0] = max(most[0], now[0])
            one.load()
            with lock:
                now[0] -= one.width * one.height

    threads = [threading.Thread(target=look, args=(side,)) for side in (5, 6, 7, 30) * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most[0] == 900 or most[0] <= 100  # the large one was alone


@pytest.mark.parametrize(("size", "held", "lengths"), [(10, 0, [3, 3, 1]), (1, 9, [3, 3, 1]), (99, 0, [1] * 7), (1, 0, [7])])
def test_what_is_read_ahead_is_bounded(size, held, lengths, monkeypatch):
    monkeypatch.setattr(decode, "HELD", 25)
    some = [decode.Entry(str(i), "", lambda: pytest.fail("opened"), held) for i in range(7)]
    assert [len(chunk) for chunk in decode._chunks(some, size)] == lengths
