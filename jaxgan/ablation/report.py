"""A table's report: `report.md` with its pictures, `report.html` in one file, `table.tex`, `table.csv`, `report.json`."""

import datetime
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxgan.ablation import figures, formats, saved_report
from jaxgan.ablation.cell import Cell, slug
from jaxgan.ablation.changes import changes
from jaxgan.ablation.controls import read_controls
from jaxgan.ablation.formats import as_csv, grid, tex
from jaxgan.ablation.notices import LEGEND, claims, notices
from jaxgan.ablation.page import page
from jaxgan.ablation.progress import read_table
from jaxgan.ablation.protocol import filled_in, in_words, untested
from jaxgan.ablation.registered import as_registered, read_registered, registered_of
from jaxgan.ablation.results import Result, Summary, summarise, with_registered
from jaxgan.ablation.table import Table
from jaxgan.config.bundled import CONFIGS
from jaxgan.config.resolve import flat
from jaxgan.console import duration, say
from jaxgan.errors import UserError, described
from jaxgan.files import write_json, write_text
from jaxgan.workdir.provenance import git_revision


def write(
    table: Table,
    cells: Iterable[Cell],
    folder: Path,
    joined: Mapping[str, list[Result]] | None = None,
    seeds: Sequence[int] = (),
    whole: Sequence[Cell] = (),
) -> Path:
    """Writes what the cells have come to, finished or not, beside `joined` results of other rows, and says the table. Raises
    UserError where there is nothing. seeds: what was asked for, where they are not the table's own. whole: all cells of
    the table, also of joined rows."""
    summary, others = _summarised(table, cells, folder, joined or {}, whole)
    _check_trained(summary, folder)
    folder.mkdir(parents=True, exist_ok=True)
    about = provenance(summary, folder, seeds)
    if others:
        about["config"] = f"its rows are older than the config of today, which has {'; '.join(others)}"
    drawings, pictures = _draw(summary, folder)
    names = [*drawings, *["samples"] * (bool(pictures) and "samples" not in drawings)]
    outputs = {"report.md": markdown(summary, about, names), "table.csv": as_csv(summary), "table.tex": tex(summary)}
    outputs["report.html"] = page(summary, about, drawings, pictures)
    for name, content in outputs.items():
        write_text(folder / name, content)
    block = {"registered": registered_of(folder)}
    write_json(folder / saved_report.FILE, saved_report.dump(summary, about) | block, indent=1)
    say("\n".join([summary.table.title, "", grid(summary, str), "", *claims(summary), "", f"{folder}/report.html"]))
    return folder / "report.html"


def _summarised(
    table: Table, cells: Iterable[Cell], folder: Path, joined: Mapping[str, list[Result]], whole: Sequence[Cell]
) -> tuple[Summary, list[str]]:
    """What the cells and the joined rows have come to, now and as registered; and in what joined rows differ from the
    configs of today, in lines. Raises UserError."""
    first = {cell.row: cell for cell in whole if not cell.hidden}
    known = {row: runs[0].cell.config for row, runs in joined.items()}
    configs = [flat(cell.config.to_dict()) | (known.get(row) or {}) for row, cell in first.items()]
    others = saved_report.differences({row: some for row, some in joined.items() if row in first}, first.values())
    if configs:
        table = replace(table, protocol=filled_in(table.protocol, configs), data=filled_in(table.data, configs))
    controls, registered = read_controls(folder), read_registered(folder)
    summary = summarise(table, cells, controls, joined, untested(table, configs))
    summary = replace(summary, length=in_words(table.length, configs) if table.length and configs else "")
    if registered:
        scored = [run.evaluation for some in summary.results.values() for run in some if run.evaluation]
        lines = changes(table, registered, [one.get("measured", {}) for one in scored])
        before = as_registered(table, registered)
        summary = with_registered(summary, before, untested(before, configs), controls, lines)
    return summary, list(dict.fromkeys(line for some in others.values() for line in some))


def _check_trained(summary: Summary, folder: Path) -> None:
    """Refuses a table of which no cell has begun. Raises UserError."""
    every = [result for row in (summary.hidden | summary.results).values() for result in row]
    if any(result.starts for result in every):
        return
    for result in every:
        if result.message:
            raise UserError(f"no cell could be trained; {result.cell.name}: {result.message}")
    raise UserError(f"nothing has been trained in {folder}; leave --report_only out")


