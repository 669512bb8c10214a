"""How fast pictures come: from a folder of JPEGs into the cache, and from the cache to the step.

    python benchmarks/data_speed.py            # a few minutes, with nothing else running
    python benchmarks/data_speed.py --smoke    # does it run?

Pictures are 256x256 JPEGs (quality 90) of smooth noise with grain, about 22 kB each. Rates are medians of three;
"a core" divides by the CPU time of all threads, so that other machines can be reckoned from it. The last table is what
matters: a training step with the data on the device beside one whose data are read ahead.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("JAX_PLATFORMS", "cpu")

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--smoke", action="store_true", help="few pictures, few steps")
args = parser.parse_args()

import jax  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

from jaxgan import program  # noqa: E402
from jaxgan.config.load import load_config  # noqa: E402
from jaxgan.config.resolve import resolve_config  # noqa: E402
from jaxgan.data import order  # noqa: E402
from jaxgan.data.folder import ImageFolder  # noqa: E402
from jaxgan.data.source import Images  # noqa: E402
from jaxgan.placement import Placement  # noqa: E402
from jaxgan.plan import Plan, sections  # noqa: E402

COUNT = 300 if args.smoke else 3000
REPEATS = 1 if args.smoke else 3


def write_pictures(folder: Path) -> float:
    """Bytes of a picture, on average."""
    rng, total = np.random.default_rng(0), 0
    for i in range(COUNT):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize(
            (256, 256), Image.Resampling.BICUBIC
        )
        grain = rng.normal(0, 6, (256, 256, 1))
        path = folder / f"{i:05}.jpg"
        Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
        total += path.stat().st_size
    return total / COUNT


def rate(count: int, run) -> tuple[float, float]:
    """Medians of count a second and count a second of CPU time."""
    walls, cpus = [], []
    for repeat in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        run(repeat)
        walls.append(count / (time.perf_counter() - wall))
        cpus.append(count / (time.process_time() - cpu))
    return statistics.median(walls), statistics.median(cpus)


def opened(pictures: Path, cache: Path, size: int, resident: str = "off") -> Images:
    return ImageFolder(dir=str(pictures), cache=str(cache), size=(size,), split="all", resident=resident).open()


def read(images: Images, batch: int, batches: int) -> None:
    ahead = images.batches(0, 1, batch, np.arange(batch), order.seed_key(0))
    for _ in range(batches):
        next(ahead)


def step_seconds(images: Images) -> list[float]:
    """Seconds of a step of configs/own.py, block by block."""
    pairs = [("data.dir", "pictures"), ("batch_size", "16"), ("nets.gen.width", "16"), ("nets.disc.width", "16")]
    plan = Plan(
        resolve_config(load_config(f"{ROOT}/configs/own.py"), [*pairs, ("steps", "10000")], sections),
        images.features,
    )
    placement = Placement(devices=jax.devices()[:1])
    run = placement.wrap(program.make_program(plan, images), batch_is_split=not images.resident)
    state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(0))
    hparams, count = placement.replicate(plan.inputs), placement.replicate(np.int32(1))
    size = plan.config.batch_size
    ahead = images.batches(0, plan.rounds, size, placement.local_rows(size), order.seed_key(0))
    held = placement.replicate(program.resident(images)) if images.resident else None
    blocks = []
    for block in range(2 if args.smoke else 8):
        start, steps = time.perf_counter(), 3 if args.smoke else 20
        for _ in range(steps):
            state, report = run(state, hparams, held if images.resident else placement.put(next(ahead)), count)
            jax.block_until_ready(report)
        if block:  # the first one compiles
            blocks.append((time.perf_counter() - start) / steps)
    return blocks


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pictures, caches = Path(folder, "pictures"), Path(folder, "caches")
        pictures.mkdir()
        print(f"{COUNT} JPEGs of 256x256, {write_pictures(pictures) / 1000:.0f} kB each; {os.cpu_count()} cores\n")
        print("| what | img/s | img/s a core |\n|---|---|---|")
        for size in (64, 256):
            wall, cpu = rate(COUNT, lambda repeat, size=size: opened(pictures, caches / str(repeat), size))
            print(f"| first pass, 256 to {size} px | {wall:,.0f} | {cpu:,.0f} |", flush=True)
        for size in (64, 256):
            images, batches = opened(pictures, caches / "0", size), 10 if args.smoke else 200
            wall, cpu = rate(64 * batches, lambda _, images=images, batches=batches: read(images, 64, batches))
            print(f"| read ahead from the cache, {size} px, batches of 64 | {wall:,.0f} | {cpu:,.0f} |", flush=True)
        blocks = {how: step_seconds(opened(pictures, caches / "0", 64, how)) for how in ("on", "off")}
        on, off = (statistics.median(blocks[how]) for how in ("on", "off"))
        print(f"\na step of configs/own.py, width 16, batch 16, 64 px: {on:.4f} s with the data on the device, "
              f"{off:.4f} s read ahead ({(off / on - 1) * 100:+.1f} %)")  # fmt: skip


main()
