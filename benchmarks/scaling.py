"""How long a step takes on 1 to 1,024 chips: a model, from compiled programs. Writes results/scaling.md.

    pip install "jax[tpu]"
    python benchmarks/scaling.py                            # two hours of one core; goes on where it stopped

Nothing is run. Each config is compiled for 16 chips with two batches, that of `BATCHES` and a quarter of it; what
results/slices.json has of them is taken from there. Operations and memory traffic of a chip are taken to be a line in the
examples on it, and what it exchanges to be the same at any number.

    step = max(operations / peak, traffic / bandwidth of memory) + sum over all-reduces of (latency + 2 bytes / bandwidth)
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.slices import CONFIGS, HERE, Cost, priced  # noqa: E402

BATCHES = {"celeba": 64, "r3gan:ffhq64": 256, "sagan:imagenet128": 256, "pix2pix:own": 64}
COUNTS = (1, 4, 16, 64, 256, 1024)


@dataclass(frozen=True)
class Chip:
    """What the maker says of a chip, and of what joins it to others.

    compiled: the slice that programs are compiled for. peak: operations a second, bfloat16. memory: bytes a second.
    link: bytes a second that a chip can send to its neighbours, in all directions together. shapes: of the torus of so many
    chips. near: how many are joined so. far: bytes a second that a chip can send beyond them.
    """

    name: str
    compiled: str
    peak: float
    memory: float
    link: float
    shapes: dict[int, tuple[int, ...]]
    near: int
    far: float


CHIPS = (
    Chip("v5e", "v5e:4x4", 197e12, 819e9, 200e9, {4: (2, 2), 16: (4, 4), 64: (8, 8), 256: (16, 16)}, 256, 3.1e9),
    Chip("v5p", "v5p:2x2x4", 459e12, 2765e9, 600e9,
         {4: (2, 2, 1), 16: (2, 2, 4), 64: (4, 4, 4), 256: (4, 8, 8), 1024: (8, 8, 16)}, 8960, 6.25e9),
    Chip("H200", "v5p:2x2x4", 989e12, 4800e9, 450e9, {}, 8, 50e9),
)  # fmt: skip
HOP = 1e-6  # seconds from a chip of a TPU to its neighbour
SWITCH = 20e-6  # of an all-reduce within a machine of GPUs
NETWORK = 30e-6  # and of each doubling of machines, or of slices


def reduction(chip: Chip, count: int, size: float) -> float:
    """Seconds of an all-reduce of `size` bytes over `count` chips.

    On a torus each axis takes as many hops as it has chips, out and back on both sides of the ring. Beyond `near` chips each
    one sends its part of the sum through the network.
    """
    if count == 1:
        return 0.0
    inner = min(count, chip.near)
    latency = HOP * sum(side for side in chip.shapes[inner] if side > 1) if chip.shapes else SWITCH
    seconds = latency + 2 * size * (inner - 1) / inner / chip.link
    if count > inner:
        outer = count // inner
        seconds += NETWORK * (outer.bit_length() - 1) + 2 * size / inner * (outer - 1) / outer / chip.far
    return seconds


def seconds(small: Cost, large: Cost, chip: Chip, count: int, batch: int) -> tuple[float, float]:
    """(on the chip, between chips), of a step, from two costs at 16 chips with different batches."""

    def line(name: str) -> float:
        low, high = getattr(small, name), getattr(large, name)
        slope = (high - low) / (large.batch - small.batch) * 16
        return low + slope * (batch / count - small.batch / 16)

    alone = max(line("operations") / chip.peak, line("traffic") / chip.memory)
    times, size = small.reductions
    return alone, times * reduction(chip, count, size / times) if times else 0.0


def costs_of(configs: dict[str, int], kept: Path | None) -> dict[str, dict]:
    """{config: {slice: [two costs]}}; those that the file has are not compiled again. None: of this machine's CPU."""
    costs = json.loads(kept.read_text()) if kept and kept.exists() else {}
    known = json.loads((ROOT / "results" / "slices.json").read_text()) if kept else {}
    for config, batch in configs.items():
        for topology in dict.fromkeys(chip.compiled for chip in CHIPS):
            if topology in costs.get(config, {}):
                continue
            found = []
            for size in (batch // 4, batch):
                had = known.get(config, {}).get(topology)
                if isinstance(had, dict) and had["batch"] == size:
                    found.append({name: x for name, x in had.items() if name != "revision"})
                    continue
                cost = priced(config, topology if kept else HERE, CONFIGS[config], f"--config.batch_size={size}")
                if isinstance(cost, str):
                    raise SystemExit(f"{config} on {topology}: {cost}")
                print(config, topology, cost, flush=True)
                found.append(asdict(cost))
            costs.setdefault(config, {})[topology] = found
            if kept:
                kept.write_text(json.dumps(costs, indent=1) + "\n")
    return {config: costs[config] for config in configs}


def table(costs: dict[str, dict], each: bool) -> list[str]:
    """Milliseconds of a step on the chip + between chips. each: the batch grows with the chips, and is not divided."""
    lines = [
        "| config | batch | chip | " + " | ".join(f"{n:,}" for n in COUNTS) + " |",
        "|---|---:|---|" + "---:|" * len(COUNTS),
    ]
    for config in costs:
        batch = costs[config][CHIPS[0].compiled][1]["batch"]
        for chip in CHIPS:
            small, large = (Cost(**x) for x in costs[config][chip.compiled])
            cells = []
            for n in COUNTS:
                whole = batch // 16 * n if each else batch
                alone, between = seconds(small, large, chip, n, whole)
                cells.append("" if whole < n else f"{1e3 * alone:.3g} + {1e3 * between:.2g}")
            asked = f"{batch // 16} a chip" if each else f"{batch:,}"
            lines.append(f"| {config} | {asked} | {chip.name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    from jaxgan.workdir.provenance import provenance

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "scaling.md")
    parser.add_argument("--smoke", action="store_true", help="a small network on this machine's CPU; writes no file")
    given = parser.parse_args()
    if given.smoke:
        print("\n".join(table(costs_of({"own": 32}, None), each=False)))
        return
    costs = costs_of(BATCHES, given.out.with_suffix(".json"))
    made = provenance()
    parts = [
        "# A step on 1 to 1,024 chips, by a model",
        f"By `python benchmarks/scaling.py`, revision {made['git_revision'][:8]}, jax {made['versions']['jax']}, "
        f"{made['date'][:10]}. Nothing of this was run or measured: `docs/scaling.md` says what the model leaves out.",
        "Milliseconds of a step: on a chip + between chips.",
        "## The config's batch, divided among the chips",
        "\n".join(table(costs, each=False)),
        "## A batch that grows with the chips",
        "\n".join(table(costs, each=True)),
    ]
    given.out.write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
