"""How far a table is, while it trains: its `table.json`, and the lines or the bar that a person watches."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxgan import records
from jaxgan.ablation import saved_report
from jaxgan.ablation.cell import Cell
from jaxgan.ablation.stages import blocked
from jaxgan.config import trust
from jaxgan.config.renamed import NAMES, renamed_override
from jaxgan.config.resolve import Overrides
from jaxgan.console import duration, meter, say
from jaxgan.errors import UserError
from jaxgan.files import write_json
from jaxgan.records import STEP

FILE = "table.json"
SHAPE = {
    "names?": int,
    "config": str,
    "overrides": [str],
    "seeds": ([STEP], None),
    "join?": str,
    "id?": str,
    "registered?": (dict, None),
    "scored?": bool,
    "starts": [{"seconds": float, "workers": STEP}],
}


def read_table(folder: Path) -> dict[str, Any] | None:
    """`table.json` of a table's folder; None where there is none. Raises UserError where it is damaged."""
    return records.read_json(folder / FILE, SHAPE, "restore it, or move it away and give --config again")


def remembered(folder: Path) -> tuple[str, Overrides, tuple[int, ...], str]:
    """(config, overrides, seeds if they were given, what it was joined with) of a table's last start. Raises UserError where
    there is none, or it names code that is not to be trusted."""
    saved = read_table(folder)
    if saved is None:
        raise UserError(f"{folder} holds no table (no {FILE}); make one with --config=configs/ablations/ring.py")
    trust.check(_code(saved["config"], saved["overrides"]), folder, saved.get("id"))
    pairs = [(path, text) for path, _, text in (one.partition("=") for one in saved["overrides"])]
    is_today = saved.get("names", 1) == NAMES
    overrides = pairs if is_today else [new for pair in pairs for new in renamed_override(*pair)]
    return saved["config"], overrides, tuple(saved["seeds"] or ()), saved.get("join", "")


def _code(spec: str, overrides: Sequence[str]) -> set[str]:
    """The file and the classes outside the package that a table's start names. overrides: "path=value"."""
    return trust.file_in(spec) | trust.classes_in([one.partition("=")[2] for one in overrides])


def check_folder(folder: Path) -> None:
    """Refuses a folder that is no table's and holds what a report would replace. Raises UserError."""
    if (folder / FILE).exists() or saved_report.is_report(folder):
        return
    for name in saved_report.OUTPUTS:
        if (folder / name).exists():
            raise UserError(
                f"{folder} holds no table, and a report in it would replace its {name}; choose another --workdir"
            )


class Clock:
    """`table.json`: what was asked for, and how long each start that had something to do has worked on it. noted: what
    `registered.register` says; without it, what is there stays."""

    def __init__(
        self,
        folder: Path,
        spec: str,
        overrides: Overrides,
        seeds: Sequence[int],
        workers: int,
        join: str = "",
        noted: Mapping[str, Any] | None = None,
    ):
        self.path, self.began, self.told = folder / FILE, time.monotonic(), -math.inf
        before = read_table(folder) or {"starts": []}
        asked = {
            "names": NAMES,
            "config": spec,
            "overrides": [f"{key}={value}" for key, value in overrides],
            "seeds": list(seeds) or None,
            "join": join,
        }
        identity = trust.note(_code(spec, asked["overrides"]), folder, before.get("id"))
        asked |= {"id": identity} if identity else {}
        asked |= noted or {key: before[key] for key in ("registered", "scored") if key in before}
        self.own = {"seconds": 0.0, "workers": workers}
        self.content = asked | {"starts": [*before["starts"], self.own] if workers else before["starts"]}
        write_json(self.path, self.content)

    def tick(self, at_once: bool = False) -> None:
        now = time.monotonic()
        if at_once or now - self.told > 30:
            self.own["seconds"], self.told = round(now - self.began, 1), now
            write_json(self.path, self.content)


class Progress:
    """How far all cells are, and about how long the rest will take: a bar on a terminal, else a line a minute."""

    def __init__(self, every: list[Cell]):
        self.every, self.began, self.told, self.blocked = every, time.monotonic(), 0.0, 0
        self.at_start = sum(map(_steps, every))
        self.total = sum(cell.config.steps for cell in every)
        self.bar = meter(self.at_start, self.total)

    def leave_out(self, some: list[Cell]) -> None:
        """Says which stages block cells, and counts their steps no more."""
        for cell in some:
            if blocked(cell):
                say(f"{cell.name} blocked: {blocked(cell)}")
                self.blocked += 1
                self.every = [other for other in self.every if other.number != cell.number]
                self.at_start, self.total = self.at_start - _steps(cell), self.total - cell.config.steps
        if some and self.bar is not None:
            self.bar.total = self.total

    def show(self, running: list[Cell]) -> None:
        now, done = time.monotonic(), sum(map(_steps, self.every))
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
            self.bar.set_postfix_str(", ".join(dict.fromkeys(cell.row for cell in running)))
        elif now - self.told > 60:
            self.told, rate = now, (done - self.at_start) / (now - self.began)
            left = f"about {duration((self.total - done) / rate)} left" if rate > 0 else "starting"
            over = sum(cell.is_over for cell in self.every)
            stuck = f", {self.blocked} blocked" if self.blocked else ""
            say(f"{over} of {len(self.every) + self.blocked} cells done{stuck}, {done:,} of {self.total:,} steps, {left}")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _steps(cell: Cell) -> int:
    """How far a cell is, by its log; one that is over counts whole."""
    if cell.is_over:
        return cell.config.steps
    return cell.workdir.logged_step()
