"""What `jaxgan.load` and `jaxgan.train` do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxgan import models
from jaxgan.config import trust as trusted
from jaxgan.devices import configure_jax
from jaxgan.errors import Failure
from jaxgan.model import Model, typed
from jaxgan.workdir.folder import Workdir


def load(path: str | Path, step: int | None = None, trust: bool = False) -> Model:
    """See `jaxgan.load`."""
    folder = models.find(path)
    saved = Workdir(folder).config
    configure_jax(saved.get("deterministic", False), saved.get("dtype") == "float64")
    with trusted.trusting(trust or trusted.is_trusting()):
        return Model(folder, step)


def train(config: str, workdir: str | Path | None, steps: int | None, overrides: Mapping[str, Any]) -> Model:
    """See `jaxgan.train`."""
    from jaxgan import command_line
    from jaxgan.verbs import common
    from jaxgan.verbs import train as verb

    words = [f"--config={config}", *([f"--workdir={workdir}"] if workdir else [])]
    values = command_line.parse("train", words)
    given = {**overrides, **({} if steps is None else {"steps": steps})}
    verb.run(values, [(path, typed(x)) for path, x in given.items()])
    folder = common.workdir_of(values)
    if Workdir(folder).done_step is None:
        raise Failure(f"{folder} was stopped before its end, and saved; the same call goes on from there")
    return load(folder)
