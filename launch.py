"""Trains, samples, evaluates and tabulates GANs: python launch.py --config=configs/wgan.py"""

import ast
import dataclasses
import os
import re
import shlex
import sys
import textwrap
from pathlib import Path
from typing import Any

from absl import app, flags, logging

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # configs import each other, from wherever this is called

from jaxgan.errors import UserError, as_path, described, nearest, numbers  # noqa: E402

FLAGS = flags.FLAGS
MODES = ("train", "sample", "evaluate", "ablate", "project", "translate")
USAGE = """
python launch.py --config=configs/wgan.py                        trains; the workdir is runs/wgan
python launch.py --config=configs/wgan.py                        again: goes on where it stopped
python launch.py --mode=sample --workdir=runs/wgan --grid=8x8    more pictures
python launch.py --mode=translate --workdir=runs/pix2pix --input=FOLDER    a folder of pictures, translated
python launch.py --mode=evaluate --workdir=runs/wgan             scores, with the protocol that they were measured by
python launch.py --mode=ablate --config=configs/ablations/ring.py    a paper's table: trains its cells, writes a report
python launch.py --config=configs/wgan.py --help                 what this experiment is, and its variants
"""
OVERRIDES = """
--config.steps=1e4 --config.seed=1 --config.batch_size=128
--config.optim.gen.lr=1e-4 --config.optim.disc.lr="linear(2e-4, 0, 0, 500)"
--config.nets.gen.name=resnet --config.nets.gen.width=128
--config.objective.loss=hinge --config.objective.penalties.r1.weight=1
--config.data.name=cifar10
--config.data.name=image_folder --config.data.dir=FOLDER --config.data.size=64
"""

flags.DEFINE_string("config", "", "A config file, configs/wgan.py or configs/wgan.py:clip.")
flags.DEFINE_string("mode", "train", f"What to do: {' or '.join(MODES)}. train goes on where the workdir stopped.")
flags.DEFINE_string("workdir", "", "The run's folder; runs/<config's name> by default.")
flags.DEFINE_boolean("print_config", False, "Print the complete config, each line an override, and stop.")
flags.DEFINE_boolean("dry_run", False, "Print layers, params, memory and arithmetic, and stop, without a workdir.")
flags.DEFINE_integer("num", None, "sample: how many images (64). project: how many of --input's (8).")
flags.DEFINE_string("grid", "", "sample: COLUMNSxROWS of the grid; as near to a square as it gets.")
flags.DEFINE_string(
    "seeds",
    "",
    "sample: numbers of the images, 0-63 or 3,5,8-11; a number's image is always the "
    "same. ablate: the seeds of each row, in place of the table's.",
)
flags.DEFINE_string(
    "out",
    "",
    "sample: FILE.png (a grid), FILE.npz (arrays), or a folder (a PNG file each); the workdir's samples/ by default. "
    "translate: a folder; the workdir's translated/ by default. evaluate: FILE.json for the scores of --samples.",
)
flags.DEFINE_integer(
    "interpolate", 0, "sample: this many frames from each image to the next, as FILE.gif and FILE_strip.png."
)
flags.DEFINE_list("truncation_psi", [], "sample, of a StyleGAN: how far styles are from their mean, .7; several, 1,.7,.5,0, "
                  "make a table with a row each.")  # fmt: skip
flags.DEFINE_string("space", "z", "sample, of a StyleGAN: where --interpolate walks, z or w.")
flags.DEFINE_string("mix", "", "sample, of a StyleGAN: numbers whose styles the images of --seeds take, a column "
                    "each.")  # fmt: skip
flags.DEFINE_string("layers", "", "sample, with --mix: in which layers, 0-1 (pose) or 4-5 (colour).")
flags.DEFINE_boolean("ema", True, "sample, translate: from the moving averages of the weights; --noema: from the weights.")
flags.DEFINE_integer("step", None, "evaluate: which checkpoint; the newest by default.")
flags.DEFINE_string("samples", "", "evaluate: anybody's pictures in place of a run's: a folder or archive, FILE.npz (uint8 "
                    "[N, H, W, C]), or a TFDS data set, NAME or NAME@SPLIT.")  # fmt: skip