def _draw(summary: Summary, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Draws a report's pictures into its folder. Returns those of a page: {title: HTML} of figures, and {row: data: URL} of
    samples. A table without its cells has the pictures of the report before."""
    table = summary.table
    drawn = {"curves": figures.curves(summary)} | {name: _drawn(name, draw, summary) for name, draw in table.figures.items()}
    strips = figures.strips(summary) if table.samples else {}
    out = {}
    for name, figure in drawn.items():
        if figure is not None:
            figures.save(figure, folder / f"{slug(name)}.png")
            out[name] = figures.svg(figure)
    if strips:
        figures.save(figures.sheet(strips), folder / "samples.png")
    if set(_joined(summary).values()) == {folder}:
        titles = ["curves", *table.figures, *["samples"] * table.samples]
        there = {name: folder / f"{slug(name)}.png" for name in titles if name not in out}
        out |= {name: figures.embedded(path, f"{name}: {table.title}") for name, path in there.items() if path.exists()}
    return out, {row: figures.in_page(path) for row, path in strips.items()}


def _joined(summary: Summary) -> dict[str, Path]:
    """The folder of the report that each joined row is from."""
    return {row: x.cell.folder.parent for row, some in summary.results.items() for x in some if saved_report.is_elsewhere(x)}


def _drawn(name: str, draw: Any, summary: Summary) -> Any:
    """A figure of the table's own; one that fails is left out, and said to be."""
    try:
        return draw(summary)
    except Exception as error:
        say(f"figure '{name}' left out: {described(error)}")
        return None


def provenance(summary: Summary, folder: Path, asked: Sequence[int] = ()) -> dict[str, str]:
    """What a reader needs to trust a table, or to make it again."""
    every = [result for row in summary.results.values() for result in row]
    hidden = [result for row in summary.hidden.values() for result in row]
    starts = [start for result in every + hidden for start in result.starts]
    dates = sorted(start["date"] for start in starts if "date" in start)
    scored = [result.evaluation for result in every if result.evaluation]
    state = read_table(folder) or {}
    words = [f"--config.{one}" for one in state.get("overrides", ())]
    asked = asked or state.get("seeds") or ()
    words += [f"--seeds={','.join(map(str, asked))}"] if asked else []
    joined = _joined(summary)
    source = next(iter(joined.values()), "")  # of all of them
    others = sorted({x.cell.seed for x in every if saved_report.is_elsewhere(x)})
    is_own = set(joined.values()) == {folder}  # a report that is written from itself
    words += [f"--join={source}"] if joined and not is_own else []
    config = Path(state.get("config", ""))
    config = config.relative_to(CONFIGS.parent) if config.is_relative_to(CONFIGS.parent) else config
    seconds = sum(start["seconds"] for start in state.get("starts", ()))

    def each(key: str) -> str:
        return ", ".join(sorted({str(start.get(key, "unknown")) for start in starts}))

    out = {
        "paper": summary.table.paper,
        "data": summary.table.data,
        "protocol": summary.table.protocol,
        "seeds": _seeds(summary.table.seeds) + (f"; of joined rows {_seeds(others)}" if others and not is_own else ""),
        "scores": json.dumps(scored[0]["protocol"], sort_keys=True) if scored else "",
        "command": shlex.join(["python", "launch.py", "--mode=ablate", f"--config={config}", *words]) if state else "",
        "joined": f"{', '.join(joined)} from {source}" if joined and not is_own else "",
        "revision": each("git_revision"),
        "versions": ", ".join(sorted({f"{k} {v}" for start in starts for k, v in start.get("versions", {}).items()})),
        "devices": f"{each('devices')} x {each('device')}",
        "trained": f"{dates[0][:16]} to {dates[-1][:16]} UTC (starts of runs)" if dates else "",
        "scored": _scored([one.get("measured", {}) for one in scored]),
        "duration": f"{duration(seconds)}, workers: {state['starts'][-1]['workers']}" if seconds else "",
        "controls": _controls(folder),
        "registered": registration(folder, summary.table),
        "report": f"revision {git_revision()}, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
    }
    kept = saved_report.about(folder) if is_own else {}
    out |= {key: kept[key] for key in ("command", "duration") if key in kept}
    return {key: value for key, value in out.items() if value}


def _controls(folder: Path) -> str:
    """What a table's controls are, and by which revision they were scored."""
    controls = read_controls(folder)
    told = [f"{name}: {one['about'].rstrip('.')}" for name, one in controls.items() if one.get("about")]
    scored = _scored([one.get("measured", {}) for one in controls.values()])
    return "; ".join([*told, f"scored: {scored}"]) if told else ""


def _scored(measured: Sequence[dict[str, Any]]) -> str:
    """By which revisions the scores were measured, and when."""
    dates = sorted(str(one["date"])[:16] for one in measured if "date" in one)
    revisions = sorted({str(one.get("git_revision", "not recorded")) for one in measured})
    when = f"{dates[0]} to {dates[-1]} UTC" if dates else ""
    return ", ".join(filter(None, (*revisions, when)))


def registration(folder: Path, table: Table) -> str:
    """When a table's claims were registered."""
    block = registered_of(folder)
    if block:
        return f"{block['date'][:16]} UTC, revision {block['git_revision']}, digest {block['digest'][:16]}"
    return "the claims were not registered before the runs" if table.claims else ""


def _seeds(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def markdown(summary: Summary, about: dict[str, str], pictures: list[str]) -> str:
    plain = formats.markdown
    parts = [f"# {plain(summary.table.title)}", grid(summary), LEGEND]
    for title, lines in (("Claims", claims(summary)), *notices(summary)):
        parts += [f"## {title}", "\n".join(f"- {plain(line.removeprefix('- '))}" for line in lines)] if lines else []
    parts += [f"## Notes\n\n{plain(summary.table.notes)}"] if summary.table.notes else []
    parts += ["\n\n".join(f"![{_alternative(name)}]({slug(name)}.png)" for name in pictures)] if pictures else []
    parts += ["## Where it comes from", "\n".join(f"- {key}: {_code(key, value)}" for key, value in about.items())]
    return "\n\n".join(parts) + "\n"


def _code(key: str, value: str) -> str:
    return (formats.code if key in ("command", "scores") else formats.markdown)(value)


def _alternative(name: str) -> str:
    """A picture's name between the brackets that Markdown has for it."""
    return formats.markdown(name).replace("[", "(").replace("]", ")")
