"""What `--mode=sample` is asked for: its flags, checked against each other before anything is loaded."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from jaxgan import errors
from jaxgan.errors import UserError, as_path
from jaxgan.truncation import Truncation, parse
from jaxgan.verbs import outputs

FILES = (".npz", ".array_record")  # of arrays
APART = ("labels", "attributes", "prompts")  # of which arrays and folders have every pair of value and number


@dataclass(frozen=True)
class SampleRequest:
    """What to generate and where to put it.

    seeds: numbers of the images. columns: of the grid; None: as near to a square as it gets.
    out: FILE.png for a grid, FILE.npz or FILE.array_record for arrays, else a folder of PNG files; None: the run's samples/.
    overwrite: replace what is there. ema: from the moving averages of the weights.
    labels: of a generator that is told labels; none: those that the numbers draw. Several: each with all numbers.
    attributes: of a generator that is told these, names apart by commas; several: as labels.
    prompts: of a run that draws captions; none: those of the data's examples of these numbers. Several: as labels.
    truncation: of z, each a row of a table if there are several. standing: passes for BatchNorm's statistics; 0: the running
    ones.
    frames: from each image to the next, as FILE.gif and FILE_strip.png; 0: none.
    attention: beside each image, where it looked at each word of its prompt.

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
    labels: tuple[int, ...] = ()
    truncation: tuple[Truncation, ...] = ()
    standing: int = 0
    prompts: tuple[str, ...] = ()
    attention: bool = False
    attributes: tuple[str, ...] = ()

    @property
    def axes(self) -> dict[str, int]:
        """How many values there are of what a table may have rows for."""
        all_ = {"labels": self.labels, "attributes": self.attributes, "prompts": self.prompts}
        all_ |= {"truncation_psi": self.psi, "truncation": self.truncation}
        return {name: len(values) for name, values in all_.items()}

    @property
    def rows(self) -> str:
        """What a table has a row for, that of `axes` with several values; or ""."""
        return next((name for name, count in self.axes.items() if count > 1), "")

    @property
    def is_table(self) -> bool:
        """Whether all becomes one picture with a row for each value, or a mix of styles."""
        written_apart = self.rows in APART and self.out is not None and self.out.suffix.lower() != ".png"
        return bool(self.mix or self.rows or self.attention) and not written_apart

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
    labels: str = "",
    truncation: str = "",
    standing: int | None = None,
    prompt: Sequence[str] = (),
    prompts: str = "",
    attention: bool = False,
    attributes: Sequence[str] = (),
) -> SampleRequest:
    """The flags of `--mode=sample`, put together. Raises UserError where they contradict each other."""
    path = as_path(out) if out else None
    made = SampleRequest(
        (),
        None,
        path,
        ema,
        interpolate,
        _psi(truncation_psi),
        space,
        errors.numbers(mix, "--mix") if mix else (),
        errors.numbers(layers, "--layers") if layers else (),
        overwrite,
        _labels(label, labels),
        parse(truncation) if truncation else (),
        _passes(standing),
        _prompts(tuple(prompt), prompts),
        attention,
        tuple(attributes),
    )
    columns, rows = _parse_grid(grid) if grid else (None, None)
    cells = columns * rows if columns and rows else None
    if num is not None and num < 1:
        raise UserError(f"--num must be at least 1, not {num}")
    if made.frames < 0:
        raise UserError(f"--interpolate must be at least 1 frame, not {made.frames}")
    few = 8 if made.frames or made.is_table else 64
    numbers = errors.numbers(seeds, "--seeds") if seeds else tuple(range(num or cells or few))
    for flag, count in (("--num", num), ("--grid", cells)):
        if count is not None and count != len(numbers):
            other = "--seeds" if seeds else "--num"
            raise UserError(f"{flag} says {count} images and {other} says {len(numbers)}; leave one out")
    made = replace(made, seeds=numbers, columns=columns)
    _check_kinds(made, bool(grid))
    if bool(mix) != bool(layers):
        raise UserError("--mix takes styles in some layers: --seeds=0-3 --mix=8-15 --layers=0-1")
    if space not in ("z", "w") or (space == "w" and not made.frames):
        raise UserError(f"--space is z or w, and of --interpolate, not '{space}'")
    if path:
        _check_out(made, out, path)
    elif overwrite:
        raise UserError("--overwrite goes with --out")
    return made


