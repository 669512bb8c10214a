"""What `--mode=sample` is asked for: its flags, checked against each other before anything is loaded."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxgan import errors
from jaxgan.errors import UserError, as_path
from jaxgan.verbs import outputs


@dataclass(frozen=True)
class SampleRequest:
    """What to generate and where to put it.

    seeds: numbers of the images. columns: of the grid; None: as near to a square as it gets.
    out: FILE.png for a grid, FILE.npz for arrays, else a folder of PNG files; None: the run's samples/.
    overwrite: replace what is there. ema: from the moving averages of the weights.
    label: of all images, of a generator that is told labels; None: those that their numbers draw.
    frames: from each image to the next, as FILE.gif and FILE_strip.png; 0: none.

    Of generators with styles: psi: truncation, each a row of the grid if there are several; none: as trained. space: that
    of the frames, "z" or "w". mix, layers: numbers whose styles these layers take, a column each; beside and above, what
    was mixed.
    """

    seeds: tuple[int, ...]
    columns: int | None = None
    out: Path | None = None
    ema: bool = True
    frames: int = 0
    psi: tuple[float, ...] = ()
    space: str = "z"
    mix: tuple[int, ...] = ()
    layers: tuple[int, ...] = ()
    overwrite: bool = False
    label: int | None = None

    @property
    def styled(self) -> str:
        """The flag that only a generator with styles can follow."""
        given = {"truncation_psi": self.psi, "space=w": self.space == "w", "mix": self.mix}
        return next((f"--{flag}" for flag, there in given.items() if there), "")


def sample_request(
    num: int | None = None,
    grid: str = "",
    seeds: str = "",
    out: str = "",
    ema: bool = True,
    interpolate: int = 0,
    truncation_psi: Sequence[str] = (),
    space: str = "z",
    mix: str = "",
    layers: str = "",
    overwrite: bool = False,
    label: int | None = None,
) -> SampleRequest:
    """The flags of `--mode=sample`, put together. Raises UserError where they contradict each other."""
    frames, psi, others = interpolate, _psi(truncation_psi), errors.numbers(mix, "--mix") if mix else ()
    columns, rows = _parse_grid(grid) if grid else (None, None)
    cells = columns * rows if columns and rows else None
    if num is not None and num < 1:
        raise UserError(f"--num must be at least 1, not {num}")
    if frames < 0:
        raise UserError(f"--interpolate must be at least 1 frame, not {frames}")
    several = frames or others or len(psi) > 1
    numbers = errors.numbers(seeds, "--seeds") if seeds else tuple(range(num or cells or (8 if several else 64)))
    for flag, count in (("--num", num), ("--grid", cells)):
        if count is not None and count != len(numbers):
            other = "--seeds" if seeds else "--num"
            raise UserError(f"{flag} says {count} images and {other} says {len(numbers)}; leave one out")
    if frames and len(numbers) < 2:
        raise UserError("an interpolation goes between at least two seeds: --seeds=0-7")
    if frames and grid:
        raise UserError("--grid has no effect with --interpolate, whose strip has a row from each image to the next")
    if grid and (mix or len(psi) > 1):
        raise UserError("--grid has no effect on a table, which has a column for each number")
    if label is not None and several:
        raise UserError("--label is of pictures of their own, and not of tables and interpolations; leave one out")
    if len(psi) > 1 and (mix or frames):
        raise UserError(
            "several values of --truncation_psi make a table of their own; give one beside --mix or --interpolate"
        )
    if mix and frames:
        raise UserError("--mix and --interpolate make pictures of their own; choose one")
    if bool(mix) != bool(layers):
        raise UserError("--mix takes styles in some layers: --seeds=0-3 --mix=8-15 --layers=0-1")
    if space not in ("z", "w") or (space == "w" and not frames):
        raise UserError(f"--space is z or w, and of --interpolate, not '{space}'")
    path = as_path(out) if out else None
    table = bool(mix or len(psi) > 1)
    allowed = (".gif",) if frames else (".png",) if table else ("", ".png", ".npz")
    if path and path.suffix.lower() not in allowed:
        kinds = "FILE.png (a grid), FILE.npz (arrays), or a folder (a PNG file each)"
        kinds = "FILE.gif" if frames else "FILE.png" if table else kinds
        raise UserError(f"--out={out} must be {kinds}")
    if path:
        for folder in (*path.parents, *([] if path.suffix else [path])):
            if folder.is_file():
                raise UserError(f"--out={out} cannot be written: '{folder}' is a file, not a folder")
        if path.suffix and path.is_dir():
            raise UserError(f"--out={out} is a folder; name a file in it")
        if path.suffix:
            outputs.check_files([path, strip_of(path)] if frames else [path], overwrite)
        else:
            outputs.check_folder(path)
    elif overwrite:
        raise UserError("--overwrite goes with --out")
    which = errors.numbers(layers, "--layers") if layers else ()
    return SampleRequest(numbers, columns, path, ema, frames, psi, space, others, which, overwrite, label)


def strip_of(path: Path) -> Path:
    """The strip that belongs to an interpolation's FILE.gif."""
    return path.with_name(f"{path.stem}_strip.png")


def _psi(typed: Sequence[str]) -> tuple[float, ...]:
    try:
        values = tuple(float(x) for x in typed)
    except ValueError:
        values = (math.nan,)
    if not all(map(math.isfinite, values)):
        raise UserError(f"--truncation_psi must be a number, .7, or several, 1,.7,.5,0, not '{','.join(typed)}'")
    return values


def _parse_grid(text: str) -> tuple[int, int]:
    """ "8x4": 8 columns, 4 rows."""
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text.strip().lower())
    if not match:
        raise UserError(f"--grid must be COLUMNSxROWS, 8x8, not '{text}'")
    return int(match[1]), int(match[2])
