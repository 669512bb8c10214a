"""GANs in JAX. From Python: `jaxgan.load` returns a trained model, `jaxgan.train` trains one.

    model = jaxgan.load("digits")
    images = model.sample(num=64)

Importing this package loads neither JAX nor a data library; the first call of a function does.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxgan.model import Model

__version__ = "0.2.0"
__all__ = ["load", "train"]


def load(path: str | Path, step: int | None = None, trust: bool = False) -> "Model":
    """A trained generator, ready to sample from.

    Args:
      path: a run's folder; a folder that `--mode=export` has written; or "digits", a WGAN-GP that comes with the package.
      step: which checkpoint of a run; the newest by default.
      trust: run classes outside this package that the run's config names. Read their code first.

    Raises jaxgan.errors.UserError where there is no such model, where it is damaged, and where it names code that this
    machine has no note of.
    """
    from jaxgan import loading

    return loading.load(path, step, trust)


def train(
    config: str, workdir: str | Path | None = None, steps: int | None = None, overrides: Mapping[str, Any] | None = None
) -> "Model":
    """Trains a run, or resumes it where it stopped, as `python launch.py --config=...` does, and returns its generator.

    Args:
      config: a config file, "configs/wgan.py" or "configs/wgan.py:clip".
      workdir: the run's folder; runs/NAME of the config by default.
      steps: how long; the config's by default.
      overrides: any fields of the config by their dotted names, {"optim.gen.lr": 1e-4}.

    Raises jaxgan.errors.UserError for a mistake, and jaxgan.errors.Failure where the run fails or is interrupted.
    """
    from jaxgan import loading

    return loading.train(config, workdir, steps, overrides or {})
