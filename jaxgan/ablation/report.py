"""A table's report: `report.md` with its pictures, `report.html` in one file, `table.tex`, `table.csv`, `report.json`."""

import html
import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxgan import monitor
from jaxgan.ablation import figures, formats, saved_report
from jaxgan.ablation.cell import Cell, slug
from jaxgan.ablation.formats import ARROWS, as_csv, cells_of, grid, head_of, marked, rows, tex
from jaxgan.ablation.progress import read_table
from jaxgan.ablation.real_images import read_real
from jaxgan.ablation.registered import registered_of
from jaxgan.ablation.results import Result, Summary, summarise
from jaxgan.ablation.statistics import ENOUGH
from jaxgan.ablation.table import Table
from jaxgan.config.bundled import CONFIGS
from jaxgan.console import duration, say
from jaxgan.errors import UserError, described
from jaxgan.files import write_json, write_text

LEGEND = (
    "Mean ± standard deviation over runs. Claims: 95 % t-intervals, Welch's test, p-values corrected together (Holm); fewer "
    f"than {ENOUGH} seeds decide nothing about means. Bold: better than every other row by these tests."
)
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1100px; padding: 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; white-space: nowrap; font-variant-numeric: tabular-nums; }
table { font-size: .92rem; }
th, td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid #ddd; } th { border-bottom: 2px solid #888; }
th { white-space: normal; vertical-align: bottom; max-width: 7rem; }
th:first-child, td:first-child { text-align: left; white-space: normal; position: sticky; left: 0; background: #fff; }
.published { color: #5a5a5a; } .claims { list-style: none; padding: 0; } small { color: #5a5a5a; }
.holds { color: #00693e; } .contradicted { color: #a8321e; } .undecided { color: #5a5a5a; }
svg { width: 100%; height: auto; } .strips { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } img { height: 170px; max-width: 100%; object-fit: contain; } figcaption { font-size: .85rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: #5a5a5a; } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 600px) { dl { display: block; } dd { margin-bottom: .5rem; } th, td { padding: .3rem .4rem; }
  td:first-child { max-width: 8rem; } }
"""  # noqa: E501


def write(
    table: Table,
    cells: Iterable[Cell],
    folder: Path,
    joined: Mapping[str, list[Result]] | None = None,
    seeds: Sequence[int] = (),
) -> Path:
    """Writes what the cells have come to, finished or not, beside `joined` results of other rows, and says the table. Raises
    UserError where there is nothing. seeds: what was asked for, where they are not the table's own."""
    real, registered = read_real(folder) if table.real else None, registered_of(folder)
    summary = summarise(table, cells, real, joined)
    every = [result for row in (summary.hidden | summary.results).values() for result in row]
    if not any(result.starts for result in every):
        for result in every:
            if result.message:
                raise UserError(f"no cell could be trained; {result.cell.name}: {result.message}")
        raise UserError(f"nothing has been trained in {folder}; leave --report_only out")
    folder.mkdir(parents=True, exist_ok=True)
    about = provenance(summary, folder, seeds)
    drawn = {"curves": figures.curves(summary)} | {name: _drawn(name, draw, summary) for name, draw in table.figures.items()}
    drawn = {name: figure for name, figure in drawn.items() if figure is not None}
    strips = figures.strips(summary) if table.samples else {}
    for name, figure in drawn.items():
        figures.save(figure, folder / f"{slug(name)}.png")
    if strips:
        figures.save(figures.sheet(strips), folder / "samples.png")
    text = markdown(summary, about, [*drawn, *(["samples"] if strips else [])])
    svgs = {name: figures.svg(figure) for name, figure in drawn.items()}
    pictures = {row: figures.thumbnail(path) for row, path in strips.items()}
    outputs = {"report.md": text, "table.csv": as_csv(summary), "table.tex": tex(summary)}
    outputs["report.html"] = page(summary, about, svgs, pictures)
    for name, content in outputs.items():
        write_text(folder / name, content)
    write_json(folder / saved_report.FILE, saved_report.dump(summary) | {"registered": registered}, indent=1)
    say("\n".join([table.title, "", grid(summary, str), "", *claims(summary), "", f"{folder}/report.html"]))
    return folder / "report.html"


def _drawn(name: str, draw: Any, summary: Summary) -> Any:
    """A figure of the table's own; one that fails is left out, and said to be."""
    try:
        return draw(summary)
    except Exception as error:
        say(f"figure '{name}' left out: {described(error)}")
        return None


def claims(summary: Summary) -> list[str]:
    """A line for each claim."""
    return [f"- {v.answer}: {v.text} ({'; '.join(filter(None, (v.estimate, v.reason)))})" for v in summary.verdicts]


def failures(summary: Summary) -> list[str]:
    """A line for runs of a row that are not done for the same reason."""

    def told(result: Result) -> str:
        why = result.message.partition("; last good")[0]
        return "" if result.state == "done" else f"{result.state}: {why}" if why else result.state

    hidden = {row: [x for x in some if x.state != "open"] for row, some in summary.hidden.items()}
    return _by_seeds(hidden | summary.results, told)


def illnesses(summary: Summary) -> list[str]:
    """A line for runs of a row that ended with the same illness, by the monitor's rules."""

    def told(result: Result) -> str:
        return "" if result.state == "diverged" or result.verdict == monitor.HEALTHY else result.verdict

    return _by_seeds(summary.results, told)


def _by_seeds(results: Mapping[str, list[Result]], told: Callable[[Result], str]) -> list[str]:
    seeds: dict[tuple[str, str], list[int]] = {}
    for row, some in results.items():
        for result in some:
            if result.cell and told(result):
                seeds.setdefault((row, told(result)), []).append(result.cell.seed)
    return [
        f"- {row}, seed{'s' if len(some) > 1 else ''} {', '.join(map(str, some))}: {text}"
        for (row, text), some in seeds.items()
    ]


def notices(summary: Summary) -> list[tuple[str, list[str]]]:
    """Titles of lists, and their lines."""
    return [("Runs that are not done", failures(summary)), ("What the stability monitor said last", illnesses(summary))]


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
    joined = {
        row: x.cell.folder.parent for row, some in summary.results.items() for x in some if saved_report.is_elsewhere(x)
    }
    source = next(iter(joined.values()), "")  # of all of them
    others = sorted({x.cell.seed for x in every if saved_report.is_elsewhere(x)})
    words += [f"--join={source}"] if joined else []
    config = Path(state.get("config", ""))
    config = config.relative_to(CONFIGS.parent) if config.is_relative_to(CONFIGS.parent) else config
    seconds = sum(start["seconds"] for start in state.get("starts", ()))

    def each(key: str) -> str:
        return ", ".join(sorted({str(start.get(key, "unknown")) for start in starts}))

    out = {
        "paper": summary.table.paper,
        "data": summary.table.data,
        "protocol": summary.table.protocol,
        "seeds": _seeds(summary.table.seeds) + (f"; of joined rows {_seeds(others)}" if others else ""),
        "scores": json.dumps(scored[0]["protocol"], sort_keys=True) if scored else "",
        "command": shlex.join(["python", "launch.py", "--mode=ablate", f"--config={config}", *words]) if state else "",
        "joined": f"{', '.join(joined)} from {source}" if joined else "",
        "revision": each("git_revision"),
        "versions": ", ".join(sorted({f"{k} {v}" for start in starts for k, v in start.get("versions", {}).items()})),
        "devices": f"{each('devices')} x {each('device')}",
        "trained": f"{dates[0][:16]} to {dates[-1][:16]} UTC (starts of runs)" if dates else "",
        "scored": _scored([one.get("measured", {}) for one in scored]),
        "duration": f"{duration(seconds)}, workers: {state['starts'][-1]['workers']}" if seconds else "",
    }
    return {key: value for key, value in out.items() if value}


def _scored(measured: Sequence[dict[str, Any]]) -> str:
    """By which revisions the scores were measured, and when."""
    dates = sorted(str(one["date"])[:16] for one in measured if "date" in one)
    revisions = sorted({str(one.get("git_revision", "not recorded")) for one in measured})
    when = f"{dates[0]} to {dates[-1]} UTC" if dates else ""
    return ", ".join(filter(None, (*revisions, when)))


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


def page(summary: Summary, about: dict[str, str], svgs: dict[str, str], pictures: dict[str, str]) -> str:
    """The report in one HTML file, which loads nothing."""
    e, table = html.escape, summary.table
    body = [f"<h1>{e(table.title)}</h1>", '<div class="wide"><table><tr><th></th>']
    body += [f"<th{_published_class(name)}>{e(name)}</th>" for name in head_of(table, ARROWS)] + ["</tr>"]
    for name, row in rows(summary):
        columns = zip(head_of(table, ARROWS), cells_of(summary, name, row, "\0{}\0"))
        inner = "".join(
            f"<td{_published_class(head)}>{marked(e(text), '<strong>{}</strong>')}</td>" for head, text in columns
        )
        body.append(f"<tr><td>{e(name)}</td>{inner}</tr>")
    body.append(f"</table></div><p>{e(LEGEND)}</p>")
    if summary.verdicts:
        body.append('<h2>Claims</h2><ul class="claims">')
        for v in summary.verdicts:
            measured = "; ".join(filter(None, (v.estimate, v.reason)))
            body.append(f'<li><b class="{v.answer}">{v.answer}</b> {e(v.text)} <small>{e(measured)}</small></li>')
        body.append("</ul>")
    for title, lines in notices(summary):
        if lines:
            body.append(f"<h2>{title}</h2><ul>")
            body += [f"<li>{e(line.removeprefix('- '))}</li>" for line in lines] + ["</ul>"]
    for name, svg in svgs.items():
        body.append(f"<h2>{e(name.capitalize())}</h2>{svg}")
    if pictures:
        body.append('<h2>Samples</h2><p>Of the first seed that has any, from averaged weights.</p><div class="strips">')
        body += [f'<figure><img src="{src}" alt="samples of {e(row)}"><figcaption>{e(row)}</figcaption></figure>'
                 for row, src in pictures.items()]  # fmt: skip
        body.append("</div>")
    if table.notes:
        body.append(f"<h2>Notes</h2><p>{e(table.notes)}</p>")
    body.append("<h2>Where it comes from</h2><dl>")
    body += [f"<dt>{e(key)}</dt><dd>{e(value)}</dd>" for key, value in about.items()] + ["</dl>"]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return (
        f'<!doctype html><html lang="en"><head>{head}<title>{e(table.title)}</title><style>{STYLE}</style></head><body>\n'
        + ("\n".join(body) + "\n</body></html>\n")
    )


def _published_class(head: str) -> str:
    return ' class="published"' if head == "published" else ""
