"""Arrays out of files that say of themselves what is not so."""

import io
import struct
import zipfile

import numpy as np
import pytest

from jaxgan import npz
from jaxgan.data.by_name import open_by_name
from jaxgan.errors import UserError


def write(path, header, data=b"", version=1, name="images.npy"):
    """An .npz file of one array with this header, as text."""
    text = header.encode() + b"\n"
    form, magic = ("<H", b"\x93NUMPY\x01\x00") if version == 1 else ("<I", bytes([147, *b"NUMPY", version, 0]))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(name, magic + struct.pack(form, len(text)) + text + data)
    return path


def header(shape, descr="'|u1'"):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"


def test_reads_what_numpy_writes(tmp_path):
    arrays = {"a": np.arange(6).reshape(2, 3), "b": np.float32(7), "c": np.zeros((0, 3), np.float16), "d": np.ones((2, 2)).T}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "x.npz", **arrays)
        read = npz.read(tmp_path / "x.npz")
        assert list(read) == list(arrays)
        for name, x in arrays.items():
            np.testing.assert_array_equal(read[name], x)
            assert read[name].dtype == x.dtype
        assert list(npz.read(tmp_path / "x.npz", lambda headers: ["b"])) == ["b"]
    np.save(tmp_path / "x.npy", arrays["a"])
    np.testing.assert_array_equal(npz.read_npy(tmp_path / "x.npy"), arrays["a"])


BAD = [
    (header("(99999999, 999999, 3, 1)"), b"\0" * 12, "images.npy says .* bytes and has 12"),
    (header("(2, 2, 3, 1)"), b"\0" * 11, "images.npy says 12 bytes and has 11"),
    (header("(-1, 2, 3, 1)"), b"\0" * 12, "its shape is"),
    (header("(1,)", "'|O'"), b"\0" * 8, "it holds Python objects, which would be run"),
    (header("(1,)", "'nonsense'"), b"", "."),
    (header("'x'"), b"", "."),
    ("__import__('os').abort()", b"", "."),
    ("{" * 5000, b"", "."),
    ("\0\xff", b"", "."),
]


@pytest.mark.parametrize(("text", "data", "message"), BAD)
@pytest.mark.parametrize("version", [1, 2])
def test_headers_that_are_not_so(text, data, message, version, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        npz.read(write(tmp_path / "x.npz", text, data, version))
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"x.npz' is no npz file: "):
        open_by_name(str(tmp_path / "x.npz"))
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        (tmp_path / "x.npy").write_bytes(archive.read("images.npy"))
    with pytest.raises(UserError, match=r"x.npy' is no npy file: "):
        open_by_name(str(tmp_path / "x.npy"))


def test_what_no_memory_holds_is_refused_before_it_is_read(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", images=np.zeros((100, 100, 100, 3), np.uint8))
    monkeypatch.setattr(npz.os, "sysconf", lambda name: 1000)
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("read"))
    with pytest.raises(ValueError, match="its arrays have 0.0 GB, and this machine 0.0 GB of memory"):
        npz.read(tmp_path / "x.npz")


def test_damage_and_other_files(tmp_path):
    path = tmp_path / "x.npz"
    for content in (b"", b"PK\3\4", bytes(range(256))):
        path.write_bytes(content)
        with pytest.raises(ValueError):
            npz.read(path)
    images = np.random.default_rng(0).integers(0, 9, (20, 4, 4, 3), dtype=np.uint8)
    np.savez_compressed(path, images=images)
    whole, told = path.read_bytes(), 0
    for at in range(0, len(whole), 17):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        try:
            np.testing.assert_array_equal(open_by_name(str(path)).load()["image"], images)  # the time of a file, say
        except UserError as error:
            assert "x.npz' is no npz file: " in str(error) or "has no array 'images'" in str(error)
            told += 1
    assert told > 20
    with pytest.raises(OSError):
        npz.read(tmp_path / "none.npz")


def test_images_of_an_npy_file(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    np.save(tmp_path / "x.npy", images)
    np.savez(tmp_path / "x.npz", images=images)
    both = [open_by_name(str(tmp_path / name)) for name in ("x.npy", "x.npz")]
    assert both[0].image_shape == (4, 5, 1) and both[0].digest == both[1].digest
    np.testing.assert_array_equal(both[0].load()["image"], images[..., None])
    np.save(tmp_path / "y.npy", images.astype(float))
    with pytest.raises(UserError, match=r"y.npy' must hold uint8 images \[N, H, W, C\], not float64 \[3, 4, 5\]"):
        open_by_name(str(tmp_path / "y.npy"))
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(UserError, match="notes.txt' is no folder of pictures, archive .*, .npz or .npy file"):
        open_by_name(str(tmp_path / "notes.txt"))


def test_an_npy_file_cut_short(tmp_path):
    content = io.BytesIO()
    np.save(content, np.zeros(4, np.uint8))
    (tmp_path / "x.npy").write_bytes(content.getvalue()[:-1])
    with pytest.raises(ValueError, match="it says 4 bytes and has 3"):
        npz.read_npy(tmp_path / "x.npy")
