"""What a terminal may do to a process: Ctrl-C before anything is trained, a pipe that closes, an encoding without umlauts.

It imports nothing of weight: all this holds from the first moment on, while JAX is still being loaded.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from typing import Any

GRACE = 3.0  # seconds for what is open to be cleaned up after Ctrl-C
STOPPED = "stopped: nothing was being trained yet"
INTERRUPTED = 130  # the exit code
_interrupted = threading.Event()


def keep_streams() -> None:
    """Makes the standard output and error last: what cannot be written any more, or cannot be said in their encoding, ends
    no run. A reader that has gone (`| head`), a closed terminal and a full disk below a log cost lines alone."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us; a file that is opened now would take its number
            stream = open(os.devnull, "w")  # noqa: SIM115
            if stream.fileno() != number:
                os.dup2(stream.fileno(), number)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, Lasting(stream))


class Lasting:
    """A text stream whose writes do not fail. Its other attributes are the stream's."""

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._give_up()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._give_up()

    def _give_up(self) -> None:
        """Nobody reads any more: all that follows goes nowhere, what is still in the buffer included."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def catch_ctrl_c() -> None:
    """Ctrl-C raises KeyboardInterrupt, as always. But where nothing heeds that within `GRACE` seconds, because compiled code
    is running or a library swallows it, the process ends with one line all the same. Training sets its own handler."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)  # written to at once, whatever the main thread does

    def interrupt(number: int, frame: Any) -> None:
        if _is_importing(frame):
            end()  # nothing is open yet, and extensions that are being loaded print what they cannot pass on
        _interrupted.set()
        sys.unraisablehook = lambda unraisable: None  # Python's, of interrupts in places that cannot pass them on
        raise KeyboardInterrupt

    def watch() -> None:
        while True:
            if os.read(reading, 1) == bytes([signal.SIGINT]) and signal.getsignal(signal.SIGINT) == interrupt:
                time.sleep(GRACE)
                end()

    signal.signal(signal.SIGINT, interrupt)
    threading.Thread(target=watch, name="ctrl-c", daemon=True).start()


def _is_importing(frame: Any) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def was_interrupted() -> bool:
    """Whether Ctrl-C came before training, whatever a library has made of it: an extension that is being loaded fails."""
    return _interrupted.is_set()


def end() -> None:
    """Ends the process at once, with the line and the code of one that was stopped before it trained. Python's own way out
    may crash where libraries' threads are at work."""
    with contextlib.suppress(OSError):
        os.write(2, f"\n{STOPPED}\n".encode())
    os._exit(INTERRUPTED)
