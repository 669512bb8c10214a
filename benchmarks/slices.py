"""What a step of every config comes to on slices of TPUs that are not there. Writes results/slices.md and slices.json.

    pip install "jax[tpu]"
    python benchmarks/slices.py                              # hours of one core; goes on where it stopped
    python benchmarks/slices.py --only=dcgan                 # to the screen

Each config is compiled for each slice by a process of its own, with its own batch, or the next larger one that the chips can
share. Pictures that cannot be had here are stood in for by plain ones, of the same size and with as many classes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Container
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SLICES = ("v5e:4x4", "v5p:2x2x4")
HEADS = ("config", "batch", "params (million)", "all-reduces", "of", "gradients", "others", "state and data")
HEADS += (*(f"step, {topology.partition(':')[0]}" for topology in SLICES), "revision")
HERE = "cpu"  # in place of a slice: two devices of this machine, to try these lines without libtpu
CONFIGS: dict[str, str] = {  # and the pictures that stand in, if any: SIDE, SIDE/CLASSES, pairs, paired, captions
    **dict.fromkeys(
        "vanilla dcgan lsgan hinge wgan wgan:clip created_equal classifier toy:ring toy:grid toy:swiss_roll stacked_digits "
        "stacked_digits:full cgan cgan:concat cgan:acgan cgan:reacgan sagan biggan stylegan_lite r3gan "
        "r3gan:stacked_full pix2pix cyclegan srgan srgan:srresnet srgan:esrgan detector damsm dfgan attngan "
        "anogan fanogan ganomaly".split(),
        "",
    ),
    "stylegan_lite:emoji": "32",
    "r3gan:emoji": "32",
    "own": "64",
    "celeba": "64",
    "cifar10:sngan_resnet": "32",
    "cifar10:wgan_gp_resnet": "32",
    "cifar10:dcgan": "32",
    "sagan:cifar10": "32/10",
    "sagan:imagenet128": "128/1000",
    "biggan:cifar10": "32/10",
    "biggan:imagenet128": "128/1000",
    "r3gan:cifar10": "32/10",
    "r3gan:imagenet64": "64/1000",
    "r3gan:ffhq64": "64",
    "r3gan:ffhq256": "256",
    "pix2pix:own": "paired",
    "cyclegan:own": "pairs",
    "attngan:birds": "captions",
}


@dataclass(frozen=True)
class Cost:
    """Of a step on a chip.

    batch: over all chips. params: of all players. reductions: how many all-reduces, and their bytes. others: the same of
    other collectives. gradients: bytes of those of all updates. whole: whether each update's go in one piece. state: bytes
    that stay on the chip, with data. step: bytes that the step needs besides. operations, traffic: floating-point
    operations, and bytes to and from the chip's memory, as XLA counts them in the compiled program; a second round, or a
    second step of a dispatch, is not counted.
    """

    batch: int
    params: int
    reductions: tuple[int, int]
    others: tuple[int, int]
    gradients: int
    whole: bool
    state: int
    step: int
    operations: float
    traffic: float


def stand_in(kind: str, folder: Path) -> list[str]:
    """Draws pictures of one colour each, and returns the words that name them."""
    many, rng, words = 64, np.random.default_rng(0), [f"--config.data.dir={folder}"]
    side, _, classes = kind.partition("/")
    if kind in ("pairs", "paired"):
        places = [folder / split / f"{i}.png" for split in ("trainA", "trainB") for i in range(many)]
        words.append(f"--config.data.paired={kind == 'paired'}")
    elif classes:
        places = [folder / "train" / f"{i % int(classes):04d}" / f"{i}.png" for i in range(max(many, int(classes)))]
        words += ["--config.data.name=image_folder", "--config.data.labels=folders"]
    else:
        places = [folder / "train" / f"{i}.png" for i in range(many)]
        words += ["--config.data.name=image_folder", "--config.data.labels=none"]
    pixels = int(side) if side.isdigit() else 256
    words.append(f"--config.data.size={pixels}")
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (pixels, pixels), tuple(rng.integers(0, 256, 3).tolist())).save(place)
    if kind == "captions":
        caption = "a bird with a long grey bill and wings of many colours"
        told = [{"file": str(place.relative_to(folder)), "caption": caption} for place in places]
        (folder / "captions.jsonl").write_text("\n".join(map(json.dumps, told)))
        words.append("--config.data.captions=captions.jsonl")
    return words


def cost(config: str, topology: str, given: list[str]) -> Cost:
    """Compiles the step of a config for a slice. Raises UserError where it does not fit."""
    import jax

    from jaxgan.config.load import load_config
    from jaxgan.config.resolve import resolve_config
    from jaxgan.placement import Placement
    from jaxgan.plan import Plan
    from jaxgan.sections import sections
    from jaxgan.training import ahead, stages
    from jaxgan.workdir.data import open_data

    words = [(path, value) for path, _, value in (word.removeprefix("--config.").partition("=") for word in given)]
    name, _, variant = config.partition(":")
    base = load_config(f"{ROOT}/configs/{name}.py" + (f":{variant}" if variant else ""))
    ahead.prepare()
    chips = jax.devices() if topology == HERE else ahead.devices(topology)
    run = resolve_config(base, words, sections)
    images = open_data(run)
    networks = stages.networks(run, images, Path("none"), train_first=False) or {}
    plan = Plan(run, images.features, networks)
    unit = len(chips) * plan.group * run.accumulate
    if run.batch_size % unit:
        batch = -(-run.batch_size // unit) * unit
        plan = Plan(resolve_config(base, [*words, ("batch_size", str(batch))], sections), images.features, networks)
    step = ahead.compiled(plan, images, Placement("shard_map", chips, plan.run.shards), topology)
    found = ahead.collectives(step.as_text())
    wanted = [(update.rounds, 4 * plan.num_params(update.player)) for update in plan.updates]

    def fits(size: int, wanted: int) -> bool:
        """Whether an all-reduce is of such gradients: a few that are 0 are left out, numbers for the log may be with it."""
        return 0.98 * wanted <= size < 1.02 * wanted + 4096

    whole = all(
        sum(one.times for one in found if one.kind == "all-reduce" and fits(one.bytes, size))
        == sum(rounds for rounds, other in wanted if fits(other, size))
        for _, size in wanted
    )
    memory, priced = step.memory_analysis(), step.cost_analysis()

    def total(kinds: Container[str]) -> tuple[int, int]:
        own = [one for one in found if one.kind in kinds]
        return sum(one.times for one in own), sum(one.times * one.bytes for one in own)

    return Cost(
        plan.run.batch_size,
        sum(plan.num_params(player) for player in plan.shapes().params),
        total({"all-reduce"}),
        total(set(ahead.KINDS) - {"all-reduce"}),
        sum(rounds * size for rounds, size in wanted),
        whole,
        memory.argument_size_in_bytes,
        memory.temp_size_in_bytes,
        float(priced["flops"]),
        float(priced["bytes accessed"]),
    )


def priced(config: str, topology: str, kind: str, *more: str) -> Cost | str:
    """The same, in a process of its own; or why not, in a line."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*(stand_in(kind, Path(folder)) if kind else []), *more]
        command = [sys.executable, __file__, f"--one={config}", f"--slice={topology}", *words]
        env = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"} if topology == HERE else None
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it was killed"])[-1].partition("UserError: ")[2] or done.stderr[-500:]
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def as_json(found: Cost | str) -> dict | str:
    from jaxgan.workdir.provenance import provenance

    return found if isinstance(found, str) else {**asdict(found), "revision": provenance()["git_revision"][:8]}


