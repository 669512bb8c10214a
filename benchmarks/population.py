"""A member's step in a population against its step alone, in every form that there is, side by side.

    python benchmarks/population.py --members=4
    python benchmarks/population.py --smoke                             # does it run?
    python benchmarks/population.py --members=8 --games=WGAN-GP,DCGAN   # on a GPU

Milliseconds a member and step, the median of five rounds of each form in turn, in one process; nothing else should run.
"map" has one member's whole step after the other's; "vmap" all members in each operation, and the convolutions of members,
whose kernels differ, one after the other ("turns"), in groups of channels ("grouped"), or as matrix products ("matmul").
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

from jaxgan import program
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.nets.conv_population import members_as
from jaxgan.plan import Plan
from jaxgan.sections import open_data, sections
from jaxgan.training import population

GAMES = {
    "ring, PacGAN's MLPs, batch 100": ("configs/toy.py:ring", [("simultaneous", "true")], 40),
    "ring, 3x64 MLPs, batch 100": (
        "configs/toy.py:ring", [("nets.gen.widths", "64,64,64"), ("nets.disc.widths", "64,64,64"), ("nets.disc.maxout", "1"),
                                ("nets.disc.activation", "relu")], 200),
    "digits, DCGAN of width 16, batch 64": (
        "configs/dcgan.py", [("nets.gen.width", "16"), ("nets.disc.width", "16")], 10),
    "digits, WGAN-GP of width 64, batch 64": (
        "configs/wgan.py", [("nets.gen.width", "64"), ("nets.disc.width", "64"), ("batch_size", "64")], 1),
}  # fmt: skip
FORMS = {
    "map": ("map", "turns"),
    "vmap, turns": ("vmap", "turns"),
    "vmap, grouped": ("vmap", "grouped"),
    "vmap, matmul": ("vmap", "matmul"),
}


def measure(spec: str, overrides: list[tuple[str, str]], steps: int, members: int, rounds: int = 5) -> dict[str, float]:
    """{form: ms a member and step}."""
    root = Path(__file__).resolve().parents[1]
    base = load_config(str(root / spec))
    seeds = [resolve_config(base, [*overrides, ("seed", str(i))], sections) for i in range(members)]
    images = open_data(seeds[0])
    plans = [Plan(one, images.features) for one in seeds]
    data = {key: jnp.asarray(x) for key, x in program.resident(images).items()}
    states = [plan.init(jax.random.key(plan.config.seed)) for plan in plans]
    hparams = population.stack_inputs(plans)
    runs = {"alone": (jax.jit(program.make_program(plans[0], images)), states[0], plans[0].inputs, 1)}
    for name, (form, convolutions) in FORMS.items():
        run = jax.jit(population.make_program(plans[0], images, form))
        runs[name] = (run, population.stack(states), hparams, members)
        with members_as(convolutions):  # which is a matter of the trace
            jax.block_until_ready(run(runs[name][1], hparams, data, np.int32(0)))
    times: dict[str, list[float]] = {form: [] for form in runs}
    for i in range(1 + rounds):
        for form, (run, state, scalars, n) in runs.items():
            began = time.perf_counter()
            jax.block_until_ready(run(state, scalars, data, np.int32(steps)))
            if i:  # the first round warms up
                times[form].append((time.perf_counter() - began) / steps / n * 1000)
    return {form: statistics.median(some) for form, some in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--games", default="", help="parts of the games' names, with commas between; default: all")
    parser.add_argument("--smoke", action="store_true", help="two members of the first game, a round of two steps")
    args = parser.parse_args()
    members = 2 if args.smoke else args.members
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {members} members; ms a member and step\n")
    print("| | alone | " + " | ".join(FORMS) + " |\n|---|" + "---:|" * (1 + len(FORMS)))
    for name, (spec, overrides, steps) in list(GAMES.items())[: 1 if args.smoke else None]:
        if not any(part in name for part in args.games.split(",")):
            continue
        found = measure(spec, overrides, 2, members, 1) if args.smoke else measure(spec, overrides, steps, members)
        print(f"| {name} | " + " | ".join(f"{x:.3g}" for x in found.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
