"""The command line: one table of verbs, help, config overrides, and exit codes.

`--mode` is read first and picks the verb; its file says which flags it has. Exit codes: 0 done; 1 a failure, with the last
good checkpoint named; 2 the user's mistake, told in one line; 130 stopped before anything was trained.
"""

import ast
import importlib
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

from absl import flags, logging

from jaxgan.config import trust
from jaxgan.config.bundled import CONFIGS
from jaxgan.errors import Failure, UserError, described, nearest
from jaxgan.streams import lasting_streams
from jaxgan.trouble import is_out_of_memory, storage_trouble

# A verb is a module with a docstring, EXAMPLES, TAKES_OVERRIDES, `define_flags(values)` and `run(values, overrides)`.
VERBS = {
    "train": "jaxgan.verbs.train",
    "sample": "jaxgan.verbs.sample",
    "evaluate": "jaxgan.verbs.evaluate",
    "ablate": "jaxgan.verbs.ablate",
    "project": "jaxgan.verbs.project",
    "translate": "jaxgan.verbs.translate",
}
OVERRIDES = """
--config.steps=1e4 --config.seed=1 --config.batch_size=128
--config.optim.gen.lr=1e-4 --config.optim.disc.lr="linear(2e-4, 0, 0, 500)"
--config.nets.gen.name=resnet --config.nets.gen.width=128
--config.objective.loss=hinge --config.objective.terms.r1.weight=1
--config.data.name=cifar10
--config.data.name=image_folder --config.data.dir=FOLDER --config.data.size=64
"""
SMALLER = "lower --config.batch_size, the networks' width or --config.data.size, or try --config.dtype=bfloat16 or "
SMALLER += "--config.data.resident=off"
LESS = {  # memory, by what the verb takes
    "train": f"{SMALLER}; --dry_run shows what needs how much",
    "ablate": SMALLER,
    "evaluate": "lower --config.eval.batch_size or --config.eval.num_samples",
}
WIDTH = 120


def main(argv: list[str] | None = None) -> int:
    """Runs one verb. argv: the program's name and its arguments, `sys.argv` by default. Returns the exit code."""
    arguments = (sys.argv if argv is None else argv)[1:]
    flags.FLAGS.mark_as_parsed()  # libraries read absl's own flags
    logging.set_verbosity(logging.FATAL)  # what libraries raise comes here, and is told once
    with lasting_streams():
        return _code(arguments)


def _code(arguments: list[str]) -> int:
    """Carries out a command line, tells how it ended, and returns the exit code."""
    try:
        run(arguments)
    except UserError as error:
        return tell("error", error, 2)
    except Failure as error:
        return tell("failed", error, 1)
    except Exception as error:
        if is_out_of_memory(error):
            return tell("error", out_of_memory(error, mode_of(arguments)), 2)
        trouble = storage_trouble(error)
        if not trouble and isinstance(error, OSError) and error.filename:
            trouble = f"{error.filename}: {error.strerror}"
        if not trouble:
            raise
        return tell("failed", trouble, 1)
    return 0


def mode_of(arguments: list[str]) -> str:
    """What a command line asks for, before its flags are checked."""
    return next(reversed(_values_of(arguments, "mode")), "train")


def out_of_memory(error: Exception, mode: str) -> str:
    """What to do about too little memory, with what the error says of it."""
    said = (str(error).strip().splitlines() or [""])[0][:200]
    return f"too little memory{': ' if mode in LESS else ''}{LESS.get(mode, '')}" + (f" ({said})" if said else "")


def run(arguments: list[str]) -> None:
    """Carries out a command line. Raises UserError, and whatever the verb raises."""
    mode = mode_of(arguments)
    if any(argument in ("-h", "-help", "--help") for argument in arguments):
        specs = _values_of(arguments, "config")
        print(help_of_config(specs[-1]) if specs else help_of(mode) if _values_of(arguments, "mode") else overview())
        return
    verb, (words, overrides) = load_verb(mode), split(arguments)
    values = parse(mode, words)
    if values["verbosity"].present:
        logging.set_verbosity(values.verbosity)
    if overrides and not verb.TAKES_OVERRIDES:
        raise UserError(f"--config.{overrides[0][0]} has no effect in --mode={mode}: the config is the run's own")
    with trust.trusting(values.trust):
        verb.run(values, overrides)


