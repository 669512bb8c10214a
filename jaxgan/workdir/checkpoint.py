"""Checkpoints with Orbax, written in the background, each with a digest of our own.

A checkpoint is a flat dict of arrays, "params.gen.Dense_0.kernel" and so on, over the whole mesh: what wrote it (one
device or many, pmap or shard_map) is not part of it. Orbax makes a save atomic; array data carries no checksum, so one
flipped byte would load without a word: the digest is taken on the devices before a save and after a restore.
"""

import atexit
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from orbax.checkpoint import v1 as ocp

from jaxgan import memory, records
from jaxgan.errors import Failure, UserError
from jaxgan.trouble import is_out_of_memory, storage_trouble
from jaxgan.workdir.flat import digest, flatten, unflatten
from jaxgan.workdir.folder import check_path


class DamagedError(Failure):
    """Checkpoints exist, and none is intact."""


class Checkpoints:
    """The checkpoints in a folder. All processes call every method alike.

    Args:
      directory: made if need be.
      keep: how many of the newest stay.
      read_only: another run's, which may be going on: nothing is made, renamed or cleaned up.
    """

    def __init__(self, directory: Path, keep: int = 3, read_only: bool = False):
        self.directory, self._keep, self._read_only = Path(directory).absolute(), keep, read_only
        check_path(self.directory, read_only)
        self._open()

    def _open(self) -> None:
        self._saving, self._has_failed = None, False  # what Orbax gave for the save under way; whether any has failed
        policies = ocp.training.preservation_policies
        self._orbax = ocp.training.Checkpointer(
            str(self.directory),
            preservation_policy=policies.LatestN(self._keep),  # pyright: ignore[reportArgumentType]
            cleanup_tmp_directories=not self._read_only,
        )

    @property
    def steps(self) -> list[int]:
        """Steps of the finished checkpoints, ascending."""
        return [checkpoint.step for checkpoint in self._orbax.checkpoints]

    def save(self, step: int, tree: Any, note: Any = None) -> None:
        """Starts to write `tree`, a pytree of arrays and keys over the whole mesh, and returns; a save still under way
        is waited for, not dropped. note: JSON to keep beside it."""
        flat = flatten(tree)
        self._finish()
        kept = {"digest": digest(flat), "note": note}
        with self._cleaned_up():
            self._saving = self._orbax.save_async(step, flat, force=True, custom_metadata=kept)

    def _finish(self) -> None:
        """Waits for the save under way, and frees the thread and the three files that Orbax keeps for it until it is asked
        for its result. Raises what the save raised."""
        saving, self._saving = self._saving, None
        if saving is not None:
            with self._cleaned_up():
                saving.result()
            memory.give_back()  # what each of its threads had; long runs grow else

    @contextmanager
    def _cleaned_up(self) -> Iterator[None]:
        """Leaves nothing on the disk of a save that fails."""
        try:
            yield
        except Exception:
            if not self._has_failed:
                atexit.register(self._clean)  # when Orbax' threads have ended, which go on after it is closed
            self._has_failed = True
            self._clean()
            raise

    def _clean(self) -> None:
        for left in self.directory.glob("*.orbax-checkpoint-tmp") if jax.process_index() == 0 else ():
            shutil.rmtree(left, ignore_errors=True)

    def note(self, step: int) -> Any:
        """What was kept beside the checkpoint of a step; None if nothing was, or there is no such checkpoint."""
        return _kept(self._orbax.metadata(step)).get("note") if step in self.steps else None

    def restore(
        self, abstract: Any, warn: Callable[[str], None] = logging.warning, step: int | None = None
    ) -> tuple[int, Any] | None:
        """(step, tree) of the newest intact checkpoint, or of that of `step` alone; None where there is none.

        `abstract` is a pytree like the saved one, of `jax.ShapeDtypeStruct`s with shardings. A damaged checkpoint is
        told of through `warn`, set aside under another name, and never deleted. Players that the checkpoint has and
        `abstract` has not are left out: older revisions kept those that nothing trained. Raises UserError where a checkpoint
        is of another structure, and DamagedError where none is intact.
        """
        flat = flatten(abstract)
        damaged: list[tuple[int, Exception]] = []
        for at in reversed(self.steps if step is None else [step] if step in self.steps else []):
            try:
                saved = self._orbax.metadata(at)
                if saved.metadata is None:
                    raise ValueError("its list of arrays cannot be read")
            except Exception as error:
                if is_out_of_memory(error) or storage_trouble(error, reading=True):
                    raise  # which says nothing of the checkpoint
                damaged.append((at, error))
                continue
            more = _of_other_players(saved.metadata, flat)
            _check_structure({k: x for k, x in saved.metadata.items() if k not in more}, flat, self.directory / str(at))
            try:
                loaded = self._orbax.load(at, flat | more)
                if digest(loaded) != _kept(saved).get("digest"):
                    raise ValueError("its bytes are not those that were saved")
            except Exception as error:
                if is_out_of_memory(error) or storage_trouble(error, reading=True):
                    raise  # which says nothing of the checkpoint
                damaged.append((at, error))
                continue
            self.set_aside(damaged, warn)
            return at, unflatten(abstract, loaded)
        if damaged:
            step, error = damaged[0]
            raise DamagedError(f"no intact checkpoint in {self.directory}; the newest, {step}: {_line(error)}")
        return None

    def set_aside(self, damaged: list[tuple[int, Exception]], warn: Callable[[str], None]) -> None:
        """Renames damaged checkpoints, so that their steps can be saved again."""
        for step, error in damaged:
            source, target = self.directory / str(step), self.directory / f"damaged-{step}"
            while target.exists():
                target = target.with_name(target.name + "+")
            kept = "passed over" if self._read_only else f"kept as {target.name}"
            warn(f"checkpoint {source} is damaged and {kept}: {_line(error)}")
            if jax.process_index() == 0 and not self._read_only:
                source.rename(target)
        if damaged and not self._read_only:
            _barrier("jaxgan_damaged")
            self._orbax.close()
            self._open()

    def close(self) -> None:
        """Waits for the save under way; raises what it raised."""
        try:
            self._finish()
        finally:
            try:
                self._orbax.close()
            finally:
                if self._has_failed:  # its threads may have gone on writing until now
                    self._clean()


