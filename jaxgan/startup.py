"""Ctrl-C before anything is trained. It imports nothing of weight: this holds while JAX is still being loaded."""

import contextlib
import os
import signal
import sys
import threading
import time
from typing import Any

GRACE = 3.0  # seconds for what is open to be cleaned up after Ctrl-C
STOPPED = "stopped: no run was being trained"
INTERRUPTED = 130  # the exit code
_interrupted = threading.Event()


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
