"""Scalars as data: a hyper-parameter is a float32 leaf, or a schedule over images seen, never a compiled constant.

In a config a scalar is a number or a schedule's spelling, `"linear(2e-4, 0, 50, 100)"`: from 2e-4 to 0 between 50 and
100 thousand real images (kimg), constant before and after. `cosine` and `geometric` take the same four numbers. In
`"linear(2e-4, 0, 50%, 100%)"` they are shares of the run, which follow its length.
"""

import re
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

Scalar = float | jax.Array

_SHAPES = {
    "linear": lambda a, b, t: a + (b - a) * t,
    "cosine": lambda a, b, t: b + (a - b) * 0.5 * (1 + jnp.cos(jnp.pi * t)),
    "geometric": lambda a, b, t: a * (b / a) ** t,
}
SPELLING = f"{'|'.join(_SHAPES)}(start, end, begin_kimg, end_kimg), or 0%, 100% of the run"
RUN = 100.0  # kimg of a run whose length is not known yet
_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*")


class Schedule(flax.struct.PyTreeNode):
    """A value that moves from `start` to `end` between `begin` and `finish` kimg; all four float32 scalars."""

    start: jax.Array | np.floating
    end: jax.Array | np.floating
    begin: jax.Array | np.floating
    finish: jax.Array | np.floating
    shape: str = flax.struct.field(pytree_node=False)

    def __call__(self, kimg: jax.Array) -> jax.Array:
        t = jnp.clip((kimg - self.begin) / jnp.maximum(self.finish - self.begin, 1e-9), 0, 1)
        return _SHAPES[self.shape](self.start, self.end, t)


def parse(value: float | str, run: float = RUN) -> np.float32 | Schedule:
    """A config's scalar to its leaf or leaves, in a run of so many kimg. Raises ValueError that says what a schedule is.

    No device is touched: configs are read before several processes have found each other.
    """
    if not isinstance(value, str):
        return np.float32(value)
    call = _CALL.fullmatch(value)
    try:
        if call and call[1] in _SHAPES:
            start, end, *when = call[2].split(",")
            begin, finish = (_kimg(part.strip(), run) for part in when)
            return Schedule(np.float32(start), np.float32(end), begin, finish, call[1])
    except ValueError:
        pass
    raise ValueError(f"'{value}' is no number and no schedule, {SPELLING}")


def _kimg(when: str, run: float) -> np.float32:
    return np.float32(float(when[:-1]) / 100 * run if when.endswith("%") else when)


def problem(text: str) -> str:
    """Why a schedule that parses makes no sense; empty if it does."""
    schedule: Any = parse(text)
    if not np.isfinite([schedule.start, schedule.end, schedule.begin, schedule.finish]).all():
        return "its numbers must be finite"
    times = {part.strip() for part in text.strip().rstrip(")").split(",")[2:]} - {"0"}
    if len({part.endswith("%") for part in times}) > 1:
        return "both times are in kimg, or both are shares of the run, 0% and 100%"
    if not 0 <= schedule.begin <= schedule.finish:
        return "begin_kimg must be at least 0 and at most end_kimg"
    if schedule.shape == "geometric" and not (schedule.start > 0 and schedule.end > 0):
        return "a geometric schedule goes between positive numbers"
    return ""


def evaluate(hparams: dict, kimg: jax.Array) -> dict:
    """Every schedule in `hparams` at `kimg` thousand images; constants as they are."""
    return {name: leaf(kimg) if isinstance(leaf, Schedule) else leaf for name, leaf in hparams.items()}
