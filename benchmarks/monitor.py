"""What the stability monitor costs: steps with it against steps without, side by side.

    python benchmarks/monitor.py
    python benchmarks/monitor.py --smoke    # does it run?

Milliseconds a step, the median of 15 rounds of each in turn, in one process; nothing else should run.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import program
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.plan import Plan
from jaxgan.sections import open_data, sections

GAMES = {
    "ring, PacGAN's MLPs, batch 100": ("configs/toy.py:ring", [("simultaneous", "true")], 48),
    "digits, DCGAN of width 16, batch 64": ("configs/dcgan.py", [("nets.gen.width", "16"), ("nets.disc.width", "16")], 16),
    "digits, configs/wgan.py": ("configs/wgan.py", [], 16),
}


def without():
    """The step as it would be without the monitor."""

    def logits(self, player, one):
        return {f"{player}/{which}_logits": jnp.mean(getattr(one, f"{which}_out").logits) for which in ("real", "fake")}

    return (
        mock.patch("jaxgan.step._norms", lambda *_: {}),
        mock.patch("jaxgan.tasks.adversarial.diversity", lambda *_: jnp.float32(0)),
        mock.patch("jaxgan.objectives.objective.Objective._answers", logits),
    )


def measure(spec: str, overrides: list[tuple[str, str]], steps: int, rounds: int = 15) -> tuple[float, float, float]:
    """(ms a step without, with, median of their ratios round by round)."""
    root = Path(__file__).resolve().parents[1]
    resolved = resolve_config(load_config(str(root / spec)), overrides, sections)
    images = open_data(resolved)
    plan = Plan(resolved, images.features)
    data = {key: jnp.asarray(x) for key, x in program.resident(images).items()}
    state = plan.init(jax.random.key(0))
    runs = []
    for patches in (without(), ()):
        for patch in patches:
            patch.start()
        run = jax.jit(program.make_program(plan, images))
        jax.block_until_ready(run(state, plan.inputs, data, np.int32(steps)))
        runs.append(run)
        for patch in patches:
            patch.stop()
    times: list[list[float]] = [[], []]
    for i in range(rounds):
        for which in (0, 1) if i % 2 else (1, 0):
            began = time.perf_counter()
            jax.block_until_ready(runs[which](state, plan.inputs, data, np.int32(steps)))
            times[which].append((time.perf_counter() - began) / steps * 1000)
    ratio = statistics.median(b / a for a, b in zip(*times))
    return statistics.median(times[0]), statistics.median(times[1]), ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="the first game, two rounds of two steps")
    smoke = parser.parse_args().smoke
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}; ms a step\n")
    print("| | without | with | ratio |\n|---|---:|---:|---:|")
    for name, (spec, overrides, steps) in list(GAMES.items())[: 1 if smoke else None]:
        a, b, ratio = measure(spec, overrides, 2, 2) if smoke else measure(spec, overrides, steps)
        print(f"| {name} | {a:.3g} | {b:.3g} | {ratio:.3f} |", flush=True)


if __name__ == "__main__":
    main()