def row(config: str, found: dict[str, dict]) -> str:
    """A line of the table, from the costs on each slice."""
    from jaxgan.memory import human

    said = [x for x in found.values() if isinstance(x, str)]
    if said:
        return f"| {config} | " + " | " * (len(HEADS) - 2) + f"{said[0]} |"
    first, second = (found[topology] for topology in SLICES)
    times, size = first["reductions"]
    others = f"{first['others'][0]} of {human(first['others'][1])}" if first["others"][0] else ""
    pieces = "one each" if first["whole"] and second["whole"] else "in pieces"
    return (
        f"| {config} | {first['batch']:,} | {first['params'] / 1e6:.2f} | {times} | {human(size)} | {pieces} | "
        f"{others} | {human(first['state'])} | {human(first['step'])} | {human(second['step'])} | "
        f"{first['revision']} |"
    )


def page(costs: dict[str, dict]) -> str:
    from jaxgan.workdir.provenance import provenance

    made = provenance()
    missing = [config for config in CONFIGS if len(costs.get(config, ())) < len(SLICES)]
    return "\n".join([
        "# A step on a slice of TPUs",
        "",
        f"By `python benchmarks/slices.py`, jax {made['versions']['jax']}, {made['date'][:10]}. Steps are compiled for "
        f"{' and '.join(SLICES)}, 16 chips each; none was run.",
        "",
        "all-reduces: how many in a step, and the bytes of their results; of a lazy term, in a step that has it. gradients: "
        "one all-reduce for each update of a player; or in pieces, where a network exchanges something on the way back "
        "anyway (BatchNorm's sums), and XLA sends gradients along. All other all-reduces are of BatchNorm and of numbers "
        "for the log. others: of losses that look across the batch, and of what moves between chips, on v5e. state and "
        "data, step: bytes of a chip; data that could not be had are 64 pictures here, or one of each class.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|---|" + "---:|" * 4 + "---|" + "---:|" * 4 + "---|",
        *[row(config, costs[config]) for config in CONFIGS if config not in missing],
        *(["", f"Not compiled yet: {', '.join(missing)}. The same command goes on with them."] if missing else []),
    ]) + "\n"  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="the configs whose names have this in them; writes no file")
    parser.add_argument("--slice", default="", help="a slice, instead of both; writes no file")
    parser.add_argument("--smoke", action="store_true", help="two configs on this machine's CPU; writes no file")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "slices.md")
    given, more = parser.parse_known_args()
    if given.one:
        print(json.dumps(asdict(cost(given.one, given.slice, more))))
        return
    if given.smoke:
        found = {config: dict.fromkeys(SLICES, priced(config, HERE, "32")) for config in ("own", "cifar10:dcgan")}
        print(page({config: {key: as_json(x) for key, x in own.items()} for config, own in found.items()}))
        return
    kept = given.out.with_suffix(".json")
    whole = not (given.only or given.slice or more)
    costs = json.loads(kept.read_text()) if whole and kept.exists() else {}
    for config, kind in CONFIGS.items():
        for topology in [given.slice] if given.slice else SLICES:
            if given.only not in config or topology in costs.get(config, {}):
                continue
            found = priced(config, topology, kind, *more)
            costs.setdefault(config, {})[topology] = as_json(found)
            print(config, topology, found, flush=True)
            if whole:
                kept.write_text(json.dumps(costs, indent=1) + "\n")
    if whole:
        given.out.write_text(page(costs))


if __name__ == "__main__":
    main()
