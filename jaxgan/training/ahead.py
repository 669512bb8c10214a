"""What a step comes to on a slice of TPUs that is not there: compiled ahead of time by the package libtpu."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxgan.data.source import Images
from jaxgan.errors import UserError, nearest
from jaxgan.memory import human
from jaxgan.parallel import AXIS
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.training import budget

HBM = {"v4": 32, "v5e": 16, "v5p": 95, "v6e": 32}  # GB a chip, by Google's pages of each
WIDTH = {"pred": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "bf16": 2, "f16": 2, "s64": 8, "u64": 8, "f64": 8}  # others: 4
KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")


@dataclass(frozen=True)
class Collective:
    """An operation in which all chips take part. times: how often it runs in a step, the most where a branch decides.
    bytes: of its result, each time."""

    kind: str
    times: int
    bytes: int


def prepare() -> None:
    """Has JAX compile for chips that are not there. To be called before it looks for devices."""
    jax.config.update("jax_platforms", "cpu")  # libtpu would look for a TPU of this machine, for minutes
    jax.config.update("jax_enable_compilation_cache", False)  # programs for a slice are kept, and cannot be read again


def devices(topology: str) -> list[Any]:
    """The chips of a slice, "v5e:4x4", in the order of a run's mesh. Raises UserError where libtpu is missing, or does not
    know the slice."""
    kind = topology.partition(":")[0]
    if kind not in HBM or not re.fullmatch(r"[a-z0-9]+:\d+(x\d+)+", topology):
        raise UserError(f"--topology={topology} must be like v5e:4x4 or v5p:2x2x4; {nearest(kind, HBM)}")
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")  # there is no TPU to ask
    os.environ.setdefault("TPU_ACCELERATOR_TYPE", "v5litepod-16")
    os.environ.setdefault("TPU_WORKER_HOSTNAMES", "localhost")
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "true")  # one process at a time may hold a TPU, and there is none
    from jax.experimental import topologies

    try:
        found = topologies.get_topology_desc(topology, "tpu").devices
    except Exception as error:
        told = str(error).splitlines()[0][:200]
        if "not installed" in told or isinstance(error, ImportError):
            raise UserError("--topology compiles with the package libtpu: pip install 'jax[tpu]'") from error
        raise UserError(f"--topology={topology}: {told}") from error
    return list(jax.make_mesh((len(found),), (AXIS,), devices=found).devices.flat)


def memory(topology: str) -> int:
    """Bytes of a chip of a slice."""
    return HBM[topology.partition(":")[0]] * 10**9


def collectives(text: str) -> list[Collective]:
    """Those of a step, from a compiled program's text (HLO). What stands outside of all loops is done once a dispatch, and
    counts as once a step."""
    parts, entry = _computations(text)
    found: dict[tuple[str, int], int] = {}

    def walk(name: str, times: int) -> None:
        for line in parts.get(name, ()):
            match = re.search(r"= (.*?) ([a-z-]+)\(", line)
            if not match:
                continue
            kind = match[2].removesuffix("-done")
            if kind in KINDS:
                key = kind, _bytes(match[1])
                found[key] = found.get(key, 0) + times
            inner = re.search(r"condition=%?([\w.-]+)", line)
            count = times * (_trips(parts.get(inner[1], ())) if inner else 1)
            for called in re.findall(r"(?:body|calls|true_computation|false_computation)=%?([\w.-]+)", line):
                walk(called, count)
            for branches in re.findall(r"branch_computations=\{([^}]*)\}", line):
                for called in branches.replace("%", "").split(","):
                    walk(called.strip(), count)

    walk(entry, 1)
    return [Collective(kind, times, size) for (kind, size), times in sorted(found.items())]


def _computations(text: str) -> tuple[dict[str, list[str]], str]:
    """({name: its lines}, the name of the one that begins)."""
    parts, entry, lines = {}, "", []
    for line in text.splitlines():
        head = re.match(r"(ENTRY )?%?([\w.-]+) \(.*\{$", line)
        if head:
            lines = parts[head[2]] = []
            entry = head[2] if head[1] else entry
        elif line.startswith(" "):
            lines.append(line)
    return parts, entry


def _trips(condition: Any) -> int:
    """How often a loop runs, where its condition compares with one number; the loop over a dispatch's steps does not."""
    numbers = [int(n) for line in condition for n in re.findall(r"s32\[\]\S* constant\((\d+)\)", line)]
    return numbers[0] if len(numbers) == 1 else 1


def _bytes(shape: str) -> int:
    """Of arrays in a shape's text, "(f32[64]{0}, bf16[4,4])"."""
    found = re.findall(r"\b([a-z]+\d*)\[([\d,]*)\]", shape)
    return sum(WIDTH.get(kind, 4) * int(np.prod([int(n) for n in sides.split(",") if n] or [1])) for kind, sides in found)


def compiled(plan: Plan, images: Images, placement: Placement, topology: str) -> Any:
    """The compiled step of a run on a slice's chips. Raises UserError where it does not fit into one of them."""
    try:
        return budget.compiled(plan, images, placement)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error) and "memory" not in str(error):
            raise
        sizes = re.findall(r"([\d.]+[KMGT])\b", str(error))
        much = f"it needs {sizes[0]}iB of {sizes[1]}iB" if len(sizes) > 1 else str(error).splitlines()[0][:200]
        raise UserError(f"a step does not fit into a chip of {topology}: {much}; lower --config.batch_size") from error


def report(plan: Plan, images: Images, topology: str, find: Callable[[str], list[Any]] = devices) -> str:
    """What `--dry_run --topology` prints. Raises UserError where the batch cannot be divided, or does not fit."""
    chips = find(topology)
    budget.check_share(plan, len(chips))
    have = memory(topology)
    step = compiled(plan, images, Placement("shard_map", chips, plan.run.shards), topology)
    lines = [
        f"on {topology}: {len(chips)} chips, {chips[0].device_kind}; {plan.run.batch_size // len(chips)} examples a chip"
    ]
    found = collectives(step.as_text())
    for kind in KINDS:
        own = [one for one in found if one.kind == kind]
        if own:
            times, size = sum(one.times for one in own), sum(one.times * one.bytes for one in own)
            lines.append(f"  {kind:<18} {times:>6,} a step {human(size):>12}")
    if not found:
        lines.append("  no collectives")
    needs = step.memory_analysis()
    lines.append("memory of a chip")
    lines.append(f"  {'state and data':<18} {human(needs.argument_size_in_bytes):>12}")
    lines.append(f"  {'step':<18} {human(needs.temp_size_in_bytes):>12}")
    lines.append(f"  {'of':<18} {human(have):>12}")
    return "\n".join(lines)