flags.DEFINE_string("reference", "", "evaluate: the real pictures that --samples are scored against, given in the same way.")
flags.DEFINE_string(
    "input",
    "",
    "project: pictures to look for among a StyleGAN's styles, given as --samples are. translate: a folder or archive of "
    "pictures of any size.",
)
flags.DEFINE_enum("direction", "ab", ("ab", "ba"), "translate: from the source's domain to the image's, ab, or back.")
flags.DEFINE_integer("iterations", 500, "project: steps of the search.")
flags.DEFINE_integer("workers", 1, "ablate: processes that train cells at the same time, each with its share of the cores.")
flags.DEFINE_string("cell", "", "ablate: train these cells alone, 3 or 0-4,7, and write no report: for job arrays.")
flags.DEFINE_boolean("report_only", False, "ablate: write the report of what is there, and train nothing.")
flags.DEFINE_string("join", "", "ablate: a report.json, or a report's folder: its rows are taken as they are there, and "
                    "the table's others alone are trained.")  # fmt: skip
flags.DEFINE_boolean("distributed", False, "This is one of several processes. TPU pods, Slurm and Kubernetes job sets are "
                     "recognised without this flag; elsewhere give the next three flags as well.")  # fmt: skip
flags.DEFINE_string("coordinator", None, "distributed: host:port of process 0.")
flags.DEFINE_integer("num_processes", None, "distributed: how many processes.")
flags.DEFINE_integer("process_id", None, "distributed: which of them this is.")
OF_MODE = {
    "train": ("print_config", "dry_run"),
    "sample": ("num", "grid", "seeds", "out", "interpolate", "ema", "truncation_psi", "space", "mix", "layers"),
    "evaluate": ("step", "samples", "reference", "out"),
    "ablate": ("seeds", "workers", "cell", "report_only", "join"),
    "project": ("num", "input", "iterations", "out"),
    "translate": ("input", "direction", "out", "ema"),
}


def main(overrides: Any) -> int:
    """Runs one mode. Returns the exit code: 0 done, 1 a failure, 2 the user's mistake."""
    logging.set_verbosity(max(FLAGS.verbosity, -2) if FLAGS["verbosity"].present else logging.ERROR)
    from jaxgan.ablation.cells import CrashedError
    from jaxgan.training.member import DivergedError
    from jaxgan.workdir.checkpoint import DamagedError

    try:
        run(overrides)
    except UserError as error:
        return tell("error", error, 2)
    except (DivergedError, DamagedError, CrashedError) as error:
        return tell("failed", error, 1)
    except KeyboardInterrupt:
        return tell("stopped", "nothing was being trained yet", 130)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return tell("error", f"{OUT_OF_MEMORY} ({str(error).strip().splitlines()[0][:200]})", 2)
    return 0


OUT_OF_MEMORY = (
    "too little memory: lower --config.batch_size, the networks' width or --config.data.size, or try "
    "--config.dtype=bfloat16 or --config.data.resident=off; --dry_run shows what needs how much"
)


def is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)


