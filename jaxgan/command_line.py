"""What a command line says: the verbs, the flags of each, and config overrides."""

import importlib
import re
from typing import Any

from absl import flags

from jaxgan.config.bundled import CONFIGS
from jaxgan.errors import UserError, nearest

# A verb is a module with a docstring, EXAMPLES, TAKES_OVERRIDES, `define_flags(values)` and `run(values, overrides)`.

VERBS = {
    "train": "jaxgan.verbs.train",
    "sample": "jaxgan.verbs.sample",
    "evaluate": "jaxgan.verbs.evaluate",
    "ablate": "jaxgan.verbs.ablate",
    "project": "jaxgan.verbs.project",
    "translate": "jaxgan.verbs.translate",
    "detect": "jaxgan.verbs.detect",
    "upscale": "jaxgan.verbs.upscale",
    "tune": "jaxgan.verbs.tune",
    "export": "jaxgan.verbs.export",
    "verify": "jaxgan.verbs.verify",
}


def mode_of(arguments: list[str]) -> str:
    """What a command line asks for, before its flags are checked."""
    return next(reversed(values_of(arguments, "mode")), "train")


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


def values_of(arguments: list[str], flag: str) -> list[str]:
    """What is given for a flag, read before all flags are known: --mode=sample, --mode sample, -mode=sample."""
    pairs = zip(arguments, [*arguments[1:], ""])
    out = [after if word.lstrip("-") == flag else word.partition("=")[2] for word, after in pairs
           if re.fullmatch(rf"--?{flag}(=.*)?", word)]  # fmt: skip
    return [text for text in out if text]
