"""`scores.csv` of `--mode=detect`: a line for each picture, in the order in which they are read; it grows a batch at a time.

A killed command leaves whole batches and perhaps a part of one, which is cut off before the next goes on.
"""

import csv
import io
import itertools
import math
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from jaxgan.files import replacing

CSV = "scores.csv"
BEFORE, AFTER = ("file", "score", "p_value", "verdict"), ("trouble",)  # the columns, and between them the parts


class Row(NamedTuple):
    """Of a picture; its score and p_value are NaN where it could not be read, and `trouble` says why."""

    file: str
    score: float
    p_value: float
    verdict: str
    parts: tuple[float, ...] = ()
    trouble: str = ""


class Rows:
    """The file. path: of it. parts: names of a picture's other scores."""

    def __init__(self, path: Path, parts: tuple[str, ...]):
        self.path, self._head = path, [*BEFORE, *parts, *AFTER]

    def begin(self, names: list[str], size: int, is_there: Callable[[int, Row], bool]) -> int:
        """Keeps the whole batches of `size` lines that are those of `names`, and returns how many lines they have.
        is_there: whether all else that belongs to a picture, by its place, has been written."""
        kept = 0
        with replacing(self.path) as file:
            file.write(_line(self._head))
            found = enumerate(zip(names, self._whole()))
            while part := list(itertools.islice(found, size)):
                right = all(row.file == _escaped(name) and is_there(i, row) for i, (name, row) in part)
                if not right or len(part) < min(size, len(names) - kept):
                    break
                file.write(b"".join(self._written(row) for _, (_, row) in part))
                kept += len(part)
        return kept

    def add(self, rows: Iterable[Row]) -> None:
        """Appends lines, all of which are on the disk when it returns."""
        with self.path.open("ab") as file:
            file.write(b"".join(map(self._written, rows)))
            file.flush()
            os.fsync(file.fileno())

    def __iter__(self) -> Iterator[Row]:
        return self._whole()

    def _whole(self) -> Iterator[Row]:
        """The lines up to the first that is not whole."""
        if not self.path.is_file():
            return
        with self.path.open(newline="", encoding="utf-8", errors="replace") as file:
            lines = csv.reader(_ended(file))
            try:
                if next(lines, None) != self._head:
                    return
                for line in lines:
                    numbers = [float(x or "nan") for x in (*line[1:3], *line[4:-1])]
                    if len(line) != len(self._head) or (line[3] == "damaged") != math.isnan(numbers[1]):
                        return
                    yield Row(line[0], numbers[0], numbers[1], line[3], tuple(numbers[2:]), line[-1])
            except (ValueError, IndexError, csv.Error):
                return

    def _written(self, row: Row) -> bytes:
        numbers = [f"{x:.9g}" if x == x else "" for x in (row.score, row.p_value, *row.parts)]
        parts = numbers[2:] or [""] * (len(self._head) - len(BEFORE) - len(AFTER))
        return _line([row.file, *numbers[:2], row.verdict, *parts, row.trouble])


def _ended(lines: Iterable[str]) -> Iterator[str]:
    """Lines that have an end; a kill may have cut the last."""
    return (line for line in lines if line.endswith("\n"))


def _line(values: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return _escaped(text.getvalue()).encode()


def _escaped(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