def tell(kind: str, message: Any, code: int) -> int:
    print(f"{kind}: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def run(overrides: list[tuple[str, str]]) -> None:
    if FLAGS.mode not in MODES:
        raise UserError(f"unknown mode '{FLAGS.mode}'; {nearest(FLAGS.mode, MODES)}")
    foreign = FLAGS.mode == "evaluate" and (FLAGS.samples or FLAGS.reference)
    if not FLAGS.config and not FLAGS.workdir and not foreign:
        raise UserError("say what to train: python launch.py --config=configs/wgan.py (--help lists all configs and flags)")
    for name in sorted({name for names in OF_MODE.values() for name in names} - set(OF_MODE[FLAGS.mode])):
        if FLAGS[name].present:
            raise UserError(f"--{name} has no effect in --mode={FLAGS.mode}")
    spec, _, variant = FLAGS.config.partition(":")
    workdir = as_path(FLAGS.workdir or f"runs/{Path(spec).stem}" + (f"_{variant}" if variant else ""))
    if FLAGS.mode == "train":
        train(workdir, overrides)
        return
    if FLAGS.mode == "evaluate":
        evaluate(workdir, overrides)
        return
    if FLAGS.mode == "ablate":
        ablate(workdir, overrides)
        return
    if overrides:
        raise UserError(f"--config.{overrides[0][0]} has no effect in --mode={FLAGS.mode}: the config is the run's own")
    if FLAGS.mode == "project":
        project(workdir)
        return
    if FLAGS.mode == "translate":
        translate(workdir)
        return
    from jaxgan.verbs.sample import sample
    from jaxgan.verbs.sample_request import SampleFlags, sample_request
    from jaxgan.workdir.runs import read_config

    order = sample_request(SampleFlags(**{name: getattr(FLAGS, name) for name in OF_MODE["sample"]}))
    saved = read_config(workdir)["config"]
    configure_jax(saved.get("deterministic", False), saved.get("dtype") == "float64")
    sample(workdir, order)


def project(workdir: Path) -> None:
    from jaxgan.workdir.runs import read_config

    for name, least in (("num", 1), ("iterations", 1)):
        if FLAGS[name].present and getattr(FLAGS, name) < least:
            raise UserError(f"--{name} must be at least {least}, not {getattr(FLAGS, name)}")
    if not FLAGS.input:
        raise UserError(
            "--mode=project needs --input: a folder or archive of pictures, FILE.npz, or a data set, digits@test"
        )
    out = as_path(FLAGS.out) if FLAGS.out else None
    if out and (out.suffix.lower() != ".png" or not out.parent.is_dir()):
        raise UserError(f"--out={FLAGS.out} must be FILE.png in a folder that exists")
    saved = read_config(workdir)["config"]
    configure_jax(saved.get("deterministic", False), saved.get("dtype") == "float64")
    from jaxgan.data.by_name import open_by_name
    from jaxgan.verbs.project import project

    project(workdir, open_by_name(FLAGS.input, saved["data"].get("dir", "")), FLAGS.num or 8, FLAGS.iterations, out)


def translate(workdir: Path) -> None:
    from jaxgan.data import listing
    from jaxgan.verbs.translate import translate
    from jaxgan.workdir.runs import read_config

    if not FLAGS.input:
        raise UserError("--mode=translate needs --input: a folder or archive of pictures")
    source, out = as_path(FLAGS.input), as_path(FLAGS.out) if FLAGS.out else None
    if not source.exists():
        close = listing.nearest_beside(source, listing.ARCHIVES)
        raise UserError(f"there is no '{FLAGS.input}'" + (f"; did you mean '{close}'?" if close else ""))
    if out and (out.is_file() or out.resolve() == source.resolve()):
        raise UserError(f"--out={FLAGS.out} must be a folder, and not --input")
    saved = read_config(workdir)["config"]
    configure_jax(saved.get("deterministic", False), saved.get("dtype") == "float64")
    translate(workdir, source, out, FLAGS.direction, FLAGS.ema)


def evaluate(workdir: Path, overrides: list[tuple[str, str]]) -> None:
    from jaxgan.scores.of_run import OF_RUNS
    from jaxgan.workdir.runs import read_config

    for path, _ in overrides:
        if not path.startswith(("eval.", "data.dir", "data.cache")):
            raise UserError(f"--config.{path} has no effect in --mode=evaluate; --config.eval... says what to measure")
    if not FLAGS.samples and not FLAGS.reference:
        if FLAGS.out:
            raise UserError("--out goes with --samples; a run's scores are in its evaluation.json")
        saved = read_config(workdir)["config"]
        configure_jax(saved.get("deterministic", False), saved.get("dtype") == "float64")
        from jaxgan.verbs.evaluate import evaluate_run

        evaluate_run(workdir, overrides, FLAGS.step)
        return
    if not FLAGS.reference:
        raise UserError("--samples needs --reference: what it is scored against")
    if not FLAGS.samples:
        raise UserError("--reference needs --samples: what is scored")
    for name in ("workdir", "config", "step"):
        if FLAGS[name].present:
            raise UserError(f"--{name} has no effect beside --samples, which are nobody's run")
    for path, _ in overrides:
        if path in (*OF_RUNS, "data.cache"):
            raise UserError(f"--config.{path} has no effect beside --samples, which are nobody's run")
    out = as_path(FLAGS.out) if FLAGS.out else None
    if out and (out.suffix != ".json" or not out.parent.is_dir()):
        raise UserError(f"--out={FLAGS.out} must be FILE.json in a folder that exists")
    configure_jax()
    from jaxgan.config.resolve import load_config, resolve_config
    from jaxgan.data.by_name import open_by_name
    from jaxgan.plan import sections
    from jaxgan.verbs.evaluate import evaluate_samples

    base = load_config(str(ROOT / "configs" / "default.py"))
    resolved = resolve_config(base, [("eval.num_samples", "0"), *overrides], sections)
    samples, reference = (open_by_name(text, resolved.data.dir) for text in (FLAGS.samples, FLAGS.reference))
    evaluate_samples(samples, reference, resolved, out)


def ablate(workdir: Path, overrides: list[tuple[str, str]]) -> None:
    from jaxgan.ablation import report, saved_report
    from jaxgan.ablation.cells import check_crashed, load_table, make_cells, train_cells
    from jaxgan.ablation.engine import chosen_cells, end_with_parent, train_table
    from jaxgan.ablation.progress import Clock, remembered
    from jaxgan.ablation.real_images import score_real

    spec, seeds, join = FLAGS.config, (), FLAGS.join
    if FLAGS.cell and join:
        raise UserError("--cell writes no report: --join goes with --report_only afterwards")
    if FLAGS.report_only and (FLAGS.cell or FLAGS["workers"].present):
        raise UserError("--report_only trains nothing: leave --cell and --workers out")
    if not spec:  # as the folder's last start had it
        spec, before, seeds, last = remembered(workdir)
        overrides = before + overrides
        if last and not FLAGS["join"].present:  # or, where that report has gone, the folder's own, which has its rows
            join = last if as_path(last).exists() else str(workdir)
    if FLAGS.workers < 1:
        raise UserError(f"--workers must be at least 1, not {FLAGS.workers}")
    table = load_table(spec)
    seeds = tuple(dict.fromkeys(numbers(FLAGS.seeds, "--seeds"))) if FLAGS.seeds else seeds
    if seeds:
        table = dataclasses.replace(table, seeds=seeds)
    if FLAGS.cell:
        end_with_parent()
        resolved = chosen_cells(table, spec, workdir, overrides, seeds, FLAGS.cell)
        configure_jax(any(c.config.deterministic for c in resolved), any(c.config.dtype == "float64" for c in resolved))
        train_cells(resolved)
        return
    joined = saved_report.load(as_path(join), make_cells(table, spec, workdir, overrides)) if join else {}
    import jax

    jax.config.update("jax_platforms", "cpu")  # of this process alone, which only looks on: a TPU has one owner
    if FLAGS.report_only:
        every = make_cells(table, spec, workdir, overrides)
        score_real(table, every[0], workdir)
        every = [cell for cell in every if cell.row not in joined]
        if joined and not (workdir / "table.json").exists():
            workdir.mkdir(parents=True, exist_ok=True)
            Clock(workdir, spec, overrides, seeds, 0, join)
    else:
        every = train_table(table, spec, workdir, overrides, seeds, FLAGS.workers, join, joined)
    report.write(table, every, workdir, joined, seeds)
    if not FLAGS.report_only:
        check_crashed(every)


def train(workdir: Path, overrides: list[tuple[str, str]]) -> None:
    import ml_collections

    from jaxgan.config.resolve import as_overrides, load_config, resolve_config
    from jaxgan.parallel import Placement
    from jaxgan.plan import Plan, open_data, sections, source_of
    from jaxgan.program import make_program
    from jaxgan.scores.of_run import check_eval
    from jaxgan.training import budget
    from jaxgan.training.train import check_run, summary, train
    from jaxgan.workdir.runs import read_config

    base = load_config(FLAGS.config) if FLAGS.config else ml_collections.ConfigDict(read_config(workdir)["config"])
    resolved = resolve_config(base, overrides, sections)
    if FLAGS.print_config:
        print("\n".join(f"--config.{path}={shlex.quote(text)}" for path, text in as_overrides(resolved)))
        return
    configure_jax(resolved.deterministic, resolved.dtype == "float64")
    if resolved.eval.every:
        check_eval(resolved)
    shape = getattr(source_of(resolved), "image_shape", None)
    if shape:  # known before the data are, which may take long to prepare
        plan = Plan(resolved, shape, getattr(source_of(resolved), "source_shape", ()))
        check_run(plan, Placement(resolved.parallel), workdir)
    images = open_data(resolved)
    plan = Plan(resolved, images.image_shape, images.source_shape)
    if FLAGS.dry_run:
        placement = Placement()
        budget.check_batch(plan, placement)
        print(summary(plan, images, placement, workdir, 0))
        print(budget.report(plan, images, placement, make_program(plan, images)))
        return
    train(plan, images, workdir, FLAGS.config, overrides)


def configure_jax(deterministic: bool = False, x64: bool = False) -> None:
    """Before the first use of a device: the compilation cache, XLA's flags, other processes."""
    if deterministic:
        os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_gpu_deterministic_ops=true"
    import jax

    from jaxgan import parallel
    from jaxgan.files import user_cache

    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(user_cache() / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
    if x64:
        jax.config.update("jax_enable_x64", True)
    by_hand = {name: FLAGS[name].value for name in ("coordinator", "num_processes", "process_id")}
    missing = [name for name, value in by_hand.items() if value is None]
    if 0 < len(missing) < len(by_hand):
        raise UserError(f"--{missing[0]} is missing: --coordinator=HOST:PORT --num_processes=N --process_id=K go together")
    if FLAGS.coordinator and not re.fullmatch(r".+:\d+", FLAGS.coordinator):
        raise UserError(f"--coordinator must be HOST:PORT of process 0, not '{FLAGS.coordinator}'")
    if FLAGS.distributed or not missing or parallel.in_cluster():
        try:
            parallel.initialize(*by_hand.values())
        except ValueError as error:
            raise UserError(
                f"no cluster that JAX knows: {error}; give --coordinator, --num_processes, --process_id"
            ) from error


def parse(argv: list[str]) -> list[tuple[str, str]]:
    """Parses absl's flags, and returns what absl does not know: the overrides, ("optim.gen.lr", "1e-4"), ..."""
    rest, overrides, arguments = [argv[0]], [], iter(argv[1:])
    for argument in arguments:
        if argument in ("-h", "-help", "--help"):
            try:
                print(help_text([word.partition("=")[2] for word in argv if word.lstrip("-").startswith("config=")]))
            except UserError as error:
                sys.exit(tell("error", error, 2))
            sys.exit(0)
        if not argument.startswith(("--config.", "-config.")):
            rest.append(argument)
            continue
        path, equals, text = argument.lstrip("-").removeprefix("config.").partition("=")
        overrides.append((path, text if equals else next(arguments, "true")))
    try:
        left = FLAGS(rest)[1:]
        if left:
            raise flags.Error(f"'{left[0]}' is no flag; flags look like --mode=train")
    except flags.UnrecognizedFlagError as error:
        sys.exit(tell("error", f"no flag --{error.flagname}; {meant(error.flagname)}", 2))
    except flags.Error as error:
        sys.exit(tell("error", error, 2))
    return overrides


def meant(flag: str) -> str:
    """What another flag stands for: a config's field of that name, --config.steps for --steps, or the nearest spelling."""
    from jaxgan.config.resolve import as_overrides, load_config, resolve_config
    from jaxgan.plan import sections

    known = as_overrides(resolve_config(load_config(str(ROOT / "configs" / "default.py")), [], sections))
    fields = [f"--config.{path}" for path, _ in known if path == flag or path.endswith(f".{flag}")]
    fields = [field for field in fields if field == f"--config.{flag}"] or fields
    return f"did you mean {' or '.join(fields)}?" if fields else nearest(f"--{flag}", [f"--{name}" for name in own_flags()])


def own_flags() -> dict[str, Any]:
    """The flags of this file, as it has them, without those of the libraries."""
    own = FLAGS.flags_by_module_dict().get(sys.argv[0], []) or FLAGS.get_key_flags_for_module(__name__)
    return {flag.name: flag for flag in own}


def help_text(chosen: list[str]) -> str:
    """What --help prints: of one config its docstring and variants, else modes, flags, overrides and all configs."""
    if chosen:
        from jaxgan.config.resolve import check_file

        spec = chosen[0].partition(":")[0]
        check_file(spec)
        doc, variants = describe(Path(spec))
        return doc + (
            f"\n\nVariants, the first by default: {', '.join(f'{spec}:{v}' for v in variants)}" if variants else ""
        )
    known = own_flags()
    width = max(map(len, known)) + 6
    parts = [USAGE.strip("\n"), "", "Flags:"]
    for name, flag in known.items():
        about = textwrap.fill(flag.help or "", 110, initial_indent=" " * width, subsequent_indent=" " * width)
        parts.append(f"  --{name}".ljust(width) + about[width:])
    parts += [
        "",
        "Any field of a config can be set beside it; configs/default.py lists them all, --print_config shows them:",
    ]
    parts += ["  " + line for line in OVERRIDES.strip().splitlines()]
    parts += ["", f"Configs, in {ROOT / 'configs'}:"]
    for path in [*sorted((ROOT / "configs").glob("*.py")), *sorted((ROOT / "configs" / "ablations").glob("*.py"))]:
        doc, variants = describe(path)
        name = str(path.relative_to(ROOT / "configs"))
        parts.append(f"  {name:<24} {doc.splitlines()[0]}")
        parts += [f"  {'':<24} :{' :'.join(variants)}"] if variants else []
    return "\n".join(parts)


def describe(path: Path) -> tuple[str, tuple[str, ...]]:
    """A config file's docstring and its variants, read without running it."""
    try:
        tree = ast.parse(path.read_text(), path.name)
    except SyntaxError as error:
        raise UserError(described(error)) from error
    values = [n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "VARIANTS"]
    try:
        variants = tuple(ast.literal_eval(values[0])) if values else ()
    except ValueError:  # computed, which only running it would tell
        variants = ()
    return ast.get_docstring(tree) or "(no docstring)", variants


if __name__ == "__main__":
    app.run(main, flags_parser=parse)  # pyright: ignore[reportArgumentType]
