"""Samples as ArrayRecord files, a record each: an npz file of "image" (uint8 [H, W, C], or a float32 point [D]), "seed"
(uint32, the sample's number) and, of a generator that is told labels, "label" (int32, a class, or [K] attributes).
"""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from jaxgan.errors import UserError
from jaxgan.files import replaced
from jaxgan.records import reading

SUFFIX = ".array_record"
ADVICE = f"--mode=sample --out=NAME{SUFFIX} writes one"
AT_ONCE = 256  # records that a reader holds


def pack(**arrays: np.ndarray) -> bytes:
    """A record. The same arrays give the same bytes."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack(record: bytes) -> dict[str, np.ndarray]:
    """The inverse of `pack`."""
    with np.load(io.BytesIO(record)) as found:
        return dict(found)


def write_samples(path: Path, samples: Iterable[dict[str, np.ndarray]]) -> None:
    """Writes a record for each sample; whole or not at all."""
    from array_record.python.array_record_module import ArrayRecordWriter

    with replaced(path) as unfinished:
        writer = ArrayRecordWriter(str(unfinished), "group_size:1")
        for sample in samples:
            writer.write(pack(**sample))
        writer.close()


def read_samples(path: Path) -> Iterator[dict[str, np.ndarray]]:
    """The samples of a file, in their order. Raises UserError for what is no such file."""
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(str(path))
    count = reader.num_records() if path.is_file() else 0
    if not count:
        raise UserError(f"{path} is no file of samples; {ADVICE}")
    with reading(path, ADVICE):
        for start in range(0, count, AT_ONCE):
            for record in reader.read([*range(start, min(start + AT_ONCE, count))]):
                yield unpack(record)
        reader.close()
