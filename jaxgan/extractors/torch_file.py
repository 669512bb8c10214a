"""Named tensors out of a file of PyTorch's `torch.save`, without PyTorch and without running what the file asks for.

Such a file holds a pickle, and a pickle is a program: it may call whatever it names. The names that tensors need are
answered here by plain records, every other name is refused. Both layouts are read: the zip archive of torch 1.6 and
later, and the older row of pickles with the numbers behind them. A file takes at most `RATIO` times its size in memory,
whatever it says of itself.
"""

import io
import math
import os
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from jaxgan.errors import UserError, as_path

MAGIC = 0x1950A86A20F9469CFC6C  # what the older layout begins with
RATIO = 4  # torch.save compresses nothing; another tool may have
DTYPES = {
    "BoolStorage": "?",
    "ByteStorage": "u1",
    "CharStorage": "i1",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
    "HalfStorage": "<f2",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
}


class _Storage(NamedTuple):
    key: str
    dtype: str


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def read(path: str | Path) -> dict[str, np.ndarray]:
    """The file's tensors by name, as `state_dict()` had them; numbers and booleans, no bfloat16 and no complex ones.

    Raises UserError for a file that is absent, damaged, or something else than a dict of tensors, and for a pickle that
    names anything but what tensors are made of.
    """
    path = as_path(path)
    try:
        with path.open("rb") as file:
            most = RATIO * os.fstat(file.fileno()).st_size
            tensors, data = (_read_zip if file.read(4) == b"PK\3\4" else _read_row)(file, most)
        views = {name: _view(tensor, data[tensor.storage.key]) for name, tensor in tensors.items()}
        _check_total((view.nbytes for view in views.values()), most)  # many may be of the same numbers
        return {name: np.array(view, order="C") for name, view in views.items()}
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # a damaged pickle can raise any
        raise UserError(f"{path} is damaged, or no file of torch.save ({type(error).__name__}: {error})") from error


class _Unpickler(pickle.Unpickler):
    """Builds dicts, lists, numbers and text; `_Tensor` where torch would build a tensor; nothing else."""

    def __init__(self, file: BinaryIO):
        super().__init__(file, encoding="utf-8")
        self._file = file
        self.storages: dict[str, str] = {}

    def load(self) -> Any:
        start = self._file.tell()
        for code, argument, position in pickletools.genops(self._file):
            if code.name.endswith("PUT") and (argument or 0) > (position or 0):  # Python makes as many places as it says
                raise ValueError("a pickle with more places than steps")
        self._file.seek(start)
        return super().load()

    def find_class(self, module: str, name: str) -> Any:
        # What is given out a pickle may also try to alter, so it is fresh or immutable.
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: _Tensor(storage, offset, size, stride)
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise UserError(f"it asks for {f'{module}.{name}'!r}, and only plain tensors are read; save the state_dict() alone")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, *_ = pid
        if kind != "storage" or dtype not in DTYPES.values():
            raise ValueError("an unknown kind of storage")
        self.storages[key] = dtype
        return _Storage(key, dtype)

    def tensors(self) -> dict[str, _Tensor]:
        loaded = self.load()
        if not isinstance(loaded, dict):
            raise UserError(f"it holds a {type(loaded).__name__}, not a dict of tensors")
        loaded = dict(dict.items(loaded))  # what a pickle made of an OrderedDict may have methods of its own
        for name, tensor in loaded.items():
            if not (isinstance(name, str) and isinstance(tensor, _Tensor)):
                raise UserError(f"its {name!r} is no tensor; save the network's state_dict() alone")
        return loaded


def _read_zip(file: BinaryIO, most: int) -> tuple[dict[str, _Tensor], dict[str, np.ndarray]]:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        root = next((name for name in names if name.split("/")[1:] == ["data.pkl"]), "").removesuffix("data.pkl")
        if not root:
            raise UserError("it is a zip archive, but not torch.save's")
        heads = [name for name in (f"{root}byteorder", f"{root}data.pkl") if name in names]
        _check_total((archive.getinfo(name).file_size for name in heads), most)
        _check_order(len(heads) == 1 or archive.read(heads[0]) == b"little")
        unpickler = _Unpickler(io.BytesIO(archive.read(f"{root}data.pkl")))
        tensors = unpickler.tensors()
        parts = {key: f"{root}data/{key}" for key in unpickler.storages}
        _check_total((archive.getinfo(name).file_size for name in parts.values()), most)
        return tensors, {key: np.frombuffer(archive.read(name), unpickler.storages[key]) for key, name in parts.items()}


def _read_row(file: BinaryIO, most: int) -> tuple[dict[str, _Tensor], dict[str, np.ndarray]]:
    file.seek(0)
    if _Unpickler(file).load() != MAGIC:
        raise UserError("it is a pickle, but not torch.save's")
    _Unpickler(file).load()  # the layout's version, which never changed
    _check_order(_Unpickler(file).load()["little_endian"])
    unpickler = _Unpickler(file)
    tensors, data = unpickler.tensors(), {}
    for key in _Unpickler(file).load():
        dtype = np.dtype(unpickler.storages[key])
        count = int.from_bytes(file.read(8), "little")
        _check_total([count * dtype.itemsize], os.fstat(file.fileno()).st_size - file.tell())
        data[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
    return tensors, data


def _check_total(sizes: Iterable[int], most: int) -> None:
    """Refuses, before they are read, parts of so many bytes together."""
    total = sum(sizes)
    if total > most:
        raise ValueError(f"it is said to hold {total:,} bytes, and has not as many")


def _check_order(little: bool) -> None:
    if not little:
        raise UserError("it was written on a big-endian machine; save it again on another")


def _view(tensor: _Tensor, flat: np.ndarray) -> np.ndarray:
    """The strided view that the record describes: never of memory outside `flat`."""
    _, offset, size, stride = tensor
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if min((offset, *size, *stride)) < 0 or math.prod(size) > len(flat) or (all(size) and last >= len(flat)):
        raise ValueError("a tensor reaches beyond its numbers")
    return np.lib.stride_tricks.as_strided(flat[offset:], size, [step * flat.itemsize for step in stride])
