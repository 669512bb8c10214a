"""What a search was asked for, as its folder keeps it."""

import dataclasses
from pathlib import Path
from typing import Any

from jaxgan import records
from jaxgan.config import trust
from jaxgan.config.renamed import NAMES, renamed_override
from jaxgan.config.resolve import Overrides
from jaxgan.files import write_json
from jaxgan.records import STEP

FILE = "search.json"
SHAPE = {
    "names": STEP, "config": str, "space": str, "overrides": [str], "score": str, "better": str, "sampler": str,
    "options": dict, "seed": STEP, "storage": str, "study": str, "budget": STEP, "id?": str,
    "pruner?": str, "pruner_options?": dict, "test?": str, "phase?": str, "protocol?": str, "narrow?": STEP,
    "seeds?": str, "place?": str,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a search was asked for. config, space: files. overrides: of every trial. score: what is sought, of the trials'
    own last evaluation, and which way is `better`. options, pruner_options: as they were when the search began. storage: a
    URL, or "" for study.db in the folder. budget: trials. test: a split on which trials are scored too, and which chooses
    nothing; "" for none. phase: "narrow" where the space's narrow one is searched. protocol: "three_phase", or "" for one
    search; of it narrow are the trials of the second phase, and seeds those of the third. place: of this folder alone, by
    which a study with several folders knows whose a trial is."""

    config: str
    space: str
    overrides: Overrides = dataclasses.field(default_factory=list)
    score: str = ""
    better: str = "lower"
    sampler: str = "random"
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    pruner: str = "none"
    pruner_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0
    storage: str = ""
    study: str = "search"
    budget: int = 100
    test: str = ""
    phase: str = ""
    protocol: str = ""
    narrow: int = 50
    seeds: str = "1-10"
    place: str = ""

    @property
    def is_independent(self) -> bool:
        """Whether no trial's setting or length depends on other trials' scores."""
        return self.sampler == "random" and self.pruner == "none"

    def save(self, folder: Path) -> None:
        """Writes `search.json`."""
        before = records.read_json(folder / FILE, SHAPE, "restore it") or {}
        content: dict[str, Any] = dataclasses.asdict(self) | {"names": NAMES}
        content["overrides"] = [f"{path}={value}" for path, value in self.overrides]
        identity = trust.note(_code(content), folder, before.get("id"))
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / FILE, content | ({"id": identity} if identity else {}))


def remembered(folder: Path) -> Asked | None:
    """What a folder's search was asked for; None where there is none. Raises UserError where it is damaged, or names code
    that is not to be trusted."""
    found = records.read_json(folder / FILE, SHAPE, "restore it, or choose another --workdir")
    if found is None:
        return None
    trust.check(_code(found), folder, found.get("id"))
    pairs = [(path, value) for path, _, value in (one.partition("=") for one in found["overrides"])]
    pairs = pairs if found["names"] == NAMES else [new for pair in pairs for new in renamed_override(*pair)]
    names = [field.name for field in dataclasses.fields(Asked)]
    values: dict[str, Any] = {name: found[name] for name in names if name in found} | {"overrides": pairs}
    return Asked(**values)


def _code(content: dict[str, Any]) -> set[str]:
    """The files and classes outside the package that a search names."""
    files = trust.file_in(content["config"]) | trust.file_in(content["space"])
    return files | trust.classes_in([one.partition("=")[2] for one in content["overrides"]])
