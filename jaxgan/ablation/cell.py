"""A cell of a table: a row with a seed, and the run in its folder."""

from dataclasses import dataclass, field
from pathlib import Path

from jaxgan.config.resolve import Config, Overrides
from jaxgan.errors import UserError
from jaxgan.workdir.checkpoint import DamagedError
from jaxgan.workdir.folder import Workdir


@dataclass(frozen=True)
class Cell:
    """A row with a seed.

    number: its place in the table. folder: its run's. source, overrides, config: what it trains. hidden: the report does not
    show it. stages: the cells that must be done before it begins, by the fields that have their workdirs.
    """

    row: str
    seed: int
    number: int
    folder: Path
    source: str
    overrides: Overrides
    config: Config
    hidden: bool = False
    stages: dict[str, "Cell"] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.row}, seed {self.seed}"

    @property
    def workdir(self) -> Workdir:
        return Workdir(self.folder)

    @property
    def is_done(self) -> bool:
        """Trained to its last step."""
        done = self.workdir.done_step
        return done is not None and done >= self.config.steps

    @property
    def is_over(self) -> bool:
        """Done, or diverged: nothing is left to train."""
        return self.is_done or (self.workdir.failure or {}).get("kind") == "diverged"

    def failed(self, error: Exception) -> None:
        """Writes down what ended it early."""
        from jaxgan.training.member import DivergedError

        told = " ".join(str(error).split())[:300]
        message = (
            str(error) if isinstance(error, UserError | DivergedError | DamagedError) else f"{type(error).__name__}: {told}"
        )
        self.workdir.fail("diverged" if isinstance(error, DivergedError) else "crashed", message)


def slug(name: str) -> str:
    """A row's name as part of a folder's."""
    return "_".join("".join(c if c.isalnum() or c in ".-" else " " for c in name).split())
