"""Seconds a training step, here and in PyTorch: the same networks, losses, updates, batch and precision.

    pip install -e ".[demo,bench]"
    python benchmarks/step_time.py                 # CPU; some minutes a case on two cores, with nothing else running
    python benchmarks/step_time.py --device=cuda   # widths as published; torch.compile and bfloat16 too

First both sides compute their losses at the same params on the same images, latents and interpolation weights, and count
the images that their networks see in a step. A case whose losses differ by more than a thousandth, or whose counts differ,
is not timed. Then they take turns, block after block of steps, in one process, and the median block counts: a machine whose
speed drifts slows both. `--json` prints all on the last line; every run adds its table to `benchmarks/results.md` unless
--dry.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
parser.add_argument("--cases", default="wgan_gp,r1,sngan_resnet,pix2pix,cyclegan", help="which, by name")
parser.add_argument("--blocks", type=int, default=7, help="paired repeats")
parser.add_argument("--steps", type=int, default=0, help="steps in a block; 0: about two seconds of them")
parser.add_argument("--dtype", choices=("float32", "tf32", "bfloat16"), default="float32", help="of both sides alike")
parser.add_argument("--compile", action="store_true", help="the networks under torch.compile as well")
parser.add_argument(
    "--startup", action="store_true", help="time to the first step of configs/wgan.py, cold and warm, as well"
)
parser.add_argument("--smoke", action="store_true", help="tiny networks, two blocks: does it run?")
parser.add_argument("--json", action="store_true", help="the numbers on the last line")
parser.add_argument("--dry", action="store_true", help="leave results.md alone")
args = parser.parse_args()
if args.device == "cpu":
    os.environ["JAX_PLATFORMS"] = "cpu"
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # torch wants some of the GPU too

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch_gan  # noqa: E402
import torch_translate  # noqa: E402
import work  # noqa: E402

from jaxgan import program  # noqa: E402
from jaxgan.config.load import load_config  # noqa: E402
from jaxgan.config.resolve import resolve_config  # noqa: E402
from jaxgan.data.features import features_of  # noqa: E402
from jaxgan.data.pairs import AsSource, Beside  # noqa: E402
from jaxgan.data.source import Arrays, Images  # noqa: E402
from jaxgan.keys import Keys  # noqa: E402
from jaxgan.placement import Placement  # noqa: E402
from jaxgan.plan import Plan, sections  # noqa: E402
from jaxgan.training import budget  # noqa: E402

ADAM = "optim.{p}.lr=2e-4 optim.{p}.b1=0.5 optim.{p}.b2=0.999"
GPU = args.device == "cuda"
# name: (config, overrides, image shape, kind of loss in torch_gan, penalty weight)
CASES = {
    "wgan_gp": ("wgan.py:gp", "batch_size=64 nets.gen.width=64 nets.disc.width=64", (28, 28, 1), "wgan_gp", 10.0),
    "r1": (
        "dcgan.py",
        "batch_size=64 nets.gen.width=64 nets.disc.width=64 nets.gen.norm=layer nets.disc.norm=none "
        "objective.terms.r1.weight=5",
        (28, 28, 1),
        "r1",
        5.0,
    ),
    "sngan_resnet": (
        "cifar10.py:sngan_resnet",
        "data.flip=false " + ("" if GPU else "nets.gen.width=64 nets.disc.width=32"),  # a quarter of the width on a CPU
        (32, 32, 3),
        "hinge",
        0.0,
    ),
    "pix2pix": ("pix2pix.py", "", (32, 32, 3), "pix2pix", 0.0),
    "cyclegan": ("cyclegan.py", "", (32, 32, 3), "cyclegan", 0.0),
}
SMALL = "batch_size=8 nets.gen.width=8 nets.disc.width=8"


def shape_of(name: str) -> tuple[int, int, int]:
    height, width, channels = CASES[name][2]
    return (16, 16, channels) if args.smoke else (height, width, channels)


def plan_of(name: str, more: str = "") -> Plan:
    spec, overrides, _, kind, _ = CASES[name]
    shape = shape_of(name)
    overrides += " " + more
    words = [ADAM.format(p=player) for player in ("gen", "disc")] + [overrides, SMALL if args.smoke else ""]
    pairs = [tuple(word.split("=", 1)) for word in " ".join(words).split()]
    if args.dtype == "bfloat16":
        pairs.append(("dtype", "bfloat16"))
    resolved = resolve_config(load_config(f"{ROOT}/configs/{spec}"), [*pairs, ("steps", "100000")], sections)
    sources = shape if kind in torch_translate.METHODS else ()
    return Plan(resolved, features_of(shape, source_shape=sources, apart=kind == "cyclegan"))


def noise(shape: tuple[int, ...], n: int = 4096) -> Arrays:
    return Arrays(np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8), None, np.arange(n))


class Ours:
    """A case as `launch.py` runs it: resident data, one compiled program, state donated, so many steps a dispatch."""

    def __init__(self, plan: Plan, group: int):
        data, others = noise(plan.image_shape), {}
        if plan.ways == ("ab",):
            data = Beside(data, data)
        elif plan.ways:
            others["source"] = AsSource(data)
        images = Images("noise", data, plan.features, True, others)
        placement = Placement(devices=jax.devices()[:1])
        self.plan, self.placement = plan, placement
        self.state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(0))
        self.hparams, self.data = placement.replicate(plan.inputs), placement.replicate(program.resident(images))
        self.program = placement.wrap(program.make_program(plan, images), batch_is_split=False)
        self.group, self.count = group, placement.replicate(np.int32(group))

    def run(self, steps: int) -> float:
        """Seconds of a step, over so many or a few more; `host` is what of it the host needed to hand them over."""
        start, calls = time.perf_counter(), -(-steps // self.group)
        for _ in range(calls):
            self.state, report = self.program(self.state, self.hparams, self.data, self.count)
        self.host = (time.perf_counter() - start) / calls / self.group
        jax.block_until_ready(report)
        return (time.perf_counter() - start) / calls / self.group


class Theirs:
    """The same in PyTorch, from the same params. layout: "channels_last" or "contiguous"."""

    def __init__(self, plan: Plan, name: str, layout: str = "contiguous", compiled: bool = False):
        _, _, _, kind, weight = CASES[name]
        shape = shape_of(name)
        state, settings = plan.init(jax.random.key(0)), plan.config
        form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        self.data = torch.from_numpy(noise(shape).images).permute(0, 3, 1, 2).contiguous().to(args.device)
        self.batch, self.form, self.translates = (plan.rounds, settings.batch_size), form, bool(plan.ways)
        if self.translates:
            method = torch_translate.METHODS[kind](state.params, settings)
            self.gan = torch_translate.Translation(method, settings).to(args.device, form)
            self.networks = {player: list(nets.values() if isinstance(nets, torch.nn.ModuleDict) else nets)
                             for player, nets in method.nets.items()}  # fmt: skip
            for net in method.modules if compiled else ():
                net.compile()
            return
        if name == "sngan_resnet":
            spectral = state.model_state["disc"]["spectral"]
            nets = [torch_gan.Resnet(state.params[p], p, shape, s) for p, s in (("gen", None), ("disc", spectral))]
        else:
            nets = [torch_gan.Dcgan(state.params[p], p, shape, settings.nets[p].norm) for p in ("gen", "disc")]
        self.nets = [net.to(args.device, memory_format=form).train() for net in nets]
        self.networks = {"gen": self.nets[:1], "disc": self.nets[1:]}
        if compiled:  # not a penalised critic: torch.compile knows no second derivatives
            self.nets = [
                torch.compile(net) if p == "gen" or not weight else net for p, net in zip(("gen", "disc"), self.nets)
            ]
        optim = settings.optim.gen
        task, betas = settings.task, (optim.b1, optim.b2)
        self.gan = torch_gan.Gan(*self.nets, kind, plan.rounds, weight, 2e-4, betas, task.z_dim, task.gen_batch)

    def step(self):
        if self.translates:
            return self._translation()
        chosen = torch.randint(len(self.data), (self.batch[0] * self.batch[1],), device=args.device)
        reals = self.data[chosen].float() / 127.5 - 1
        reals = reals.to(memory_format=self.form).view(*self.batch, *reals.shape[1:])
        with torch.autocast(args.device, torch.bfloat16, enabled=args.dtype == "bfloat16"):
            return self.gan.step(reals)

    def _translation(self):
        def drawn():
            at = torch.randint(len(self.data), self.batch[1:], device=args.device)
            return (self.data[at].float() / 127.5 - 1).to(memory_format=self.form)

        with torch.autocast(args.device, torch.bfloat16, enabled=args.dtype == "bfloat16"):
            return self.gan.step(drawn(), drawn())

    def run(self, steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            out = self.step()
        if GPU:
            torch.cuda.synchronize()
        float(out[0])
        return (time.perf_counter() - start) / steps


def same_translation_losses(name: str) -> dict[str, tuple[float, float]]:
    """As `same_losses`, of a case that translates, without dropout, whose masks cannot be made the same."""
    plan = plan_of(name, "nets.gen.dropout=0" if name == "pix2pix" else "")
    theirs, rng, n = Theirs(plan, name), np.random.default_rng(1), plan.config.batch_size
    real, source, *shown = (rng.uniform(-1, 1, (n, *plan.image_shape)).astype(np.float32) for _ in range(4))
    task, state = plan.task(), plan.init(jax.random.key(0))
    state = state.replace(memory={**state.memory, **{f"shown/{d}": x for d, x in zip("ab", shown) if state.memory}})
    images = [torch.from_numpy(x).permute(0, 3, 1, 2).contiguous().to(args.device) for x in (real, source, *shown)]
    theirs.gan.method.shown = dict(zip("ab", images[2:]))
    batch, keys = {"image": jnp.asarray(real), "source": jnp.asarray(source)}, Keys(jax.random.key(0), 0, 0, 0, n)
    ours = {p: float(jax.jit(lambda s, p=p: task.loss(p, s, batch, keys, lambda *_: s)[0])(state)) for p in ("disc", "gen")}
    return {p: (ours[p], theirs.gan.method.loss(p, *images[:2]).item()) for p in ("disc", "gen")}


def same_losses(plan: Plan, theirs: Theirs) -> dict[str, tuple[float, float]]:
    """Both sides' losses at the same params, images, latents and interpolation weights: {"disc": (ours, theirs), ...}."""
    rng, n = np.random.default_rng(1), plan.config.batch_size
    real = rng.uniform(-1, 1, (n, *plan.image_shape)).astype(np.float32)
    z, alpha = rng.standard_normal((n, plan.config.task.z_dim)).astype(np.float32), rng.random(n).astype(np.float32)
    task = plan.task()
    state = plan.init(jax.random.key(0))

    class Fixed:
        """Keys that stand for the given draws."""

        def __call__(self, role):
            return jax.random.split(jax.random.key(0), n)

        def grouped(self, size):
            return self

        of = grouped

    object.__setattr__(task, "_z", lambda keys: jnp.asarray(z))
    from jaxgan.objectives import terms

    drawn, terms._uniform = terms._uniform, lambda keys, image: jnp.asarray(alpha).reshape(-1, 1, 1, 1)
    try:
        ours = {
            name: float(
                jax.jit(
                    lambda state, name=name: task.loss(name, state, {"image": jnp.asarray(real)}, Fixed(), lambda *_: state)[
                        0
                    ]
                )(state)
            )
            for name in ("disc", "gen")
        }
    finally:
        terms._uniform = drawn
    to = {"device": args.device}
    images = torch.from_numpy(real).permute(0, 3, 1, 2).contiguous().to(**to)
    theirs.gan.disc.eval()  # spectral vectors as they are
    disc = theirs.gan.disc_loss(images, torch.from_numpy(z).to(**to), torch.from_numpy(alpha).to(**to))
    gen = theirs.gan.gen_loss(torch.from_numpy(z).to(**to))
    both = {"disc": (ours["disc"], disc.item()), "gen": (ours["gen"], gen.item())}
    # A critic under spectral norm takes a power iteration in its own update, at another moment on each side.
    return {"gen": both["gen"]} if plan.config.nets.disc.norm == "spectral" else both


