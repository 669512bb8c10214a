"""The pictures of a report: curves over training, and the samples that a row ends with."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from jaxgan.ablation.results import Summary, series
from jaxgan.records import read_picture
from jaxgan.workdir.folder import Workdir

COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#000000",
    "#8c6d31",
)  # Okabe and Ito's, and one
STYLES = ("-", "--", ":", "-.", (0, (1, 4)))  # of lines, when there are no more colours
ADVICE = "remove it, and the report shows the one before"
EXACT, LARGEST = 320, 1280  # pixels of the longer side of a row's samples in a page


def curves(summary: Summary) -> Figure | None:
    """Each of the table's curves against steps: a line a row, the mean over its seeds, with a band of one standard
    deviation to both sides. None where nothing has been logged twice."""
    found = {
        key: {row: (steps, values) for row, results in summary.results.items() for steps, values in [series(results, key)]}
        for key in summary.table.curves
    }
    found = {key: rows for key, rows in found.items() if any(len(steps) > 1 for steps, _ in rows.values())}
    if not found:
        return None
    across = min(2, len(found))
    named = 3 * across  # rows in a line of the legend
    size = (5 * across, 3.2 * -(-len(found) // across) + 0.18 * -(-len(summary.results) // named))
    figure = Figure(figsize=size, layout="constrained")
    panels = np.atleast_1d(figure.subplots(-(-len(found) // across), across)).ravel()
    for panel in panels[len(found) :]:
        panel.set_visible(False)
    lines = {}
    for panel, (key, rows) in zip(panels, found.items()):
        for i, (row, (steps, values)) in enumerate(rows.items()):
            if len(steps) < 2:  # of a row that trains nothing
                continue
            colour, mean = COLOURS[i % len(COLOURS)], values.mean(0)
            style = STYLES[i // len(COLOURS) % len(STYLES)]
            (lines[row],) = panel.plot(steps, mean, color=colour, linestyle=style, linewidth=1.4)
            if len(values) > 1:
                std = values.std(0, ddof=1)
                panel.fill_between(steps, mean - std, mean + std, color=colour, alpha=0.15, linewidth=0)
        panel.set_title(key, fontsize=10, parse_math=False)
        panel.set_xlabel("step", fontsize=9)
        panel.tick_params(labelsize=8)
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    legend = figure.legend(
        list(lines.values()),
        list(lines),
        loc="outside lower center",
        ncols=min(named, len(lines)),
        fontsize=7,
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def strips(summary: Summary) -> dict[str, Path]:
    """A row's newest picture of samples, of its first seed that has one."""
    out = {}
    for row, results in summary.results.items():
        pictures = [sorted(Workdir(result.cell.folder).samples.glob("step_*.png")) for result in results if result.cell]
        newest = [one[-1] for one in pictures if one]
        if newest:
            out[row] = newest[0]
    return out


def sheet(pictures: dict[str, Path]) -> Figure:
    """All rows' samples in one figure, each under its name."""
    wide = max(_shape(path) for path in pictures.values())
    across = min(2 if wide > 1.5 else 4, len(pictures))
    down = -(-len(pictures) // across)
    figure = Figure(figsize=(12, down * (12 / across / wide + 0.25)), layout="constrained")
    panels = np.atleast_1d(figure.subplots(down, across)).ravel()
    for panel in panels:
        panel.axis("off")
    for panel, (row, path) in zip(panels, pictures.items()):
        panel.imshow(np.asarray(read_picture(path, ADVICE)), interpolation="nearest")
        panel.set_title(row, fontsize=9, parse_math=False)
    return figure


def _shape(path: Path) -> float:
    """A picture's width over its height."""
    picture = read_picture(path, ADVICE)
    return picture.width / picture.height


def heat_map(
    summary: Summary,
    column: str,
    names: list[list[str]],
    rows: Sequence[str],
    columns: Sequence[str],
    form: str,
    log: bool = False,
) -> Figure:
    """Means of a table's column where its rows are a grid: names[i][j] is the row that belongs to rows[i] and columns[j].

    form: of a mean, ".1f". log: colours by the logarithm. Where all runs have failed it is theirs, in brackets. The figure's
    axes can be labelled further.
    """
    entries = [[summary.entries[name][column] for name in line] for line in names]
    some = [[entry.values or entry.failed for entry in line] for line in entries]
    means = np.array([[np.mean(values) if values else np.nan for values in line] for line in some])
    figure = Figure(figsize=(2.2 + 1.0 * len(columns), 1.4 + 0.6 * len(rows)), layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(np.log(means) if log else means, cmap="cividis", aspect="auto")
    axes.set_xticks(range(len(columns)), columns, parse_math=False)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    for (i, j), value in np.ndenumerate(means):
        level = 1.0 if np.isnan(value) else drawn.norm(np.log(value) if log else value)
        text = "-" if np.isnan(value) else format(value, form)
        text = f"({text})" if entries[i][j].failed and not entries[i][j].values else text
        axes.text(j, i, text, ha="center", va="center", color="white" if level < 0.5 else "black")  # pyright: ignore
    return figure


def save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure).print_png(path)


def svg(figure: Figure) -> str:
    """A figure as an <svg> element that takes the width that it is given."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "jaxgan", "font.family": "sans-serif"}):
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None})
    body = text.getvalue()
    body = body[body.index("<svg") :]
    width = body.index('width="')
    return body[:width] + body[body.index('"', width + 7) + 2 :].replace('height="', 'data-height="', 1)


def embedded(path: Path, alt: str) -> str:
    """A picture as an <img> element that holds it. alt: what stands for it where it is not seen."""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img class="drawing" src="data:image/png;base64,{data}" alt="{html.escape(alt)}">'


def in_page(path: Path) -> str:
    """A picture as a data: URL, for a page that shows it at full size too. Up to `EXACT` pixels a side every pixel is kept,
    and up to `LARGEST` the size is."""
    picture, data = read_picture(path, ADVICE), io.BytesIO()
    picture.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    picture.save(data, "WEBP", quality=90, lossless=max(picture.size) <= EXACT)
    return "data:image/webp;base64," + base64.b64encode(data.getvalue()).decode()
