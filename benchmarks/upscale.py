"""Seconds and memory of `--mode=upscale` for a large picture, and the largest difference of tiled from whole pictures.

    python benchmarks/upscale.py --workdir=runs/srgan                # 12 megapixels under 1.5 GB, by that run
    python benchmarks/upscale.py                                     # by a network that has learned nothing
    python benchmarks/upscale.py --megapixels=1 --memory=1GB
    python benchmarks/upscale.py --smoke                             # does it run?

The first table is of a process of its own, with Python, JAX and compilation in it; its peak is what the system says that it
had resident. Nothing else should run. The second is of three networks with random weights, in float32, at three odd sizes.
Differences are of floats in about [-1, 1], of which 8 bits tell apart steps of 7.8e-3. "Overlap 10" has tiles that overlap
by ten pixels in place of the radius.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import numpy as np
from PIL import Image

from jaxgan import cli
from jaxgan.memory import bytes_of, human
from jaxgan.nets import TRANSLATORS
from jaxgan.png import size
from jaxgan.receptive import radius
from jaxgan.tiles import Tiled

HERE, SCALE = Path(__file__).resolve().parents[1], 4
COMMAND = (
    "import sys; from jaxgan import cli, memory; code = cli.main(['', *sys.argv[1:]]); print(memory.peak()); sys.exit(code)"
)
NETWORKS = {
    "SRResNet, 16 blocks": ("srresnet", {"blocks": 16}),
    "SRResNet, BatchNorm": ("srresnet", {"blocks": 8, "norm": "batch"}),
    "RRDB, 2 blocks, nearest": ("rrdb", {"blocks": 2}),
}
SMOKE = {"SRResNet, 1 block": ("srresnet", {"blocks": 1, "width": 4})}
SIZES = (203, 157), (131, 211), (177, 239)


def picture(path: Path, megapixels: float) -> tuple[int, int]:
    """Writes a picture of four to three with structure at all scales. Returns (height, width)."""
    rng, height = np.random.default_rng(0), round((megapixels * 1e6 * 3 / 4) ** 0.5)
    width, total = height * 4 // 3, 0.0
    for octave in range(2, 9):
        noise = Image.fromarray(rng.normal(size=(2**octave, 2**octave)).astype(np.float32))
        total = total + np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC)) / octave
    grey = np.clip(np.asarray(total) * 40 + 128, 0, 255).astype(np.uint8)
    Image.fromarray(np.stack([grey, np.roll(grey, 9, 0), np.roll(grey, 9, 1)], -1)).save(path)
    return height, width


def untrained(folder: Path) -> Path:
    """A run of configs/srgan.py:srresnet, two steps long."""
    words = [f"--config={HERE}/configs/srgan.py:srresnet", f"--workdir={folder}", "--config.steps=2"]
    if cli.main(["", *words, "--config.log.tensorboard=false"]):
        raise SystemExit(1)
    return folder


def timed(run: Path, given: Path, out: Path, memory: str) -> tuple[float, int]:
    """(seconds, the most bytes that were resident) of a command."""
    words = ["--mode=upscale", f"--workdir={run}", f"--input={given}", f"--out={out}", f"--memory={memory}"]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", COMMAND, *words], cwd=HERE, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(1)
    return time.perf_counter() - began, int(done.stdout.split()[-1])


def differences(name: str, fields: dict, sizes: tuple) -> tuple[int | None, float, float]:
    """(radius, the largest difference of tiled from whole pictures, that of tiles that overlap by 10 px)."""
    net = TRANSLATORS[name](image_shape=(64, 64, 3), dtype=np.float32, scale=SCALE, **fields)
    variables = net.init(jax.random.key(0), np.zeros((1, 16, 16, 3), np.float32), train=False)
    fn = lambda variables, images: net.apply(variables, images, train=False)  # noqa: E731
    r = radius(fn, variables, SCALE, 3)
    worst, seams, rng = 0.0, 0.0, np.random.default_rng(0)
    for height, width in sizes:
        image = rng.uniform(-1, 1, (height, width, 3)).astype(np.float32)
        whole = Tiled(fn, variables, SCALE, None)(image)
        for overlap in (r, 10):
            side = 2 * (overlap or 0) + 32
            found = float(np.abs(np.concatenate([*Tiled(fn, variables, SCALE, overlap).bands(image, side)]) - whole).max())
            worst, seams = (max(worst, found), seams) if overlap == r else (worst, max(seams, found))
    return r, worst, seams


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workdir", type=Path, help="a run of configs/srgan.py")
    parser.add_argument("--megapixels", type=float, default=12.0, help="of the picture that is enlarged")
    parser.add_argument("--memory", default="1.5GB", help="the bound")
    parser.add_argument("--skip_differences", action="store_true", help="the first table alone")
    parser.add_argument("--smoke", action="store_true", help="a small picture, one small network")
    args = parser.parse_args()
    megapixels = 0.02 if args.smoke else args.megapixels
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        run = args.workdir.resolve() if args.workdir else untrained(folder / "run")
        height, width = picture(folder / "picture.png", megapixels)
        seconds, peak = timed(run, folder / "picture.png", folder / "out", args.memory)
        large = size(folder / "out" / "pictures" / "picture.png")
    print(f"\njax {jax.__version__}, {jax.devices()[0].device_kind}, {os.cpu_count()} cores\n")
    print("| picture | result | seconds | peak memory | bound | |\n|---|---|---:|---:|---:|---|")
    kept = "under it" if peak <= bytes_of(args.memory, "--memory") else "ABOVE IT"
    sizes = f"| {width}x{height} | {large[1]}x{large[0]} "
    print(f"{sizes}| {seconds:.1f} | {human(peak)} | {args.memory} | {kept} |", flush=True)
    if args.skip_differences:
        return
    print("\n| network | radius | tiled from whole | overlap 10 |\n|---|---:|---:|---:|")
    for name, (net, fields) in (SMOKE if args.smoke else NETWORKS).items():
        r, worst, seams = differences(net, fields, SIZES[:1] if args.smoke else SIZES)
        print(f"| {name} | {r} | {worst:.2g} | {seams:.2g} |", flush=True)


if __name__ == "__main__":
    main()
