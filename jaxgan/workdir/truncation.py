"""The scores of a run over truncation: `truncation.json`, and a picture and a table beside it. They stay apart from
`evaluation.json`, whose scores are of latents as they are drawn."""

from pathlib import Path
from typing import Any

from jaxgan import records
from jaxgan.files import nulls, write_json
from jaxgan.workdir.shapes import EVALUATION

ENTRY = {**EVALUATION, "truncation": {"kind": str, "t": float}, "request": dict}


class Truncations:
    """The files of a run's folder."""

    def __init__(self, folder: Path):
        self.record, self.table, self.picture = (folder / f"truncation.{kind}" for kind in ("json", "csv", "png"))

    def entries(self) -> list[dict[str, Any]]:
        """Oldest first: {"truncation": {"kind", "t"}, "request", and what an evaluation has}. Raises DamagedFile."""
        found = records.read_json(self.record, {"truncations": [ENTRY]}, "remove it, and evaluate again")
        return found["truncations"] if found else []

    def find(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """What the same request has found before."""
        return next((entry for entry in self.entries() if entry["request"] == request), None)

    def add(self, entry: dict[str, Any]) -> None:
        """Adds an entry, in place of one of the same request."""
        others = [old for old in self.entries() if old["request"] != entry["request"]]
        write_json(self.record, nulls({"truncations": [*others, entry]}))
