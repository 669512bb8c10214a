"""Pictures a second of AnoGAN's search in z and of f-AnoGAN's encoder, on one generator and critic, side by side.

    python benchmarks/detection.py
    python benchmarks/detection.py --workdir=runs/fanogan   # of that run's networks; else of some that hardly learned
    python benchmarks/detection.py --smoke                  # does it run?

The median of five rounds of each in turn, in one process, after one that warms up; nothing else should run. Speed does not
depend on what networks have learned. AnoGAN's 500 steps from one start are the paper's, four starts are our default.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import jax
import numpy as np

from jaxgan import cli
from jaxgan.anomaly.detector import Detector, make_detector
from jaxgan.generate import trained
from jaxgan.placement import Placement
from jaxgan.workdir.data import open_data
from jaxgan.workdir.runs import load_run

FIRST = Path("stages/first")  # of a run of configs/fanogan.py: its generator and critic
SEARCH = {"AnoGAN, 500 steps, 1 start": (500, 1), "AnoGAN, 500 steps, 4 starts": (500, 4)}
SMOKE = {"AnoGAN, 2 steps, 1 start": (2, 1)}
HERE = Path(__file__).resolve().parents[1]


def detectors(folder: Path, search: dict[str, tuple[int, int]], size: int) -> tuple[dict[str, Detector], np.ndarray]:
    """({name: detector}, f-AnoGAN's first; pictures uint8 [N, H, W, C]) of a run."""
    forms = {"f-AnoGAN": (folder, [("eval.detector.name", "task")])}
    for name, (steps, restarts) in search.items():
        fields = {"name": "search", "steps": steps, "restarts": restarts}
        forms[name] = folder / FIRST, [(f"eval.detector.{key}", str(x)) for key, x in fields.items()]
    out, images = {}, None
    for name, (path, overrides) in forms.items():
        placement = Placement(devices=jax.local_devices()[:1])
        plan, _, state = load_run(path, placement, overrides=[*overrides, ("eval.batch_size", str(size))])
        images = images or open_data(plan.config)
        nets = placement.local(trained(plan, state, bool(state.ema)))
        out[name] = make_detector(plan, nets, images)
    assert images is not None
    return out, images.gather(np.arange(size) % len(images))["image"]


def measure(made: dict[str, Detector], pictures: np.ndarray, rounds: int) -> dict[str, tuple[float, float]]:
    """{name: (pictures a second, median of the ratios to the first of them, round by round)}."""
    times: dict[str, list[float]] = {name: [] for name in made}
    first = next(iter(made))
    for i in range(1 + rounds):
        for name, detector in made.items():
            times_over = 1 if name != first or rounds == 1 else 20  # else too short to time
            began = time.perf_counter()
            for _ in range(times_over):
                detector(pictures)
            if i:
                times[name].append((time.perf_counter() - began) / times_over / len(pictures))
    ratios = {name: [own / of_first for own, of_first in zip(some, times[first])] for name, some in times.items()}
    return {name: (1 / statistics.median(some), statistics.median(ratios[name])) for name, some in times.items()}


def untrained(folder: Path) -> Path:
    """A run of both stages, two steps each."""
    words = [f"--config={HERE}/configs/fanogan.py", f"--workdir={folder}", "--config.steps=2"]
    if cli.main(["", *words, "--config.frozen.first.overrides=steps=2", "--config.log.tensorboard=false"]):
        raise SystemExit(1)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workdir", type=Path, help="a run of configs/fanogan.py")
    parser.add_argument("--pictures", type=int, default=64, help="at once")
    parser.add_argument("--smoke", action="store_true", help="four pictures, two steps, one round")
    args = parser.parse_args()
    size = 4 if args.smoke else args.pictures
    with tempfile.TemporaryDirectory() as made:
        folder = args.workdir or untrained(Path(made) / "fanogan")
        found = measure(*detectors(folder, SMOKE if args.smoke else SEARCH, size), 1 if args.smoke else 5)
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}, {size} pictures at once\n")
    print("| | pictures a second | times as long as f-AnoGAN |\n|---|---:|---:|")
    for name, (rate, ratio) in found.items():
        print(f"| {name} | {rate:.3g} | {ratio:.3g} |", flush=True)


if __name__ == "__main__":
    main()