def load_verb(mode: str) -> Any:
    """The module of a verb. Raises UserError for an unknown one."""
    if mode not in VERBS:
        raise UserError(f"unknown mode '{mode}'; {nearest(mode, VERBS)}")
    return importlib.import_module(VERBS[mode])


def common_flags() -> flags.FlagValues:
    """The flags of every mode."""
    values = flags.FlagValues()
    flags.DEFINE_string("mode", "train", f"What to do: {' or '.join(VERBS)}.", flag_values=values)
    flags.DEFINE_string("config", "", "A config file, configs/wgan.py or configs/wgan.py:clip.", flag_values=values)
    flags.DEFINE_string("workdir", "", "The run's folder; runs/<config's name> by default.", flag_values=values)
    flags.DEFINE_boolean("trust", False, "Run the classes and files outside jaxgan that a workdir from elsewhere names. "
                         "Those that you trained with on this machine, or name in this command, need no flag.",
                         flag_values=values)  # fmt: skip
    flags.DEFINE_boolean("distributed", False, "This is one of several processes. TPU pods, Slurm and Kubernetes job sets "
                         "are recognised without this flag; elsewhere give the next three flags as well.",
                         flag_values=values)  # fmt: skip
    flags.DEFINE_string("coordinator", None, "distributed: host:port of process 0.", flag_values=values)
    flags.DEFINE_integer("num_processes", None, "distributed: how many processes.", flag_values=values)
    flags.DEFINE_integer("process_id", None, "distributed: which of them this is.", flag_values=values)
    flags.DEFINE_integer(
        "verbosity",
        0,
        "What libraries log: -2 errors, -1 warnings too, 0 information, 1 all; without this flag nothing.",
        flag_values=values,
    )
    return values


def flags_of(mode: str) -> flags.FlagValues:
    """A verb's own flags."""
    values = flags.FlagValues()
    load_verb(mode).define_flags(values)
    return values


