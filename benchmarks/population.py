"""A member's step in a population against its step alone: vmap and lax.map, side by side.

    python benchmarks/population.py --members=4

Milliseconds a member and step, the median of five rounds of each form in turn, in one process; nothing else should run.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import jax.numpy as jnp
import numpy as np

from jaxgan import build, config, population, program
from jaxgan.build import Blueprint

GAMES = {
    "ring, PacGAN's MLPs, batch 100": ("configs/toy.py:ring", [("simultaneous", "true")], 40),
    "ring, 3x64 MLPs, batch 100": (
        "configs/toy.py:ring", [("nets.gen.widths", "64,64,64"), ("nets.disc.widths", "64,64,64"), ("nets.disc.maxout", "1"),
                                ("nets.disc.activation", "relu")], 200),
    "digits, DCGAN of width 16, batch 64": (
        "configs/dcgan.py", [("nets.gen.width", "16"), ("nets.disc.width", "16")], 10),
}  # fmt: skip


def measure(spec: str, overrides: list[tuple[str, str]], steps: int, members: int) -> dict[str, float]:
    """{form: ms a member and step}."""
    root = Path(__file__).resolve().parents[1]
    base = config.load(str(root / spec))
    seeds = [config.resolve(base, [*overrides, ("seed", str(i))], build.sections) for i in range(members)]
    images = build.open_data(seeds[0])
    plans = [Blueprint(one, images.image_shape) for one in seeds]
    data = {key: jnp.asarray(x) for key, x in images.load().items()}
    states = [plan.init(jax.random.key(plan.config.seed)) for plan in plans]
    hparams = population.stack_hparams(plans)
    runs = {"alone": (jax.jit(program.make_program(plans[0], images)), states[0], plans[0].hparams, 1)}
    for form in ("map", "vmap"):
        run = jax.jit(population.make_program(plans[0], images, form))
        runs[form] = (run, population.stack(states), hparams, members)
    times: dict[str, list[float]] = {form: [] for form in runs}
    for i in range(6):
        for form, (run, state, scalars, n) in runs.items():
            began = time.perf_counter()
            jax.block_until_ready(run(state, scalars, data, np.int32(steps)))
            if i:  # the first round compiles
                times[form].append((time.perf_counter() - began) / steps / n * 1000)
    return {form: statistics.median(some) for form, some in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=4)
    members = parser.parse_args().members
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {members} members; ms a member and step\n")
    print("| | alone | map | vmap |\n|---|---:|---:|---:|")
    for name, (spec, overrides, steps) in GAMES.items():
        found = measure(spec, overrides, steps, members)
        print(f"| {name} | " + " | ".join(f"{x:.3g}" for x in found.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
