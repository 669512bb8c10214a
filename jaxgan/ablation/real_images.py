"""Scores of a table's real images, measured as its cells' samples are."""

import shlex
import subprocess
from pathlib import Path
from typing import Any

from jaxgan import records
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.command import COMMAND, command_environment
from jaxgan.ablation.table import Table
from jaxgan.config.resolve import as_overrides
from jaxgan.errors import UserError
from jaxgan.files import write_text
from jaxgan.scores.of_run import OF_RUNS
from jaxgan.workdir.shapes import NUMBER, PROTOCOL

REAL_SCORES = "real.json"  # the file in a table's folder
ADVICE = "remove it, and the real images are scored again"


def read_real(folder: Path) -> dict[str, Any] | None:
    """The scores of a table's real images; None where there are none. Raises UserError where the file is damaged."""
    return records.read_json(folder / REAL_SCORES, {"scores": {str: {"value": NUMBER}}, "protocol": PROTOCOL}, ADVICE)


def score_real(table: Table, every: list[Cell], folder: Path) -> None:
    """Scores the table's real images as the samples of `every` cell that is shown are scored, unless that has been done.
    Raises UserError."""
    if not table.real:
        return
    cell = next(cell for cell in every if not cell.hidden)
    data, wanted = cell.config.data, dict(as_overrides(cell.config))
    own = {key: value for key, value in wanted.items() if key.startswith("eval.") or key == "data.dir"}
    words = [f"--config.{key}={value}" for key, value in own.items() if key not in OF_RUNS]
    words += [f"--samples={table.real}", f"--reference={data.name}@{cell.config.eval.split or data.split}"]
    asked, there = shlex.join(words), folder / "logs" / "real.txt"
    if (folder / REAL_SCORES).exists() and records.read_bytes(there, ADVICE) == asked.encode(errors="backslashreplace"):
        return
    there.parent.mkdir(parents=True, exist_ok=True)
    command = [*COMMAND, "--mode=evaluate", f"--out={folder / REAL_SCORES}", "--overwrite", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=command_environment())
    if done.returncode:
        raise UserError(f"the real images {table.real}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    write_text(there, asked)
