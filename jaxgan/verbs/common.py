"""What verbs share: which run a command line means, and JAX set up as that run wants it."""

from pathlib import Path
from typing import Any

from absl import flags

from jaxgan import guard, models
from jaxgan.devices import configure_jax
from jaxgan.errors import UserError, as_path

DISTRIBUTED = guard.FLAGS


def workdir_of(values: flags.FlagValues) -> Path:
    """The folder of the run that is meant: `--workdir`, or runs/NAME of `--config`. Raises UserError without either."""
    if not values.config and not values.workdir:
        raise UserError("say what to train: python launch.py --config=configs/wgan.py (--help lists all configs and flags)")
    spec, _, variant = values.config.partition(":")
    return as_path(values.workdir or f"runs/{Path(spec).stem}" + (f"_{variant}" if variant else ""))


def model_of(values: flags.FlagValues) -> Path:
    """The folder of the model that is meant: a run, an exported model, or one that comes with the package, by its name."""
    folder = workdir_of(values)
    return folder if folder.exists() else models.shipped().get(str(folder), folder)


def configure(values: flags.FlagValues, deterministic: bool = False, x64: bool = False) -> None:
    """`devices.configure_jax` with the flags of the command line. Raises UserError."""
    distributed: dict[str, Any] = {name: values[name].value for name in DISTRIBUTED}
    configure_jax(deterministic, x64, **distributed)


def configure_like(values: flags.FlagValues, workdir: Path) -> dict[str, Any]:
    """Sets JAX up as a run in `workdir` had it, and returns the run's config. Raises UserError."""
    from jaxgan.workdir.folder import Workdir

    saved = Workdir(workdir).config
    configure(values, saved.get("deterministic", False), saved.get("dtype") == "float64")
    return saved


def check_least(values: flags.FlagValues, **least: int) -> None:
    """Refuses flags that are given and below these numbers. Raises UserError."""
    for name, number in least.items():
        value: Any = values[name].value
        if value is not None and value < number:
            raise UserError(f"--{name} must be at least {number}, not {value}")