def _check_kinds(made: SampleRequest, grid: bool) -> None:
    """Refuses two kinds of pictures at once. Raises UserError."""
    several = made.rows and f"several values of --{made.rows} make a table of their own"
    if made.labels and made.attributes:
        raise UserError("--labels is of one class a picture and --attributes of several; leave one out")
    if made.frames and len(made.seeds) < 2:
        raise UserError("an interpolation goes between at least two seeds: --seeds=0-7")
    if made.frames and grid:
        raise UserError("--grid has no effect with --interpolate, whose strip has a row from each image to the next")
    if made.attention and not made.prompts:
        raise UserError("--attention shows where a picture looked at the words of a prompt: --prompt=... beside it")
    if made.attention and made.rows == "truncation":
        raise UserError("--attention has rows of its own; give one --truncation beside it")
    if grid and (made.mix or made.rows or made.attention):
        raise UserError("--grid has no effect on a table, which has a column for each number")
    if made.psi and made.truncation:
        raise UserError("--truncation_psi is of StyleGAN's styles and --truncation of the latent z; leave one out")
    for name in APART:
        if made.axes[name] and (made.mix or made.frames):
            raise UserError(f"--{name} is of pictures and tables, and not of --mix and --interpolate; leave one out")
    if several and (made.mix or made.frames):
        raise UserError(f"{several}; give one beside --mix or --interpolate")
    others = [name for name, count in made.axes.items() if count > 1 and name != made.rows]
    if others:
        raise UserError(f"{several}, and so do those of --{others[0]}; give several of one alone")
    if made.mix and made.frames:
        raise UserError("--mix and --interpolate make pictures of their own; choose one")


def _check_out(made: SampleRequest, out: str, path: Path) -> None:
    """Refuses an `out` that does not suit, or that is there. Raises UserError."""
    table = made.mix or made.attention or made.rows not in ("", *APART)
    suffix = path.suffix.lower()
    allowed = (".gif",) if made.frames else (".png",) if table else ("", ".png", *FILES)
    if suffix not in allowed:
        kinds = f"FILE.png (a grid), {' or '.join(f'FILE{x}' for x in FILES)} (arrays), or a folder (a PNG file each)"
        kinds = "FILE.gif" if made.frames else "FILE.png" if table else kinds
        raise UserError(f"--out={out} must be {kinds}")
    for folder in (*path.parents, *([] if path.suffix else [path])):
        if folder.is_file():
            raise UserError(f"--out={out} cannot be written: '{folder}' is a file, not a folder")
    if path.suffix and path.is_dir():
        raise UserError(f"--out={out} is a folder; name a file in it")
    if path.suffix:
        outputs.check_files([path, strip_of(path)] if made.frames else [path], made.overwrite)
    else:
        outputs.check_folder(path)


def strip_of(path: Path) -> Path:
    """The strip that belongs to an interpolation's FILE.gif."""
    return path.with_name(f"{path.stem}_strip.png")


def _labels(label: int | None, labels: str) -> tuple[int, ...]:
    if label is None:
        return errors.numbers(labels, "--labels") if labels else ()
    if labels:
        raise UserError("--label=3 is --labels=3 by its old name; leave one out")
    return (label,)


def _prompts(typed: tuple[str, ...], file: str) -> tuple[str, ...]:
    if not file:
        return typed
    if typed:
        raise UserError("--prompts=FILE and --prompt are two ways to say what to draw; leave one out")
    try:
        lines = as_path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--prompts={file} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from error
    found = tuple(line.strip() for line in lines if line.strip())
    if not found:
        raise UserError(f"--prompts={file} has no line with a prompt")
    return found


def _passes(standing: int | None) -> int:
    if standing is not None and standing < 1:
        raise UserError(
            f"--standing must be at least 1 pass, not {standing}; without it BatchNorm's running statistics serve"
        )
    return standing or 0


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
