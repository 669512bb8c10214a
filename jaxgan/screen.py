"""What a person sees while a run starts and goes: a summary, a progress bar, or lines where there is no terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
from tqdm import tqdm

from jaxgan import population
from jaxgan.build import Blueprint
from jaxgan.data.source import Images
from jaxgan.parallel import Placement


def say(text: str) -> None:
    """Prints, from the first process alone, without tearing the progress bar."""
    if jax.process_index() == 0:
        tqdm.write(text)


def summary(plan: Blueprint, images: Images, placement: Placement, folder: Path | str, step: int, members: int = 1) -> str:
    """The lines that a run, or a population of so many members, starts with."""
    config = plan.config
    shape = "x".join(map(str, images.image_shape))
    what = f"images of {shape}" if len(images.image_shape) == 3 else f"points in {shape} dimensions"
    classes = f", {images.num_classes} classes" if images.num_classes else ""
    where = "on the device" if images.resident else "read ahead"
    device = placement.mesh.devices.flat[0]
    loss = " + ".join([config.objective.loss, *config.objective.penalties])
    lines = {
        "data": f"{images.name}: {len(images):,} {what}{classes}, {where}",
        **{
            player: f"{config.nets[player].name}, {plan.num_params(player):,} params, {config.optim[player].name}"
            for player in plan.players
        },
        "objective": loss,
        "step": ", ".join(_update(update) for update in plan.updates),
        "devices": f"{placement.size} x {device.device_kind} ({config.parallel}, {config.dtype}), "
        + (
            f"{members // placement.size} of {members} members each"
            if population.spreads(members, placement)
            else f"{config.batch_size // placement.size} of {config.batch_size} images each"
        ),
        "steps": f"{step:,} to {config.steps:,}, {config.steps * plan.kimg_per_step:,.0f} thousand images, "
        f"{1000 * config.steps * plan.kimg_per_step / len(images):,.0f} epochs",
        "output": f"{folder}",
    }
    disc = config.nets.get("disc", {})
    mixing = [("BatchNorm", "norm=layer")] * (disc.get("norm") == "batch")
    mixing += [(f"minibatch={disc.get('minibatch')}", "minibatch=none")] * (disc.get("minibatch", "none") != "none")
    warnings = [
        f"warning: {name} measures each example's slope, and {what} in disc mixes the examples; use {instead}"
        for name in config.objective.penalties
        for what, instead in mixing
    ]
    return "\n".join([f"{name:>10}  {text}" for name, text in lines.items()] + warnings)


def _update(update: Any) -> str:
    times = f" x{update.rounds}" if update.rounds > 1 else ""
    every = f" every {update.every} steps" if update.every > 1 else ""
    return f"{update.loss}{times}{every}"


class Progress:
    """A progress bar on a terminal; elsewhere a line at each log.

    Args: first: the step that the run starts from; steps: where it ends.
    """

    def __init__(self, first: int, steps: int):
        self._first, self._steps, self._ready_step = first, steps, first
        self._started = self._ready = time.monotonic()
        self._quiet = jax.process_index() != 0
        self._bar = None
        if not self._quiet and sys.stderr.isatty():
            self._bar = tqdm(total=steps, initial=first, unit="step", dynamic_ncols=True, smoothing=0.1)

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
