"""How fast configs train: milliseconds a step, images a second, and the share of what the device can multiply.

    python benchmarks/throughput.py configs/stylegan_lite.py configs/dcgan.py
    python benchmarks/throughput.py configs/stylegan_lite.py --overrides nets.gen.width=64 nets.disc.width=64 dtype=bfloat16
    python benchmarks/throughput.py --smoke configs/dcgan.py    # does it run?

Real images a second that the discriminator is shown. FLOPs of a step as XLA counts them in the unoptimised program, over the
time, over what a product of two 4096x4096 matrices in the same dtype reaches here: the share of peak. The median of nine
blocks of steps with one compiled program; nothing else should run.
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
from jaxgan.config.run import DTYPES
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.sections import open_data, sections
from jaxgan.training import budget

BLOCKS, SECONDS, SIDE = 9, 2.0, 4096
SMOKE = 1, 0.0, 256  # the same under --smoke


def peak(dtype: str) -> float:
    """FLOP/s of a matrix product, the best of five."""
    a, product = jnp.ones((SIDE, SIDE), DTYPES[dtype]), jax.jit(jnp.matmul)
    jax.block_until_ready(product(a, a))
    times = []
    for _ in range(5):
        began = time.perf_counter()
        jax.block_until_ready(product(a, a))
        times.append(time.perf_counter() - began)
    return 2 * SIDE**3 / min(times)


def measure(spec: str, overrides: list[tuple[str, str]]) -> tuple[Plan, float, float]:
    """(the run, seconds to the first step, seconds a step)."""
    resolved = resolve_config(load_config(spec), overrides, sections)
    images = open_data(resolved)
    plan, placement = Plan(resolved, images.features), Placement(devices=jax.devices()[:1])
    began = time.perf_counter()
    state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(0))
    hparams, data = placement.replicate(plan.inputs), placement.replicate(program.resident(images))
    run = placement.wrap(program.make_program(plan, images), batch_is_split=False)
    every = max(update.every for update in plan.updates)  # a block has its share of lazy updates
    state, report = run(state, hparams, data, np.int32(every))
    jax.block_until_ready(report)
    first, times, steps = time.perf_counter() - began, [], every
    for block in range(1 + BLOCKS):
        began = time.perf_counter()
        state, report = run(state, hparams, data, np.int32(steps))
        jax.block_until_ready(report)
        seconds = (time.perf_counter() - began) / steps
        if block:
            times.append(seconds)
        else:
            steps = max(1, round(SECONDS / seconds / every)) * every
    return plan, first, statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="+")
    parser.add_argument("--overrides", nargs="*", default=[], help="of all configs, KEY=VALUE")
    parser.add_argument("--smoke", action="store_true", help="one block of the fewest steps")
    args = parser.parse_args()
    if args.smoke:
        global BLOCKS, SECONDS, SIDE
        BLOCKS, SECONDS, SIDE = SMOKE
    pairs = [(key, value) for key, _, value in (word.partition("=") for word in args.overrides)]
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}; {' '.join(args.overrides)}\n")
    print("| config | ms a step | img/s | GFLOP a step | share of peak | first steps, s |\n|---|---:|---:|---:|---:|---:|")
    for spec in args.configs:
        plan, first, seconds = measure(spec, pairs)
        counts = budget.flops(plan)
        work = sum(counts[update.loss] * update.rounds / update.every for update in plan.updates)
        images = plan.kimg_per_step * 1000 / seconds
        share = work / seconds / peak(plan.config.dtype)
        print(f"| {spec} | {1000 * seconds:.1f} | {images:.0f} | {work / 1e9:.3g} | {share:.0%} | {first:.1f} |", flush=True)


if __name__ == "__main__":
    main()
