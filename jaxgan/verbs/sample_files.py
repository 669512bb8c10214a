"""Samples that are written as they are made, any number of them; the same request goes on where it was stopped."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxgan.batches import batches
from jaxgan.console import bar
from jaxgan.images import Rows, save_npy, save_npz, save_png
from jaxgan.verbs.outputs import claim_folder, clear_folder
from jaxgan.verbs.sample_request import SampleRequest

Make = Callable[[np.ndarray], np.ndarray]  # numbers uint32 [N] -> images uint8 [N, H, W, C], or points


def write_pictures(folder: Path, make: Make, wanted: SampleRequest, request: dict[str, Any], size: int) -> None:
    """A PNG file of each number, in batches of `size`. Of a batch that is there in part the whole is made again: a batch has
    the same bits in every attempt. Raises UserError as `outputs.claim_folder` does."""
    names = [f"seed{seed:08d}.png" for seed in wanted.seeds]
    there = claim_folder(folder, {**request, "seeds": spelled(wanted.seeds), "batch": size}, names, wanted.overwrite)
    for rows, numbers in _parts(wanted.seeds, size):
        missing = [row for row in rows if names[row] not in there]
        made = make(numbers) if missing else ()
        for row in missing:
            save_png(folder / names[row], made[row - rows.start])


def write_arrays(path: Path, make: Make, wanted: SampleRequest, request: dict[str, Any], size: int) -> None:
    """FILE.npz: "images" [N, ...], "seeds" and "step". Until all images are made they lie, a batch a file, in the folder
    FILE.npz.parts. Raises UserError as `outputs.claim_folder` does."""
    folder, count = path.with_name(f"{path.name}.parts"), len(wanted.seeds)
    names = [f"part{start:08d}.npy" for start in range(0, count, size)]
    whole = folder / "packed.npz"
    claim_folder(folder, {**request, "seeds": spelled(wanted.seeds), "batch": size}, [*names, whole.name], wanted.overwrite)
    for name, (rows, numbers) in zip(names, _parts(wanted.seeds, size)):
        if not _is_whole(folder / name):
            save_npy(folder / name, make(numbers)[: len(rows)])
    first = np.load(folder / names[0])
    parts = (np.load(folder / name) for name in bar(names, "packed", len(names), "parts"))
    images = Rows((count, *first.shape[1:]), first.dtype, parts)
    save_npz(whole, images=images, seeds=np.array(wanted.seeds), step=np.array(request["step"]))
    os.replace(whole, path)
    clear_folder(folder)


def _is_whole(path: Path) -> bool:
    try:
        return len(np.load(path, mmap_mode="r")) > 0
    except (OSError, ValueError, EOFError):  # none yet, or cut when the machine went down
        return False


def _parts(seeds: tuple[int, ...], size: int) -> Iterator[tuple[range, np.ndarray]]:
    """(rows, their numbers filled up to one size) of each batch, with a bar."""
    numbers = np.array(seeds, np.uint32)
    with bar(None, "made", len(seeds), "pictures") as shown:
        for chosen, count in batches(len(seeds), min(size, len(seeds))):
            yield range(chosen[0], chosen[0] + count), numbers[chosen]
            shown.update(count)


def spelled(seeds: tuple[int, ...]) -> str:
    """Numbers as --seeds has them, 0-63,99."""
    ends = [i for i in range(len(seeds)) if i + 1 == len(seeds) or seeds[i + 1] != seeds[i] + 1]
    starts = [0, *(i + 1 for i in ends[:-1])]
    return ",".join(f"{seeds[a]}-{seeds[b]}" if a < b else f"{seeds[a]}" for a, b in zip(starts, ends))
