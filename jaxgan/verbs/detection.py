"""A folder of pictures in; their scores, what is abnormal in them, and a page of all out; it goes on where it stopped."""

import heapq
import itertools
import json
import math
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import jax
import numpy as np

from jaxgan.config.resolve import Overrides
from jaxgan.console import bar, say
from jaxgan.data import listing
from jaxgan.data.decode import dark_ones, decoded
from jaxgan.errors import Failure, UserError
from jaxgan.files import write_text
from jaxgan.generate import trained
from jaxgan.images import save_png
from jaxgan.placement import Placement
from jaxgan.verbs import outputs
from jaxgan.verbs.detection_page import Page, Shown
from jaxgan.verbs.detection_rows import CSV, Row, Rows
from jaxgan.verbs.finder import BATCH, Detection, Finder, fit_of
from jaxgan.verbs.given_pictures import digest, listed, png_names, stamp
from jaxgan.verbs.heat import heated
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_run, weights_digest

PAGE = "index.html"
NAMED = 10  # damaged pictures that the last line names


def detect(
    folder: Path, source: Path, out: Path | None, overrides: Overrides, num: int = 1000, overwrite: bool = False
) -> Path:
    """Scores every picture of `source`, a folder, an archive or a picture, and writes into `out`, by default the run's
    detected/: scores.csv, in the order in which pictures are read; for each picture pictures/NAME.png, as the network sees
    it, and, where there are such, reconstructions/NAME.png and heat/NAME.png; and index.html, whose path is returned.

    num: of pictures on the page, of the highest scores. overwrite: take the place of what another command has made there.
    Pictures that cannot be read are passed over and told of. In memory there is a batch of pictures, and a line of each.

    Raises UserError where the run finds no anomalies, where its held-out pictures cannot tell the rate, and where `out`
    holds what the same command has not made; Failure where no picture can be read.
    """
    items = listed(source, corrupt="skip", alone=True)
    placement = Placement()
    plan, step, state = load_run(folder, placement, overrides=overrides)
    out = out or Workdir(folder).outputs / "detected"
    outputs.check_folder(out, [source])
    ema = plan.run.eval.ema and bool(state.ema)
    finder = Finder(folder, plan, step, placement.local(trained(plan, state, ema)), ema)
    if jax.process_index() != 0:
        return folder
    names, rate, calibration = png_names([item.name for item in items], source), finder.at(None), finder.calibration
    kinds = ["pictures", *["reconstructions"] * calibration.has_reconstruction, *["heat"] * calibration.has_map]
    request = {"mode": "detect", "step": step, "checkpoint": weights_digest(folder, step)}
    request |= {"input": str(source.resolve()), "pictures": stamp(items), "ema": ema}
    request |= {f"detector.{key}": x for key, x in plan.config.eval.detector.to_dict().items() if key != "test"}
    request["calibration"] = digest(calibration.scores.tolist())
    try:
        there = outputs.claim_folder(
            out,
            json.loads(json.dumps(request)),
            [*(f"{kind}/{name}" for kind in kinds for name in names), CSV, PAGE],
            overwrite,
        )
        rows = Rows(out / CSV, calibration.parts)
        done = rows.begin(
            [item.name for item in items],
            BATCH,
            lambda i, row: row.verdict == "damaged" or all(f"{kind}/{names[i]}" in there for kind in kinds),
        )
        _score(finder, items, names, done, rows, out, rate)
        page, damaged = _page(finder, rate, rows, names, num, source, kinds, folder)
        write_text(out / PAGE, page.html())
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error
    _tell(page, damaged, rate, out / PAGE)
    return out / PAGE