def kept_digest(directory: Path, step: int) -> str | None:
    """The digest that was kept with the checkpoint of a step; None if there is none. It is read from Orbax's file, because
    Orbax itself would start JAX's devices, and who asks may not be the process that is to have them."""
    with suppress(UserError):
        found = records.read_json(directory / str(step) / "_CHECKPOINT_METADATA", {"custom_metadata": {"digest": str}}, "")
        return found["custom_metadata"]["digest"] if found else None
    return None


def _kept(metadata: Any) -> dict[str, Any]:
    return metadata.custom_metadata or {}


def _of_other_players(saved: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The shapes of a checkpoint's arrays that belong to players of which none is wanted."""
    players = {name.split(".")[1] for name in wanted if name.startswith("params.")}
    parts = ("params", "model_state", "opt_state", "ema")
    others = {name: x for name, x in saved.items() if name.split(".")[0] in parts and name not in wanted}
    sharding = next(iter(wanted.values())).sharding
    return {
        name: jax.ShapeDtypeStruct(tuple(x.shape), x.dtype, sharding=sharding)
        for name, x in others.items()
        if players and name.split(".")[1] not in players
    }


def _check_structure(saved: Any, wanted: dict[str, Any], where: Path) -> None:
    """Raises UserError naming the first arrays that the run and the checkpoint do not share."""
    have = {name: (tuple(x.shape), np.dtype(x.dtype)) for name, x in saved.items()}
    want = {name: (tuple(x.shape), np.dtype(x.dtype)) for name, x in wanted.items()}
    wrong = [name for name in sorted(have.keys() | want.keys()) if have.get(name) != want.get(name)]
    if wrong:
        name, more = wrong[0], f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        told = [f"{x[1]}{list(x[0])}" if x else "absent" for x in (have.get(name), want.get(name))]
        raise UserError(f"checkpoint {where} is of another run: {name} is {told[0]} there, {told[1]} here{more}")


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _barrier(name: str) -> None:
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)