def matmul_ceiling() -> float:
    """FLOP/s of a large matrix product in float32 (or as --dtype says), the best of twenty."""
    n = 512 if args.smoke else 8192 if GPU else 2048
    dtype = jnp.bfloat16 if args.dtype == "bfloat16" else jnp.float32
    a, product = jnp.ones((n, n), dtype), jax.jit(lambda a: a @ a)
    product(a).block_until_ready()
    times = []
    for _ in range(20):
        start = time.perf_counter()
        product(a).block_until_ready()
        times.append(time.perf_counter() - start)
    return 2 * n**3 / min(times)


def peak_memory() -> int:
    """Bytes at the most: of the GPU's allocator, or of this whole process."""
    if GPU:
        return (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name: str) -> dict[str, float]:
    plan = plan_of(name)
    theirs = {"torch": Theirs(plan, name), "torch_channels_last": Theirs(plan, name, "channels_last")}
    if args.compile:
        theirs["torch_compile"] = Theirs(plan, name, compiled=True)
    both = same_translation_losses(name) if plan.ways else same_losses(plan, Theirs(plan, name))
    for player, (a, b) in both.items():
        print(f"{name}: {player} loss {a:.6f} here, {b:.6f} in torch")
        if abs(a - b) > (2e-2 if args.dtype != "float32" else 1e-3) * max(0.1, abs(a)):
            raise SystemExit(f"{name}: the losses differ; these are not the same networks")
    images, counted = work.of_plan(plan), Theirs(plan, name)
    if images != work.of_torch(counted.networks, counted.step):
        raise SystemExit(f"{name}: networks see {images} images a step here, and others in torch: this is not the same work")
    print(f"{name}: images that networks see in a step, on both sides: {images}")
    ours = Ours(plan, 1)
    sides = {"jaxgan": ours, "jaxgan_grouped": Ours(plan, program.GROUP), **theirs}
    if args.smoke:
        sides = {side: sides[side] for side in ("jaxgan", "jaxgan_grouped", "torch") if GPU or side != "jaxgan_grouped"}
    steps = {side: args.steps or 1 if args.smoke else 0 for side in sides}
    for side, runner in sides.items():
        runner.run(2)
        steps[side] = steps[side] or args.steps or max(2, round(2 / runner.run(2)))
    times: dict[str, list[float]] = {side: [] for side in sides}
    for block in range(2 if args.smoke else args.blocks):
        for side in sorted(sides, reverse=bool(block % 2)):  # nobody always comes first
            times[side].append(sides[side].run(steps[side]))
    medians = {side: statistics.median(t) for side, t in times.items()}
    flops = sum(count * u.rounds for u, count in zip(plan.updates, budget.flops(plan).values()))
    default = "jaxgan_grouped" if GPU else "jaxgan"
    paired = {
        f"ratio{side.removeprefix('torch')}": round(statistics.median(a / b for a, b in zip(times[default], times[side])), 3)
        for side in theirs
        if side in times
    }
    return {
        **{f"{side}_s": round(t, 5) for side, t in medians.items()},
        **paired,
        **{f"{player}_images": count for player, count in images.items()},
        "host_s": round(ours.host, 5),
        "img_per_sec": round(plan.kimg_per_step * 1000 / medians[default], 1),
        "share_of_ceiling": round(flops / medians[default] / matmul_ceiling(), 3),
        "peak_bytes": peak_memory(),
    }


