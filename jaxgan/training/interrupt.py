"""Ctrl-C, SIGTERM and the loss of the terminal, which save a run before they end it."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import jax
from jax.experimental import multihost_utils


@contextmanager
def stop_signal() -> Iterator[Callable[[int], bool]]:
    """Gives a function that says at each step whether to save and stop: after SIGTERM, Ctrl-C or SIGHUP, unless the command
    was told to ignore that (`nohup`).

    A second Ctrl-C ends the process at once. Of several processes all must stop at the same step, which JAX's preemption
    service agrees on; it watches SIGTERM, and Ctrl-C is passed on to it.
    """
    many, asked, old = jax.process_count() > 1, [], {}

    def handle(number, _):
        if number == signal.SIGINT and asked:
            os._exit(130)
        asked.append(number)
        again = "; Ctrl-C again ends at once" if number == signal.SIGINT else ""
        with suppress(OSError):  # the terminal has gone
            os.write(2, f"\nstopping after this step, to save{again}\n".encode())  # print may be what was interrupted
        if many:
            os.kill(os.getpid(), signal.SIGTERM)

    if threading.current_thread() is threading.main_thread():
        numbers = [signal.SIGINT] if many else [signal.SIGINT, signal.SIGTERM]
        numbers += [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else []
        old = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield multihost_utils.reached_preemption_sync_point if many else lambda step: bool(asked)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
