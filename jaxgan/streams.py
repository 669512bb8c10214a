"""The standard streams, made to last: a command goes on whatever has become of its terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class Lasting:
    """A text stream that does not fail: when nobody reads it any more, what is written to it is dropped."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._drop()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._drop()

    def isatty(self) -> bool:
        try:
            return self._stream.isatty()
        except ValueError:  # closed
            return False

    def _drop(self) -> None:
        """Leads the stream to nowhere, with what it still holds, which Python would else fail to write when it ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        with suppress(OSError, ValueError):
            os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Standard output and error as `Lasting`, where there are any; characters that their encoding lacks become escapes."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: a file of ours would get the number, and whatever libraries print
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_lasting, before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def _lasting(stream: TextIO | None) -> Any:
    if stream is None:  # it was closed before Python started
        stream = open(os.devnull, "w")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        with suppress(OSError, ValueError):  # closed since
            reconfigure(errors="backslashreplace")
    return Lasting(stream)
