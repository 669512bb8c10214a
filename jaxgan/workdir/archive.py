"""Exported models: a folder that holds a trained generator and all that is needed to use, judge and check it.

    model.safetensors      the weights, by plain names: gen.params.Dense_0.kernel
    config.json            the run's config, its data's shapes, its provenance; without paths of the machine it was made on
    evaluation.json        the run's scores, if it has any
    samples.safetensors    eight samples, and what a translator made them from
    samples.png, card.md   for people
    archive.json           which files belong to it, with their digests; written last

Nothing in it is executed when it is read. Its digests find damage; they are no signature, and say nothing of who made it.
"""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load, save

from jaxgan import records
from jaxgan.config.resolve import is_among
from jaxgan.errors import UserError
from jaxgan.files import replacing, write_json
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.records import STEP
from jaxgan.state import NEVER, GanState
from jaxgan.workdir.flat import flatten, unflatten

MODEL, SAMPLES, MANIFEST, CONFIG = "model.safetensors", "samples.safetensors", "archive.json", "config.json"
ADVICE = "get the archive again from where it came"
FORMAT = 1
MANIFEST_SHAPE = {
    "format": STEP,
    "step": STEP,
    "ema": bool,
    "players": [str, ...],
    "files": {str: {"sha256": str, "bytes": STEP}},
    "numbers": [range(1 << 32), ...],
    "made": dict,
    "stablehlo?": dict,
}
PLACES = (
    "data.dir",
    "data.cache",
    "init_from.workdir",
    "init_from.base_workdir",
    "frozen.*.workdir",
    "frozen.*.config",
    "frozen.*.weights",
)  # of the machine that a run was trained on


class Archive:
    """An exported model's folder, which need not exist. Whatever reads a damaged one raises UserError."""

    def __init__(self, path: Path | str):
        self.path = Path(path)

    @property
    def is_archive(self) -> bool:
        return (self.path / MANIFEST).is_file()

    @property
    def manifest(self) -> dict[str, Any]:
        """`archive.json`. Raises UserError where there is none."""
        found = records.read_json(self.path / MANIFEST, MANIFEST_SHAPE, ADVICE)
        if found is None:
            raise UserError(f"{self.path} is no exported model (no {MANIFEST}); --mode=export makes one of a run")
        if found["format"] > FORMAT:
            raise UserError(f"{self.path} is of a newer jaxgan (format {found['format']}); pip install --upgrade jaxgan")
        return found

    def check(self, *names: str) -> None:
        """Refuses files, by default all, that are not those that were exported. Raises UserError naming the first."""
        files = self.manifest["files"]
        for name in names or files:
            if name not in files or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise records.DamagedFile(f"{self.path / MANIFEST} is damaged (it says nothing of '{name}'); {ADVICE}")
            path = self.path / name
            if not records.check_file(path, ADVICE):
                raise records.DamagedFile(f"{path} is missing; {ADVICE}")
            if sha256(path) != files[name]["sha256"]:
                raise records.DamagedFile(f"{path} is not the file that was exported (its SHA-256 is another); {ADVICE}")

    @property
    def identity(self) -> str:
        """The digest of the weights."""
        return self.manifest["files"][MODEL]["sha256"]

    def read(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of a safetensors file, checked. Raises UserError."""
        self.check(name)
        with records.reading(self.path / name, ADVICE):
            return load((self.path / name).read_bytes())

    def state(self, plan: Plan, placement: Placement) -> GanState:
        """The generator's weights as the state of a run that has no other players, whole on every device of the mesh."""
        shapes, manifest, found = plan.shapes(), self.manifest, self.read(MODEL)
        with records.reading(self.path / MODEL, ADVICE):
            like = {player: shapes.variables(player) for player in manifest["players"]}
            wanted = {name: (tuple(x.shape), np.dtype(x.dtype)) for name, x in flatten(like).items()}
            there = {name: (x.shape, x.dtype) for name, x in found.items()}
            if wanted != there:
                name = next(name for name in sorted({*wanted, *there}) if wanted.get(name) != there.get(name))
                raise ValueError(f"'{name}' is not what the config's networks have")
            variables = placement.spread(unflatten(like, found))
        params = {player: x["params"] for player, x in variables.items()}
        model_state = {player: {k: v for k, v in x.items() if k != "params"} for player, x in variables.items()}
        ema = {player: {"params": params[player], "model_state": model_state[player]} for player in params}
        return GanState(
            step=jnp.int32(manifest["step"]),
            params=params,
            model_state=model_state,
            opt_state={},
            ema=ema if manifest["ema"] else {},
            memory={},
            rng=jax.random.key(plan.run.seed),
            first_bad=jnp.int32(NEVER),
        )


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Writes a safetensors file of arrays by name, whole or not at all."""
    content = save({name: np.ascontiguousarray(x) for name, x in arrays.items()})
    with replacing(path) as file:
        file.write(content)


def write_manifest(path: Path, files: list[str], **content: Any) -> None:
    """Writes `archive.json`, which makes a folder an archive. files: below it."""
    listed = {name: {"sha256": sha256(path / name), "bytes": (path / name).stat().st_size} for name in files}
    write_json(path / MANIFEST, {"format": FORMAT, "files": listed, **content})


def without_places(record: dict[str, Any]) -> dict[str, Any]:
    """A run's record without paths of the machine that it was trained on."""

    def cut(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
        out = {}
        for key, x in tree.items():
            path = f"{above}{key}"
            out[key] = cut(x, f"{path}.") if isinstance(x, dict) else "" if is_among(path, PLACES) else x
        return out

    starts = []
    for start in record["starts"]:
        typed = [one for one in start.get("overrides", []) if not is_among(one.partition("=")[0], PLACES)]
        donors = {k: {**x, "workdir": Path(x["workdir"]).name} if "workdir" in x else x
                  for k, x in start.get("donors", {}).items()}  # fmt: skip
        starts.append({**start, "overrides": typed} | ({"donors": donors} if donors else {}))
    kept = {key: x for key, x in record.items() if key != "id"}  # which vouches for code on the machine of its maker alone
    return json.loads(json.dumps({**kept, "config": cut(record["config"]), "starts": starts}))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
