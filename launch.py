"""Trains and samples GANs: python launch.py --config=configs/wgan.py"""

import os
import sys
from pathlib import Path
from typing import Any

from absl import app, flags, logging

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # configs import each other, from wherever this is called

from jaxgan.errors import UserError, nearest  # noqa: E402

FLAGS = flags.FLAGS
MODES = ("train", "sample")

flags.DEFINE_string("config", "", "A config file, configs/wgan.py or configs/wgan.py:clip. Any field can be set beside it: "
                    "--config.optim.gen.lr=1e-4 --config.steps=500. configs/default.py has every field.")  # fmt: skip
flags.DEFINE_string("mode", "train", f"What to do: {' or '.join(MODES)}. train goes on where the workdir stopped.")
flags.DEFINE_string("workdir", "", "The run's folder; runs/<config's name> by default.")
flags.DEFINE_integer("num", 64, "sample: how many images.")
flags.DEFINE_boolean("ema", True, "sample: from the moving averages of the weights.")
flags.DEFINE_boolean("distributed", False, "This is one of several processes. TPU pods, Slurm and Kubernetes job sets are "
                     "recognised without this flag; elsewhere give the next three flags as well.")  # fmt: skip
flags.DEFINE_string("coordinator", None, "distributed: host:port of process 0.")
flags.DEFINE_integer("num_processes", None, "distributed: how many processes.")
flags.DEFINE_integer("process_id", None, "distributed: which of them this is.")


def main(overrides: Any) -> int:
    """Runs one mode. Returns the exit code: 0 done, 1 a failure, 2 the user's mistake."""
    logging.set_verbosity(max(FLAGS.verbosity, -2) if FLAGS["verbosity"].present else logging.ERROR)
    from jaxgan.checkpoint import DamagedError
    from jaxgan.train import DivergedError

    try:
        run(overrides)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (DivergedError, DamagedError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


def run(overrides: list[tuple[str, str]]) -> None:
    if FLAGS.mode not in MODES:
        raise UserError(f"unknown mode '{FLAGS.mode}'; {nearest(FLAGS.mode, MODES)}")
    if not FLAGS.config and not FLAGS.workdir:
        raise UserError("say what to train: python launch.py --config=configs/wgan.py (--help lists all flags)")
    name = Path(FLAGS.config.partition(":")[0]).stem + "".join(FLAGS.config.partition(":")[1:]).replace(":", "_")
    workdir = Path(FLAGS.workdir or f"runs/{name}")
    if FLAGS.mode == "sample":
        from jaxgan import sample
        from jaxgan import workdir as folders

        saved = folders.read(workdir)["config"]
        configure_jax(saved.get("deterministic", False), saved.get("dtype") == "float64")

        sample.sample(workdir, FLAGS.num, FLAGS.ema)
        return
    train(workdir, overrides)


def train(workdir: Path, overrides: list[tuple[str, str]]) -> None:
    import ml_collections

    from jaxgan import build, config
    from jaxgan import train as training
    from jaxgan import workdir as folders

    base = config.load(FLAGS.config) if FLAGS.config else ml_collections.ConfigDict(folders.read(workdir)["config"])
    resolved = config.resolve(base, overrides, build.sections)
    configure_jax(resolved.deterministic, resolved.dtype == "float64")
    images = build.open_data(resolved)
    plan = build.Blueprint(resolved, images.image_shape)
    training.train(plan, images, workdir, FLAGS.config, overrides)


def configure_jax(deterministic: bool = False, x64: bool = False) -> None:
    """Before the first use of a device: the compilation cache, XLA's flags, other processes."""
    if deterministic:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_gpu_deterministic_ops=true"
    import jax

    from jaxgan import parallel

    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(Path(cache) / "jaxgan" / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    if x64:
        jax.config.update("jax_enable_x64", True)
    if FLAGS.distributed or FLAGS.coordinator or parallel.in_cluster():
        parallel.initialize(FLAGS.coordinator, FLAGS.num_processes, FLAGS.process_id)


def parse(argv: list[str]) -> list[tuple[str, str]]:
    """Parses absl's flags, and returns what absl does not know: the overrides, ("optim.gen.lr", "1e-4"), ..."""
    rest, overrides, arguments = [argv[0]], [], iter(argv[1:])
    for argument in arguments:
        if not argument.startswith(("--config.", "-config.")):
            rest.append(argument)
            continue
        path, equals, text = argument.lstrip("-").removeprefix("config.").partition("=")
        overrides.append((path, text if equals else next(arguments, "true")))
    try:
        left = FLAGS(rest)[1:]
        if left:
            raise flags.Error(f"'{left[0]}' is no flag; flags look like --mode=train")
    except flags.Error as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    return overrides


if __name__ == "__main__":
    app.run(main, flags_parser=parse)  # pyright: ignore[reportArgumentType]
