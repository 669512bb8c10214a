"""What a person sees on the screen: lines, and progress bars of what may take longer than a moment."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
from tqdm import tqdm

IN_A_FILE = 30.0  # seconds between two states of a bar that nobody watches


def say(text: str) -> None:
    """Prints, from the first process alone, without tearing the progress bar. Bytes of file names that are no text are
    escaped."""
    if jax.process_index() == 0:
        tqdm.write(text.encode(errors="backslashreplace").decode())


def bar(some: Iterable[Any] | None, title: str, total: int, unit: str, delay: float = 2.0, quiet: bool = False) -> Any:
    """A tqdm bar over `some`, or one to `update` by hand: on a terminal after `delay` seconds, in a file two states a
    minute, none if `quiet`, as all processes but the first are."""
    watched = sys.stderr.isatty()
    every = {"mininterval": 0.1, "dynamic_ncols": True} if watched else {"mininterval": IN_A_FILE, "miniters": 1}
    return tqdm(some, title, total, unit=f" {unit}", delay=delay if watched else IN_A_FILE, disable=quiet, **every)


def meter(first: int, steps: int) -> Any:
    """A bar of steps to move by hand, from `first` on; None where there is no terminal, and lines must do."""
    return tqdm(total=steps, initial=first, unit="step", dynamic_ncols=True) if sys.stderr.isatty() else None


class Progress:
    """A progress bar on a terminal; elsewhere a line at each log.

    Args: first: the step that the run starts from; steps: where it ends.
    """

    def __init__(self, first: int, steps: int):
        self._first, self._steps, self._ready_step = first, steps, first
        self._started = self._ready = time.monotonic()
        self._quiet = jax.process_index() != 0
        self._bar = None if self._quiet else meter(first, steps)

    def compiled(self, step: int) -> None:
        """The first dispatch is done, compilation and all, and the run is at `step`."""
        self._ready, self._ready_step = time.monotonic(), step
        which = "first step" if step == self._first + 1 else f"first {step - self._first} steps"
        say(f"{which} after {self._ready - self._started:.1f} s")

    def step(self, step: int) -> None:
        if self._bar is not None:
            self._bar.update(step - self._bar.n)

    def log(self, record: dict[str, float]) -> None:
        """Shows a record of metrics."""
        shown = {key: f"{value:.3g}" for key, value in record.items() if key.endswith("/loss") and value == value}
        rate = record.get("img_per_sec", 0.0)
        if self._bar is not None:
            self._bar.set_postfix({"img/s": f"{rate:.0f}", **shown})
        elif not self._quiet:
            step = int(record["step"])
            left = (time.monotonic() - self._ready) / max(1, step - self._ready_step) * (self._steps - step)
            losses = "  ".join(f"{key} {value}" for key, value in shown.items())
            print(f"step {step}/{self._steps}  {rate:.0f} img/s  {duration(left)} left  {losses}", flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


@contextmanager
def progress(first: int, steps: int) -> Iterator[Progress]:
    shown = Progress(first, steps)
    try:
        yield shown
    finally:
        shown.close()


def duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