def _score(
    finder: Finder, items: list[listing.Item], names: list[str], done: int, rows: Rows, out: Path, rate: float
) -> None:
    """Writes the lines of the items from number `done` on, and before each batch of lines its pictures."""
    fit, tops = fit_of(finder.plan.config, finder.plan.image_shape), []
    entries = itertools.islice(listing.entries(items, [""] * len(items)), done, None)  # an archive's: from its front on
    with bar(None, "scored", len(items), "pictures") as shown, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about odd metadata
        shown.update(done)
        read = ((entry.name, pixels) for entry, pixels in decoded(entries, fit, tops))
        for start, part in ((i, [*itertools.islice(read, BATCH)]) for i in range(done, len(items), BATCH)):
            good = [pixels for _, pixels in part if isinstance(pixels, np.ndarray)]
            found = finder(np.stack(good), rate) if good else None
            place, lines = itertools.count(), []
            for (file, pixels), name in zip(part, names[start:]):
                if isinstance(pixels, str) or found is None:
                    lines.append(Row(file, math.nan, math.nan, "damaged", (), str(pixels)))
                    continue
                i = next(place)
                _save(out, name, pixels, found, i, finder)
                values = float(found.score[i]), float(found.p_value[i])
                verdict = "abnormal" if found.abnormal[i] else "normal"
                lines.append(Row(file, *values, verdict, tuple(float(x[i]) for x in found.parts.values())))
            rows.add(lines)
            shown.update(len(part))
    if dark := dark_ones(tops, len(items), "what is read"):
        say(dark)


def _save(out: Path, name: str, pixels: np.ndarray, found: Detection, i: int, finder: Finder) -> None:
    save_png(out / "pictures" / name, pixels)
    if found.reconstruction is not None:
        save_png(out / "reconstructions" / name, found.reconstruction[i])
    if found.map is not None:
        scale = finder.calibration.low, finder.calibration.high
        save_png(out / "heat" / name, heated(pixels[None], found.map[i : i + 1], *scale)[0])


def _page(
    finder: Finder,
    rate: float,
    rows: Iterable[Row],
    names: list[str],
    num: int,
    source: Path,
    kinds: list[str],
    folder: Path,
) -> tuple[Page, list[tuple[str, str]]]:
    """The page, and the pictures that cannot be read, each with the reason."""
    damaged: list[tuple[str, str]] = []
    counts = {"abnormal": 0, "normal": 0}

    def scored() -> Iterator[tuple[float, float, str, int, bool]]:
        for i, row in enumerate(rows):
            if row.verdict == "damaged":
                damaged.append((row.file, row.trouble))
            else:
                counts[row.verdict] += 1
                yield -row.score, row.p_value, row.file, i, row.verdict == "abnormal"

    best = heapq.nsmallest(num, scored())
    shown = [Shown(file, names[i], -score, p, is_abnormal) for score, p, file, i, is_abnormal in best]
    m, threshold = len(finder.calibration.scores), finder.threshold(rate)
    total = sum(counts.values())
    asked = [
        ("Run", f"{folder}, step {finder.step}, {'moving averages of the ' if finder.ema else ''}weights"),
        ("Detector", finder.title),
        ("Pictures", str(source)),
        (
            "Threshold",
            f"score above {threshold:.6g}: p at most {rate:g}; no larger share of normal pictures is called abnormal",
        ),
        ("Calibrated on", f"{m:,} normal pictures, {finder.split}"),
        ("Found", f"{counts['abnormal']:,} abnormal, {counts['normal']:,} normal, {len(damaged):,} that cannot be read"),
    ]
    if "heat" in kinds:
        asked.append(
            ("Colours", "red: a residual that 95 of 100 of those normal pictures have nowhere; orange: halfway there")
        )
    line = f"Threshold: above this line the score is above {threshold:.6g} (p at most {rate:g})"
    title = f"Anomalies: {folder.name}, step {finder.step}"
    height, width = finder.plan.image_shape[:2]
    return Page(title, asked, tuple(kinds), shown, total, line, damaged, (height, width)), damaged


def _tell(page: Page, damaged: list[tuple[str, str]], rate: float, path: Path) -> None:
    """The last lines. Raises Failure where no picture could be read."""
    if not page.total:
        name, why = damaged[0]
        raise Failure(f"none of the {len(damaged)} pictures can be read, the first '{name}': {why}")
    if damaged:
        some = ", ".join(name for name, _ in damaged[:NAMED]) + (", ..." if len(damaged) > NAMED else "")
        say(f"without a score, since they cannot be read: {some}")
    found = dict(page.asked)["Found"]
    say(f"{page.total + len(damaged):,} pictures at a rate of {rate:g}: {found}: {path}")
