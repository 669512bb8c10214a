"""Samples that are written as they are made, any number of them; the same request goes on where it was stopped."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxgan.batches import batches
from jaxgan.console import bar
from jaxgan.data import sample_records
from jaxgan.data.samples import LIST
from jaxgan.files import write_text
from jaxgan.images import Rows, save_npy, save_npz, save_png
from jaxgan.verbs.outputs import claim_folder, clear_folder

# (numbers uint32 [N], and by name what is asked of each, [N]) -> images uint8 [N, H, W, C], or points
Make = Callable[..., np.ndarray]


class Samples(NamedTuple):
    """numbers: uint32 [N]. asked: of each by name, [N, ...], as `generate.make_generate` takes it. labels: int32 [N], or
    attributes [N, K]; None of a generator that is told none. prompts: texts [N], or None. apart: what names of files begin
    with where a number has several samples, [N]; or none."""

    numbers: np.ndarray
    asked: dict[str, np.ndarray]
    labels: np.ndarray | None = None
    prompts: np.ndarray | None = None
    apart: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """What is written beside the images, by name: "seed", "label", "prompt"."""
        beside = {"seed": self.numbers, "label": self.labels, "prompt": self.prompts}
        return {name: x for name, x in beside.items() if x is not None}


def write_pictures(folder: Path, make: Make, samples: Samples, request: dict[str, Any], size: int, overwrite: bool) -> None:
    """A PNG file of each sample, in batches of `size`, and in the end `samples.csv`, of their numbers and labels. Of a batch
    that is there in part the whole is made again: a batch has the same bits in every attempt. Raises UserError as
    `outputs.claim_folder` does."""
    names = [f"seed{seed:08d}.png" for seed in samples.numbers]
    names = [f"{before}{name}" for before, name in zip(samples.apart, names)] if samples.apart else names
    there = claim_folder(folder, {**request, "batch": size}, [*names, LIST], overwrite)
    for rows, make_part in _parts(make, samples, size):
        missing = [row for row in rows if names[row] not in there]
        made = make_part() if missing else ()
        for row in missing:
            save_png(folder / names[row], made[row - rows.start])
    write_text(folder / LIST, _listed(names, samples))


def _listed(names: list[str], samples: Samples) -> str:
    """CSV with file, seed and, where there are some, label and prompt; attributes apart by spaces."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["file", *samples.columns])
    for name, *values in zip(names, *samples.columns.values()):
        lines.writerow([name, *(" ".join(map(str, np.ravel(x))) for x in values)])
    return text.getvalue()


def write_arrays(path: Path, make: Make, samples: Samples, request: dict[str, Any], size: int, overwrite: bool) -> None:
    """FILE.npz: "images" [N, ...], "seeds", perhaps "labels", "step" and "request" (JSON); or FILE.array_record, see
    `data.sample_records`. Until all images are made they lie, a batch a file, in the folder FILE.npz.parts. Raises UserError
    as `outputs.claim_folder` does."""
    folder, count = path.with_name(f"{path.name}.parts"), len(samples.numbers)
    names = [f"part{start:08d}.npy" for start in range(0, count, size)]
    whole = folder / f"packed{path.suffix.lower()}"
    claim_folder(folder, {**request, "batch": size}, [*names, whole.name], overwrite)
    for name, (rows, make_part) in zip(names, _parts(make, samples, size)):
        if not _is_whole(folder / name):
            save_npy(folder / name, make_part()[: len(rows)])
    first = np.load(folder / names[0])
    parts = (np.load(folder / name) for name in bar(names, "packed", len(names), "parts"))
    if path.suffix.lower() == sample_records.SUFFIX:
        images = (image for part in parts for image in part)
        beside = ({name: x[i] for name, x in samples.columns.items()} for i in range(count))
        sample_records.write_samples(whole, ({"image": image, **own} for image, own in zip(images, beside)))
    else:
        images = Rows((count, *first.shape[1:]), first.dtype, parts)
        beside = {f"{name}s": x for name, x in samples.columns.items()}
        said = np.array(json.dumps(request, sort_keys=True))
        save_npz(whole, images=images, **beside, step=np.array(request["step"]), request=said)
    os.replace(whole, path)
    clear_folder(folder)


def _is_whole(path: Path) -> bool:
    try:
        return len(np.load(path, mmap_mode="r")) > 0
    except (OSError, ValueError, EOFError):  # none yet, or cut when the machine went down
        return False


def _parts(make: Make, samples: Samples, size: int) -> Iterator[tuple[range, Callable[[], np.ndarray]]]:
    """(rows, what makes them, filled up to one size) of each batch, with a bar."""
    count = len(samples.numbers)
    with bar(None, "made", count, "pictures") as shown:
        for chosen, n in batches(count, min(size, count)):
            asked = {name: x[chosen] for name, x in samples.asked.items()}
            yield range(chosen[0], chosen[0] + n), partial(make, samples.numbers[chosen], **asked)
            shown.update(n)


def spelled(seeds: tuple[int, ...]) -> str:
    """Numbers as --seeds has them, 0-63,99."""
    ends = [i for i in range(len(seeds)) if i + 1 == len(seeds) or seeds[i + 1] != seeds[i] + 1]
    starts = [0, *(i + 1 for i in ends[:-1])]
    return ",".join(f"{seeds[a]}-{seeds[b]}" if a < b else f"{seeds[a]}" for a, b in zip(starts, ends))
