"""Carries out a command line, and says how it ended.

`--mode` is read first and picks the verb; its file says which flags it has. Exit codes: 0 done; 1 a failure, with the last
good checkpoint named; 2 the user's mistake, told in one line; 130 stopped before anything was trained.
"""

import sys
from typing import Any

from absl import flags, logging

from jaxgan.command_line import load_verb, mode_of, parse, split, values_of
from jaxgan.config import trust
from jaxgan.errors import Failure, UserError
from jaxgan.help_text import help_of, help_of_config, overview
from jaxgan.streams import lasting_streams
from jaxgan.trouble import is_out_of_memory, storage_trouble

SMALLER = "lower --config.batch_size, the networks' width or --config.data.size, or try --config.dtype=bfloat16 or "
SMALLER += "--config.data.resident=off"
LESS = {  # memory, by what the verb takes
    "train": f"{SMALLER}; --dry_run shows what needs how much",
    "ablate": SMALLER,
    "upscale": "lower --memory",
    "evaluate": "lower --config.eval.batch_size or --config.eval.num_samples",
}


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
        if "jaxgan.processes" in sys.modules and (gone := _lost(error)):
            return tell("failed", gone, 1)
        if is_out_of_memory(error):
            return tell("error", out_of_memory(error, mode_of(arguments)), 2)
        trouble = storage_trouble(error)
        if not trouble and isinstance(error, OSError) and error.filename:
            trouble = f"{error.filename}: {error.strerror}"
        if not trouble:
            raise
        return tell("failed", trouble, 1)
    return 0


def _lost(error: Exception) -> str:
    """What to say of an error that another process' loss has caused, or ""."""
    from jaxgan import processes  # and with it JAX, which several processes have loaded

    if not processes.lost_peer(error):
        return ""
    processes.hear_which()
    return f"{processes.GONE}; give the same commands again"


def out_of_memory(error: Exception, mode: str) -> str:
    """What to do about too little memory, with what the error says of it."""
    said = (str(error).strip().splitlines() or [""])[0][:200]
    return f"too little memory{': ' if mode in LESS else ''}{LESS.get(mode, '')}" + (f" ({said})" if said else "")


def run(arguments: list[str]) -> None:
    """Carries out a command line. Raises UserError, and whatever the verb raises."""
    mode = mode_of(arguments)
    if any(argument in ("-h", "-help", "--help") for argument in arguments):
        specs = values_of(arguments, "config")
        print(help_of_config(specs[-1]) if specs else help_of(mode) if values_of(arguments, "mode") else overview())
        return
    verb, (words, overrides) = load_verb(mode), split(arguments)
    values = parse(mode, words)
    if values["verbosity"].present:
        logging.set_verbosity(values.verbosity)
    if overrides and not verb.TAKES_OVERRIDES:
        raise UserError(f"--config.{overrides[0][0]} has no effect in --mode={mode}: the config is the run's own")
    with trust.trusting(values.trust):
        verb.run(values, overrides)


def tell(kind: str, message: Any, code: int) -> int:
    """Prints one line on the standard error. Returns the code."""
    print(f"{kind}: {' '.join(str(message).split())}", file=sys.stderr)
    return code