def startup() -> dict[str, float]:
    """Seconds from the process' start and from the first dispatch to the end of the first step of configs/wgan.py."""
    out = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("cold", "warm"):
            command = [sys.executable, str(ROOT / "launch.py"), f"--config={ROOT}/configs/wgan.py"]
            command += [f"--workdir={folder}/{kind}", "--config.steps=1"]
            env = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"} | {"XDG_CACHE_HOME": folder}
            start = time.perf_counter()
            done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
            out[f"{kind}_process_s"] = round(time.perf_counter() - start, 2)
            out[f"{kind}_first_step_s"] = float(done.stdout.partition("first step after ")[2].split()[0])
    return out


def record(results: dict) -> str:
    """The table for results.md."""
    revision = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout
    device = jax.devices()[0].device_kind if GPU else f"{os.cpu_count()} cores, {cpu_name()}"
    lines = [
        f"## {datetime.date.today()}, {device}",
        f"\nRevision {revision.strip()}, jax {jax.__version__}, torch {torch.__version__}, Python "
        f"{platform.python_version()}, {args.dtype}; `python benchmarks/step_time.py {' '.join(sys.argv[1:])}`\n",
    ]
    cases = {k: v for k, v in results.items() if k != "startup"}
    keys = list(next(iter(cases.values()))) if cases else []
    lines += ["| case | " + " | ".join(keys) + " |", "|---" * (len(keys) + 1) + "|"] if keys else []
    lines += [f"| {name} | " + " | ".join(str(row.get(key, "")) for key in keys) + " |" for name, row in cases.items()]
    if "startup" in results:
        lines.append("\n" + ", ".join(f"{key} {value}" for key, value in results["startup"].items()))
    return "\n".join(lines) + "\n\n"


def cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main() -> None:
    if args.dtype == "float32":
        jax.config.update("jax_default_matmul_precision", "highest")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.dtype == "tf32"
    torch.backends.cudnn.benchmark = True
    results: dict = {}
    for name in args.cases.split(","):
        results[name] = measure(name)
        print(name, results[name], flush=True)
    if args.startup:
        results["startup"] = startup()
        print("startup", results["startup"], flush=True)
    if not args.dry and not args.smoke:
        with (Path(__file__).parent / "results.md").open("a") as file:
            file.write(record(results))
    if args.json:
        print(json.dumps(results))


main()