def split(arguments: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """(flags, overrides): ["--config.optim.gen.lr=1e-4"] is the override ("optim.gen.lr", "1e-4")."""
    rest, overrides, following = [], [], iter(arguments)
    for argument in following:
        if not argument.startswith(("--config.", "-config.")):
            rest.append(argument)
            continue
        path, equals, text = argument.lstrip("-").removeprefix("config.").partition("=")
        overrides.append((path, text if equals else next(following, "true")))
    return rest, overrides


def parse(mode: str, words: list[str]) -> flags.FlagValues:
    """The values of a verb's flags and of the common ones. Raises UserError."""
    values = common_flags()
    load_verb(mode).define_flags(values)
    try:
        left = values(["jaxgan", *words])[1:]
    except flags.UnrecognizedFlagError as error:
        raise _unknown_flag(mode, error.flagname, values) from error
    except flags.Error as error:
        raise UserError(str(error)) from error
    if left:
        raise UserError(f"'{left[0]}' is no flag; flags look like --mode=train")
    return values


def _unknown_flag(mode: str, name: str, values: flags.FlagValues) -> UserError:
    """The answer to a flag that a verb has not: it may be another verb's, a config's field, or misspelt."""
    for other in VERBS:
        own = flags_of(other)
        if name in own or name.removeprefix("no") in own and own[name.removeprefix("no")].boolean:
            return UserError(f"--{name.removeprefix('no') if name not in own else name} has no effect in --mode={mode}")
    fields = [f"--config.{path}" for path in _config_fields() if path == name or path.endswith(f".{name}")]
    fields = [field for field in fields if field == f"--config.{name}"] or fields
    close = nearest(f"--{name}", [f"--{known}" for known in values])
    return UserError(f"no flag --{name}; " + (f"did you mean {' or '.join(fields)}?" if fields else close))


def _config_fields() -> list[str]:
    from jaxgan.config.load import load_config
    from jaxgan.config.resolve import as_overrides, resolve_config
    from jaxgan.sections import sections

    return [path for path, _ in as_overrides(resolve_config(load_config(str(CONFIGS / "default.py")), [], sections))]


def _values_of(arguments: list[str], flag: str) -> list[str]:
    """What is given for a flag, read before all flags are known: --mode=sample, --mode sample, -mode=sample."""
    pairs = zip(arguments, [*arguments[1:], ""])
    out = [after if word.lstrip("-") == flag else word.partition("=")[2] for word, after in pairs
           if re.fullmatch(rf"--?{flag}(=.*)?", word)]  # fmt: skip
    return [text for text in out if text]


def tell(kind: str, message: Any, code: int) -> int:
    """Prints one line on the standard error. Returns the code."""
    print(f"{kind}: {' '.join(str(message).split())}", file=sys.stderr)
    return code


def overview() -> str:
    """What `--help` prints: verbs, common flags, overrides and all configs."""
    parts = ["Usage: python launch.py --config=FILE [--mode=VERB] [--FLAG=VALUE ...] [--config.FIELD=VALUE ...]", ""]
    parts += ["Modes, each with its own flags (--mode=sample --help):"]
    for mode in VERBS:
        verb = load_verb(mode)
        parts.append(f"  {mode:<12} {_first_line(verb.__doc__)}")
        parts += [f"  {'':<12}   {verb.EXAMPLES.strip().splitlines()[0]}"]
    parts += ["", "Flags of every mode:", *_described(common_flags())]
    parts += ["", "Any field of a config may be set; configs/default.py lists them all, --print_config shows them:"]
    parts += ["  " + line for line in OVERRIDES.strip().splitlines()]
    parts += ["", f"Configs, in {CONFIGS} (--config=configs/wgan.py --help says what one is):"]
    for path in [*sorted(CONFIGS.glob("*.py")), *sorted((CONFIGS / "ablations").glob("*.py"))]:
        doc, variants = describe(path)
        parts.append(f"  {path.relative_to(CONFIGS)!s:<24} {doc.splitlines()[0]}")
        parts += [f"  {'':<24} :{' :'.join(variants)}"] if variants else []
    return "\n".join(parts)


def help_of(mode: str) -> str:
    """What `--mode=VERB --help` prints: the verb's docstring, examples and flags."""
    verb = load_verb(mode)
    own = _described(flags_of(mode)) or ["  none"]
    parts = [f"--mode={mode}: {(verb.__doc__ or '').strip()}", "", *verb.EXAMPLES.strip().splitlines(), "", "Flags:", *own]
    return "\n".join([*parts, "", f"And those of every mode, --{', --'.join(common_flags())}: see --help."])


def help_of_config(spec: str) -> str:
    """What `--config=FILE --help` prints: its docstring and variants. Raises UserError."""
    from jaxgan.config.load import check_file

    name = spec.partition(":")[0]
    doc, variants = describe(check_file(name))
    more = f"\n\nVariants, the first by default: {', '.join(f'{name}:{v}' for v in variants)}" if variants else ""
    return doc + more


def _described(values: flags.FlagValues) -> list[str]:
    """Flags with their help, as lines."""
    width = max((len(name) for name in values), default=0) + 6
    out = []
    for name in values:
        text = " ".join((values[name].help or "").split())
        about = textwrap.fill(text, WIDTH - 10, initial_indent=" " * width, subsequent_indent=" " * width)
        out.append(f"  --{name}".ljust(width) + about[width:])
    return out


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().splitlines()[0]


def describe(path: Path) -> tuple[str, tuple[str, ...]]:
    """A config file's docstring and its variants, read without running it."""
    try:
        tree = ast.parse(path.read_bytes(), path.name)
    except SyntaxError as error:
        raise UserError(described(error)) from error
    except ValueError as error:  # zero bytes
        raise UserError(f"{path} is no Python file: {error}") from error
    values = [n.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == "VARIANTS"]
    try:
        variants = tuple(ast.literal_eval(values[0])) if values else ()
    except ValueError:  # computed, which only running it would tell
        variants = ()
    return ast.get_docstring(tree) or "(no docstring)", variants
