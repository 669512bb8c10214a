"""What a result depends on beside its config: revision, versions, devices."""

import datetime
import importlib.metadata
import subprocess
from pathlib import Path
from typing import Any

import jax

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "tensorflow-datasets", "grain", "numpy")


def provenance() -> dict[str, Any]:
    """What a result depends on beside its config: revision, versions, devices, matmul precision, date."""
    device = jax.devices()[0]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "git_revision": git_revision(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "device": device.device_kind,
        "platform": device.platform,
        "devices": jax.device_count(),
        "processes": jax.process_count(),
        "matmul_precision": jax.config.jax_default_matmul_precision or "default",  # pyright: ignore
    }


def git_revision() -> str:
    """The commit that this package is at, "+changes" behind it if the tree is not clean; "unknown" outside of git."""

    def git(*arguments):
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def changed(before: dict[str, Any], now: dict[str, Any]) -> str:
    """What is another than at an earlier start, "jax 0.10.2 -> 0.12.0, devices 1 -> 2"; "" if nothing is. The date aside,
    and what the earlier start did not write down."""

    def flat(start: dict[str, Any]) -> dict[str, str]:
        kept = ("git_revision", "device", "devices", "processes", "matmul_precision")
        return {**start.get("versions", {}), **{name: str(start[name]) for name in kept if name in start}}

    old = flat(before)
    both = {name: (old[name], x) for name, x in flat(now).items() if name in old}
    shown = {"git_revision": "revision", "matmul_precision": "matmul precision"}
    return ", ".join(f"{shown.get(name, name)} {was} -> {x}" for name, (was, x) in both.items() if was != x)
